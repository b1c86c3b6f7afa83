"""`ResultsWriter`: the only thing that writes rows; journal first, Parquet segments every few seconds."""

import time
from collections.abc import Callable, Iterable
from operator import attrgetter
from types import TracebackType
from typing import Any, Self

import polars as pl

from tic_sweep.config import TrialConfig, flatten
from tic_sweep.errors import StoreError
from tic_sweep.records import TABLES, Row, TrialRow, columns_of
from tic_sweep.store.blocks import Block
from tic_sweep.store.folder import ResultsFolder
from tic_sweep.store.journal import Journal, line_of, line_of_block
from tic_sweep.store.lock import FolderLock
from tic_sweep.store.recover import recover
from tic_sweep.store.segments import IN_ORDER, frame_of, frame_of_blocks, schema_of, write_segment


class ResultsWriter:
    """Writes the rows of one session into a results folder, as long as it is open.

    A disk that refuses never stops the sweep: rows wait in memory, the write is tried again every ``flush_seconds``,
    and `problems` says what waits. Only `close` raises if rows are still nowhere on disk.
    """

    def __init__(self, folder: ResultsFolder, *, flush_rows: int = 50_000, flush_seconds: float = 5.0) -> None:
        """Take the folder's lock, save the rows of killed sessions, and begin a new session.

        Args:
            folder: where to write.
            flush_rows: rows after which the journal becomes Parquet.
            flush_seconds: seconds after which it does so at the next `add` or `tick`.

        Raises:
            StoreError: if another process writes there, or the disk refuses.
        """
        self.folder = folder
        self._flush_rows, self._flush_seconds = flush_rows, flush_seconds
        self._lock = FolderLock(folder.lock)
        try:
            recover(folder)
            self._session = folder.last_session() + 1
        except OSError as error:
            self._lock.release()
            raise StoreError(f"{str(folder.root)!r} cannot be written ({error}): free space there.") from error
        except BaseException:
            self._lock.release()
            raise
        self._seq = 0
        self._segment = 1
        self._journal: Journal | None = None
        self._buffer: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
        self._blocks: dict[str, list[tuple[int, Block]]] = {name: [] for name in TABLES}
        self._buffered = 0
        self._unjournaled: list[bytes] = []
        self._unjournaled_rows = 0
        self._journal_error = self._flush_error = ""
        self._due = 0.0
        self._open = True

    @property
    def session(self) -> int:
        """Number of this session: one more than any that has left rows in the folder."""
        return self._session

    @property
    def problems(self) -> tuple[str, ...]:
        """What the disk has refused and is still waiting, one line each; empty if all is well."""
        told = []
        if self._unjournaled:
            told.append(f"{self._unjournaled_rows} rows are only in memory: {self._journal_error}")
        if self._flush_error:
            told.append(f"{self._buffered} rows are not yet in Parquet: {self._flush_error}")
        return tuple(told)

    @property
    def refused(self) -> bool:
        """Whether rows lie in memory alone, because the disk refuses them."""
        return bool(self._unjournaled)

    def add(self, row: Row, config: TrialConfig | None = None) -> None:
        """Store a row; when this returns the row survives a kill of the process (unless `problems` says otherwise).

        Args:
            row: the row.
            config: the trial's config, whose fields become columns; for a `TrialRow` and no other.

        Raises:
            ValueError: if the config is missing, or given where it does not belong.
        """
        if isinstance(row, TrialRow) != (config is not None):
            raise ValueError(
                f"a config goes with a TrialRow and no other row, got {type(row).__name__} and {config!r}."
            )
        table, values_of = _COLUMNS[type(row)]
        values = values_of(row)
        if config is not None:
            values |= flatten(config)
        values["session"], values["seq"] = self._session, self._seq
        self._buffer[table].append(values)
        self._take(line_of(table, values), 1)
        self._store()

    def add_blocks(self, blocks: Iterable[Block]) -> None:
        """Store the rows of blocks as `add` stores a row, all of them with one write."""
        for block in blocks:
            self._blocks[block.table].append((self._seq, block))
            self._take(line_of_block(block, self._session, self._seq), block.size)
        self._store()

    def add_frame(self, table: str, frame: pl.DataFrame) -> None:
        """Store many rows at once as a segment of their own; for rows that can be computed again: no journal has them.

        Args:
            table: the table they belong to.
            frame: its columns but for the stamp, which rows get in the order they have.

        Raises:
            StoreError: if the disk refuses.
        """
        if frame.is_empty():
            return
        self.flush()
        if self._flush_error:
            raise StoreError(f"{str(self.folder.root)!r} cannot be written ({self._flush_error}): free space there.")
        stamped = frame.with_columns(
            session=pl.lit(self._session, pl.Int64), seq=pl.int_range(self._seq, self._seq + frame.height)
        ).select(schema_of(table).names())
        try:
            write_segment(self.folder.segment(table, self._session, self._segment), stamped)
        except OSError as error:
            raise StoreError(f"{str(self.folder.root)!r} cannot be written ({error}): free space there.") from error
        self._seq += frame.height
        self._segment += 1

    def tick(self) -> None:
        """Flush if it is time; call it now and then while no rows come."""
        if self._buffered and time.monotonic() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Turn the rows that wait into one Parquet segment per table, then remove their journal."""
        if not self._buffered:
            return
        try:
            for table in IN_ORDER:
                if (frame := self._waiting(table)) is not None:
                    write_segment(self.folder.segment(table, self._session, self._segment), frame)
        except OSError as error:
            self._flush_error = str(error)
            self._due = time.monotonic() + self._flush_seconds
            self._append_to_journal()
            return
        if self._journal is not None:
            self._journal.remove()
        self._journal = None
        self._segment += 1
        self._buffer = {name: [] for name in TABLES}
        self._blocks = {name: [] for name in TABLES}
        self._buffered = self._unjournaled_rows = 0
        self._unjournaled = []
        self._journal_error = self._flush_error = ""

    def close(self) -> None:
        """Flush and give the folder free. Rows that Parquet would not take but the journal did are safe there.

        Raises:
            StoreError: if rows could not be written anywhere.
        """
        if not self._open:
            return
        self.flush()
        self._open = False
        if self._journal is not None:
            self._journal.close()
        self._lock.release()
        if self._unjournaled:
            raise StoreError(
                f"{self._unjournaled_rows} rows could not be written to {str(self.folder.root)!r} "
                f"({self._flush_error}) and are lost: free space there and resume the sweep, which computes "
                f"them again."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()

    def _take(self, line: bytes, rows: int) -> None:
        """Let a line wait for the journal whose rows are buffered now."""
        if not self._buffered:
            self._due = time.monotonic() + self._flush_seconds
        self._seq += rows
        self._buffered += rows
        self._unjournaled.append(line)
        self._unjournaled_rows += rows

    def _store(self) -> None:
        """Write what waits to the journal and, if it is time or enough, to Parquet."""
        if not self._journal_error:  # a disk that refused is asked again with the next flush
            self._append_to_journal()
        if time.monotonic() >= self._due or (self._buffered >= self._flush_rows and not self._flush_error):
            self.flush()

    def _waiting(self, table: str) -> pl.DataFrame | None:
        """Return the rows of a table that wait for Parquet; None if there are none."""
        frames = [frame_of(table, rows)] if (rows := self._buffer[table]) else []
        if blocks := self._blocks[table]:
            starts = [start for start, _ in blocks]
            frames.append(frame_of_blocks(table, [block for _, block in blocks], self._session, starts))
        return pl.concat(frames) if frames else None

    def _append_to_journal(self) -> None:
        """Write the lines that wait to the journal; they go on waiting if the disk refuses."""
        if not self._unjournaled:
            return
        try:
            if self._journal is None:
                self._journal = Journal(self.folder.journal_file(self._session, self._segment))
            self._journal.append(b"".join(self._unjournaled))
        except OSError as error:
            self._journal_error = str(error)
            return
        self._unjournaled.clear()
        self._unjournaled_rows = 0
        self._journal_error = ""


def _columns_reader(table: str, record: type[Row]) -> Callable[[Row], dict[str, Any]]:
    """Return a function that takes a record's fields as plain values of their declared types."""
    types = [(name, column.type) for name, column in columns_of(table).items() if name in record.__dataclass_fields__]
    names = [name for name, _ in types]
    casts = [cast for _, cast in types]
    values_of = attrgetter(*names)

    def read(row: Row) -> dict[str, Any]:
        return {
            name: value if value is None or type(value) is cast else cast(value)
            for name, value, cast in zip(names, values_of(row), casts, strict=True)
        }

    return read


_COLUMNS = {table.record: (name, _columns_reader(name, table.record)) for name, table in TABLES.items()}
