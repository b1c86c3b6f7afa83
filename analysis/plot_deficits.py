"""Noise in a window of timesteps, against the window: what it costs early and late in training (Fig. 2)."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from analysis.colours import BAND, BASE_AXIS, BASE_LAYOUT, GUIDE, Shade, dark_twins, faded, shades_of
from analysis.comparison import comparison_of
from analysis.deficits import deficit_curves
from analysis.fields import rows_of
from analysis.panels import step_ticks
from analysis.results import Results
from analysis.sections import Section

if TYPE_CHECKING:
    import plotly.graph_objects as go

PANELS = 6
"""Settings drawn; of more, the first ones."""
ACROSS = 3
ZERO = {"color": GUIDE, "width": 1, "dash": "dot"}
HOVER = (
    "noise at t = %{x} to %{customdata[0]}: %{y:+.1f} points (95 % interval %{customdata[1]})<br>accuracy "
    "%{customdata[2]:.3f}, %{customdata[3]:.3f} without noise (mean of %{customdata[4]})<extra></extra>"
)


def plot_deficits(results: Results) -> "go.Figure":
    """Draw accuracy with noise in each window less that with noise in the last, a line per epoch, a panel per setting.

    Lines are means over seeds in percentage points, bands ± standard error (Kim et al. 2023, right panels of Fig. 2).
    """
    from plotly.subplots import make_subplots

    compared = comparison_of(results)
    by = compared.columns
    curves = deficit_curves(results.deficits, results.trials, by).collect()
    settings = curves.select(*by).unique(maintain_order=True).rows()
    drawn = settings[:PANELS]
    epochs = curves["epoch"].unique().sort().to_list()
    shades = dict(zip(epochs, shades_of(epochs), strict=True))
    panels = max(len(drawn), 1)
    across, down = min(panels, ACROSS), math.ceil(panels / ACROSS)
    places = [(number // across + 1, number % across + 1) for number in range(panels)]
    specs = [[{} if (row, col) in places else None for col in range(1, across + 1)] for row in range(1, down + 1)]
    figure = make_subplots(
        rows=down, cols=across, specs=specs, horizontal_spacing=0.04, vertical_spacing=0.18,
        shared_yaxes="all",  # type: ignore[arg-type] - plotly's stubs know booleans only
        subplot_titles=[compared.label(setting).replace(", ", "<br>") for setting in drawn] if len(drawn) > 1 else None,
    )  # fmt: skip
    named: set[int] = set()
    for (row, col), setting in zip(places, drawn, strict=False):
        for line in rows_of(curves, by, setting).partition_by("epoch", maintain_order=True):
            epoch = line["epoch"][0]
            for trace in _line(line, shades[epoch], first=epoch not in named):
                figure.add_trace(trace, row=row, col=col)
            named.add(epoch)
    _lay_out(figure, places, shades.values(), len(settings) - len(drawn))
    return figure


def _line(line: pl.DataFrame, shade: Shade, *, first: bool) -> list["go.Scatter"]:
    import plotly.graph_objects as go

    t, mean = line["first"].to_list(), line["relative"]
    se = line["relative_se"].fill_null(0.0)
    group = {"legendgroup": f"epoch {line['epoch'][0]}", "mode": "lines"}
    band = go.Scatter(
        x=t + t[::-1], y=(mean + se).to_list() + (mean - se).to_list()[::-1], fill="toself", line={"width": 0},
        fillcolor=faded(shade.light, BAND), hoverinfo="skip", showlegend=False, meta={"role": "band"}, **group,
    )  # fmt: skip
    hover = [
        (last, "unknown" if low is None else f"{low:+.1f} to {high:+.1f}", accuracy, clean, n)
        for last, low, high, accuracy, clean, n in line.select(
            "last", "relative_low", "relative_high", "accuracy", "clean_accuracy", "n"
        ).iter_rows()
    ]
    drawn = go.Scatter(
        x=t, y=mean.to_list(), customdata=hover, name=str(line["epoch"][0]), showlegend=first,
        line={"width": 2.2, "color": shade.light}, marker={"size": 6}, meta={"role": "mean"},
        hovertemplate=f"epoch {line['epoch'][0]}, {HOVER}", **group | {"mode": "lines+markers"},
    )  # fmt: skip
    return [band, drawn]


def _lay_out(figure: "go.Figure", places: list[tuple[int, int]], shades: Iterable[Shade], left_out: int) -> None:
    down = places[-1][0]
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins(shades)}, height=100 + 340 * down, hovermode="closest",
        margin={"l": 56, "r": 12, "t": 96, "b": 92 if left_out else 48},
        legend={
            "title": {"text": "after epoch  "}, "orientation": "h", "x": 0, "y": 1 + 0.18 / down, "yanchor": "bottom",
        },
    )  # fmt: skip
    last = max((t for trace in figure.data for t in trace.x), default=0)  # type: ignore[union-attr]
    figure.update_xaxes(**BASE_AXIS, tickformat="d", dtick=step_ticks(last))
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(**BASE_AXIS)
    figure.update_yaxes(title="points relative to the last window", col=1)
    for row, col in places:
        if (row + 1, col) not in places:
            figure.update_xaxes(title="first noisy timestep", row=row, col=col)
        figure.add_hline(y=0, line=ZERO, layer="below", row=row, col=col)  # type: ignore[arg-type]
    if left_out:
        figure.add_annotation(
            text=f"{left_out} more settings are not drawn", xref="paper", yref="paper", x=1, y=0,
            yshift=-62, xanchor="right", yanchor="top", showarrow=False,
        )  # fmt: skip


DEFICIT_SECTIONS = (
    Section(
        id="deficits",
        title="When does noise hurt?",
        tables=("deficits",),
        caption="Test accuracy when noise disturbs the input during one window of timesteps, less the accuracy when it "
        "disturbs the last window: below zero, noise hurts more there than at the end (Kim et al. 2023, Fig. 2). One "
        "line per epoch at which the network was measured; lines are means over seeds, bands ± standard error.",
        figure=plot_deficits,
    ),
)
