"""The summary of a sweep as a table that fits a terminal: the curves stay, figures and names give way."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.table import Table

from analysis.fields import text_of
from analysis.finding import transition_text, with_spread
from tic_sweep.config import short_path
from tic_sweep.records import STATUSES

Row: TypeAlias = Mapping[str, Any]
Columns: TypeAlias = dict[str, list[str]]
DISPENSABLE = ("IC start", "IC max", "trials", "test acc %", "turns", "IC final")
"""Figures that go where the width is short, in this order."""
WHOLE = ((0, 24), (0, 16), (0, 12), (1, 16), (1, 12), (2, 16), (2, 12), (2, 8), (3, 24), (3, 16), (3, 12))
"""(How many of `DISPENSABLE` go, characters of a sparkline), tried in turn beside settings in full."""
CUT = ((2, 12), (2, 8), (3, 8), (4, 8), (5, 8), (6, 8))
"""Likewise, beside settings that are cut."""
SHORTEST = 6
"""Characters that a cut setting keeps."""
GAP = 2
"""Characters between two columns, and of both margins together."""


def summary_table(rows: Sequence[Row], settings: Sequence[str], width: int) -> Table:
    """Return the summary, a line per row of `analysis.tables.summary`, no wider than ``width`` characters.

    Where the width is short, first the sparklines become shorter and the least telling figures go, then the settings'
    names and values are cut; the sparklines always stay.
    """
    named, told = _settings(rows, settings), _told(rows, *CUT[-1])
    for tries, needed in ((WHOLE, _width(named)), (CUT, (SHORTEST + GAP) * len(named))):
        fits = (columns for each in tries if needed + _width(columns := _told(rows, *each)) <= width)
        if found := next(fits, None):
            told = found
            break
    named = _cut(named, width - _width(told))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    for head in named | told:
        table.add_column(head, justify="right" if head in DISPENSABLE and head != "trials" else "left", no_wrap=True)
    for cells in zip(*named.values(), *told.values(), strict=True):
        table.add_row(*cells)
    return table


def _settings(rows: Sequence[Row], settings: Sequence[str]) -> Columns:
    return {short_path(path): [text_of(row[path]) for row in rows] for path in settings}


def _told(rows: Sequence[Row], without: int, characters: int) -> Columns:
    """Return the figures but the first few of `DISPENSABLE`, and sparklines of so many characters at most."""
    columns = {
        "trials": [_counted(row) for row in rows],
        "IC start": [with_spread(row["ic_start_mean"], None, 2) for row in rows],
        "IC max": [with_spread(row["ic_max_mean"], None, 2) for row in rows],
        "IC final": [with_spread(row["ic_final_mean"], row["ic_final_sd"], 2) for row in rows],
        "turns": [transition_text(row) for row in rows],
        "test acc %": [_percent(row["test_acc_mean"], row["test_acc_sd"]) for row in rows],
    }
    left_out = {*DISPENSABLE[:without]}
    if all(row["n_seeds"] == row["n_finished"] for row in rows):
        left_out.add("trials")
    sparks = [thinned(row["ic_spark"], characters) for row in rows]
    head = "IC over epochs"
    kept = {name: cells for name, cells in columns.items() if name not in left_out}
    return kept | {head if characters >= len(head) else "IC curve": sparks}


def thinned(spark: str, characters: int) -> str:
    """Return a sparkline of so many characters at most, taken from it at equal distances."""
    if len(spark) <= characters:
        return spark
    return "".join(spark[int((i + 0.5) * len(spark) / characters)] for i in range(characters))


def _widths(columns: Columns) -> list[int]:
    return [max(map(cell_len, [head, *cells])) for head, cells in columns.items()]


def _width(columns: Columns) -> int:
    """Return the characters that columns take of a line, each with the gap before it."""
    return sum(_widths(columns)) + GAP * len(columns)


def _cut(named: Columns, width: int) -> Columns:
    """Return columns cut to a width, the widest first; of a dotted name its last part is kept."""
    if _width(named) <= width:
        return named
    last = {head.rpartition(".")[2]: cells for head, cells in named.items()}
    named = last if len(last) == len(named) else named
    widths = _widths(named)
    while sum(widths) + GAP * len(widths) > width and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    columns = zip(named.items(), widths, strict=True)
    return {shortened(head, size): [shortened(cell, size) for cell in cells] for (head, cells), size in columns}


def shortened(text: str, size: int) -> str:
    """Return a text of so many characters at most, with an ellipsis where it was cut."""
    return text if cell_len(text) <= size else set_cell_size(text, max(size - 1, 0)).rstrip() + "…"


def _counted(row: Row) -> str:
    """Return how many trials there are by status: ``2 finished, 1 failed``."""
    counts = ((status, row[f"n_{status}"]) for status in ("finished", *(s for s in STATUSES if s != "finished")))
    return ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts if count)


def _percent(mean: float | None, sd: float | None) -> str:
    return with_spread(None if mean is None else 100 * mean, None if sd is None else 100 * sd)
