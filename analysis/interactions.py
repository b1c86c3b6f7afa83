"""Which hyperparameters change each other's effect: the cells of a pair of fields, and how far they are from a sum."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from analysis.fields import text_of
from analysis.grids import Array, Grid, between_settings, complete, grid_of, jackknife, main_effect, shared_square
from analysis.intervals import student_reach
from analysis.outcomes import OUTCOMES, measured, outcomes_of
from analysis.results import Results

PAIRS = 10
"""Pairs of fields told per outcome, the strongest first."""


def interactions(results: Results, *outcomes: str) -> pl.DataFrame:
    """Return how strongly each pair of fields interacts in each outcome, the `PAIRS` strongest of each first.

    Columns: outcome, first, second (fields), strength, low, high, share, p, n_seeds, unit. ``strength`` is the root
    mean square over the pair's cells of what is left of a cell's mean once both main effects are taken off, without
    what seeds add by chance (`shared_square`; 0 if that leaves nothing), in the outcome's unit; its interval is a
    jackknife over seeds, null below three. ``share`` is its square's share of the variance of all settings. ``p`` tests
    for any interaction at all, by the F ratio of the interaction to its scatter over seeds; null for one seed. Means
    are over the settings of the other fields, of the seeds that have all settings: there are no rows of results
    without a seed that has.
    """
    table, fields = outcomes_of(results)
    return interactions_of(table, fields, *outcomes)


def interactions_of(table: pl.DataFrame, fields: Sequence[str], *outcomes: str) -> pl.DataFrame:
    """Return `interactions` of an `outcome_table`."""
    rows = []
    for outcome in [name for name in measured(table) if not outcomes or name in outcomes]:
        grid = _whole(table, fields, outcome)
        if grid is None:
            continue
        found = [_strength(grid, outcome, one, other) for one, other in combinations(grid.varied, 2)]
        rows += sorted(found, key=lambda row: -row["strength"])[:PAIRS]
    return pl.DataFrame(rows, schema=STRENGTHS)


def cells_of(table: pl.DataFrame, fields: Sequence[str], outcome: str, first: str, second: str) -> pl.DataFrame:
    """Return the cells of a pair of fields: first, second (levels as text), mean, departure, low, high, n_seeds.

    ``mean`` is over the settings of the other fields and the seeds, ``departure`` what is left of it when both main
    effects are taken off, with its 95 % Student-t interval over seeds (null below two). Rows are in the order of the
    levels; there are none without a seed that has all settings.
    """
    grid = _whole(table, fields, outcome)
    if grid is None:
        return pl.DataFrame(schema=CELLS)
    axes = (grid.fields.index(first) + 1, grid.fields.index(second) + 1)
    left = _oriented(main_effect(grid.values, (min(axes), max(axes))), axes)
    others = tuple(axis for axis in range(1, grid.values.ndim) if axis not in axes)
    means = _oriented(grid.values.mean(others) if others else grid.values, axes).mean(0)
    seeds = len(grid.seeds)
    reach = student_reach(seeds - 1) * left.std(0, ddof=1) / np.sqrt(seeds) if seeds > 1 else None
    rows = []
    for i, one in enumerate(grid.levels[axes[0] - 1]):
        for j, other in enumerate(grid.levels[axes[1] - 1]):
            value = float(left[:, i, j].mean())
            ends = (None, None) if reach is None else (value - float(reach[i, j]), value + float(reach[i, j]))
            rows.append((text_of(one), text_of(other), float(means[i, j]), value, *ends, seeds))
    return pl.DataFrame(rows, schema=CELLS, orient="row")


def _whole(table: pl.DataFrame, fields: Sequence[str], outcome: str) -> Grid | None:
    grid = grid_of(table, tuple(fields), outcome)
    return complete(grid) if grid else None


def _strength(grid: Grid, outcome: str, one: int, other: int) -> dict[str, Any]:
    def squared(values: Array) -> float:
        return shared_square(main_effect(values, (one, other)))

    low, high = jackknife(grid.values, squared)
    whole = between_settings(grid.values)
    square = squared(grid.values)
    return {
        "outcome": outcome, "first": grid.fields[one - 1], "second": grid.fields[other - 1], "strength": _root(square),
        "low": None if low is None else _root(low), "high": None if high is None else _root(high),
        "share": min(max(square / whole, 0.0), 1.0) if whole > 0 else None, "unit": OUTCOMES[outcome].unit,
        "p": _f_test(main_effect(grid.values, (one, other))), "n_seeds": len(grid.seeds),
    }  # fmt: skip


def _f_test(effect: Array) -> float | None:
    """Return the p-value of no interaction, from what is left per seed [S, L, M]; None for one seed."""
    from scipy.stats import f as f_distribution

    seeds, rows, columns = effect.shape
    freedom = (rows - 1) * (columns - 1)
    if seeds < 2:  # noqa: PLR2004
        return None
    mean = effect.mean(0)
    between, within = seeds * float((mean**2).sum()), float(((effect - mean) ** 2).sum())
    if within <= 0:
        return float(between <= 0)
    return float(f_distribution.sf(between * (seeds - 1) / within, freedom, freedom * (seeds - 1)))


def _oriented(cells: Array, axes: tuple[int, int]) -> Array:
    """Return [S, L, M] with the levels of the first of two fields first, whichever axis of the grid is its own."""
    return cells if axes[0] < axes[1] else cells.swapaxes(1, 2)


def _root(square: float) -> float:
    return float(np.sqrt(max(square, 0.0)))


STRENGTHS: dict[str, Any] = {
    "outcome": pl.String, "first": pl.String, "second": pl.String, "strength": pl.Float64, "low": pl.Float64,
    "high": pl.Float64, "share": pl.Float64, "p": pl.Float64, "n_seeds": pl.Int64, "unit": pl.String,
}  # fmt: skip
CELLS: dict[str, Any] = {
    "first": pl.String, "second": pl.String, "mean": pl.Float64, "departure": pl.Float64, "low": pl.Float64,
    "high": pl.Float64, "n_seeds": pl.Int64,
}  # fmt: skip
