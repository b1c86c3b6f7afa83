"""The journal: rows as lines of JSON, given to the system before the writer goes on, so that a kill loses none.

They are not forced onto the disk one by one: a power cut may lose those since the newest segment.
"""

import json
import os
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from tic_sweep.records import TABLES
from tic_sweep.store.atomic import write_all
from tic_sweep.store.blocks import Block, spread
from tic_sweep.store.problems import Problems
from tic_sweep.store.segments import DamagedFileWarning, frame_of, schema_of

TABLE, ROWS, COLUMNS = "table", "rows", "columns"
"""Keys that name a line's table and, if it holds a block, their number and their values; no column has such a name."""
DAMAGED_LINES = "lines damaged and passed over"


class Journal:
    """One journal segment, open for appending. After a failed write it ends with its last whole line."""

    def __init__(self, path: Path) -> None:
        """Create the segment; a disk that refuses gives an OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        self._size = 0

    def append(self, lines: str) -> None:
        """Write whole lines, all of them or none.

        Raises:
            OSError: if the disk is full or refuses.
        """
        content = lines.encode()
        try:
            write_all(self._descriptor, content, self._size)
        except OSError:
            with suppress(OSError):  # the next line overwrites a torn one anyway
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(content)

    def close(self) -> None:
        """Close the segment and keep its file."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Close the segment and remove its file; its rows are elsewhere."""
        self.close()
        with suppress(OSError):  # a journal left behind repeats rows, which readers see through
            self.path.unlink()


def line_of(table: str, row: dict[str, Any]) -> str:
    """Return a row as a line; NaN and infinities are kept, as Python's own JSON tokens."""
    return json.dumps({TABLE: table, **row}, ensure_ascii=False, check_circular=False) + "\n"


def line_of_block(block: Block, session: int, seq: int) -> str:
    """Return a block as a line; its rows are stamped ``seq``, ``seq + 1``, ..."""
    head = f'"{TABLE}": "{block.table}", "session": {session}, "seq": {seq}, "{ROWS}": {block.size}'
    return f'{{{head}, "{COLUMNS}": {block.text}}}\n'


def read_journal(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a journal segment by table; none if it has become a Parquet segment meanwhile."""
    try:
        return parse_journal(path.read_bytes(), str(path))
    except FileNotFoundError:
        return {}


def parse_journal(content: bytes, name: str, problems: Problems | None = None) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a journal segment's content by table.

    The last line may be cut short by a kill and is then dropped: `ResultsWriter.add` had not returned. A line that
    cannot be read elsewhere is passed over with a warning; ``problems`` counts these, and rows of unknown tables.
    """
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    damaged = 0
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            row = json.loads(line)
            table = row.pop(TABLE)
            rows[table] += _rows_in(row) if COLUMNS in row else [row]
        except (ValueError, KeyError, AttributeError, TypeError):
            damaged += 1
            warnings.warn(f"{name}, line {number} is damaged and passed over.", DamagedFileWarning, stacklevel=4)
    if problems is not None:
        file = name.rpartition("/")[2]
        if damaged:
            problems.note("", file, DAMAGED_LINES, damaged)
        for table in rows.keys() - TABLES.keys():
            problems.note(str(table), file, "lines of an unknown table, which is left out", len(rows[table]))
    return dict(rows)


def _rows_in(line: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a line that holds a block."""
    size, columns = line[ROWS], line[COLUMNS]
    found = zip(*(spread(column, size) for column in columns.values()), strict=True)
    return [
        dict(zip(columns, values, strict=True)) | {"session": line["session"], "seq": line["seq"] + number}
        for number, values in enumerate(found)
    ]


def journal_frame(table: str, rows: Sequence[dict[str, Any]], name: str, problems: Problems | None) -> pl.DataFrame:
    """Return rows of a journal segment as a frame; rows whose values have other types are passed over and counted."""
    if problems is not None:
        unknown = Counter(column for row in rows for column in row if column not in schema_of(table))
        for column, count in unknown.items():
            problems.note(table, name, f"lines with unknown column {column}, which is left out", count)
    try:
        return frame_of(table, rows)
    except (pl.exceptions.PolarsError, OverflowError, TypeError):
        fitting = [row for row in rows if _fits(table, row)]
        warnings.warn(f"{name}: {len(rows) - len(fitting)} lines hold values of other types and are passed over.",
                      DamagedFileWarning, stacklevel=4)  # fmt: skip
        if problems is not None:
            problems.note(table, name, DAMAGED_LINES, len(rows) - len(fitting))
        return frame_of(table, fitting)


def _fits(table: str, row: dict[str, Any]) -> bool:
    try:
        frame_of(table, [row])
    except (pl.exceptions.PolarsError, OverflowError, TypeError):
        return False
    return True
