"""Figures of deficits, robustness, α and horizons: their colours, and results that have nothing to draw."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from store.fabricated import write_rows, write_sweep
from store.fabricated_probes import alpha, probed_trial

from analysis import Results, open_results
from analysis.plot_alpha import ALPHA_SECTIONS, plot_alpha
from analysis.plot_deficits import DEFICIT_SECTIONS, plot_deficits
from analysis.plot_horizons import HORIZON_SECTIONS, plot_horizons
from analysis.plot_robustness import ROBUSTNESS_SECTIONS, plot_strengths
from tic_sweep.records import TABLES

SECTIONS = (*DEFICIT_SECTIONS, *ROBUSTNESS_SECTIONS, *ALPHA_SECTIONS, *HORIZON_SECTIONS)
DRAWERS = (plot_alpha, plot_deficits, plot_horizons, plot_strengths)


@pytest.fixture
def probed(tmp_path: Path) -> Results:
    """Two data sets, three α and cross-entropy, two seeds, with everything measured."""
    rows: dict[str, Any] = {
        "deficits": dict.fromkeys((0, 1, 5), (0.5, 0.6, 0.8)),
        "robustness": {5: {"fgsm": {1.0: 0.5}, "blur": {1.0: 0.6, 2.0: 0.4}}},
        "horizons": dict.fromkeys((0, 5), (0.1, 0.2, 0.8, 0.8)),
        "traces": {5: (1.0, 0.5, 0.2, 0.1)},
        "epochs": {1: {"train_loss_over_t": 0.1, "ic": 2.0}, 5: {"train_loss_over_t": 0.1, "ic": 2.0}},
    }
    losses = [*(alpha(a, s) for a in (0.001, 0.01, 0.1) for s in (0, 1)), {"seed": 0}, {"seed": 1}]
    trials = [probed_trial(loss | {"data.name": name}, **rows) for name in ("digits", "svhn") for loss in losses]
    write_rows(tmp_path / "r", trials, varied=("data.name", "loss.name", "loss.alpha"))
    return open_results(tmp_path / "r")


@pytest.mark.parametrize("draw", DRAWERS)
def test_every_colour_has_a_twin_for_dark_pages(probed: Results, draw: Any) -> None:
    """What is not grey changes with the page."""
    figure = json.loads(draw(probed).to_json())
    twins = figure["layout"]["meta"].pop("dark")
    colours = set(re.findall(r'"(#[0-9a-f]{3,6}|rgba?\([^)]*\))"', json.dumps(figure)))
    greys = {"rgba(0,0,0,0)", "rgba(128, 128, 128, 0.22)", "rgba(128, 128, 128, 0.8)"}

    assert figure["data"]
    assert set() == colours - set(twins) - greys - {"#f6f8fa", "#8c959f", "#24292f"}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.id)
def test_sections_of_a_sweep_without_rows_are_empty(tmp_path: Path, section: Any) -> None:
    """Nothing to draw or to tell is no error."""
    write_sweep(tmp_path / "r", [({}, "planned", ())])
    results = open_results(tmp_path / "r")

    assert section.figure is None or () == section.figure(results).data
    assert section.table is None or section.table(results) is None


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.id)
def test_sections_show_what_was_measured(probed: Results, section: Any) -> None:
    """Each has a figure with traces, or a table with as many cells as heads in every row; tables it names exist."""
    assert set(section.tables) <= set(TABLES)
    if section.figure is not None:
        assert section.caption
        assert section.figure(probed).data
    if section.table is not None and (texts := section.table(probed)) is not None:
        assert {len(texts.heads)} == {len(row) for row in texts.rows}
