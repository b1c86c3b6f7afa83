"""Accuracy against the horizon that a network is read out at, at a few epochs, and the timesteps it needs."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from analysis.colours import shades_of
from analysis.comparison import comparison_of
from analysis.curves import mean_curves
from analysis.fields import rows_of
from analysis.figures.style import (
    Drawing,
    Look,
    draw_band,
    draw_diamond,
    draw_line,
    grid_of,
    height_at,
    is_first,
    legend_above,
    letter,
    looks_of,
    step_axis,
)
from analysis.figures.words import plain, seeds_text, setting_text
from analysis.horizons import TOLERANCE, horizon_curves, needed_timesteps
from analysis.plot_horizons import ROLES, telling_epochs
from analysis.results import Results
from analysis.transitions import over_seeds, tic_transitions

MOST = 6
"""Panels, a setting each."""


def draw_horizons(results: Results, width: float | None) -> Iterator[Drawing]:
    """Yield validation accuracy against the horizon t in the epochs of `plot_horizons`, a panel per setting."""
    by = comparison_of(results).columns
    curves = horizon_curves(results.horizons, results.trials, by).collect()
    needed = needed_timesteps(results.horizons, results.trials, by).collect()
    ic = mean_curves(results.epochs, results.trials, by, "ic").collect()
    turns = over_seeds(tic_transitions(results.epochs, results.trials), by).collect()
    settings = curves.select(*by).unique(maintain_order=True).rows()
    shown = settings[:MOST]
    if not shown:
        return
    figure, panels = grid_of(width, len(shown), 4, 1.6)
    looks: dict[str, Look] = dict(zip(ROLES, looks_of(shades_of(range(len(ROLES)))), strict=True))
    lines, told = [], []
    for place, (axes, setting) in enumerate(zip(panels, shown, strict=True)):
        turned = rows_of(turns, by, setting).select(pl.coalesce("transition_mean", "transition_median")).item()
        own, ends = rows_of(curves, by, setting), rows_of(needed, by, setting)
        centroids = dict(rows_of(ic, by, setting).select("epoch", "mean").iter_rows())
        chosen = telling_epochs(own["epoch"].unique().to_list(), centroids, turned)
        for epoch, roles in chosen.items():
            at = pl.col("epoch") == epoch
            lines.append(_line(axes, own.filter(at), ends.filter(at).to_dicts(), looks[roles[-1]], roles[-1]))
        words = setting_text(dict(zip(by, setting, strict=True))) if len(shown) > 1 else ""
        told.append(f"{plain(words)}: " * bool(words) + ", ".join(map(str, chosen)))
        step_axis(axes, int(own["t"].max()), "horizon $t$ (timesteps)")  # type: ignore[arg-type]
        if len(shown) > 1:
            letter(axes, place, words)
    panels[0].set_ylim(bottom=0)
    for axes in filter(is_first, panels):
        axes.set_ylabel("validation accuracy")
    legend_above(figure, sorted(lines, key=lambda line: ROLES.index(str(line.get_label()))), "epoch:")
    more = f" {len(settings) - MOST} more settings are not drawn." if len(settings) > MOST else ""
    yield Drawing(
        figure=figure,
        caption="Validation accuracy (fraction) of a readout of timesteps 1..t at the first epoch measured, where IC "
        f"is highest, after its transition, and at the last ({'; '.join(told)}): means over {seeds_text(curves['n'])}, "
        "bands are ± one standard error over seeds. A diamond marks the t from which on at most "
        f"{100 * TOLERANCE:g} point is lacking to the accuracy at T, mean over seeds.{more}",
    )


def _line(axes: Any, rows: pl.DataFrame, needed: list[dict[str, Any]], look: Look, role: str) -> Any:
    """Draw one epoch's band, line and mark; return the line."""
    t, mean = rows["t"].to_list(), rows["accuracy"]
    if rows["accuracy_se"].is_not_null().any():
        spread = rows["accuracy_se"].fill_null(0.0)
        draw_band(axes, t, (mean - spread).to_list(), (mean + spread).to_list(), look)
    for row in needed:
        height = height_at(row["needed"], t, mean.to_list())
        if height is not None:
            draw_diamond(axes, row["needed"], height, None, look.colour)
    return draw_line(axes, t, mean.to_list(), look, role)
