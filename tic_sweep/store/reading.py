"""`Reading`: one look at a results folder, near or far: its manifest, its tables, and what was unreadable in them."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tic_sweep.records import TABLES
from tic_sweep.store.addresses import local_path
from tic_sweep.store.damage import spoilt_segments
from tic_sweep.store.folder import ResultsFolder
from tic_sweep.store.manifest import Manifest
from tic_sweep.store.problems import Problems
from tic_sweep.store.reader import Stored, newest, stored_rows
from tic_sweep.store.remote import MANIFEST, RemoteFolder

ORPHANS = "rows without a trial"
UNKNOWN = "varied fields unknown and left out: "
SPOILT = "segments with other bytes than were written, whose rows may be wrong"


def open_folder(place: str | Path) -> ResultsFolder | RemoteFolder:
    """Open a results folder for reading, by its path or by its URL in an object store.

    Raises:
        StoreError: if there is none, or it cannot be read.
    """
    path = local_path(place)
    return RemoteFolder.open(str(place)) if path is None else ResultsFolder.open(path)


@dataclass(frozen=True, slots=True)
class Reading:
    """The tables of a results folder as they were when it was opened."""

    folder: ResultsFolder | RemoteFolder
    manifest: Manifest
    tables: dict[str, pl.LazyFrame]
    """By name: the newest row of each identity."""
    _stored: dict[str, Stored]
    _found: Problems

    @classmethod
    def open(cls, place: str | Path) -> "Reading":
        """Open a results folder by its path, or by its URL in an object store.

        Raises:
            StoreError: if there is none, or it cannot be read.
        """
        folder = open_folder(place)
        manifest = folder.manifest if isinstance(folder, RemoteFolder) else folder.load_manifest()
        found = Problems(folder.name)
        if manifest.unknown:
            found.note("", MANIFEST, UNKNOWN + ", ".join(manifest.unknown), len(manifest.unknown))
        # Trials are read first: whatever state a trial is in, the rows that led to it are then there too.
        stored = {table: stored_rows(folder, table, found) for table in dict.fromkeys(("trials", *TABLES))}
        for table in folder.table_names():
            if table not in TABLES:
                found.note(table, "", "segments of an unknown table, which is left out", len(folder.segments(table)))
        return cls(folder, manifest, {table: newest(table, rows) for table, rows in stored.items()}, stored, found)

    def problems(self, tables: Collection[str] | None = None) -> pl.DataFrame:
        """Return what could not be read as declared, in some tables if they are named; columns are `Problems.frame`'s.

        Counting rows without a trial reads the keys of the tables; a remote folder's are fetched for it. Those of a
        folder here are compared with their checksums, which `scan` does not take the time for.
        """
        trials = self.tables["trials"].select("key")
        if isinstance(self.folder, ResultsFolder):
            for table in tables or TABLES:
                for segment in spoilt_segments(self.folder, table):
                    self._found.note(table, segment.name, SPOILT)
        for table in [name for name in tables or TABLES if name != "trials"]:
            keys = self._stored[table].rows.select("key").unique()
            orphans = keys.join(trials, on="key", how="anti").collect().lazy()
            if not orphans.limit(1).collect().height:
                continue
            # A search may have added a trial between one table and the next: that is no problem.
            known = newest("trials", stored_rows(self.folder, "trials")).select("key")
            rows = self.tables[table].join(orphans.join(known, on="key", how="anti"), on="key", how="semi")
            if count := rows.select(pl.len()).collect().item():
                self._found.note(table, "", ORPHANS, count)
        return self._found.frame(tables)
