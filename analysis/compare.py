"""Two sweeps side by side: what their settings come to, and which effects differ between them.

Settings are matched by every field in which trials of either sweep differ, apart from the fields that hold one value
throughout the one sweep and another throughout the other: those are what the sweeps differ in as a whole. Differences
are paired by seed where both ran the same seeds, else Welch's; the p-values of settings, and those of effects, are
corrected together (`analysis.differences.corrected`): of what is said to differ, 5 % is expected not to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analysis.differences import FALSE, SAME, BySeed, corrected, difference_of, means_over_shared
from analysis.effects import contradicted, slope_weights
from analysis.fields import determining, label_of, name_of, text_of
from analysis.grids import Grid, grid_of
from analysis.outcomes import OUTCOMES, TRANSITION, effect_part, measured, outcome_table, restricted
from analysis.results import Results
from analysis.settings import reference_of
from tic_sweep.config import field_rules
from tic_sweep.errors import StoreError

ALL = "all shared settings"
"""In place of a setting: the mean over those that both sweeps have, each counted alike."""
EXAMPLES = 4
"""Values of a field that an error names."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two sweeps have in common and how they differ."""

    differing: dict[str, tuple[Any, Any]]
    """Fields with one value throughout A and another throughout B."""
    fields: tuple[str, ...]
    """Fields that settings are matched by."""
    shared: int
    """Settings with finished trials in both; `only_a` and `only_b` count the others."""
    only_a: int
    only_b: int
    same_trials: int
    """Finished trials that are in both: same config, seed included. They cannot differ."""
    unfinished: tuple[int, int]
    """Trials of A and of B that are left out since they have not finished: diverged, failed, or still to come."""
    settings: pl.DataFrame
    """One row per outcome and shared setting, after one of their mean (`ALL`) where there are several: outcome,
    setting, a, b (means over seeds), difference (B − A), low, high, n_seeds, unit, p, q (p corrected over all rows but
    those of `ALL`), differs (q below `FALSE`), method; p, q and differs
    null where there are too few seeds, or the trials are the same."""
    effects: pl.DataFrame
    """One row per outcome, field and level: outcome, field, level, reference, effect_a, effect_b, then as above."""


def compare(a: Results, b: Results) -> Comparison:
    """Return what two sweeps have in common, where B differs from A, and which effects differ.

    Transitions are restricted to the last epoch that all finished trials of both were seen at; where none has turned by
    then, in either, there is no row. Effects are means over the shared settings alone, so that both are about the same.

    Raises:
        StoreError: if no setting has finished trials in both.
    """
    every = [effect_part(results)[0] for results in (a, b)]
    parts = [part.where(pl.col("status") == "finished") for part in every]
    trials = [part.trials.collect() for part in parts]
    for name, own in zip("AB", trials, strict=True):
        if own.is_empty():
            raise StoreError(f"{name} has no finished trial of task 'images': give results that have some.")
    differing, fields = _matched_by(*trials)
    tables = _to_one_horizon([outcome_table(part, fields) for part in parts])
    settings = [set(table.select(fields).rows()) if fields else {()} for table in tables]
    shared = settings[0] & settings[1]
    if not shared:
        raise StoreError(_nothing(fields, tables))
    kept = [_among(table, other, fields) for table, other in (tables, reversed(tables))]
    outcomes = [name for name in measured(kept[0]) if name in measured(kept[1])]
    return Comparison(
        differing=differing, fields=fields, shared=len(shared), only_a=len(settings[0] - shared),
        only_b=len(settings[1] - shared), same_trials=len(set(trials[0]["key"]) & set(trials[1]["key"])),
        unfinished=(_count(every[0]) - trials[0].height, _count(every[1]) - trials[1].height),
        settings=_framed([row for name in outcomes for row in _setting_rows(kept, fields, name)], SETTINGS),
        effects=_framed([row for name in outcomes for row in _effect_rows(kept, fields, name)], EFFECTS),
    )  # fmt: skip


