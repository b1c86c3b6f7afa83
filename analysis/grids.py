"""A grid of settings by seeds as an array, and what its levels do: contrasts paired by seed, and shares of variance.

Shape legend: S seeds, C settings or contexts, L levels. Seeds are the replicates throughout: whatever is estimated is
estimated once per seed, and the interval is that of the mean over seeds. So what the settings of one seed share (its
first weights, its batches) cannot pass for more evidence than it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.intervals import DIGITS, student

Array = npt.NDArray[Any]
FILLED = 0.5
"""Share of the cells seed x setting with a value below which a table is no grid, or a comparison not one of pairs."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Values of one outcome: ``values`` has one axis for the seeds, then one per field; NaN where there is none."""

    fields: tuple[str, ...]
    levels: tuple[tuple[Any, ...], ...]
    seeds: tuple[int, ...]
    values: Array

    @property
    def varied(self) -> tuple[int, ...]:
        """Axes of the fields with several levels: of the others what they do cannot be told."""
        return tuple(axis for axis, levels in enumerate(self.levels, start=1) if len(levels) > 1)

    def at(self, field: str, *levels: Any) -> Array:
        """Return the values at some levels of a field, as [level, seed, context]."""
        axis = self.fields.index(field)
        chosen = np.moveaxis(self.values, axis + 1, 0)[[self.levels[axis].index(level) for level in levels]]
        return chosen.reshape(len(levels), len(self.seeds), -1)


@dataclass(frozen=True, slots=True)
class PerSeed:
    """A quantity once per seed, over the ``contexts`` (of all ``of``) in which every one of these seeds has it."""

    values: dict[int, float]
    contexts: int
    of: int
    used: float
    """Share of the values at hand that it rests on."""


def grid_of(table: pl.DataFrame, fields: tuple[str, ...], outcome: str) -> Grid | None:
    """Return the trials of a table (fields, seed, outcome) as a grid; None where fewer than `FILLED` of it are there.

    Trials that differ in neither a field nor the seed count as their mean.
    """
    known = table.drop_nulls(outcome).group_by(*fields, "seed").agg(pl.col(outcome).mean())
    if known.is_empty():
        return None
    levels = [known[path].unique().sort().to_list() for path in ("seed", *fields)]
    shape = [len(values) for values in levels]
    if known.height < FILLED * float(np.prod(shape, dtype=float)):
        return None
    places = [
        [index[value] for value in known[path]]
        for path, index in zip(
            ("seed", *fields), ({v: i for i, v in enumerate(values)} for values in levels), strict=True
        )
    ]
    values = np.full(shape, np.nan)
    values[tuple(places)] = known[outcome].to_numpy()
    return Grid(fields, tuple(tuple(own) for own in levels[1:]), tuple(levels[0]), values)


def balanced(known_SC: npt.NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    """Return the seeds and contexts of a part without gaps: whole contexts, or whole seeds, whichever keeps more."""
    seeds, contexts = np.flatnonzero(known_SC.any(1)), np.flatnonzero(known_SC.any(0))
    inner = known_SC[np.ix_(seeds, contexts)]
    by_context, by_seed = contexts[inner.all(0)], seeds[inner.all(1)]
    if len(seeds) * len(by_context) >= len(by_seed) * len(contexts):
        return seeds.tolist(), by_context.tolist()
    return by_seed.tolist(), contexts.tolist()


def combined(grid: Grid, field: str, weights: dict[Any, float]) -> PerSeed:
    """Return the weighted sum over levels of a field, per seed, as a mean over the contexts.

    A difference of two levels has weights 1 and -1. Contexts are the settings of the other fields, each counted alike.
    """
    at_LSC = grid.at(field, *weights)
    sum_SC = np.tensordot(np.array(list(weights.values())), at_LSC, 1)
    seeds, contexts = balanced(~np.isnan(sum_SC))
    kept_SC = sum_SC[np.ix_(seeds, contexts)]
    present = int((~np.isnan(at_LSC)).sum())
    values = kept_SC.mean(1) if contexts else np.empty(0)
    return PerSeed(
        values=dict(zip((grid.seeds[s] for s in seeds), values.tolist(), strict=False)),
        contexts=len(contexts), of=sum_SC.shape[1], used=len(weights) * kept_SC.size / max(present, 1),
    )  # fmt: skip


def complete(grid: Grid) -> Grid | None:
    """Return the grid of those seeds that have all settings; None if no seed has."""
    flat_SC = grid.values.reshape(len(grid.seeds), -1)
    whole = np.flatnonzero(~np.isnan(flat_SC).any(1)).tolist()
    seeds = tuple(grid.seeds[row] for row in whole)
    return Grid(grid.fields, grid.levels, seeds, grid.values[whole]) if seeds else None


def main_effect(values: Array, axes: tuple[int, ...]) -> Array:
    """Return, per seed, the means at the levels of some axes less those at fewer of them: [S, L, ...].

    Of one axis that is its main effect, of two their interaction: what is left of the mean of a cell when the grand
    mean, and for two axes both main effects, are taken off. It is rounded, so that nothing is 0 and not what
    floating-point numbers leave of it.
    """
    others = tuple(axis for axis in range(1, values.ndim) if axis not in axes)
    effect = values.mean(others) if others else values
    for axis in range(1, effect.ndim):
        effect = effect - effect.mean(axis, keepdims=True)
    return np.round(effect, DIGITS)


def between_settings(values: Array) -> float:
    """Return the `shared_square` of what settings differ by, each seed's mean taken off; 0 or less if by no more."""
    return shared_square(np.round(values - values.mean(tuple(range(1, values.ndim)), keepdims=True), DIGITS))


def shared_square(effect: Array) -> float:
    """Return the mean square over cells of an effect [S, ...], without what seeds add to it by chance.

    It is the mean over pairs of different seeds of the product of their effects: unbiased where seeds are independent,
    and so at times below 0. Of a single seed it is the plain mean square.
    """
    seeds, cells = effect.shape[0], effect[0].size
    flat = effect.reshape(seeds, cells)
    if seeds == 1:
        return float((flat**2).mean())
    return float(((flat.sum(0) ** 2).sum() - (flat**2).sum()) / (seeds * (seeds - 1) * cells))


def jackknife(values: Array, statistic: Callable[[Array], float]) -> tuple[float | None, float | None]:
    """Return the ends of the 95 % interval of a statistic of [S, ...], by leaving out seed after seed.

    Student's t of the pseudo-values (Tukey 1958), moved to lie around the statistic; none below three seeds.
    """
    seeds = values.shape[0]
    if seeds < 3:  # noqa: PLR2004
        return None, None
    whole = statistic(values)
    pseudo = [seeds * whole - (seeds - 1) * statistic(np.delete(values, seed, 0)) for seed in range(seeds)]
    found = student(pseudo) if all(map(np.isfinite, pseudo)) else None
    if found is None:
        return None, None
    return whole - (found.value - found.low), whole + (found.high - found.value)
