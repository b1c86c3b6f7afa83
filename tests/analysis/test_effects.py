"""Marginal effects: known by construction, censored, with gaps, without shared seeds; and how often they are right."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from store.fabricated import write_rows
from store.fabricated_effects import LR, MARGIN, TAU, T, crossed, outcome_rows, swept
from store.fabricated_layers import EARLY, HIGH, LATE, ic_trial

from analysis import open_results
from analysis.effects import effects_of, marginal_effects, slope_weights
from analysis.grids import Grid, combined
from analysis.intervals import student

LEVELS = {TAU: (2.0, 4.0), T: (4, 8)}


def rows_of(table: pl.DataFrame, *fields: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the rows of `effects_of` by field and level."""
    return {(row["field"], row["level"]): row for row in effects_of(table, fields).to_dicts()}


def test_effects_are_paired_by_seed_and_averaged_over_the_other_fields() -> None:
    """τ = 4 gains 9, 10 and 11 by seed, T = 4 gains 4 in all; the 100 points between seeds are in neither."""
    table = crossed(lambda tau, t, seed: 100 * seed + (9 + seed) * (tau == 4) + 4 * (t == 4), LEVELS)
    found = rows_of(table, TAU, T)
    tau, t = found[TAU, "4.0"], found[T, "4"]

    assert pytest.approx((10.0, 10 - MARGIN, 10 + MARGIN), abs=1e-5) == (tau["effect"], tau["low"], tau["high"])
    assert ("accuracy", "2.0", 3, "points", "paired t over seeds", 2, 0) == tuple(
        tau[x] for x in ("outcome", "reference", "n_seeds", "unit", "method", "n_contexts", "n_missing")
    )
    assert (4.0, 4.0, 4.0, "8") == (t["effect"], t["low"], t["high"], t["reference"])


def test_a_gap_costs_its_seed_and_is_counted() -> None:
    """Without one trial of seed 2, both settings of seeds 0 and 1 are left: gains of 9 and 10."""
    table = crossed(
        lambda tau, t, seed: None if (tau, t, seed) == (4.0, 4, 2) else (9 + seed) * (tau == 4) + 50.0 * (t == 4),
        LEVELS,
    )
    tau = rows_of(table, TAU, T)[TAU, "4.0"]

    assert (9.5, 2, 2, 1) == (tau["effect"], tau["n_seeds"], tau["n_contexts"], tau["n_missing"])


def test_a_context_without_a_level_is_left_out() -> None:
    """T = 4 has no τ = 4 at all: the effect is that at T = 8, and not mixed with what T does."""
    table = crossed(
        lambda tau, t, seed: None if (tau, t) == (4.0, 4) else (9 + seed) * (tau == 4) + 50.0 * (t == 4), LEVELS
    )
    tau = rows_of(table, TAU, T)[TAU, "4.0"]

    assert (10.0, 3, 1) == (tau["effect"], tau["n_seeds"], tau["n_contexts"])
    assert "paired t over seeds, 1 of 2 contexts" == tau["method"]


@pytest.mark.parametrize("levels", [{TAU: (2.0, 4.0, 8.0)}, {TAU: (2.0, 4.0, 8.0), T: (4, 8)}, {TAU: (2.0, 8.0)}])
def test_a_level_that_always_fails_is_told(levels: dict[str, tuple[Any, ...]]) -> None:
    """At τ = 8 no trial has the outcome: a row without an effect that counts them, the other levels as they were."""
    table = crossed(lambda tau, *rest: None if tau == 8 else tau + rest[-1], levels)
    found = rows_of(table, *levels)
    lost = found[TAU, "8.0"]

    assert (None, None, "2.0", 0, "no trial has the outcome") == tuple(
        lost[x] for x in ("effect", "low", "reference", "n_seeds", "method")
    )
    assert 3 * len(levels.get(T, (1,))) == lost["n_missing"]
    assert (4.0 in levels[TAU]) == ((TAU, "4.0") in found)


def test_of_many_drawn_values_none_is_told_by_itself() -> None:
    """Of forty draws one diverged: the slope is over the others, and the count says so."""
    table = outcome_rows(
        {LR: 10 ** (-2 + i / 20), TAU: 1.0 + 7 * i % 40, "seed": 0, "accuracy": None if i == 39 else i / 20.0}
        for i in range(40)
    )
    rate, tau = effects_of(table, (LR, TAU)).to_dicts()

    assert ("×10", 1, pytest.approx(1.0)) == (rate["level"], rate["n_missing"], rate["effect"])
    assert pytest.approx(0.0, abs=1e-9) == tau["effect"]


def test_one_seed_has_an_effect_without_an_interval() -> None:
    """A difference is a difference; how sure it is nobody knows."""
    tau = rows_of(crossed(lambda tau, _t, _seed: tau, LEVELS, seeds=1), TAU, T)[TAU, "4.0"]

    assert (2.0, None, None, 1, "one seed, no interval") == tuple(
        tau[x] for x in ("effect", "low", "high", "n_seeds", "method")
    )


