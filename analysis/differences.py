"""Differences between two samples of seeds, and between the same quantity of two grids, over what both have."""

import warnings
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from analysis.grids import Array, Grid, balanced
from analysis.intervals import CONFIDENCE, DIGITS, student

FALSE = 0.05
"""Share of what is said to differ that is expected not to."""
SAME = "the same trials"
"""The method of a comparison of trials with themselves."""
BySeed = Mapping[int, float]


class Gain(NamedTuple):
    """A difference of two means with its 95 % interval and p-value; None where there are too few seeds."""

    difference: float
    low: float | None
    high: float | None
    n_seeds: int
    p: float | None
    method: str


def difference_of(own: BySeed, other: BySeed) -> Gain:
    """Return the mean of ``other`` less that of ``own``, values by seed: paired if two seeds are in both, else Welch's.

    There is no interval without two seeds on either side. Differences that are all equal have a point for an interval;
    where they are not 0 that is no evidence but a coarse outcome, and there is no p-value.
    """
    from scipy.stats import ttest_1samp, ttest_ind

    seeds = sorted(own.keys() & other.keys())
    if len(seeds) > 1:
        gains = [round(other[seed] - own[seed], DIGITS) for seed in seeds]
        found = student(gains)
        assert found is not None  # noqa: S101 - two values are enough
        if found.low == found.high:
            p = None if found.value else 1.0
            return Gain(found.value, found.low, found.high, len(seeds), p, "paired, no scatter over seeds")
        paired: Any = ttest_1samp(gains, 0.0)
        return Gain(found.value, found.low, found.high, len(seeds), float(paired.pvalue), "paired t over seeds")
    left, right = ([round(value, DIGITS) for value in side.values()] for side in (own, other))
    difference, n = float(np.mean(right) - np.mean(left)), min(len(left), len(right))
    if n < 2:  # noqa: PLR2004
        return Gain(difference, None, None, n, None, "too few seeds")
    if len(set(left)) == len(set(right)) == 1:
        return Gain(difference, difference, difference, n, None if difference else 1.0, "no scatter over seeds")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # SciPy's, of one side without scatter; the test is right
        tested: Any = ttest_ind(right, left, equal_var=False)
        ends = tested.confidence_interval(CONFIDENCE)
    return Gain(difference, float(ends.low), float(ends.high), n, float(tested.pvalue), "Welch's t over seeds")


def corrected(p: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected together for the false discovery rate (Benjamini and Hochberg 1995); None stays."""
    from scipy.stats import false_discovery_control

    tested = [value for value in p if value is not None]
    found = iter(false_discovery_control(tested).tolist() if tested else [])
    return [None if value is None else next(found) for value in p]


def means_over_shared(
    own: Grid, other: Grid, field: str = "", weights: Mapping[Any, float] | None = None
) -> tuple[BySeed, BySeed] | None:
    """Return, of two grids of the same fields, the mean by seed over the contexts that both have without a gap.

    What is averaged is the values of all settings or, with a field, the weighted sum over its levels. None where no
    context is left.
    """
    sums = [_by_context(grid, field, weights or {}) for grid in (own, other)]
    contexts = [context for context in sums[0] if context in sums[1]]
    if not contexts:
        return None
    stacked = [np.stack([sums_by[context] for context in contexts], 1) for sums_by in sums]
    rows, columns = balanced(~np.isnan(np.concatenate(stacked)))
    first = len(own.seeds)
    chosen = ([row for row in rows if row < first], [row - first for row in rows if row >= first])
    if not (columns and all(chosen)):
        return None
    left, right = (
        {grid.seeds[row]: float(values[row, columns].mean()) for row in part}
        for grid, values, part in zip((own, other), stacked, chosen, strict=True)
    )
    return left, right


def _by_context(grid: Grid, field: str, weights: Mapping[Any, float]) -> dict[tuple[Any, ...], Array]:
    """Return the values over seeds of each setting, or of the weighted sum over a field's levels in each context."""
    if not field:
        flat_SC = grid.values.reshape(len(grid.seeds), -1)
        return dict(zip(product(*grid.levels), flat_SC.T, strict=True))
    axis = grid.fields.index(field)
    if not set(weights) <= set(grid.levels[axis]):
        return {}
    summed_SC = np.tensordot(np.array(list(weights.values())), grid.at(field, *weights), 1)
    others = [levels for i, levels in enumerate(grid.levels) if i != axis]
    return dict(zip(product(*others), summed_SC.T, strict=True))
