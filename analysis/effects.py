"""Which hyperparameter moves what, and by how much: marginal effects with intervals over seeds.

An effect is *marginal*: the difference between two levels of one field as a mean over the settings of the others, each
counted alike. On a grid seeds are paired, since the same seed runs every setting: the difference is taken within each
seed, and the 95 % interval is Student's t over seeds. Where settings share no seeds, `analysis.regressions` stands in;
the column ``method`` says which it was. Intervals are each for itself: of twenty true zeros one lies outside.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import polars as pl

from analysis.fields import text_of
from analysis.grids import FILLED, Grid, PerSeed, combined, grid_of
from analysis.intervals import student
from analysis.outcomes import OUTCOMES, TRANSITION, measured, outcomes_of
from analysis.regressions import LEVELS, Fitted, fit, is_number, slope_of
from analysis.results import Results
from analysis.settings import reference_of

NO_TRIAL = "no trial has the outcome"
"""The method of a level of whose effect nothing is known: all of its trials failed, or none was measured."""


def marginal_effects(results: Results, *outcomes: str) -> pl.DataFrame:
    """Return the effect of every level of every varied field on every outcome, against the field's reference level.

    Columns: outcome, field, level, reference, effect, low, high, n_seeds, unit, method, n_contexts (settings of the
    other fields that it is a mean over; null of a regression), n_missing (trials at either level without the outcome:
    unfinished or not measured), turned and turned_reference (of the transition: the share of trials at either level
    that had turned by the horizon; null else).

    The reference level is the paper's, or the closest to it (`analysis.settings.reference_of`). A number of three or
    more levels that its trend does not contradict has a slope besides, with level ``×10`` (per tenfold) or ``×2``.
    Transitions are restricted to the common horizon (`outcome_table`); where none of the trials at both levels had
    turned by then nothing is known of their difference, and the effect is null. Effects below two seeds have no
    interval. A level at which no trial has the outcome has a row without an effect.

    Args:
        results: one sweep or several.
        outcomes: names of `OUTCOMES`; all that were measured if left out.
    """
    table, fields = outcomes_of(results)
    return effects_of(table, fields, *outcomes)


def effects_of(table: pl.DataFrame, fields: Sequence[str], *outcomes: str) -> pl.DataFrame:
    """Return `marginal_effects` of an `outcome_table`."""
    rows = []
    for outcome in [name for name in measured(table) if not outcomes or name in outcomes]:
        grid = grid_of(table, tuple(fields), outcome)
        found = [] if grid is None else [row for field in fields for row in _on_grid(table, grid, field, outcome)]
        paired = {row["field"] for row in found}
        if len(paired) < len(fields):
            found += [_row(table, outcome, one) for one in fit(table, fields, outcome) if one.field not in paired]
        for field in fields:
            found += _unknown(table, field, outcome, many=field in paired)
        order = {field: number for number, field in enumerate(fields)}
        rows += sorted(found, key=lambda row: order[row["field"]])
    return pl.DataFrame(rows, schema=SCHEMA)


def slope_weights(levels: Sequence[float]) -> tuple[str, dict[Any, float]] | None:
    """Return the name of one unit of a field's slope and the levels' weights in it, least squares over the levels.

    None for fewer than three levels, and where the highest is less than twice the lowest, or that is not positive.
    """
    if len(levels) < 3 or not is_number(levels):  # noqa: PLR2004
        return None
    slope = slope_of(levels)
    if slope.reference:
        return None
    mean = sum(slope.x) / len(slope.x)
    square = sum((x - mean) ** 2 for x in slope.x)
    return slope.level, {level: (x - mean) / square for level, x in zip(levels, slope.x, strict=True)}


def contradicted(grid: Grid, field: str, levels: Sequence[Any]) -> bool:
    """Tell whether some step between neighbouring levels goes against the slope by more than chance."""
    weights = slope_weights(levels)
    values = list(combined(grid, field, weights[1]).values.values()) if weights else []
    rising = sum(values) >= 0
    for low, high in pairwise(levels):
        step = student(list(combined(grid, field, {high: 1.0, low: -1.0}).values.values()))
        if step and (step.high < 0 if rising else step.low > 0):
            return True
    return False


def _on_grid(table: pl.DataFrame, grid: Grid, field: str, outcome: str) -> list[dict[str, Any]]:
    """Return the rows of a field; none where its levels share too few seeds and contexts to be compared in pairs."""
    levels = list(grid.levels[grid.fields.index(field)])
    reference = reference_of(field, [level for level in levels if level is not None])
    rows = []
    for level in [level for level in levels if level != reference]:
        pairs = combined(grid, field, {level: 1.0, reference: -1.0})
        if pairs.used < FILLED:
            return []
        rows.append(_row(table, outcome, _paired(field, level, reference, pairs), (level, reference), pairs))
    sloped = slope_weights(levels)
    if sloped and not contradicted(grid, field, levels):
        name, weights = sloped
        trend = combined(grid, field, weights)
        if trend.used >= FILLED:
            rows.append(_row(table, outcome, _paired(field, name, "", trend), levels, trend))
    return rows


def _paired(field: str, level: Any, reference: Any, pairs: PerSeed) -> Fitted:
    values = list(pairs.values.values())
    found = student(values)
    mean = sum(values) / len(values) if values else None
    low, high = (None, None) if found is None else (found.low, found.high)
    gaps = "" if pairs.contexts == pairs.of else f", {pairs.contexts} of {pairs.of} contexts"
    method = "one seed, no interval" if found is None else "paired t over seeds"
    told = tuple(one if isinstance(one, str) else text_of(one) for one in (level, reference))
    return Fitted(field, told[0], told[1], mean, low, high, method + gaps)


def _unknown(table: pl.DataFrame, field: str, outcome: str, *, many: bool) -> list[dict[str, Any]]:
    """Return a row without an effect for each level at which no trial has the outcome, so that none is passed over.

    Of numbers that are too many for a term each there is none, unless ``many`` have rows of their own.
    """
    levels = table[field].unique().sort().to_list()
    if len(levels) > LEVELS and is_number(levels) and not many:
        return []
    known = table.drop_nulls(outcome)[field].unique().sort().to_list()
    lost = sorted(set(levels) - set(known), key=levels.index)
    if not lost:
        return []
    compared = [level for level in known if level is not None] or [level for level in levels if level is not None]
    reference = text_of(reference_of(field, compared))
    return [
        _row(table, outcome, Fitted(field, text_of(level), reference, None, None, None, NO_TRIAL)) | {"n_seeds": 0}
        for level in lost
    ]


def _texts(column: pl.Series) -> pl.Series:
    told = {value: text_of(value) for value in column.unique()}
    return pl.Series([told[value] for value in column], dtype=pl.String)


def _row(
    table: pl.DataFrame, outcome: str, found: Fitted, levels: Sequence[Any] = (), pairs: PerSeed | None = None
) -> dict[str, Any]:
    """Return a row of `marginal_effects`; without levels that of a regression, whose ``level`` is a text."""
    texts = _texts(table[found.field])
    mine, theirs = (texts == text for text in (found.level, found.reference))
    both = texts.is_in([text_of(level) for level in levels]) if levels else mine | theirs if mine.any() else ~mine
    told = {
        "outcome": outcome, "field": found.field, "level": found.level, "reference": found.reference,
        "effect": found.effect, "low": found.low, "high": found.high, "unit": OUTCOMES[outcome].unit,
        "n_seeds": len(pairs.values) if pairs else table.drop_nulls(outcome)["seed"].n_unique(),
        "method": found.method, "n_contexts": pairs.contexts if pairs else None,
        "n_missing": table.filter(both)[outcome].null_count(),
    }  # fmt: skip
    if outcome != TRANSITION:
        return told
    turned = table["turned"]
    shares = {"turned": turned.filter(mine).mean(), "turned_reference": turned.filter(theirs).mean()}
    if found.effect is None or turned.filter(both).any():
        return told | shares
    horizon = table["horizon"].max()
    return told | shares | {"effect": None, "low": None, "high": None, "method": f"none has turned by epoch {horizon}"}


SCHEMA: dict[str, Any] = {
    "outcome": pl.String, "field": pl.String, "level": pl.String, "reference": pl.String, "effect": pl.Float64,
    "low": pl.Float64, "high": pl.Float64, "n_seeds": pl.Int64, "unit": pl.String, "method": pl.String,
    "n_contexts": pl.Int64, "n_missing": pl.Int64, "turned": pl.Float64, "turned_reference": pl.Float64,
}  # fmt: skip
