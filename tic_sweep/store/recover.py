"""Recovery: the journals of killed sessions become the Parquet segments they would have become."""

import polars as pl

from tic_sweep.errors import StoreError
from tic_sweep.records import TABLES
from tic_sweep.store.folder import ResultsFolder, number_of
from tic_sweep.store.journal import fitting_rows, is_whole_journal, read_journal
from tic_sweep.store.segments import IN_ORDER, STAMP, frame_of, scan_segments, write_segment


def recover(folder: ResultsFolder) -> None:
    """Turn every journal into segments of the same session and number, then remove it; the caller holds the lock.

    Doing it again, after a crash at any point, gives the same segments: rows that are already in one are not doubled.
    If the disk refuses (an OSError), the journal is kept. So is one with a damaged line, which is what tells that
    something is lost, until `Damage.set_aside`.

    Raises:
        StoreError: if a journal holds rows of a table that this version does not know.
    """
    for journal in folder.journals():
        journaled = read_journal(journal.read_bytes())
        if unknown := sorted(set(journaled.rows) - set(TABLES)):
            raise StoreError(
                f"{journal} holds rows of table {unknown[0]!r}, unknown to this version: update tic_sweep."
            )
        for table in filter(journaled.rows.get, IN_ORDER):
            path = folder.segment(table, *number_of(journal.name))
            written = scan_segments(table, [path])
            told = frame_of(table, fitting_rows(table, journaled.rows[table]))
            found = pl.concat([written, told.lazy()])
            write_segment(path, found.unique(subset=STAMP, keep="first").sort(STAMP).collect())
        if is_whole_journal(journaled):
            journal.unlink()
