"""Following a results folder that is being written, near or far: each look reads no more than what is new."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import polars as pl

from tic_sweep.records import TABLES
from tic_sweep.store.folder import ResultsFolder
from tic_sweep.store.journal import journal_frame, parse_journal
from tic_sweep.store.remote import RemoteFolder
from tic_sweep.store.segments import STAMP, scan_segments, schema_of, with_defaults


class Follower:
    """Keeps chosen columns of chosen tables of one folder, as `scan` would return them, and brings them up to date.

    Segments never change once they are written, so each is read once; `compact`, which puts another file in the
    place of one, is noticed. The journal, which holds a few seconds of rows, is read at every look. No file of another
    table is opened.
    """

    def __init__(self, folder: ResultsFolder | RemoteFolder, tables: Mapping[str, Sequence[str]]) -> None:
        """Follow tables.

        Args:
            folder: whose tables.
            tables: which, in the order to read them, and which columns of each; the identity and the stamp are added.
        """
        self.folder: Any = folder  # either kind's segments go back to itself alone
        self._columns = {
            name: list(dict.fromkeys([*TABLES[name].identity, *columns, *STAMP])) for name, columns in tables.items()
        }
        self._frames = {
            name: pl.DataFrame(schema={column: schema_of(name)[column] for column in columns})
            for name, columns in self._columns.items()
        }
        self._seen: set[Hashable] = set()

    def look(self) -> dict[str, pl.DataFrame]:
        """Return the tables as they are now: the newest row of each identity, in the order they were written."""
        # As in `scan`, the journals come first: rows that become Parquet meanwhile are seen twice, never missed.
        waiting = {name: parse_journal(content, name) for name, content in self.folder.journal_contents()}
        for table, columns in self._columns.items():
            segments = self.folder.identified(table)
            unread = [segment for identity, segment in segments.items() if identity not in self._seen]
            found = [scan_segments(table, self.folder.fetched(table, unread))] if unread else []
            for name, rows in waiting.items():
                journaled = journal_frame(table, rows.get(table, ()), name, None)
                found.append(with_defaults(journaled.lazy(), table, columns))
            if found:
                new = pl.concat([frame.select(columns) for frame in found]).collect()
                self._frames[table] = _merged(self._frames[table], new, TABLES[table].identity)
                self._seen.update(segments)
        return dict(self._frames)


def _merged(known: pl.DataFrame, new: pl.DataFrame, identity: Sequence[str]) -> pl.DataFrame:
    """Return known and new rows, the newest of each identity, in the order they were written."""
    own = list(identity)
    touched = pl.concat([known.join(new, on=own, how="semi"), new])
    newest = touched.sort(STAMP).unique(own, keep="last", maintain_order=True)
    return pl.concat([known.join(new, on=own, how="anti"), newest]).sort(STAMP)