def test_without_shared_seeds_it_is_a_regression() -> None:
    """Seeds 0 to 2 have 1, 2, 3, seeds 3 to 5 have 5, 6, 7: 4 ± t(4) · sqrt(2/3), the two-sample t interval."""
    table = outcome_rows({TAU: 2.0 + 2 * (s > 2), "seed": s, "accuracy": 1.0 + s + (s > 2)} for s in range(6))
    margin = 2.776445 * (2 / 3) ** 0.5
    tau = rows_of(table, TAU)[TAU, "4.0"]

    assert pytest.approx((4.0, 4 - margin, 4 + margin), abs=1e-5) == (tau["effect"], tau["low"], tau["high"])
    assert ("regression, t over trials", None) == (tau["method"], tau["n_contexts"])


def test_a_trend_over_three_levels_has_a_slope() -> None:
    """3 points per tenfold of the rate from 0.01 to 1; with a dip in the middle there is none."""
    levels = {LR: (0.01, 0.1, 1.0)}
    line = rows_of(crossed(lambda lr, seed: 3 * np.log10(lr) + seed, levels), LR)
    dip = rows_of(crossed(lambda lr, seed: -5.0 * (lr == 0.1) + lr + 0.01 * seed * lr, levels), LR)

    assert pytest.approx((3.0, 3.0, 3.0)) == tuple(line[LR, "×10"][x] for x in ("effect", "low", "high"))
    assert "" == line[LR, "×10"]["reference"]
    assert (LR, "×10") not in dip


@pytest.mark.parametrize(
    ("levels", "unit"), [((0.01, 0.1, 1.0), "×10"), ((4, 6, 8), "×2"), ((1.0, 1.1, 1.2), None), ((0.0, 1.0, 2.0), None),
                         ((0.1, 1.0), None), (("a", "b", "c"), None), ((False, True), None)],
)  # fmt: skip
def test_slopes_stay_within_the_range(levels: tuple[Any, ...], unit: str | None) -> None:
    """Per tenfold or per doubling where the levels span that much; names, zeros and two levels have none."""
    found = slope_weights(levels)

    assert unit == (found[0] if found else None)
    assert found is None or pytest.approx(0.0, abs=1e-12) == sum(found[1].values())


@pytest.mark.parametrize(
    ("reference", "other", "effect", "turned", "method"),
    [
        (EARLY, LATE, 2.0, (1.0, 1.0), "paired t over seeds"),
        (EARLY, HIGH, 3.5, (1.0, 0.0), "paired t over seeds"),
        (HIGH, HIGH, None, (0.0, 0.0), "none has turned by epoch 6"),
    ],
)
def test_transitions_are_restricted_to_the_horizon(
    tmp_path: Path, reference: Any, other: Any, effect: float | None, turned: tuple[float, float], method: str
) -> None:
    """Turns at 2.5 and 4.5, and one that has not come by 6; where none has come nothing is known, not even 0."""
    trials = [ic_trial({TAU: tau, "seed": s}, ic) for tau, ic in ((2.0, reference), (4.0, other)) for s in range(3)]
    write_rows(tmp_path / "r", trials, varied=(TAU,))
    row = marginal_effects(open_results(tmp_path / "r"), "transition").row(0, named=True)

    assert (effect, method) == (row["effect"], row["method"])
    assert turned == (row["turned_reference"], row["turned"])


def test_outcomes_can_be_chosen(tmp_path: Path) -> None:
    """Of a sweep of two fields, each outcome measured has a row per level but the reference."""
    results = swept(tmp_path / "r", lambda tau, lr, seed: 50 + tau + 100 * lr + seed)
    every, one = marginal_effects(results), marginal_effects(results, "accuracy")

    assert {"transition", "ic", "accuracy"} == set(every["outcome"])
    assert {(TAU, "4.0"): 2.0, (LR, "0.1"): -20.0} == {
        (row["field"], row["level"]): pytest.approx(row["effect"]) for row in one.to_dicts()
    }


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of 400 grids 95 % ± 3 %, although what a level does differs by seed; pooled pairs would pretend to more."""
    rng, true, seeds, contexts = np.random.default_rng(0), 1.0, 4, 6
    held = pooled = 0
    for _ in range(400):
        own = true + rng.normal(size=(seeds, 1)) + 0.5 * rng.normal(size=(seeds, contexts))
        values = np.stack([np.zeros_like(own), own], 1) + 10 * rng.normal(size=(seeds, 1, 1))
        grid = Grid((TAU, T), ((2.0, 4.0), tuple(range(contexts))), tuple(range(seeds)), values)
        found = student(list(combined(grid, TAU, {4.0: 1.0, 2.0: -1.0}).values.values()))
        naive = student(own.ravel().tolist())
        assert found is not None
        assert naive is not None
        held += found.low <= true <= found.high
        pooled += naive.low <= true <= naive.high

    assert 0.92 <= held / 400 <= 0.98
    assert pooled / 400 < 0.75


def test_of_no_effect_one_interval_in_twenty_says_otherwise() -> None:
    """Noise alone: of 200 levels about ten."""
    rng = np.random.default_rng(2)
    table = crossed(lambda *_: rng.normal(), {LR: tuple(float(i) for i in range(1, 202))}, seeds=4)
    found = effects_of(table, (LR,)).filter(pl.col("reference") != "")
    wrong = found.filter((pl.col("low") > 0) | (pl.col("high") < 0)).height

    assert 200 == found.height
    assert wrong <= 40  # all are against the same reference, so that they err together
