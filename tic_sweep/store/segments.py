"""Parquet segments: rows of one table in an immutable file, and the schema derived from the table's declaration."""

import dataclasses
import io
import warnings
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tic_sweep.config import TrialConfig, flatten
from tic_sweep.records import TABLES, columns_of
from tic_sweep.store.atomic import write_atomically
from tic_sweep.store.blocks import Block, spread
from tic_sweep.store.problems import Problems
from tic_sweep.store.seal import sealed

DTYPES: dict[type, type[pl.DataType]] = {str: pl.String, int: pl.Int64, float: pl.Float64, bool: pl.Boolean}
STAMP = ("session", "seq")
IN_ORDER = (*(table for table in TABLES if table != "epochs"), "epochs")
"""The order in which segments are written: where there is an epoch's row there are all others of its report."""
SETTLED = "tic_sweep.settled"
"""Key in the metadata of a segment whose rows need no sorting and no search for newer ones; holds their identity."""


class DamagedFileWarning(UserWarning):
    """A file of a results folder cannot be read and is passed over."""


@cache
def schema_of(table: str) -> pl.Schema:
    """Return the schema of a table, derived from the declaration of its rows."""
    return pl.Schema({name: DTYPES[column.type] for name, column in columns_of(table).items()})


def frame_of(table: str, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Return rows as a frame; a column that a row lacks is null, one that the table lacks is dropped."""
    return pl.from_dicts(list(rows), schema=schema_of(table))


def frame_of_blocks(table: str, blocks: Sequence[Block], session: int, starts: Sequence[int]) -> pl.DataFrame:
    """Return the rows of some blocks as a frame; those of a block are stamped from its start on."""
    sizes = np.array([block.size for block in blocks])
    ends = np.cumsum(sizes)
    seq = np.arange(ends[-1]) + np.repeat(np.array(starts) - (ends - sizes), sizes)
    stamp = {"session": pl.repeat(session, int(ends[-1]), dtype=pl.Int64, eager=True), "seq": pl.Series(seq)}
    return pl.DataFrame(
        {name: stamp[name] if name in stamp else _series(blocks, name) for name in schema_of(table)},
        schema=schema_of(table),
    )


def _series(blocks: Sequence[Block], name: str) -> pl.Series | list[Any]:
    columns = [block.columns[name] for block in blocks]
    if all(isinstance(column, array) for column in columns):
        return pl.Series(np.concatenate([np.asarray(column) for column in columns]))
    values: list[Any] = []
    for column, block in zip(columns, blocks, strict=True):
        values += spread(column, block.size)
    return values


def write_segment(path: Path, frame: pl.DataFrame, *, settled: str = "") -> None:
    """Write a segment, whole or, if the disk refuses (an OSError), not at all.

    Args:
        path: where.
        frame: its rows.
        settled: the table they settle: they are in the order of their stamps, and no two have one identity.
    """
    content = io.BytesIO()
    frame.write_parquet(content, compression="zstd", metadata={SETTLED: _identity_of(settled)} if settled else None)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, sealed(content.getvalue()))


def is_settled(path: Path, table: str) -> bool:
    """Return whether a segment says that its rows are in order and no two have one identity, as it is declared now."""
    try:
        with path.open("rb") as file:
            return pl.read_parquet_metadata(file).get(SETTLED) == _identity_of(table)
    except (OSError, pl.exceptions.PolarsError):
        return False


def _identity_of(table: str) -> str:
    return " ".join(TABLES[table].identity)


def scan_segments(table: str, paths: Iterable[Path], problems: Problems | None = None) -> pl.LazyFrame:
    """Return the rows of some segments, those that cannot be read passed over as `readable_segments` says.

    The schema is the table's of today: a column that a segment lacks has its declared default, else it is null. A new
    field's default is what the code did before the field existed.
    """
    schema = schema_of(table)
    readable = readable_segments(table, paths, problems)
    if not readable:
        return pl.LazyFrame(schema=schema)
    frame = pl.scan_parquet(
        list(readable),
        schema=schema,
        glob=False,
        hive_partitioning=False,
        missing_columns="insert",
        extra_columns="ignore",
        cast_options=pl.ScanCastOptions(integer_cast=["upcast", "allow-float"], float_cast="upcast"),
    )
    lacking = {name for name in schema.names() if any(name not in found for found in readable.values())}
    return with_defaults(frame, table, lacking)


def with_defaults(frame: pl.LazyFrame, table: str, columns: Iterable[str]) -> pl.LazyFrame:
    """Fill nulls in those of the columns that have a default, declared for the record or the config, with it."""
    defaults = _defaults(table)
    return frame.with_columns(pl.col(name).fill_null(defaults[name]) for name in columns if name in defaults)


@cache
def _defaults(table: str) -> dict[str, Any]:
    """Return the default of each column that has one other than null."""
    fields = dataclasses.fields(TABLES[table].record)
    declared = {f.name: f.default for f in fields if f.default is not dataclasses.MISSING and f.default is not None}
    return declared | (flatten(TrialConfig()) if table == "trials" else {})


def readable_segments(
    table: str, paths: Iterable[Path], problems: Problems | None = None
) -> dict[Path, Mapping[str, Any]]:
    """Return, of some segments, those that can be read in the table's schema, each with the schema it has itself.

    Passed over, with a `DamagedFileWarning`, are damaged ones and those with a column of a type that would not go
    into the declared one. Only the ends of the files are read. What is passed over, and columns that this version
    does not know, is noted in ``problems``.
    """
    schema, readable = schema_of(table), dict[Path, Mapping[str, Any]]()
    unknown: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        found = _schema_in(path, table, problems)
        if found is None:
            continue
        if found != schema:
            if misfit := _misfit(found, schema):
                _pass_over(path, table, problems, f"rows in a segment passed over: {misfit}", _rows_in(path))
                continue
            for name in found.keys() - schema.keys():
                unknown[name].append(path.name)
        readable[path] = found
    if problems is not None:
        for name, files in unknown.items():
            file = files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
            problems.note(table, file, f"segments with unknown column {name}, which is left out", len(files))
    return readable


def _schema_in(path: Path, table: str, problems: Problems | None) -> Mapping[str, Any] | None:
    """Return the schema of a segment; None if it has gone, or cannot be read."""
    try:
        with path.open("rb") as file:  # given a path, polars would take brackets in it for a pattern
            return pl.read_parquet_schema(file)
    except FileNotFoundError:
        return None
    except (OSError, pl.exceptions.PolarsError) as error:
        _pass_over(path, table, problems, "segments damaged and passed over", 1, f" ({error})")
        return None


def _misfit(found: Mapping[str, Any], schema: pl.Schema) -> str:
    """Say which column of a segment has a type that is not read as the declared one; empty if all fit."""
    for name, declared in schema.items():
        own = found.get(name, pl.Null)
        if own != declared and own not in _NARROWER[type(declared)]:
            return f"{name} is {own}, not {declared}"
    return ""


def _rows_in(path: Path) -> int:
    with path.open("rb") as file:
        return int(pl.scan_parquet(file).select(pl.len()).collect().item())


def _pass_over(path: Path, table: str, problems: Problems | None, problem: str, count: int, why: str = "") -> None:
    words = "damaged and passed over" if why else problem
    warnings.warn(f"{path} is {words}{why}." if why else f"{path}: {words}.", DamagedFileWarning, stacklevel=5)
    if problems is not None:
        problems.note(table, path.name, problem, count)


_INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32)
_NARROWER: dict[type[pl.DataType], tuple[type[pl.DataType], ...]] = {
    pl.Int64: (*_INTEGERS, pl.Null),
    pl.Float64: (*_INTEGERS, pl.Int64, pl.UInt64, pl.Float32, pl.Null),
    pl.String: (pl.Null,),
    pl.Boolean: (pl.Null,),
}
"""What is read as a declared type besides that type itself."""
