"""Shares of the variance between settings: known by construction, 0 on average where a field does nothing."""

from pathlib import Path

import numpy as np
import pytest
from store.fabricated_effects import LR, TAU, T, crossed, outcome_rows, swept

from analysis.effect_shares import INTERACTIONS, shares_of, variance_shares

LEVELS = {TAU: (2.0, 4.0), T: (4, 8)}


def test_shares_of_a_sum_are_those_of_its_variances() -> None:
    """τ moves ±2 and T ±1: 4 of 5 and 1 of 5, nothing together; seeds' own numbers do not matter."""
    table = crossed(lambda tau, t, seed: 2 * (tau - 3) + (t - 6) / 2 + 100 * seed, LEVELS)
    found = shares_of(table, (TAU, T)).to_dicts()

    assert [TAU, T, INTERACTIONS] == [row["field"] for row in found]
    assert pytest.approx([0.8, 0.2, 0.0]) == [row["share"] for row in found]
    assert pytest.approx([0.8, 0.2, 0.0]) == [row["high"] for row in found]


def test_what_fields_do_together_is_neither_ones_own() -> None:
    """Points only where both are high: of the variance 3/16 a third is each field's, and a third is left."""
    found = dict(
        shares_of(crossed(lambda tau, t, _: float(tau > 2 and t > 4), LEVELS), (TAU, T)).select("field", "share").rows()
    )

    assert pytest.approx({TAU: 1 / 3, T: 1 / 3, INTERACTIONS: 1 / 3}) == found


def test_a_field_that_does_nothing_has_no_share_on_average() -> None:
    """Noise as large as the effect of τ: without the correction T would have a tenth and more."""
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(20):
        table = crossed(lambda tau, _t, _s: tau - 3 + rng.normal(), LEVELS, seeds=4)
        shares.append(dict(shares_of(table, (TAU, T)).select("field", "share").rows()))

    assert np.mean([one[TAU] for one in shares]) > 0.85
    assert np.mean([one[T] for one in shares]) < 0.06


def test_two_seeds_have_no_interval_and_one_keeps_its_noise() -> None:
    """The jackknife needs three; of one seed noise and effect are one, and the method says so."""
    two, one = (
        shares_of(crossed(lambda tau, t, _: tau + t, LEVELS, seeds=n), (TAU, T)).row(0, named=True) for n in (2, 1)
    )

    assert (None, None, 2) == (two["low"], two["high"], two["n_seeds"])
    assert one["method"].endswith("one seed with its noise")


def test_settings_that_do_not_differ_have_no_shares() -> None:
    """There is nothing to share out."""
    assert shares_of(crossed(lambda *_: 5.0, LEVELS), (TAU, T)).is_empty()


def test_what_rounding_leaves_is_shared_by_nobody() -> None:
    """0.1 + 0.2 is not 0.3 to the last bit; settings that are equal on paper do not differ."""
    table = crossed(lambda tau, t, _: 0.1 + 0.2 if tau > 2 and t > 4 else 0.3, LEVELS)

    assert shares_of(table, (TAU, T)).is_empty()


def test_a_field_of_which_one_level_is_left_has_no_share() -> None:
    """At T = 8 all trials failed: what T does is not known, which is not 0."""
    found = shares_of(crossed(lambda tau, t, seed: None if t == 8 else tau + seed, LEVELS), (TAU, T))

    assert [(TAU, pytest.approx(1.0))] == found.select("field", "share").rows()


def test_draws_have_the_shares_of_a_regression() -> None:
    """Rates over two decades move 10 points each, τ nothing."""
    rng = np.random.default_rng(4)
    table = outcome_rows(
        {LR: 10 ** (-2 * i / 40), TAU: 1 + (7 * i % 40) / 40, "seed": 0, "accuracy": -20 * i / 40 + 0.1 * rng.normal()}
        for i in range(40)
    )
    found = shares_of(table, (LR, TAU))

    assert [(LR, "regression"), (TAU, "regression")] == found.select("field", "method").rows()
    assert found["share"][0] > 0.9
    assert found["share"][1] < 0.01


def test_shares_of_results(tmp_path: Path) -> None:
    """Accuracy has shares; transitions and IC, the same in all trials, have none."""
    found = variance_shares(swept(tmp_path / "r", lambda tau, lr, seed: 50 + tau + 10 * lr + seed))

    assert {"accuracy"} == set(found["outcome"])
    assert pytest.approx([0.5, 0.5, 0.0], abs=1e-9) == found["share"].to_list()
