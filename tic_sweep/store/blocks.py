"""Blocks: rows of one table that were told together, as columns and as the text by which the journal keeps them.

A worker makes them of its reports. What a report costs the driver is then one write and a few references, however many
rows it has: no row is an object there, and none is turned into text.
"""

import json
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias, overload

from tic_sweep.records import TABLES, Report, Row, TrialRow, columns_of

Column: TypeAlias = "array[float] | array[int] | list[Any] | str | int | float | bool | None"
"""The values of a column in the order of the rows; one value alone stands for all of them."""


class Block(NamedTuple):
    """Rows of one table."""

    table: str
    size: int
    """How many rows."""
    columns: dict[str, Column]
    """Their fields, of the declared types."""
    text: str
    """The columns as JSON, NaN and infinities as Python's own tokens."""


def blocks_of(rows: Iterable[Row]) -> list[Block]:
    """Return rows as one block per table, in the order the tables are met.

    Raises:
        ValueError: for a `TrialRow`, which is stored with its config.
    """
    found: dict[type, list[Row]] = defaultdict(list)
    for row in rows:
        found[type(row)].append(row)
    if TrialRow in found:
        raise ValueError("a TrialRow goes into no block: it is stored with its config.")
    return [_block(kind, own) for kind, own in found.items()]


def blocks_told(report: Report) -> list[Block]:
    """Return what there is to store of a report: as it has come, or else made of its rows, its epoch last.

    The order is a promise: however a journal is cut short, where there is an epoch's row there are all the others.
    """
    if isinstance(report.rows, Rows):
        return report.rows.stored
    return blocks_of(report.rows) + blocks_of([report.epoch] if report.epoch else ())


class Rows(Sequence[Row]):
    """The rows of some blocks, made when they are looked at, which few who hear of them do.

    ``stored`` is what the store takes: their blocks, before those that are to follow them.
    """

    def __init__(self, blocks: Sequence[Block], following: Sequence[Block] = ()) -> None:
        self._blocks = blocks
        self.stored = [*blocks, *following]

    def __len__(self) -> int:
        return sum(block.size for block in self._blocks)

    def __iter__(self) -> Iterator[Row]:
        for block in self._blocks:
            record = TABLES[block.table].record
            names = list(block.columns)
            for values in zip(*(spread(column, block.size) for column in block.columns.values()), strict=True):
                yield record(**dict(zip(names, values, strict=True)))

    @overload
    def __getitem__(self, index: int, /) -> Row: ...
    @overload
    def __getitem__(self, index: slice, /) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice, /) -> Row | Sequence[Row]:
        return tuple(self)[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # equal to a tuple, without its hash


def spread(column: Column, size: int) -> Sequence[Any]:
    """Return the value of each of ``size`` rows.

    Raises:
        ValueError: if the column has another number of values.
    """
    values = column if isinstance(column, (list, array)) else [column] * size
    if len(values) != size:
        raise ValueError(f"a column of {size} rows has {len(values)} values.")
    return values


def _block(kind: type, rows: Sequence[Row]) -> Block:
    table, fields = _FIELDS[kind]
    columns: dict[str, Column] = {}
    plain: dict[str, Any] = {}
    for name, cast, value_of in fields:
        found = [value_of(row) for row in rows]
        values = [value if value is None or type(value) is cast else cast(value) for value in found]
        alone = _is_one(values)
        plain[name] = values[0] if alone else values
        columns[name] = plain[name] if alone else _packed(cast, values)
    return Block(table, len(rows), columns, json.dumps(plain, ensure_ascii=False, check_circular=False))


def _packed(cast: type, values: list[Any]) -> Column:
    """Return numbers, none of them null, as an array, which crosses as bytes."""
    if None in values or cast not in {float, int}:
        return values
    return array("d", values) if cast is float else array("q", values)


def _is_one(values: Sequence[Any]) -> bool:
    """Tell whether one value stands for all; of numbers with a fraction, that differ, only if there is one alone."""
    return len(values) == 1 or (not isinstance(values[0], float) and len(set(values)) == 1)


def _fields_of(table: str, record: type[Row]) -> list[tuple[str, type, Callable[[Row], Any]]]:
    own = record.__dataclass_fields__
    return [(name, column.type, attrgetter(name)) for name, column in columns_of(table).items() if name in own]


_FIELDS = {table.record: (name, _fields_of(name, table.record)) for name, table in TABLES.items()}
