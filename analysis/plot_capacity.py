"""Accuracy against timesteps per network, and where it saturates (Kim et al. 2023, Discussion)."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.capacity import NETWORK, capacity_curves, saturation
from analysis.colours import PAPER, Shade, shades_of
from analysis.fields import label_of, name_of, rows_of, text_of
from analysis.results import Results
from analysis.small_panels import Panel, error_bars, grid_of, panels_by

if TYPE_CHECKING:
    import plotly.graph_objects as go


def accuracy_by_timesteps(results: Results) -> "go.Figure":
    """Draw test accuracy against T, a line per network with a diamond where it saturates, a panel per context."""
    table, ends = capacity_curves(results), saturation(results)
    by = table.columns[: table.columns.index("timesteps")]
    names, contexts = [p for p in by if p in NETWORK], [p for p in by if p not in NETWORK]
    networks: list[tuple[Any, ...]] = (
        table.select(names).unique().sort(names).rows() if names else [()] * (table.height > 0)
    )
    values = [network[0] if len(names) == 1 else str(network) for network in networks]
    shades = dict(zip(networks, shades_of(values), strict=True))
    panels = panels_by(table, contexts)
    figure = grid_of(panels, contexts, list(shades.values()), "timesteps T", "test accuracy (fraction)")
    named: set[tuple[Any, ...]] = set()
    for panel in panels:
        for network, shade in shades.items():
            setting = dict(zip([*contexts, *names], (*panel.setting, *network), strict=True))
            own = rows_of(table, list(setting), list(setting.values()))
            if own.is_empty():
                continue
            label = _label(dict(zip(names, network, strict=True)))
            figure.add_trace(_line(own, label, shade, first=network not in named), **panel.place)
            named.add(network)
            _mark(figure, own, rows_of(ends, list(setting), list(setting.values())), label, shade, panel)
        timesteps = rows_of(table, contexts, panel.setting)["timesteps"].unique().sort()
        figure.update_xaxes(tickvals=timesteps.to_list(), **panel.place)
    title = f"{name_of(names[0])}  " if len(names) == 1 else ""
    figure.update_layout(showlegend=len(networks) > 1, legend={"title": {"text": title}})
    return figure


def _label(network: dict[str, Any]) -> str:
    return text_of(next(iter(network.values()))) if len(network) == 1 else label_of(network)


def _line(own: pl.DataFrame, label: str, shade: Shade, *, first: bool) -> "go.Scatter":
    import plotly.graph_objects as go

    return go.Scatter(
        x=own["timesteps"].to_list(), y=own["test_acc"].to_list(), customdata=own["n"].to_list(), name=label,
        legendgroup=label, showlegend=first, mode="lines+markers", line={"width": 2.2, "color": shade.light},
        marker={"size": 6}, error_y=error_bars(own, "test_acc", shade.light), meta={"role": "mean"},
        hovertemplate=f"{label}<br>T = %{{x}}: %{{y:.3f}} (mean of %{{customdata}})<extra></extra>",
    )  # fmt: skip


def _mark(figure: "go.Figure", own: pl.DataFrame, end: pl.DataFrame, label: str, shade: Shade, panel: Panel) -> None:
    """Mark the mean T of saturation on the line, with its interval; without a seed at every T there is none."""
    import plotly.graph_objects as go

    if end.is_empty():
        return
    x = end["saturation"][0]
    figure.add_trace(
        go.Scatter(
            x=[x], y=[_height_at(own, x)], mode="markers", showlegend=False, legendgroup=label,
            error_x=error_bars(end, "saturation", shade.light), customdata=end["n"].to_list(),
            marker={
                "symbol": "diamond", "size": 12, "color": shade.light, "line": {"width": 1.5, "color": PAPER.light},
            },
            meta={"role": "saturation"},
            hovertemplate=f"{label} saturates at T = %{{x:.1f}} (mean of %{{customdata}})<extra></extra>",
        ),
        **panel.place,
    )  # fmt: skip


def _height_at(own: pl.DataFrame, x: float) -> float | None:
    points = own.select("timesteps", "test_acc").iter_rows()
    heights = [y0 + (y1 - y0) * (x - x0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(points) if x0 <= x <= x1]
    return heights[0] if heights else None
