"""The Fisher trace over time, epoch by epoch, as a film (Kim et al. 2023, Fig. 1 in motion)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import BASE_AXIS, BASE_LAYOUT, Shade, dark_twins, shades_of
from analysis.fields import label_of, name_of, rows_of, text_of, trains_networks
from analysis.first_trainings import first_trainings
from analysis.panels import step_ticks
from analysis.plot_fisher import by_transition, fisher_shares
from analysis.report_texts import spread
from analysis.results import Results
from analysis.sections import Section

if TYPE_CHECKING:
    import plotly.graph_objects as go

SETTINGS = 6
"""Settings in a film; of more, some from the first to turn to the last."""
FRAMES = 40
"""Epochs in a film; of more, some evenly apart."""
MARKS = ("circle", "square", "diamond", "cross", "star", "pentagon")
"""Marks of the settings, so that colour is not all that tells them apart."""


def share_film(results: Results) -> "go.Figure":
    """Draw the share of the Fisher trace at each t per setting, with a frame for each epoch measured.

    A frame is named by its epoch. A setting not measured at an epoch stays as it was last; a triangle at the bottom is
    its information centroid. Without two epochs there is nothing to show, and no trace.
    """
    import plotly.graph_objects as go

    by = list(results.settings)
    shares = fisher_shares(results, by).filter(pl.col("t").max().over(by) > 1).collect()
    epochs = spread(shares["epoch"].unique().sort().to_list(), FRAMES)
    figure = go.Figure()
    if len(epochs) > 1:
        turned = [setting for setting, _ in by_transition(results, by, shares)]
        settings = sorted(spread(turned, SETTINGS), key=str if len(by) > 1 else None)
        values = [setting[0] for setting in settings] if len(by) == 1 else [str(setting) for setting in settings]
        shades = shades_of(values)
        parts = [rows_of(shares, by, setting) for setting in settings]
        for setting, own, shade, mark in zip(settings, parts, shades, MARKS, strict=False):
            name = text_of(setting[0]) if len(by) == 1 else label_of(dict(zip(by, setting, strict=True)))
            figure.add_traces(_traces(own, epochs[0], name, shade, mark))
        figure.frames = [
            go.Frame(name=str(epoch), data=[look for own in parts for look in _looks(own, epoch)]) for epoch in epochs
        ]
        _lay_out(figure, shades, shares, name_of(by[0]) if len(by) == 1 and len(settings) > 1 else "")
    return figure


def _looks(own: pl.DataFrame, epoch: int) -> list[dict[str, Any]]:
    """Return the coordinates of a setting's line and of its centroid at an epoch, or the last one before."""
    seen = own.filter(pl.col("epoch") <= epoch)
    rows = seen.filter(pl.col("epoch") == seen["epoch"].max()).sort("t")
    shares = [round(share, 5) for share in rows["share"].to_list()]
    ic = [round(value, 4) for value in rows["ic"].head(1).to_list()]
    return [{"x": rows["t"].to_list(), "y": shares}, {"x": ic, "y": [0.0] * len(ic)}]


def _traces(own: pl.DataFrame, epoch: int, name: str, shade: Shade, mark: str) -> "list[go.Scatter]":
    import plotly.graph_objects as go

    line, centroid = _looks(own, epoch)
    return [
        go.Scatter(
            **line, name=name, mode="lines+markers", line={"color": shade.light, "width": 2},
            marker={"symbol": mark, "size": 8, "color": shade.light}, legendgroup=name,
            hovertemplate=f"{name}<br>t = %{{x}}: %{{y:.1%}} of the information<extra></extra>",
        ),
        go.Scatter(
            **centroid, name=name, mode="markers", legendgroup=name, showlegend=False, cliponaxis=False,
            marker={"symbol": "triangle-up", "size": 14, "color": shade.light},
            hovertemplate=f"{name}<br>IC %{{x:.2f}}<extra></extra>",
        ),
    ]  # fmt: skip


def _lay_out(figure: "go.Figure", shades: Sequence[Shade], shares: pl.DataFrame, title: str) -> None:
    steps = int(shares["t"].max())  # type: ignore[arg-type]
    highest = min(1.05 * float(shares["share"].max()), 1.05)  # type: ignore[arg-type]
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins(shades)}, height=400, margin={"l": 64, "r": 12, "t": 44, "b": 48},
        showlegend=len(shades) > 1, hovermode="closest",
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": {"text": f"{title}  "}},
    )  # fmt: skip
    figure.update_xaxes(**BASE_AXIS, title="timestep t", range=[0.8, steps + 0.2], dtick=step_ticks(steps))
    figure.update_yaxes(**BASE_AXIS, title="share I<sub>t</sub> / Σ I<sub>t</sub>", range=[0, highest])


FILM_SECTIONS = (
    Section(
        id="film",
        title="How does the information move, epoch by epoch?",
        tables=("fisher",),
        figure=lambda results: share_film(first_trainings(results.where(trains_networks()))),
        caption="Share of the Fisher trace at each horizon t at the epoch chosen, mean over seeds; triangles at the "
        f"bottom are the information centroids. Of more than {SETTINGS} settings, {SETTINGS} are shown, from the one "
        "that turned first to the one that turned last.",
    ),
)
