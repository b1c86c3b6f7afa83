"""A section of the report: a question, a figure or a table that answers it, and how to read it.

A study adds to the report by declaring its sections beside its figures and listing them in `analysis.report_sections`;
the page itself knows no study.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.results import Results

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Text of a table's cell, and smaller text below it, such as an interval."""

    text: str
    small: str = ""
    drawn: str = ""
    """What a text of block characters is a drawing of, for those who do not see it; empty for words and numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """A table as people read it: a caption, heads, rows of cells, and a note below."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    numbers: int = 0
    """Index of the first column that holds numbers; those before it name the row."""
    words: Sequence[int] = ()
    """Indices of columns after that one that hold words or drawings instead."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the report that appears if the results hold something for it."""

    id: str
    """Name of the anchor; unique on the page."""
    title: str
    """The question that the section answers."""
    tables: tuple[str, ...]
    """Tables of the store without rows of which there is nothing to show."""
    varied: tuple[str, ...] = ()
    """Fields of the config in which the trials must differ."""
    caption: str | Callable[[Results], str] = ""
    """How to read the figure; a function where that depends on the results."""
    figure: "Callable[[Results], go.Figure] | None" = None
    """Draws the figure; one without traces is left out."""
    table: Callable[[Results], Texts | None] | None = None
    """Returns the table; None if there is nothing to tell."""
