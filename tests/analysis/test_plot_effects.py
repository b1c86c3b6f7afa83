"""Figures and tables of effects: what they show, what they leave out, and their colours on dark pages."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from store.fabricated import write_rows
from store.fabricated_effects import LR, TAU, swept
from store.fabricated_layers import EARLY, HIGH, ic_trial

from analysis import Results, open_results
from analysis.effect_texts import effect_text, interaction_texts, interval_text, p_text, share_texts, signed
from analysis.plot_effects import EFFECT_SECTIONS, plot_effects, plot_importances
from analysis.plot_interactions import plot_interactions
from analysis.report_sections import filled
from analysis.sections import Cell
from tic_sweep.store import Manifest


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """τ = 4 gains 2 points, the rate 0.1 loses 4, both together 8 more."""
    return swept(
        tmp_path / "r",
        lambda tau, lr, seed: 50 + 2 * (tau == 4) - 4 * (lr == 0.1) + 8 * (tau == 4 and lr == 0.1) + seed,
    )


def test_effects_are_dots_at_their_level(results: Results) -> None:
    """A panel per outcome, a trace per field; rows are the field, then its levels. τ gains 2 + 8 / 2 points."""
    figure: Any = plot_effects(results)
    titles = [note.text.replace("<br>", " ").replace("\u00a0", " ") for note in figure.layout.annotations]
    names = dict(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True))
    accuracy = [trace for trace in figure.data if "test accuracy" in str(trace.customdata)]

    assert ["transition epoch", "(IC − 1) / (T − 1) at the end", "test accuracy"] == titles
    assert {"4.0 vs 2.0": 6.0, "0.1 vs 0.3": 0.0} == {
        names[trace.y[0]]: pytest.approx(trace.x[0], abs=1e-9) for trace in accuracy
    }


def test_bounds_are_triangles(tmp_path: Path) -> None:
    """τ = 4 has not turned at any rate, τ = 2 has: the difference is at least so large."""
    trials = [
        ic_trial({TAU: tau, LR: lr, "seed": s}, ic)
        for tau, ic in ((2.0, EARLY), (4.0, HIGH)) for lr in (0.1, 0.3) for s in (0, 1)
    ]  # fmt: skip
    write_rows(tmp_path / "r", trials, varied=(TAU, LR))
    figure: Any = plot_effects(open_results(tmp_path / "r"))
    turning = next(trace for trace in figure.data if "transition" in str(trace.customdata))

    assert ("triangle-right-open",) == tuple(turning.marker.symbol)
    assert "≥ +3.5 epochs" in turning.customdata[0]


def test_interactions_are_maps_with_a_menu(results: Results) -> None:
    """Of two fields one pair: the mean of each cell, and ±2 left when both effects are taken off."""
    figure: Any = plot_interactions(results)
    shown = figure.layout.updatemenus[0].buttons
    mean, departure = list(figure.data)[-2:]

    assert "test accuracy" in shown[-1].label
    assert [6, 2] == [len(figure.data), sum(shown[-1].args[0]["visible"])]
    assert {51.0, 53.0, 47.0, 57.0} == {round(z, 6) for row in mean.z for z in row}
    assert {"+2.0", "−2.0"} == {text for row in departure.text for text in row}


def test_sections_need_two_fields_and_a_search(tmp_path: Path, results: Results) -> None:
    """One field is told elsewhere; importances are of searches."""
    one = swept(tmp_path / "one", lambda tau, _lr, seed: tau + seed, rates=(0.3,))

    assert ["effects", "interactions"] == [one.section.id for one in filled(results, EFFECT_SECTIONS)]
    assert [] == list(filled(one, EFFECT_SECTIONS))


def test_importances_are_bars_of_both_evaluators(tmp_path: Path) -> None:
    """A menu of outcomes, two groups of bars for each."""
    swept(tmp_path / "r", lambda tau, _lr, seed: 50 + tau + seed, seeds=(0,), taus=(1.5, 2.0, 4.0))
    manifest = Manifest.load(tmp_path / "r" / "sweep.json")
    dataclasses.replace(manifest, samples=6).save(tmp_path / "r" / "sweep.json")
    figure: Any = plot_importances(open_results(tmp_path / "r"))

    assert ["fANOVA", "PED-ANOVA"] == [trace.name.split(":")[0] for trace in figure.data]
    assert "not to be trusted" in figure.data[0].customdata[0]
    assert "time constant τ" == figure.data[0].y[0]


def test_tables_tell_shares_and_departures(results: Results) -> None:
    """Of squares 9, 0 and 4 in all: τ has 9 of 13, the rate 0, together 4 of 13."""
    shares, departures = share_texts(results), interaction_texts(results)
    assert shares is not None
    assert departures is not None
    told = {row[0]: row[1].text for row in shares.rows if isinstance(row[1], Cell)}

    assert {"time constant τ": "69 %", "learning rate": "0 %", "fields together": "31 %"} == told
    assert "fields together" == shares.rows[-1][0]
    assert "2.0 points" == departures.rows[-1][2].text  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (signed(-0.04, 1), "+0.0"), (signed(-2.345, 2), "−2.35"), (signed(None, 1), "–"),
        (interval_text(-1.0, 2.0, 1), "−1.0 to 2.0"), (interval_text(None, None, 1), ""),
        (p_text(0.0001), "< 0.001"), (p_text(0.034), "0.034"), (p_text(None), ""),
        (effect_text({"outcome": "transition", "effect": 3.5, "turned": 0.5, "turned_reference": 1.0}), "≥ +3.5"),
        (effect_text({"outcome": "transition", "effect": -3.5, "turned": 1.0, "turned_reference": 0.5}), "≤ −3.5"),
        (effect_text({"outcome": "transition", "effect": 1.0, "turned": 0.5, "turned_reference": 0.5}), "+1.0"),
        (effect_text({"outcome": "accuracy", "effect": None, "turned": None, "turned_reference": None}), "–"),
    ],
)  # fmt: skip
def test_numbers_are_told_with_signs_and_bounds(told: str, text: str) -> None:
    """A minus is a minus, nothing is negative zero, and what is cut off is a bound."""
    assert text == told


@pytest.mark.parametrize("draw", [plot_effects, plot_interactions])
def test_every_colour_has_a_twin_for_dark_pages(results: Results, draw: Any) -> None:
    """What is not grey changes with the page, but for the colours of maps, which stand out from both."""
    figure = json.loads(str(draw(results).to_json()))
    twins = figure["layout"]["meta"].pop("dark")
    for trace in figure["data"]:
        trace.pop("colorscale", None)
    figure["layout"].pop("updatemenus", None)
    colours = set(re.findall(r'"(#[0-9a-f]{3,6}|rgba?\([^)]*\))"', json.dumps(figure)))
    both = {"rgba(0,0,0,0)", "rgba(128, 128, 128, 0.22)", "rgba(128, 128, 128, 0.8)"}

    assert set() == colours - set(twins) - both