def _matched_by(a: pl.DataFrame, b: pl.DataFrame) -> tuple[dict[str, tuple[Any, Any]], tuple[str, ...]]:
    """Return the fields that differ throughout, with both values, and those that tell settings apart."""
    differing: dict[str, tuple[Any, Any]] = {}
    fields = []
    for path in field_rules():
        values = [frame[path].unique().to_list() for frame in (a, b)]
        if path != "seed" and len(values[0]) == len(values[1]) == 1 and values[0] != values[1]:
            differing[path] = (values[0][0], values[1][0])
        elif path != "seed" and len({*values[0], *values[1]}) > 1:
            fields.append(path)
    return differing, determining(pl.concat([a.select(fields), b.select(fields)]).lazy(), fields)


def _count(part: Results) -> int:
    return part.trials.select(pl.len()).collect().item()


def _to_one_horizon(tables: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """Return outcome tables with transitions restricted to the earlier of their horizons."""
    ends = [end for table in tables if isinstance(end := table["horizon"].max(), int)]
    return [restricted(table, min(ends)) if ends else table for table in tables]


def _among(table: pl.DataFrame, other: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """Return the trials of a table whose setting another has, too."""
    return table.join(other, on=list(fields), how="semi", nulls_equal=True) if fields else table


def _nothing(fields: Sequence[str], tables: Sequence[pl.DataFrame]) -> str:
    """Say why no setting occurs in both."""
    apart = [path for path in fields if not set(tables[0][path]) & set(tables[1][path])]
    path = (apart or list(fields))[0]
    told = [", ".join(text_of(one) for one in table[path].unique().sort().head(EXAMPLES)) for table in tables]
    where = f"{name_of(path)} is {told[0]} in A and {told[1]} in B" if apart else "their fields never meet in one"
    return f"A and B have no finished setting in common ({where}): compare sweeps that share settings."


def _setting_rows(kept: Sequence[pl.DataFrame], fields: Sequence[str], outcome: str) -> list[dict[str, Any]]:
    """Return the rows of one outcome: the mean over the shared settings first, then each of them."""
    by_setting = [table.partition_by(*fields, as_dict=True) if fields else {(): table} for table in kept]
    values = [_by_seed(table, fields, outcome) for table in kept]
    rows = []
    for setting in sorted(by_setting[0], key=lambda one: [(value is not None, value or 0) for value in one]):
        here = [tables[setting] for tables in by_setting]
        if all(setting in seeds for seeds in values) and _known(here, outcome):
            label = label_of(dict(zip(fields, setting, strict=True))) or "the one setting"
            told = _told(values[0][setting], values[1][setting], here, outcome)
            rows.append({"outcome": outcome, "setting": label} | told)
    if len(rows) < 2:  # noqa: PLR2004
        return rows
    means = _means(_grids(kept, fields, outcome))
    return ([{"outcome": outcome, "setting": ALL} | _told(*means, kept, outcome)] if means else []) + rows


def _effect_rows(kept: Sequence[pl.DataFrame], fields: Sequence[str], outcome: str) -> list[dict[str, Any]]:
    rows = []
    grids = _grids(kept, fields, outcome)
    for field in fields:
        for level, against, weights in _contrasts(kept, grids, field):
            means = _means(grids, field, weights)
            here = [table.filter(pl.col(field).is_in(list(weights))) for table in kept]
            if means and _known(here, outcome):
                told = _told(*means, here, outcome)
                named = {"outcome": outcome, "field": field, "level": level, "reference": against}
                rows.append(named | told | {"effect_a": told["a"], "effect_b": told["b"]})
    return rows


def _contrasts(
    kept: Sequence[pl.DataFrame], grids: Sequence[Grid], field: str
) -> list[tuple[str, str, Mapping[Any, float]]]:
    """Return level, reference and weights of a field's effects; the slope only where neither sweep contradicts it."""
    levels = [level for level in kept[0][field].unique().sort().to_list() if level is not None]
    if len(levels) < 2:  # noqa: PLR2004
        return []
    reference = reference_of(field, levels)
    found: list[tuple[str, str, Mapping[Any, float]]] = [
        (text_of(one), text_of(reference), {one: 1.0, reference: -1.0}) for one in levels if one != reference
    ]
    whole = len(grids) > 1 and all(set(levels) == set(grid.levels[grid.fields.index(field)]) for grid in grids)
    sloped = slope_weights(levels) if whole else None
    if sloped and not any(contradicted(grid, field, levels) for grid in grids):
        found.append((sloped[0], "", sloped[1]))
    return found


def _known(here: Sequence[pl.DataFrame], outcome: str) -> bool:
    """Tell whether something is known of a difference: of transitions, whether any trial at all has turned."""
    return outcome != TRANSITION or any(bool(table["turned"].any()) for table in here)


def _by_seed(table: pl.DataFrame, fields: Sequence[str], outcome: str) -> dict[tuple[Any, ...], dict[int, float]]:
    """Return, per setting with the outcome, its value by seed."""
    known = table.drop_nulls(outcome).group_by(*fields, "seed").agg(pl.col(outcome).mean()).sort("seed")
    found: dict[tuple[Any, ...], dict[int, float]] = {}
    for *setting, seed, value in known.iter_rows():
        found.setdefault(tuple(setting), {})[seed] = value
    return found


def _grids(kept: Sequence[pl.DataFrame], fields: Sequence[str], outcome: str) -> list[Grid]:
    """Return the grids of those sweeps whose trials are one."""
    return [grid for table in kept if (grid := grid_of(table, tuple(fields), outcome))]


def _means(
    grids: Sequence[Grid], field: str = "", weights: Mapping[Any, float] | None = None
) -> tuple[BySeed, BySeed] | None:
    """Return, per sweep and seed, the mean over the settings, or contexts of a field, that both have without a gap.

    None where one of the two sweeps is no grid.
    """
    return means_over_shared(*grids, field=field, weights=weights) if len(grids) > 1 else None


def _told(own: BySeed, other: BySeed, here: Sequence[pl.DataFrame], outcome: str) -> dict[str, Any]:
    """Return what a row says of two samples of seeds; trials that are the same in both are no comparison."""
    gain = difference_of(own, other)
    if set(here[0]["key"]) == set(here[1]["key"]):
        gain = gain._replace(p=None, method=SAME)
    means = {"a": float(np.mean(list(own.values()))), "b": float(np.mean(list(other.values())))}
    return means | gain._asdict() | {"unit": OUTCOMES[outcome].unit}


def _framed(rows: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Return the rows as a frame, with q and differs; the mean over all settings is no comparison of its own."""
    q = corrected([None if row.get("setting") == ALL else row["p"] for row in rows])
    told = [
        dict(row) | {"q": one, "differs": None if one is None else one < FALSE}
        for row, one in zip(rows, q, strict=True)
    ]
    return pl.DataFrame([{name: row[name] for name in schema} for row in told], schema=dict(schema))


_ENDS: dict[str, Any] = {
    "difference": pl.Float64, "low": pl.Float64, "high": pl.Float64, "n_seeds": pl.Int64, "unit": pl.String,
    "p": pl.Float64, "q": pl.Float64, "differs": pl.Boolean, "method": pl.String,
}  # fmt: skip
SETTINGS: dict[str, Any] = {"outcome": pl.String, "setting": pl.String, "a": pl.Float64, "b": pl.Float64} | _ENDS
EFFECTS: dict[str, Any] = {
    "outcome": pl.String, "field": pl.String, "level": pl.String, "reference": pl.String, "effect_a": pl.Float64,
    "effect_b": pl.Float64,
} | _ENDS  # fmt: skip
