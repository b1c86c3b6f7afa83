"""SQL over the tables of results: `query`, and what it may name."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import TypeAlias

import polars as pl

from analysis.results import Results
from analysis.summaries import per_trial
from tic_sweep.config import field_rules
from tic_sweep.errors import UserError, did_you_mean
from tic_sweep.records import TABLES

View: TypeAlias = Callable[[Results], pl.LazyFrame]
VIEWS: dict[str, tuple[View, str]] = {
    "transitions": (
        per_trial,
        "one row per trial: when its information centroid turned, with the columns of `tic_transitions`",
    ),
}
"""Tables that are computed: what makes each, and what it is."""
_QUOTED = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")""")


class QueryError(UserError):
    """A query names what is not there, or is no SQL."""


def query(results: Results, sql: str) -> pl.LazyFrame:
    """Return the answer to a SELECT over the tables of `Results` and the `VIEWS`, as polars understands SQL.

    A field of the config is a column of ``trials``; its dotted path needs no quotes, though ``"optimiser.lr"`` and
    ``t."optimiser.lr"`` may have them.

    Raises:
        QueryError: if it is no SQL that polars understands, or names a table or a column that is not there.
    """
    named = [name for name in (*TABLES, *VIEWS) if _names(sql, name)]
    frames = {name: VIEWS[name][0](results) if name in VIEWS else getattr(results, name) for name in named}
    try:
        answer = pl.SQLContext(frames).execute(quoted(sql), eager=False)
        columns = answer.collect_schema().names()
    except pl.exceptions.PolarsError as error:
        raise QueryError(_explained(str(error).split("\n", 1)[0], frames)) from error
    if not columns:
        raise QueryError("the query asks for no column: write them, or *, between SELECT and FROM.")
    return answer


def collected(answer: pl.LazyFrame) -> pl.DataFrame:
    """Return the rows of an answer.

    Raises:
        QueryError: if they cannot be computed, such as a text that is no number.
    """
    try:
        return answer.collect()
    except pl.exceptions.PolarsError as error:
        first = str(error).split("\n", 1)[0]
        raise QueryError(f"the query cannot be computed: {first}.") from error


def tables_named(sql: str) -> list[str]:
    """Return the stored tables that a query reads, those of its views among them."""
    named = [name for name in TABLES if _names(sql, name)]
    views = ["trials", "epochs", "summaries"] if any(_names(sql, name) for name in VIEWS) else []
    return list(dict.fromkeys([*named, *views]))


def quoted(sql: str) -> str:
    """Return a query with the dotted paths of the config in double quotes where they have none."""
    paths = sorted((path for path in field_rules() if "." in path), key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w\"])({'|'.join(map(re.escape, paths))})(?![\w\"])")
    parts = _QUOTED.split(sql)
    return "".join(part if i % 2 else pattern.sub(r'"\1"', part) for i, part in enumerate(parts))


def _names(sql: str, table: str) -> bool:
    return re.search(rf"(?<![\w.]){table}(?!\w)", sql, re.IGNORECASE) is not None


def _explained(message: str, frames: dict[str, pl.LazyFrame]) -> str:
    """Return an error of polars as one line that names the remedy."""
    if table := re.search(r"relation '(.+?)' was not found", message):
        known = [*TABLES, *VIEWS]
        return f"there is no table {table[1]!r}.{did_you_mean(table[1], known)} Known: {', '.join(known)}."
    column = re.search(r'unable to find column "(.+?)"|column named \'(.+?)\'', message)
    if column is None:
        return f"SQL is not understood: {message.rstrip('.')}."
    name = column[1] or column[2]
    own = dict.fromkeys(known for frame in frames.values() for known in frame.collect_schema().names())
    by_last = {path.rpartition(".")[2]: path for path in reversed(own)} | {path: path for path in own}
    if name in by_last:
        return f"there is no column {name!r}. Did you mean {by_last[name]!r}?"
    if near := get_close_matches(name, by_last, n=1):
        return f"there is no column {name!r}. Did you mean {by_last[near[0]]!r}?"
    where = f" in {', '.join(frames)}" if frames else ""
    return f"there is no column {name!r}{where}: without a query, `tic-sweep query` lists tables and columns."
