"""Effects where settings share no seeds, as in a random search: an additive regression over trials.

Every field has a term per level but the reference or, where it takes many values, one slope; seeds that come back in
several settings have a term each. What the fields do together and not one by one is left in the residuals, and so in
the interval.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analysis.fields import text_of
from analysis.grids import Array
from analysis.intervals import FEW, student_reach
from analysis.settings import reference_of

LEVELS = 5
"""Values of a number beyond which it has a slope instead of a term per value."""
RESAMPLES = 999
MANY = 1000
"""Settings from which on their scatter gives the standard error at once, which the bootstrap only comes close to."""
PER_SEED = 5
"""Trials per seed from which on seeds have terms of their own."""
SEEDS = 20
"""Seeds beyond which they have none."""
DECADE, OCTAVE = 10.0, 2.0
TOLERANCE = 1e-8
"""Length of a sum of columns, each of length 1 before it is weighted, that counts as nothing."""


@dataclass(frozen=True, slots=True)
class Slope:
    """The scale on which a number's slope is told: what x is transformed to, and what one unit of it is called."""

    level: str
    reference: str
    x: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The effect of a level against the reference of its field, or of one unit of its slope."""

    field: str
    level: str
    reference: str
    effect: float | None
    low: float | None
    high: float | None
    method: str


def slope_of(values: Sequence[float]) -> Slope:
    """Return the scale for some values of a field: per tenfold, per doubling, or from the lowest to the highest.

    Positive values have a logarithmic scale, per tenfold where they span it, per doubling where they span that.
    """
    low, high = min(values), max(values)
    for factor in (DECADE, OCTAVE):
        if low > 0 and high / low >= factor:
            return Slope(f"×{factor:.0f}", "", tuple(math.log(value, factor) for value in values))
    return Slope(text_of(high), text_of(low), tuple((value - low) / (high - low) for value in values))


def is_number(values: Sequence[Any]) -> bool:
    """Tell whether all values are numbers, and not yes or no."""
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def fit(table: pl.DataFrame, fields: Sequence[str], outcome: str) -> list[Fitted]:
    """Return the effect of every level of every field on an outcome, all fields at once.

    Intervals are 95 % ones of Student's t with as many degrees of freedom as units less terms: the standard error is
    that over `RESAMPLES` bootstrap samples of the settings, which keep their seeds together; from `MANY` settings on
    its limit, the standard error clustered by setting (Liang and Zeger 1986); below `FEW` that of least squares. An
    effect that cannot be told from other fields', and an interval without degrees of freedom, are null.
    """
    known = table.drop_nulls(outcome)
    names, columns = _terms(known, fields)
    blocks = _seed_terms(known)
    x = np.column_stack([np.ones(known.height), *columns, *blocks])
    own = _own_columns(x)
    kept = [i for i in range(x.shape[1]) if own[i] or not 0 < i <= len(columns)]
    y = known[outcome].to_numpy().astype(float)
    beta, errors, freedom, method = _estimated(x[:, kept], y, _units(known, fields))
    reach = student_reach(freedom)
    place = {column: position for position, column in enumerate(kept)}
    found = []
    for i, (field, level, reference) in enumerate(names):
        if 1 + i not in place:
            found.append(Fitted(field, level, reference, None, None, None, "goes with other fields"))
            continue
        value, error = float(beta[place[1 + i]]), errors[place[1 + i]]
        margin = reach * float(error)
        ends = (value - margin, value + margin) if math.isfinite(margin) else (None, None)
        found.append(Fitted(field, level, reference, value, *ends, method))
    return found


def partial_shares(table: pl.DataFrame, fields: Sequence[str], outcome: str) -> dict[str, float]:
    """Return, per field, the share of the variance over trials that only its terms explain, in 0..1.

    It is what the sum of squares of the residuals grows by without them, less what as many idle terms would take by
    chance, over the total sum of squares. Empty where terms are as many as trials, or nothing differs.
    """
    known = table.drop_nulls(outcome)
    names, columns = _terms(known, fields)
    y = known[outcome].to_numpy().astype(float)
    total = float(((y - y.mean()) ** 2).sum()) if known.height else 0.0
    freedom = known.height - 1 - len(columns)
    if freedom < 1 or total <= 0:
        return {}
    ones = np.ones(known.height)

    def residual(without: str) -> float:
        kept = [column for (field, *_), column in zip(names, columns, strict=True) if field != without]
        x = np.column_stack([ones, *kept])
        return float(((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2).sum())

    left = residual("")
    counts = {field: sum(name[0] == field for name in names) for field in fields}
    return {
        field: min(max((residual(field) - left - counts[field] * left / freedom) / total, 0.0), 1.0) for field in fields
    }


def _terms(known: pl.DataFrame, fields: Sequence[str]) -> tuple[list[tuple[str, str, str]], list[Array]]:
    """Return field, level and reference of every term, and its column."""
    names: list[tuple[str, str, str]] = []
    columns: list[Array] = []
    for field in fields:
        values = known[field].to_list()
        levels = known[field].unique().sort().to_list()
        if len(levels) < 2:  # noqa: PLR2004
            continue
        if len(levels) > LEVELS and is_number(levels):
            slope = slope_of(values)
            names.append((field, slope.level, slope.reference))
            columns.append(np.array(slope.x))
            continue
        reference = reference_of(field, [level for level in levels if level is not None])
        for level in levels:
            if level != reference:
                names.append((field, text_of(level), text_of(reference)))
                columns.append(np.array([float(value == level) for value in values]))
    return names, columns


def _seed_terms(known: pl.DataFrame) -> list[Array]:
    """Return a column per seed but the first; none where they are too many for the trials or for the fit."""
    seeds = known["seed"].unique().sort().to_list()
    if len(seeds) > SEEDS or known.height < PER_SEED * len(seeds):
        return []
    return [(known["seed"] == seed).cast(pl.Float64).to_numpy() for seed in seeds[1:]]


def _own_columns(x: Array) -> Array:
    """Tell of each column whether it is more than a combination of the others: in no sum of columns that is nothing."""
    lengths = np.linalg.norm(x, axis=0)
    _, sizes, sums = np.linalg.svd(np.linalg.qr(x / np.where(lengths > 0, lengths, 1.0), mode="r"))
    nothing = sums[int((sizes > TOLERANCE).sum()) :]
    return np.abs(nothing).max(0, initial=0.0) < math.sqrt(TOLERANCE)


def _units(known: pl.DataFrame, fields: Sequence[str]) -> Array:
    """Return the number of the setting that each trial belongs to."""
    codes = known.select(pl.struct(fields).rank("dense").alias("code"))["code"] if fields else pl.Series([])
    return codes.to_numpy().astype(int) - 1


def _estimated(x: Array, y: Array, units: Array) -> tuple[Array, Array, int, str]:
    """Return coefficients, their standard errors, the degrees of freedom, and how the errors were found."""
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    rows, terms = x.shape
    settings = int(units.max()) + 1 if rows else 0
    if settings >= max(MANY, terms + 3):
        return beta, _clustered(x, y - x @ beta, units, settings), settings - terms, "regression, clustered by setting"
    if settings >= max(FEW, terms + 3):
        return beta, _resampled(x, y, units, settings), settings - terms, "regression, bootstrap over settings"
    freedom = rows - terms
    noise = float(((y - x @ beta) ** 2).sum()) / freedom if freedom > 0 else math.nan
    spread = np.sqrt(np.maximum(noise * np.diag(np.linalg.pinv(x.T @ x)), 0.0))
    return beta, spread, freedom, "regression, t over trials"


def _clustered(x: Array, residuals: Array, units: Array, settings: int) -> Array:
    """Return the standard errors of the coefficients where residuals of one setting may go together."""
    scores, inverse = np.zeros((settings, x.shape[1])), np.linalg.pinv(x.T @ x)
    np.add.at(scores, units, x * residuals[:, None])
    variance = inverse @ (scores.T @ scores) @ inverse * (settings / (settings - 1))
    return np.sqrt(np.diag(variance))


def _resampled(x: Array, y: Array, units: Array, settings: int) -> Array:
    """Return the standard deviation of the coefficients over resamples of the settings; those without a level drop."""
    terms = x.shape[1]
    squares, products = np.zeros((settings, terms, terms)), np.zeros((settings, terms))
    np.add.at(squares, units, x[:, :, None] * x[:, None, :])
    np.add.at(products, units, x * y[:, None])
    rng = np.random.default_rng(0)
    counts = rng.multinomial(settings, np.full(settings, 1 / settings), size=RESAMPLES).astype(float)
    left, right = np.tensordot(counts, squares, 1), counts @ products
    whole = np.linalg.matrix_rank(left, hermitian=True) == terms
    if whole.sum() <= RESAMPLES // 2:
        return np.full(terms, math.nan)
    drawn = np.linalg.solve(left[whole], right[whole][:, :, None])[:, :, 0]
    return np.std(drawn, axis=0, ddof=1)
