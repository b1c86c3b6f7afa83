"""Answers of queries and the catalogue of tables, as the terminal shows them."""

from typing import Any

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.query import VIEWS
from tic_sweep.launch.terminal import plain

GAP = 2
WIDEST = 60
"""Characters of a cell beyond which it is folded."""


def print_answer(console: Console, answer: pl.DataFrame, rows: int) -> None:
    """Print the first rows of an answer in as many columns as fit, and say how much is left out."""
    if not answer.width:
        return
    head = answer.head(rows)
    cells = {name: [cell(value) for value in head[name]] for name in answer.columns}
    columns = _fitting(cells, console.width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    for name in columns:
        right = answer.schema[name].is_numeric()
        table.add_column(Text(plain(name)), justify="right" if right else "left", overflow="fold")
    for row in zip(*(cells[name] for name in columns), strict=True):
        table.add_row(*(Text(value) for value in row))
    console.print(table)
    told = [f"{answer.height} row{'' if answer.height == 1 else 's'}"]
    if head.height < answer.height:
        told.append(f"the first {head.height} are shown (--rows)")
    if len(columns) < answer.width:
        told.append(f"{answer.width - len(columns)} more columns do not fit: name some, or choose --format csv")
    console.print(f"{', '.join(told)}.", soft_wrap=True)


def print_catalogue(console: Console, catalogue: pl.DataFrame) -> None:
    """Print each table that has rows with its columns, their units and meaning; then what is empty, and the views."""
    empty = []
    for (name,), columns in catalogue.group_by("table", maintain_order=True):
        height = columns["rows"][0]
        if not height:
            empty.append(str(name))
            continue
        console.print(Text.assemble((f"{name}", "bold"), f", {height} rows"))
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column()
        for row in columns.iter_rows(named=True):
            unit = f" [{row['unit']}]" if row["unit"] else ""
            table.add_row(Text(f"  {row['column']}"), Text(row["type"]), Text(f"{row['meaning']}{unit}"))
        console.print(table)
    for name, (_, meaning) in VIEWS.items():
        console.print(Text.assemble((name, "bold"), f", computed: {meaning}"), soft_wrap=True)
    if empty:
        console.print(f"Without rows: {', '.join(empty)}.", soft_wrap=True)


def cell(value: Any) -> str:
    """Return a value as a person reads it: numbers to four digits, ``-`` for none."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.4g}" if isinstance(value, float) else plain(str(value))


def _fitting(cells: dict[str, list[str]], width: int) -> list[str]:
    """Return the first columns that fit beside each other; one at least."""
    columns: list[str] = []
    for name, values in cells.items():
        width -= min(max(map(len, [name, *values])), WIDEST) + GAP
        if width < 0 and columns:
            break
        columns.append(name)
    return columns
