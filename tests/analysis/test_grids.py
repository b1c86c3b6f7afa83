"""Grids of settings by seeds: gaps, contrasts, and mean squares without what seeds add by chance."""

import numpy as np
import pytest
from store.fabricated_effects import LR, TAU, T, crossed, outcome_rows

from analysis.grids import balanced, combined, complete, grid_of, jackknife, main_effect, shared_square
from analysis.intervals import student

LEVELS = {TAU: (2.0, 4.0), T: (4, 8)}


def test_grid_holds_each_value_in_its_place() -> None:
    """Seeds first, then the fields, levels in order; trials that differ in nothing count as their mean."""
    table = outcome_rows([
        {TAU: 4.0, T: 4, "seed": 1, "accuracy": 1.0}, {TAU: 4.0, T: 4, "seed": 1, "accuracy": 3.0},
        {TAU: 2.0, T: 8, "seed": 0, "accuracy": 5.0}, {TAU: 2.0, T: 4, "seed": 0, "accuracy": 6.0},
        {TAU: 4.0, T: 8, "seed": 0, "accuracy": None}, {TAU: 4.0, T: 8, "seed": 1, "accuracy": 7.0},
    ])  # fmt: skip
    grid = grid_of(table, (TAU, T), "accuracy")

    assert grid is not None
    assert ((2.0, 4.0), (4, 8)) == grid.levels
    np.testing.assert_array_equal([[[6, 5], [np.nan] * 2], [[np.nan] * 2, [2, 7]]], grid.values)


def test_draws_are_no_grid() -> None:
    """Four trials with four values of each field fill four cells of sixteen."""
    drawn = outcome_rows({TAU: 1.0 + i, LR: 0.1 * i, "seed": 0, "accuracy": 1.0 * i} for i in range(1, 5))

    assert grid_of(drawn, (TAU, LR), "accuracy") is None
    assert grid_of(drawn.clear(), (TAU, LR), "accuracy") is None


@pytest.mark.parametrize(
    ("known", "seeds", "contexts"),
    [
        ([[1, 1], [1, 1]], [0, 1], [0, 1]),
        ([[1, 1], [1, 1], [1, 0]], [0, 1], [0, 1]),
        ([[1, 1, 0], [1, 1, 1]], [0, 1], [0, 1]),
        ([[1, 0], [1, 0], [0, 0]], [0, 1], [0]),
        ([[1, 0], [0, 1]], [0, 1], []),
    ],
)
def test_balanced_keeps_the_larger_part_without_gaps(
    known: list[list[int]], seeds: list[int], contexts: list[int]
) -> None:
    """Whole seeds, or whole contexts; where neither is whole nothing is left to average."""
    kept_seeds, kept_contexts = balanced(np.array(known, dtype=bool))

    assert contexts == kept_contexts
    assert not contexts or seeds == kept_seeds


def test_contrast_is_a_mean_over_contexts_within_each_seed() -> None:
    """τ = 4 gains 10 at T = 4 and 20 at T = 8, and the seed's own number once more: what seeds share drops out."""
    table = crossed(lambda tau, t, seed: 1000 * seed + (tau == 4) * (10 * (t // 4) + seed), LEVELS)
    grid = grid_of(table, (TAU, T), "accuracy")
    assert grid is not None
    pairs = combined(grid, TAU, {4.0: 1.0, 2.0: -1.0})

    assert {0: 15.0, 1: 16.0, 2: 17.0} == pairs.values
    assert (2, 2, 1.0) == (pairs.contexts, pairs.of, pairs.used)


def test_mean_squares_of_effects_are_free_of_noise_on_average() -> None:
    """Per seed 0.9, 1 and 1.1 times ±1: the mean over pairs of seeds of the products, 2.99 / 3, not 1.0067."""
    effect = np.array([0.9, 1.0, 1.1])[:, None] * np.array([1.0, -1.0])
    noise = np.random.default_rng(1).normal(size=(4000, 3, 4))
    centred = noise - noise.mean(2, keepdims=True)

    assert pytest.approx(2.99 / 3) == shared_square(effect)
    assert pytest.approx(0.81) == shared_square(effect[:1])
    assert abs(np.mean([shared_square(one) for one in centred])) < 0.02


def test_main_effects_and_interactions_add_up() -> None:
    """Grand mean 5, τ ±2, T ±1, together ±0.5."""
    signs = np.array([-1.0, 1.0])
    values = (5 + 2 * signs[:, None] + signs + 0.5 * np.outer(signs, signs))[None]

    np.testing.assert_allclose([[-2, 2]], main_effect(values, (1,)))
    np.testing.assert_allclose([[-1, 1]], main_effect(values, (2,)))
    np.testing.assert_allclose([[[0.5, -0.5], [-0.5, 0.5]]], main_effect(values, (1, 2)))


def test_jackknife_of_a_mean_is_student(  # the textbook case
) -> None:
    """Pseudo-values of a mean are the values themselves; of two seeds there is no interval."""
    values = np.array([1.0, 2.0, 4.0, 9.0])
    found = student(values.tolist())

    assert found is not None
    assert pytest.approx((found.low, found.high)) == jackknife(values, lambda some: float(some.mean()))
    assert (None, None) == jackknife(values[:2], lambda some: float(some.mean()))


def test_complete_keeps_seeds_with_all_settings() -> None:
    """Seed 1 lacks a setting."""
    table = crossed(lambda tau, t, seed: None if (tau, t, seed) == (4.0, 8, 1) else 1.0, LEVELS)
    grid = grid_of(table, (TAU, T), "accuracy")
    assert grid is not None
    whole = complete(grid)

    assert whole is not None
    assert (0, 2) == whole.seeds
    assert not np.isnan(whole.values).any()
