"""Compaction: many segments become one per table, without the rows that newer ones replace."""

import polars as pl

from tic_sweep.errors import StoreError
from tic_sweep.records import TABLES
from tic_sweep.store.damage import is_whole
from tic_sweep.store.folder import ResultsFolder
from tic_sweep.store.lock import FolderLock
from tic_sweep.store.reader import Stored, newest
from tic_sweep.store.recover import recover
from tic_sweep.store.segments import is_settled, readable_segments, scan_segments, schema_of, write_segment


def compact(folder: ResultsFolder, *, most_rows: int | None = None) -> dict[str, int]:
    """Merge the segments of each table into one; return how many files each table is now rid of.

    What is merged is settled: no row of it replaces another, and readers need not look for one that does.

    The merged segment takes the newest one's place, by one rename, before the others are removed: after a crash in
    between, rows are there twice, which readers see through, and the next compaction finishes the work. A segment
    with columns unknown to this version is left where it is, and so is a table with a damaged segment: which rows are
    lost shows in those around it.

    Args:
        folder: the results.
        most_rows: tables with more rows are left as they are: a table is held in memory at once. None leaves none.

    Raises:
        StoreError: if a writer is at work in the folder, or the disk refuses; nothing is lost then.
    """
    lock = FolderLock(folder.lock)
    try:
        recover(folder)
        return {table: _compact_table(folder, table, most_rows) for table in TABLES}
    except OSError as error:
        raise StoreError(f"{str(folder.root)!r} cannot be written ({error}): free space there.") from error
    finally:
        lock.release()


def _compact_table(folder: ResultsFolder, table: str, most_rows: int | None) -> int:
    found = readable_segments(table, folder.segments(table))
    segments = [segment for segment, columns in found.items() if columns.keys() <= schema_of(table).keys()]
    if not segments or (len(segments) == 1 and is_settled(segments[0], table)):
        return 0
    if not all(is_whole(segment) for segment in folder.segments(table)):
        return 0
    stored = scan_segments(table, segments)
    if most_rows is not None and stored.select(pl.len()).collect().item() > most_rows:
        return 0
    rows: pl.DataFrame = newest(table, Stored(stored)).collect()
    write_segment(segments[-1], rows, settled=table)
    for segment in segments[:-1]:
        segment.unlink()
    return len(segments) - 1
