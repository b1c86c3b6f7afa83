"""Accuracy against the horizon that a network is read out at, at a few epochs, and the timesteps it needs."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import BAND, BASE_AXIS, BASE_LAYOUT, PAPER, Shade, dark_twins, faded, shades_of
from analysis.comparison import comparison_of
from analysis.curves import TOLD_APART, mean_curves
from analysis.fields import rows_of
from analysis.horizons import TOLERANCE, horizon_curves, needed_timesteps
from analysis.intervals import Interval
from analysis.panels import menu_of, step_ticks
from analysis.probe_texts import horizon_texts
from analysis.results import Results
from analysis.sections import Section
from analysis.transitions import over_seeds, tic_transitions
from analysis.verdicts import ends_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

MENU = 24
"""Settings in the menu."""
ROLES = ("first", "IC highest", "IC has turned", "last")


def plot_horizons(results: Results) -> "go.Figure":
    """Draw validation accuracy against the horizon t: first, where IC is highest, after its transition, and last.

    Lines are means over seeds, bands ± standard error; a diamond marks the mean of the timesteps that a readout needs
    to come within `TOLERANCE` of the accuracy at T. A menu holds the settings.
    """
    import plotly.graph_objects as go

    compared = comparison_of(results)
    by = compared.columns
    curves = horizon_curves(results.horizons, results.trials, by).collect()
    needed = needed_timesteps(results.horizons, results.trials, by).collect()
    settings = curves.select(*by).unique(maintain_order=True).rows()[:MENU]
    ic = mean_curves(results.epochs, results.trials, by, "ic").collect()
    turns = over_seeds(tic_transitions(results.epochs, results.trials), by).collect()
    shades = shades_of(range(len(ROLES)))
    figure, owners = go.Figure(), []
    for number, setting in enumerate(settings):
        own = rows_of(curves, by, setting)
        turned = rows_of(turns, by, setting).select(pl.coalesce("transition_mean", "transition_median")).item()
        chosen = telling_epochs(own["epoch"].unique().to_list(), _points(rows_of(ic, by, setting), "epoch"), turned)
        for epoch, roles in chosen.items():
            line = own.filter(pl.col("epoch") == epoch)
            count = rows_of(needed, by, setting).filter(pl.col("epoch") == epoch).to_dicts()
            shade = shades[ROLES.index(roles[-1])]
            for trace in _traces(line, count, f"epoch {epoch} ({', '.join(roles)})", shade):
                figure.add_trace(trace.update(visible=number == 0))
                owners.append(number)
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins(shades)}, height=490, hovermode="closest",
        margin={"l": 56, "r": 12, "t": 64 if len(settings) > 1 else 24, "b": 96},
        legend={"orientation": "h", "x": 0, "y": -0.23, "yanchor": "top"},
    )  # fmt: skip
    last = max(curves["t"].to_list(), default=1)
    figure.update_xaxes(
        **BASE_AXIS, title="horizon t: readout of timesteps 1..t", tickformat="d", dtick=step_ticks(last)
    )
    figure.update_yaxes(**BASE_AXIS, title="validation accuracy (fraction)", range=[0, 1])
    if len(settings) > 1:
        labels = [compared.label(setting) for setting in settings]
        figure.update_layout(updatemenus=[menu_of(labels, owners, y=1.17)])
    return figure


def telling_epochs(epochs: Sequence[int], ic: Mapping[int, float], turned: float | None) -> dict[int, list[str]]:
    """Return the epochs measured that tell most, each with what it is (`ROLES`), in order.

    Args:
        epochs: epochs measured.
        ic: the centroid by epoch, as far as it is known.
        turned: when IC turned, if it did.
    """
    ordered = sorted(epochs)
    known = [epoch for epoch in ordered if epoch in ic]
    after = [epoch for epoch in ordered if turned is not None and epoch >= turned]
    highest = sorted(known, key=lambda epoch: -round(ic[epoch], TOLD_APART))
    found = {
        "first": ordered[:1], "IC highest": highest[:1], "IC has turned": after[:1], "last": ordered[-1:],
    }  # fmt: skip
    chosen: dict[int, list[str]] = {}
    for role, (epoch,) in ((role, epochs) for role, epochs in found.items() if epochs):
        chosen.setdefault(epoch, []).append(role)
    return dict(sorted(chosen.items()))


def _points(curve: pl.DataFrame, x: str) -> dict[int, float]:
    return dict(curve.select(x, "mean").iter_rows())


def _traces(line: pl.DataFrame, needed: list[dict[str, Any]], name: str, shade: Shade) -> list["go.Scatter"]:
    """Return the band and the line of one epoch, and the mark at the timesteps needed."""
    import plotly.graph_objects as go

    t, mean, se = line["t"].to_list(), line["accuracy"], line["accuracy_se"].fill_null(0.0)
    group: dict[str, Any] = {"legendgroup": name, "showlegend": False}
    band = go.Scatter(
        x=t + t[::-1], y=(mean + se).to_list() + (mean - se).to_list()[::-1], fill="toself", mode="lines",
        fillcolor=faded(shade.light, BAND), line={"width": 0}, hoverinfo="skip", meta={"role": "band"}, **group,
    )  # fmt: skip
    drawn = go.Scatter(
        x=t, y=mean.to_list(), customdata=line["n"].to_list(), mode="lines", name=name, meta={"role": "mean"},
        line={"width": 2.2, "color": shade.light}, **group | {"showlegend": True},
        hovertemplate=f"{name}<br>t = %{{x}}: accuracy %{{y:.3f}} (mean of %{{customdata}})<extra></extra>",
    )  # fmt: skip
    marks = [
        go.Scatter(
            x=[row["needed"]], y=[_height_at(list(zip(t, mean, strict=True)), row["needed"])], mode="markers",
            marker={
                "symbol": "diamond", "size": 11, "color": shade.light, "line": {"width": 1.5, "color": PAPER.light},
            },
            meta={"role": "needed"}, **group,
            hovertemplate=f"{name}<br>{row['needed']:.1f} timesteps needed{_spread(row)}<extra></extra>",
        )
        for row in needed
    ]  # fmt: skip
    return [band, drawn, *marks]


def _height_at(points: Sequence[tuple[int, float]], t: float) -> float | None:
    """Return the height of a line through points at t."""
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 <= t <= x1:
            return y0 + (y1 - y0) * (t - x0) / (x1 - x0)
    return points[0][1] if points else None


def _spread(row: Mapping[str, Any]) -> str:
    if row["needed_low"] is None:
        return " (one seed)"
    ends = ends_of(Interval(row["needed"], row["needed_low"], row["needed_high"]))
    return f" (95 % interval {ends}, {row['n']} seeds)"


HORIZON_SECTIONS = (
    Section(
        id="horizons",
        title="How many timesteps does a readout need?",
        tables=("horizons",),
        caption="Validation accuracy when the network is read out after t timesteps: at the first epoch measured, "
        "where IC is highest, after its transition, and last. A diamond marks the t from which on at most "
        f"{100 * TOLERANCE:g} point is lacking to the accuracy at T, mean over seeds. Lines are means over seeds, "
        "bands ± standard error.",
        figure=plot_horizons,
        table=horizon_texts,
    ),
)
