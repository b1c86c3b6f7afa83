"""Regressions where settings share no seeds: slopes, levels, fields that go together, and how often they are right."""

import math

import numpy as np
import polars as pl
import pytest
from store.fabricated_effects import LR, TAU, T, outcome_rows

from analysis import regressions
from analysis.regressions import fit, partial_shares, slope_of

MOMENTUM = "optimiser.momentum"


def draws(count: int, noise: float, seed: int = 0, true: float = 3.0) -> pl.DataFrame:
    """Return draws of a rate over two decades (``true`` points per tenfold) and of a time constant (4.0 gains 2)."""
    rng = np.random.default_rng(seed)
    rates, taus = 10 ** rng.uniform(-2, 0, count), rng.choice([2.0, 4.0], count)
    values = 80 + true * np.log10(rates) + 2 * (taus == 4) + noise * rng.normal(size=count)
    return outcome_rows(
        {LR: lr, TAU: tau, "seed": 0, "accuracy": y}
        for lr, tau, y in zip(rates.tolist(), taus.tolist(), values.tolist(), strict=True)
    )


@pytest.mark.parametrize(
    ("values", "told", "x"),
    [
        ((0.01, 0.1, 1.0), ("×10", ""), (-2.0, -1.0, 0.0)),
        ((2.0, 4.0, 8.0), ("×2", ""), (1.0, 2.0, 3.0)),
        ((0.8, 0.9, 1.0), ("1.0", "0.8"), (0.0, 0.5, 1.0)),
        ((0.0, 10.0), ("10.0", "0.0"), (0.0, 1.0)),
    ],
)
def test_slopes_have_a_scale_that_people_read(
    values: tuple[float, ...], told: tuple[str, str], x: tuple[float, ...]
) -> None:
    """Per tenfold, per doubling, or over the whole range."""
    slope = slope_of(values)

    assert told == (slope.level, slope.reference)
    assert pytest.approx(x) == slope.x


def test_exact_effects_are_found_exactly() -> None:
    """Without noise the slope is 3 per tenfold and τ = 4 gains 2, with no uncertainty."""
    rate, tau = fit(draws(30, 0.0), (LR, TAU), "accuracy")

    assert (LR, "×10", "", "regression, bootstrap over settings") == (
        rate.field,
        rate.level,
        rate.reference,
        rate.method,
    )
    assert pytest.approx((3.0, 3.0, 3.0)) == (rate.effect, rate.low, rate.high)
    assert (TAU, "4.0", "2.0", pytest.approx(2.0)) == (tau.field, tau.level, tau.reference, tau.effect)


def test_fields_that_go_together_are_not_told_apart() -> None:
    """Where T is 4 exactly where τ is 2, neither has an effect of its own; the rate keeps its own."""
    table = draws(30, 0.5).with_columns(pl.when(pl.col(TAU) == 2).then(4).otherwise(8).alias(T))
    found = {one.field: one for one in fit(table, (LR, TAU, T), "accuracy")}

    assert ("goes with other fields", None) == (found[TAU].method, found[TAU].effect)
    assert ("goes with other fields", None) == (found[T].method, found[T].effect)
    assert pytest.approx(3.0, abs=0.5) == found[LR].effect


def test_too_few_trials_have_no_interval() -> None:
    """Three trials and three terms leave no degree of freedom."""
    rows = [{LR: 0.1, TAU: 2.0}, {LR: 1.0, TAU: 2.0}, {LR: 0.1, TAU: 4.0}]
    table = outcome_rows(row | {"seed": 0, "accuracy": float(i)} for i, row in enumerate(rows))

    assert [None, None] == [one.low for one in fit(table, (LR, TAU), "accuracy")]


def test_seeds_that_come_back_are_blocks() -> None:
    """A hundred points between seeds do not blur an effect of one point."""
    rng = np.random.default_rng(1)
    rows = [
        {LR: float(lr), "seed": s, "accuracy": 100 * s + math.log10(lr) + 0.01 * rng.normal()}
        for s, lr in zip([0, 1, 2] * 10, 10 ** rng.uniform(-2, 0, 30), strict=True)
    ]
    (rate,) = fit(outcome_rows(rows), (LR,), "accuracy")

    assert rate.effect is not None
    assert math.isclose(rate.effect, 1.0, abs_tol=0.05)


def test_many_settings_have_the_bootstraps_interval_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 1,000 settings both ways agree to a tenth, and to the textbook's 1.96 σ / √n / sd(x) for the slope."""
    table = draws(1000, 1.0)
    fast, _ = fit(table, (LR, TAU), "accuracy")
    monkeypatch.setattr(regressions, "MANY", 1001)
    slow, _ = fit(table, (LR, TAU), "accuracy")
    widths = [one.high - one.low for one in (fast, slow) if one.low is not None and one.high is not None]

    assert ("regression, clustered by setting", "regression, bootstrap over settings") == (fast.method, slow.method)
    assert pytest.approx(widths[1], rel=0.1) == widths[0]
    assert pytest.approx(2 * 1.96 / 1000**0.5 / (2 / 12**0.5), rel=0.1) == widths[0]


def test_many_seeds_have_no_terms() -> None:
    """Forty seeds, each in five settings: the rate's slope is found as it is, without forty more unknowns."""
    table = draws(200, 0.1).with_columns(seed=pl.int_range(200) % 40)
    rate, tau = fit(table, (LR, TAU), "accuracy")
    alone, _ = fit(table.with_columns(seed=0), (LR, TAU), "accuracy")

    assert alone.effect == rate.effect
    assert tau.effect is not None


def test_bootstrap_holds_the_truth_about_as_often_as_it_says() -> None:
    """Of 120 searches of 24 draws, where 95 % would be 114."""
    held = 0
    for seed in range(120):
        rate, _ = fit(draws(24, 1.0, seed), (LR, TAU), "accuracy")
        assert rate.low is not None
        assert rate.high is not None
        held += rate.low <= 3.0 <= rate.high

    assert 106 <= held <= 119


def test_partial_shares_need_something_to_share() -> None:
    """Constant outcomes, and more terms than trials, have none."""
    constant = draws(10, 0.0).with_columns(accuracy=pl.lit(1.0))

    assert {} == partial_shares(constant, (LR, TAU), "accuracy")
    assert {} == partial_shares(draws(2, 1.0), (LR, TAU), "accuracy")
