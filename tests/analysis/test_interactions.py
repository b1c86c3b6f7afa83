"""Pairs of fields that change each other's effect: departures known by construction."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_1samp
from store.fabricated_effects import LR, TAU, T, crossed, swept

from analysis.interactions import cells_of, interactions, interactions_of

LEVELS = {TAU: (2.0, 4.0), T: (4, 8)}


def signs(tau: float, t: int, seed: int) -> float:
    """Return 0.9, 1 or 1.1 by seed where both levels are alike, its negative elsewhere, and what both do alone."""
    return (0.9 + 0.1 * seed) * (1 if (tau > 2) == (t > 4) else -1) + 5 * tau + t + 50 * seed


def test_strength_is_the_departure_without_noise() -> None:
    """Its square is the mean product over pairs of seeds, 2.99 / 3; F(1, 2) is the square of Student's t of seeds."""
    row = interactions_of(crossed(signs, LEVELS), (TAU, T)).row(0, named=True)

    assert (TAU, T, 3, "points") == tuple(row[x] for x in ("first", "second", "n_seeds", "unit"))
    assert pytest.approx((2.99 / 3) ** 0.5) == row["strength"]
    assert pytest.approx(float(ttest_1samp([0.9, 1.0, 1.1], 0).pvalue)) == row["p"]  # type: ignore[attr-defined]
    assert row["low"] < row["strength"] < row["high"]


def test_a_sum_has_no_interaction() -> None:
    """What τ and T do alone adds up; what is left over is 0, and p is 1."""
    row = interactions_of(crossed(lambda tau, t, seed: tau + t + seed, LEVELS), (TAU, T)).row(0, named=True)

    assert pytest.approx(0.0, abs=1e-9) == row["strength"]
    assert 1.0 == row["p"]


def test_what_rounding_leaves_is_no_interaction() -> None:
    """Thirds and tenths add up on paper, not to the last bit: strength 0, and p 1, not a ratio of rounding."""
    table = crossed(lambda tau, t, seed: 0.1 * tau / 3 + t / 7 + 0.1 * seed, LEVELS)
    row = interactions_of(table, (TAU, T)).row(0, named=True)

    assert (0.0, 1.0) == (row["strength"], row["p"])


def test_a_field_of_which_one_level_is_left_interacts_with_nothing() -> None:
    """At T = 8 all trials failed: there is no pair to tell of."""
    table = crossed(lambda tau, t, seed: None if t == 8 else tau + seed, LEVELS)

    assert interactions_of(table, (TAU, T)).is_empty()


def test_noise_alone_is_seldom_an_interaction() -> None:
    """Of 100 grids of noise about five have p < 0.05."""
    rng = np.random.default_rng(0)
    p = [interactions_of(crossed(lambda *_: rng.normal(), LEVELS), (TAU, T))["p"][0] for _ in range(100)]

    assert sum(value < 0.05 for value in p) <= 12


def test_the_strongest_pair_comes_first() -> None:
    """τ and the rate multiply, T only adds."""
    levels = {TAU: (2.0, 4.0), T: (4, 8), LR: (0.1, 0.3)}
    found = interactions_of(crossed(lambda tau, t, lr, seed: tau * lr + t + seed, levels), (TAU, T, LR))

    assert 3 == found.height
    assert {TAU, LR} == {found["first"][0], found["second"][0]}


def test_cells_hold_means_and_departures() -> None:
    """Rows in the order of the levels, whichever field is first; the departure at τ = 4, T = 8 is 1 ± t · 0.1 / √3."""
    table = crossed(signs, LEVELS)
    cell = cells_of(table, (TAU, T), "accuracy", T, TAU).row(3, named=True)
    margin = 4.302653 * 0.1 / 3**0.5

    assert ("8", "4.0", 3) == (cell["first"], cell["second"], cell["n_seeds"])
    assert pytest.approx(1 + 20 + 8 + 50) == cell["mean"]
    assert pytest.approx((1.0, 1 - margin, 1 + margin), abs=1e-6) == (cell["departure"], cell["low"], cell["high"])


def test_one_seed_has_cells_without_intervals() -> None:
    """And no test."""
    table = crossed(signs, LEVELS, seeds=1)

    assert [None] * 4 == cells_of(table, (TAU, T), "accuracy", TAU, T)["low"].to_list()
    assert interactions_of(table, (TAU, T))["p"][0] is None


def test_without_a_whole_seed_there_is_nothing_to_tell() -> None:
    """Each seed lacks a setting."""
    table = crossed(lambda tau, t, seed: None if (tau > 2) + 2 * (t > 4) == seed else 1.0, LEVELS, seeds=4)

    assert interactions_of(table, (TAU, T)).is_empty()
    assert cells_of(table, (TAU, T), "accuracy", TAU, T).is_empty()


def test_interactions_of_results(tmp_path: Path) -> None:
    """τ = 4 at the higher rate gains 8 points more: a departure of ±2 in each cell."""
    results = swept(tmp_path / "r", lambda tau, lr, seed: 50 + 8 * (tau == 4 and lr == 0.3) + seed)
    row = interactions(results, "accuracy").row(0, named=True)

    assert pytest.approx(2.0) == row["strength"]
