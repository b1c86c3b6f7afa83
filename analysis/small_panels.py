"""A grid of small panels, one per context: the frame of a figure whose points are not epochs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import BASE_AXIS, BASE_LAYOUT, Shade, dark_twins
from analysis.fields import label_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

ACROSS = 3
"""Panels side by side."""
MOST = 9
"""Panels of a figure; the table has the rest."""
HEIGHT = 300
"""Of a row of panels, in pixels."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One context and where its panel lies."""

    setting: tuple[Any, ...]
    place: dict[str, Any]
    """Row and column, as plotly takes them."""


def panels_by(table: pl.DataFrame, by: Sequence[str]) -> list[Panel]:
    """Return a panel per setting of some columns in order of appearance; one of all rows without columns."""
    settings = table.select(*by).unique(maintain_order=True).rows() if by else [()] * (table.height > 0)
    return [Panel(s, {"row": i // ACROSS + 1, "col": i % ACROSS + 1}) for i, s in enumerate(settings[:MOST])]


def grid_of(panels: Sequence[Panel], by: Sequence[str], shades: Sequence[Shade], x: str, y: str) -> "go.Figure":
    """Return the empty figure: a titled panel per context, ``x`` below each and ``y`` to the left."""
    from plotly.subplots import make_subplots

    across, down = min(max(len(panels), 1), ACROSS), -(-len(panels) // ACROSS) or 1
    figure = make_subplots(
        rows=down, cols=across, horizontal_spacing=0.07, vertical_spacing=0.36 / down,
        subplot_titles=[label_of(dict(zip(by, panel.setting, strict=True))) for panel in panels] if by else None,
    )  # fmt: skip
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins(shades)}, height=80 + (HEIGHT + 60) * down, hovermode="closest",
        margin={"l": 60, "r": 12, "t": 84 if by else 48, "b": 52},
        legend={"orientation": "h", "x": 0, "y": 1 + (0.16 if by else 0.03) / down, "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_xaxes(**BASE_AXIS, title=x)
    figure.update_yaxes(**BASE_AXIS)
    figure.update_yaxes(title={"text": y, "standoff": 10}, automargin=True, col=1)
    return figure


def error_bars(rows: pl.DataFrame, column: str, colour: str) -> Mapping[str, Any]:
    """Return plotly's error bars of a column x from its interval x_low .. x_high; of a single seed there is none."""
    value, low, high = (rows[name] for name in (column, f"{column}_low", f"{column}_high"))
    return {
        "array": (high - value).fill_null(0.0).to_list(), "arrayminus": (value - low).fill_null(0.0).to_list(),
        "color": colour, "thickness": 1.4, "width": 3,
    }  # fmt: skip
