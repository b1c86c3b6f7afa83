"""Following a results folder that is being written: each look reads no more than what is new."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from tic_sweep.records import TABLES
from tic_sweep.store.folder import ResultsFolder
from tic_sweep.store.journal import journal_frame, parse_journal
from tic_sweep.store.segments import STAMP, scan_segments, schema_of, with_defaults


class Follower:
    """Keeps chosen columns of chosen tables of one folder, as `scan` would return them, and brings them up to date.

    Segments never change once they are written, so each is read once; `compact`, which puts another file in the
    place of one, is noticed. The journal, which holds a few seconds of rows, is read at every look. No file of another
    table is opened.
    """

    def __init__(self, folder: ResultsFolder, tables: Mapping[str, Sequence[str]]) -> None:
        """Follow tables.

        Args:
            folder: whose tables.
            tables: which, in the order to read them, and which columns of each; the identity and the stamp are added.
        """
        self.folder = folder
        self._columns = {
            name: list(dict.fromkeys([*TABLES[name].identity, *columns, *STAMP])) for name, columns in tables.items()
        }
        self._frames = {
            name: pl.DataFrame(schema={column: schema_of(name)[column] for column in columns})
            for name, columns in self._columns.items()
        }
        self._seen: dict[Path, tuple[int, int, int]] = {}

    def look(self) -> dict[str, pl.DataFrame]:
        """Return the tables as they are now: the newest row of each identity, in the order they were written."""
        # As in `scan`, the journals come first: rows that become Parquet meanwhile are seen twice, never missed.
        waiting = {name: parse_journal(content, name) for name, content in self.folder.journal_contents()}
        for table, columns in self._columns.items():
            unread = self._unread(table)
            found = [scan_segments(table, unread)] if unread else []
            for name, rows in waiting.items():
                journaled = journal_frame(table, rows.get(table, ()), name, None)
                found.append(with_defaults(journaled.lazy(), table, columns))
            if found:
                new = pl.concat([frame.select(columns) for frame in found]).collect()
                self._frames[table] = _merged(self._frames[table], new, TABLES[table].identity)
                self._seen |= unread
        return dict(self._frames)

    def _unread(self, table: str) -> dict[Path, tuple[int, int, int]]:
        """Return the segments that have not been read, each with what tells its file from another one's."""
        unread = {}
        for segment in self.folder.segments(table):
            try:
                found = segment.stat()
            except FileNotFoundError:  # `compact` has removed it; its rows are in another one
                continue
            state = (found.st_ino, found.st_mtime_ns, found.st_size)
            if self._seen.get(segment) != state:
                unread[segment] = state
        return unread


def _merged(known: pl.DataFrame, new: pl.DataFrame, identity: Sequence[str]) -> pl.DataFrame:
    """Return known and new rows, the newest of each identity, in the order they were written."""
    own = list(identity)
    touched = pl.concat([known.join(new, on=own, how="semi"), new])
    newest = touched.sort(STAMP).unique(own, keep="last", maintain_order=True)
    return pl.concat([known.join(new, on=own, how="anti"), newest]).sort(STAMP)
