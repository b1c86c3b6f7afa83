"""Reading a results folder: lazy frames of its tables, and what a resume needs to know."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import polars as pl
from polars.io.plugins import register_io_source

from tic_sweep.config import TrialConfig, field_rules, replaced
from tic_sweep.errors import StoreError, did_you_mean
from tic_sweep.records import TABLES
from tic_sweep.store.folder import ResultsFolder
from tic_sweep.store.journal import journal_frame, parse_journal
from tic_sweep.store.problems import Problems
from tic_sweep.store.remote import RemoteFolder
from tic_sweep.store.segments import STAMP, is_settled, scan_segments, schema_of, with_defaults


class TrialState(NamedTuple):
    """The newest known state of a trial."""

    status: str
    attempt: int


class Stored(NamedTuple):
    """Every row stored of a table."""

    rows: pl.LazyFrame
    settled: bool = False
    """Whether they are in order and no two have one identity; else rows that newer ones replace are among them."""


def scan(folder: ResultsFolder | RemoteFolder, table: str, problems: Problems | None = None) -> pl.LazyFrame:
    """Return a table's rows, the newest of each identity, in the order they were written.

    Safe while another process writes: the frame holds at least every row that was stored when `scan` was called.
    (Only `compact` removes segments; a frame scanned before it may have to be scanned again.) What cannot be read is
    passed over with a warning, and noted in ``problems``.

    Raises:
        StoreError: if there is no such table.
    """
    return newest(table, stored_rows(folder, table, problems))


def stored_rows(folder: ResultsFolder | RemoteFolder, table: str, problems: Problems | None = None) -> Stored:
    """Return every row stored of a table; `newest` is what counts of them."""
    if table not in TABLES:
        raise StoreError(f"there is no table {table!r}.{did_you_mean(table, TABLES)} Known: {', '.join(TABLES)}.")
    # The journals come first: one that becomes Parquet meanwhile is then seen twice, which is harmless, never missed.
    waiting = [
        journal_frame(table, rows, name.rpartition("/")[2], problems)
        for name, content in folder.journal_contents()
        if (rows := parse_journal(content, name, problems).get(table))
    ]
    stored = _segments_of(folder, table, problems)
    if not waiting:
        return stored
    journaled = with_defaults(pl.concat(waiting).lazy(), table, schema_of(table).names())
    return Stored(pl.concat([stored.rows, journaled]))


def newest(table: str, stored: Stored) -> pl.LazyFrame:
    """Return the newest row of each identity of a table, in the order they were written."""
    if stored.settled:
        return stored.rows
    return stored.rows.sort(STAMP).unique(subset=TABLES[table].identity, keep="last", maintain_order=True)


def _segments_of(folder: ResultsFolder | RemoteFolder, table: str, problems: Problems | None) -> Stored:
    if isinstance(folder, ResultsFolder):
        found = folder.segments(table)
        settled = len(found) == 1 and is_settled(found[0], table)
        return Stored(scan_segments(table, found, problems), settled)
    segments = folder.segments(table)
    if not segments:
        return Stored(pl.LazyFrame(schema=schema_of(table)))
    return Stored(_when_used(table, lambda: scan_segments(table, folder.fetched(table, segments), problems)))


def _when_used(table: str, make: Callable[[], pl.LazyFrame]) -> pl.LazyFrame:
    """Return a table's frame that is made when it is first collected; columns and rows asked for are passed on."""

    def batches(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        frame = make()
        if columns is not None:
            frame = frame.select(columns)
        if predicate is not None:
            frame = frame.filter(predicate)
        yield (frame if rows is None else frame.limit(rows)).collect()

    return register_io_source(batches, schema=schema_of(table))


def trial_states(folder: ResultsFolder) -> dict[str, TrialState]:
    """Return the state of every trial by its key."""
    found = scan(folder, "trials").select("key", "status", "attempt").collect()
    return {key: TrialState(status, attempt) for key, status, attempt in found.iter_rows()}


def stored_config(row: Mapping[str, Any]) -> TrialConfig:
    """Rebuild the config of a trial from its row; a field that the row lacks has its default."""
    return replaced(TrialConfig(), {path: row[path] for path in field_rules() if row.get(path) is not None})
