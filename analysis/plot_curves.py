"""Curves against epoch: one line per setting, its spread over the seeds, and each seed as a thin line."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import BAND, GUIDE, PAPER, SEED, faded
from analysis.curves import mean_curves, with_setting
from analysis.fields import rows_of
from analysis.finding import transition_text
from analysis.panels import Line, crowded, lines_of, panels_of
from analysis.results import Results
from analysis.transitions import over_seeds, tic_transitions

if TYPE_CHECKING:
    import plotly.graph_objects as go

SEEDS = 10
"""Seeds of a setting beyond which they are not drawn one by one."""
HOVER = {"ic": "IC %{y:.2f}", "val_acc": "accuracy %{y:.3f}"}


def ic_by_epoch(results: Results, by: str | Sequence[str] | None = None) -> "go.Figure":
    """Draw IC against epoch (Kim et al. 2023, Fig. 4): mean over seeds ± standard error, and where each line turned.

    Args:
        results: what to draw.
        by: the field that lines differ in, and, as a second, the one that panels do; by default those that vary.
    """
    paths = _chosen(results, by)
    lines = lines_of(results, paths)
    figure = panels_of(results, paths, "information centroid IC (timesteps)", lines)
    timesteps = results.trials.select(pl.col("timesteps").max()).collect().item() or 1
    _draw(figure, results, paths, lines, "ic")
    _mark_transitions(figure, results, paths, lines)
    _mark_even_spread(figure, results, paths, lines)
    figure.update_yaxes(range=[1, max(timesteps, 2)])
    return figure


def accuracy_by_epoch(results: Results, by: str | Sequence[str] | None = None) -> "go.Figure":
    """Draw validation accuracy against epoch: mean over seeds ± standard error."""
    paths = _chosen(results, by)
    lines = lines_of(results, paths)
    figure = panels_of(results, paths, "validation accuracy (fraction)", lines)
    _draw(figure, results, paths, lines, "val_acc")
    figure.update_yaxes(range=[0, 1])
    return figure


def _chosen(results: Results, by: str | Sequence[str] | None) -> tuple[str, ...]:
    if by is None:
        return tuple(reversed(results.settings))
    return (by,) if isinstance(by, str) else tuple(by)


def _draw(figure: "go.Figure", results: Results, paths: Sequence[str], lines: Sequence[Line], column: str) -> None:
    means = mean_curves(results.epochs, results.trials, paths, column).collect()
    few = results.trials.filter(pl.len().over(*paths) <= SEEDS)
    seeds = with_setting(results.epochs, few, paths).filter(pl.col(column).is_not_null()).collect()
    named: set[str] = set()
    for line in lines:
        if not crowded(lines):
            for one in rows_of(seeds, paths, line.setting).partition_by("key", maintain_order=True):
                figure.add_trace(_seed_line(one, column, line), row=1, col=line.column)
        mean = rows_of(means, paths, line.setting)
        if mean.is_empty():
            continue
        if not crowded(lines) and mean["se"].is_not_null().any():
            figure.add_trace(_band(mean, line), row=1, col=line.column)
        figure.add_trace(
            _mean_line(mean, column, line, width=1.3 if crowded(lines) else 2.6, first=line.name not in named),
            row=1,
            col=line.column,
        )
        named.add(line.name)
    _mark_pruning(figure, results)


def _mark_pruning(figure: "go.Figure", results: Results) -> None:
    """Mark where pruning begins, if it is the same epoch in all trials that are pruned."""
    ends = results.trials.filter(pl.col("pruning.cycles") > 0).select(pl.col("optimiser.epochs").unique()).collect()
    if ends.height == 1:
        label = {"text": " pruning", "xanchor": "left", "yanchor": "top", "font": {"size": 11}}
        figure.add_vline(
            x=ends.item(), line={"color": GUIDE, "width": 1, "dash": "dash"}, annotation=label,
            annotation_position="top right",
        )  # fmt: skip


def _seed_line(one: pl.DataFrame, column: str, line: Line) -> "go.Scatter":
    import plotly.graph_objects as go

    seed, status = one.row(0, named=True)["seed"], one.row(0, named=True)["status"]
    return go.Scatter(
        x=one["epoch"].to_list(), y=one[column].to_list(), mode="lines", showlegend=False,
        legendgroup=line.name, line={"width": 1, "color": faded(line.shade.light, SEED)}, meta={"role": "seed"},
        hovertemplate=f"{line.name}, seed {seed} ({status})<br>epoch %{{x}}, {HOVER[column]}<extra></extra>",
    )  # fmt: skip


def _band(mean: pl.DataFrame, line: Line) -> "go.Scatter":
    import plotly.graph_objects as go

    known = mean.drop_nulls("se")
    epochs = known["epoch"].to_list()
    return go.Scatter(
        x=epochs + epochs[::-1], y=known["high"].to_list() + known["low"].to_list()[::-1], fill="toself",
        fillcolor=faded(line.shade.light, BAND), line={"width": 0}, mode="lines", hoverinfo="skip", showlegend=False,
        legendgroup=line.name, meta={"role": "band"},
    )  # fmt: skip


def _mean_line(mean: pl.DataFrame, column: str, line: Line, *, width: float, first: bool) -> "go.Scatter":
    import plotly.graph_objects as go

    return go.Scatter(
        x=mean["epoch"].to_list(), y=mean["mean"].to_list(), customdata=mean["n"].to_list(), name=line.name,
        mode="lines" if mean.height > 1 else "markers", legendgroup=line.name, showlegend=first,
        line={"width": width, "color": line.shade.light}, meta={"role": "mean"},
        hovertemplate=f"{line.name}<br>epoch %{{x}}, {HOVER[column]} (mean of %{{customdata}})<extra></extra>",
    )  # fmt: skip


def _mark_transitions(figure: "go.Figure", results: Results, paths: Sequence[str], lines: Sequence[Line]) -> None:
    import plotly.graph_objects as go

    table = over_seeds(tic_transitions(results.epochs, results.trials), paths).collect()
    means = mean_curves(results.epochs, results.trials, paths, "ic").collect()
    size, edge = (7, 1.0) if crowded(lines) else (11, 1.5)
    for line in lines:
        row = rows_of(table, paths, line.setting).to_dicts()[0]
        epoch = row["transition_mean"] if row["transition_mean"] is not None else row["transition_median"]
        height = _height_at(rows_of(means, paths, line.setting), epoch)
        if epoch is None or height is None:
            continue
        figure.add_trace(
            go.Scatter(
                x=[epoch], y=[height], mode="markers", showlegend=False, legendgroup=line.name,
                error_x={"array": [row["transition_sd"] or 0.0], "color": line.shade.light, "thickness": 1.6},
                marker={
                    "symbol": "diamond", "size": size, "color": line.shade.light,
                    "line": {"width": edge, "color": PAPER.light},
                },
                meta={"role": "transition"},
                hovertemplate=f"{line.name} turned at epoch {transition_text(row)} "
                f"({row['n_turned']} of {row['n_measured']} seeds)<extra></extra>",
            ),
            row=1, col=line.column,
        )  # fmt: skip


def _mark_even_spread(figure: "go.Figure", results: Results, paths: Sequence[str], lines: Sequence[Line]) -> None:
    """Draw, in each panel whose lines share their T, where information spread evenly over time would lie."""
    totals = results.trials.select(*paths, T="timesteps").unique().collect()
    for column in sorted({line.column for line in lines}):
        own = [rows_of(totals, paths, line.setting)["T"] for line in lines if line.column == column]
        shared = set(pl.concat(own))
        if len(shared) == 1:
            place: Any = {"row": 1, "col": column}  # plotly's stubs know the word "all" only
            dots = {"color": GUIDE, "width": 1, "dash": "dot"}
            figure.add_hline(y=(shared.pop() + 1) / 2, line=dots, layer="below", **place)


def _height_at(mean: pl.DataFrame, epoch: float | None) -> float | None:
    """Return the mean curve's value at an epoch between its first and last, along straight lines."""
    if epoch is None:
        return None
    points = list(mean.select("epoch", "mean").iter_rows())
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 <= epoch <= x1:
            return y0 + (y1 - y0) * (epoch - x0) / (x1 - x0)
    return None
