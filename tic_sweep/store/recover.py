"""Recovery: the journals of killed sessions become the Parquet segments they would have become."""

import polars as pl

from tic_sweep.errors import StoreError
from tic_sweep.records import TABLES
from tic_sweep.store.folder import ResultsFolder, number_of
from tic_sweep.store.journal import read_journal
from tic_sweep.store.segments import IN_ORDER, STAMP, frame_of, scan_segments, write_segment


def recover(folder: ResultsFolder) -> None:
    """Turn every journal into segments of the same session and number, then remove it; the caller holds the lock.

    Doing it again, after a crash at any point, gives the same segments: rows that are already in one are not doubled.
    If the disk refuses (an OSError), the journal is kept.

    Raises:
        StoreError: if a journal holds rows of a table that this version does not know.
    """
    for journal in folder.journals():
        tables = read_journal(journal)
        if unknown := sorted(set(tables) - set(TABLES)):
            raise StoreError(
                f"{journal} holds rows of table {unknown[0]!r}, unknown to this version: update tic_sweep."
            )
        for table in filter(tables.get, IN_ORDER):
            rows = tables[table]
            path = folder.segment(table, *number_of(journal.name))
            written = scan_segments(table, [path])
            found = pl.concat([written, frame_of(table, rows).lazy()])
            write_segment(path, found.unique(subset=STAMP, keep="first").sort(STAMP).collect())
        journal.unlink()
