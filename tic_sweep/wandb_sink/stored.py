"""A trial as it told itself, read back from the store: what the mirror missed can be mirrored later."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import polars as pl

from tic_sweep.plan import PlannedTrial
from tic_sweep.records import TABLES, EpochRow, PruningRow, Report, Row, SparsityRow, ToyCurveRow, TrialRow
from tic_sweep.store import ResultsFolder, scan, stored_config

AT_ONCE = 50
"""Trials whose rows are in memory at a time."""


class StoredTrial(NamedTuple):
    """A trial, its state, and its reports by rising epoch."""

    trial: PlannedTrial
    row: TrialRow
    reports: list[Report]


def stored_trials(folder: ResultsFolder, keys: Sequence[str]) -> Iterator[StoredTrial]:
    """Yield trials of a results folder in the order of their keys; keys that it does not hold are passed over."""
    for some in (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE)):
        rows = {table: _by_key(folder, table, some) for table in TABLES}
        for key in some:
            for values in rows["trials"].get(key, ()):
                told = [
                    _record(table, row) for table in TABLES if table != "trials" for row in rows[table].get(key, ())
                ]
                trial = PlannedTrial(key, stored_config(values))
                yield StoredTrial(trial, TrialRow(**_own(TrialRow, values)), _reports(told))


def _by_key(folder: ResultsFolder, table: str, keys: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in scan(folder, table).filter(pl.col("key").is_in(keys)).collect().iter_rows(named=True):
        found.setdefault(row["key"], []).append(row)
    return found


def _record(table: str, values: dict[str, Any]) -> Row:
    return TABLES[table].record(**_own(TABLES[table].record, values))


def _own(record: type[Row], values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in record.__dataclass_fields__ if name in values}


def _reports(rows: Sequence[Row]) -> list[Report]:
    """Return the rows of a trial as the reports they came in; curves of toy problems are one report."""
    epochs = sorted((row for row in rows if isinstance(row, EpochRow)), key=lambda row: row.epoch)
    ends = {row.cycle: row.epoch for row in rows if isinstance(row, PruningRow)}
    beside: dict[int | None, list[Row]] = {}
    for row in rows:
        if not isinstance(row, EpochRow):
            epoch = ends.get(row.cycle) if isinstance(row, SparsityRow) else getattr(row, "epoch", None)
            beside.setdefault(epoch, []).append(row)
    curves = tuple(row for row in beside.get(None, ()) if isinstance(row, ToyCurveRow))
    reports = [Report(epoch=row, rows=tuple(beside.get(row.epoch, ()))) for row in epochs]
    return [*reports, Report(rows=curves)] if curves else reports
