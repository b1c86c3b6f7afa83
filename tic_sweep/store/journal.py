"""The journal: rows as lines of JSON, given to the system before the writer goes on, so that a kill loses none.

They are not forced onto the disk one by one: a power cut may lose those since the newest segment. A line ends with a
checksum of all before it, ``{"table": "epochs", ..., "crc": "0a1b2c3d"}``: what still looks like JSON can hold a wrong
number.
"""

import json
import os
import re
import warnings
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from tic_sweep.records import TABLES
from tic_sweep.store.atomic import write_all
from tic_sweep.store.blocks import Block, spread
from tic_sweep.store.problems import Problems
from tic_sweep.store.segments import STAMP, DamagedFileWarning, frame_of, schema_of

TABLE, ROWS, COLUMNS, CHECKSUM = "table", "rows", "columns", "crc"
"""Keys of a line's table, of the number and the values of the rows if it holds a block, and of its checksum (CRC32, in
hexadecimal digits); no column has such a name."""
_ENDING = re.compile(rb', "crc": "([0-9a-f]{8})"\}')
_ENDING_SIZE = len(', "crc": "01234567"}')
DAMAGED_LINES = "lines damaged and passed over"
_MISFITS = (pl.exceptions.PolarsError, OverflowError, TypeError)


class Journal:
    """One journal segment, open for appending. After a failed write it ends with its last whole line."""

    def __init__(self, path: Path) -> None:
        """Create the segment; a disk that refuses gives an OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        self._size = 0

    def append(self, lines: bytes) -> None:
        """Write whole lines, all of them or none.

        Raises:
            OSError: if the disk is full or refuses.
        """
        try:
            write_all(self._descriptor, lines, self._size)
        except OSError:
            with suppress(OSError):  # the next line overwrites a torn one anyway
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(lines)

    def close(self) -> None:
        """Close the segment and keep its file."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Close the segment and remove its file; its rows are elsewhere."""
        self.close()
        with suppress(OSError):  # a journal left behind repeats rows, which readers see through
            self.path.unlink()


class Line(NamedTuple):
    """What a line holds."""

    table: str
    rows: list[dict[str, Any]]


class Journaled(NamedTuple):
    """What a journal segment holds."""

    rows: dict[str, list[dict[str, Any]]]
    """By table."""
    damaged: tuple[int, ...]
    """The numbers of the lines that are passed over, from 1 on."""


def line_of(table: str, row: dict[str, Any]) -> bytes:
    """Return a row as a line; NaN and infinities are kept, as Python's own JSON tokens."""
    return _with_checksum(json.dumps({TABLE: table, **row}, ensure_ascii=False, check_circular=False)[:-1])


def line_of_block(block: Block, session: int, seq: int) -> bytes:
    """Return a block as a line; its rows are stamped ``seq``, ``seq + 1``, ..."""
    head = f'"{TABLE}": "{block.table}", "session": {session}, "seq": {seq}, "{ROWS}": {block.size}'
    return _with_checksum(f'{{{head}, "{COLUMNS}": {block.text}')


def _with_checksum(text: str) -> bytes:
    """Return an object that lacks its closing brace as a line."""
    content = text.encode()
    return b'%b, "crc": "%08x"}\n' % (content, zlib.crc32(content))


def read_line(line: bytes) -> Line | None:
    """Return what a line holds; None if it is damaged. Whoever reads journals judges a line by this alone."""
    ending = _ENDING.fullmatch(line, max(0, len(line) - _ENDING_SIZE))
    checked = ending is not None and int(ending[1], 16) == zlib.crc32(memoryview(line)[:-_ENDING_SIZE])
    # Versions before checksums ended a line with a number or a second brace. No changed bit makes such a line of one
    # with a checksum: without its last quote or brace that is no JSON, and neither are the parts of a line cut in two.
    if not checked and line.endswith(b'"}'):
        return None
    try:
        told = json.loads(line)
        table = told.pop(TABLE)
        told.pop(CHECKSUM, None)
        rows = _rows_in(told) if COLUMNS in told else [told]
        whole = isinstance(table, str) and all(type(row[name]) is int for row in rows for name in STAMP)
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    # A table that this version does not know is a later one's, and later ones write checksums.
    return Line(table, rows) if whole and (checked or table in TABLES) else None


def read_journal(content: bytes) -> Journaled:
    """Return the rows of a journal segment's content.

    The last line may be cut short by a kill and is then dropped: `ResultsWriter.add` had not returned.
    """
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    damaged = []
    *lines, last = content.split(b"\n")
    if _ENDING.search(last):  # it was written to its end: what lacks, or is spoilt, is the line break
        lines.append(last)
    for number, content_of_line in enumerate(lines, start=1):
        line = read_line(content_of_line)
        if line is None:
            damaged.append(number)
        else:
            rows[line.table] += line.rows
    return Journaled(dict(rows), tuple(damaged))


def parse_journal(content: bytes, name: str, problems: Problems | None = None) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a journal segment's content by table, as `read_journal`.

    A damaged line is passed over with a warning; ``problems`` counts these, and rows of unknown tables.
    """
    rows, damaged = read_journal(content)
    for number in damaged:
        warnings.warn(f"{name}, line {number} is damaged and passed over.", DamagedFileWarning, stacklevel=4)
    if problems is not None:
        file = name.rpartition("/")[2]
        if damaged:
            problems.note("", file, DAMAGED_LINES, len(damaged))
        for table in rows.keys() - TABLES.keys():
            problems.note(table, file, "lines of an unknown table, which is left out", len(rows[table]))
    return rows


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
    except _MISFITS:
        fitting = fitting_rows(table, rows)
        warnings.warn(f"{name}: {len(rows) - len(fitting)} lines hold values of other types and are passed over.",
                      DamagedFileWarning, stacklevel=4)  # fmt: skip
        if problems is not None:
            problems.note(table, name, DAMAGED_LINES, len(rows) - len(fitting))
        return frame_of(table, fitting)


def is_whole_journal(journaled: Journaled) -> bool:
    """Tell whether no line of a journal segment is damaged, and all rows of known tables have their types."""
    known = ((table, rows) for table, rows in journaled.rows.items() if table in TABLES)
    return not journaled.damaged and all(_fit(table, rows) for table, rows in known)


def fitting_rows(table: str, rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Return those of some rows of a table whose values have its types."""
    return rows if _fit(table, rows) else [row for row in rows if _fit(table, [row])]


def _fit(table: str, rows: Sequence[dict[str, Any]]) -> bool:
    try:
        frame_of(table, rows)
    except _MISFITS:
        return False
    return True
