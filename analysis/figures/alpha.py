"""Fig. 5: what α does to the Fisher trace, the training loss and the accuracy."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.alpha import ALPHA, alpha_contexts, alpha_trials, alphas_of, fisher_over_t
from analysis.colours import shades_of
from analysis.curves import mean_curves
from analysis.fields import rows_of, text_of
from analysis.figures.style import (
    DOUBLE,
    Drawing,
    Look,
    draw_band,
    draw_line,
    epoch_axis,
    legend_above,
    letter,
    looks_of,
    new_figure,
    step_axis,
)
from analysis.figures.words import part_name, plain, seeds_text, setting_text
from analysis.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

MOST = 6
"""Contexts drawn, such as data sets."""
TITLES = ("Fisher trace $I_t$", "training loss (nats)", "accuracy (fraction)")


def draw_fig5(results: Results, width: float | None) -> Iterator[Drawing]:
    """Yield, per context, I_t over t after training, the loss that α holds and the accuracy, a line per α."""
    part, contexts, alphas = alpha_trials(results), alpha_contexts(results), alphas_of(results)
    by = [*contexts, ALPHA]
    looks = dict(zip(alphas, looks_of(shades_of(alphas)), strict=True))
    over_t = fisher_over_t(part.fisher, part.trials, by).rename({"t": "x", "fisher_trace": "mean"})
    frames = [
        over_t.rename({"fisher_trace_low": "low", "fisher_trace_high": "high"}).collect(),
        *(
            mean_curves(part.epochs, part.trials, by, column).rename({"epoch": "x"}).collect()
            for column in ("train_loss_over_t", "val_acc")
        ),
    ]
    groups = part.trials.select(*contexts).unique().sort(*contexts).collect().rows() if contexts else [()]
    for group in groups[:MOST]:
        named = dict(zip(contexts, group, strict=True)) if len(groups) > 1 else {}
        own = [rows_of(frame, contexts, group) for frame in frames]
        if any(rows.height for rows in own):
            yield _draw(own, looks, named, width or DOUBLE, len(groups) - MOST)


def _draw(
    frames: list[pl.DataFrame], looks: dict[float, Look], named: dict[str, Any], width: float, left_out: int
) -> Drawing:
    wide = width >= DOUBLE
    figure = new_figure(width, 2.1 if wide else 5.2)
    panels = figure.subplots(*((1, 3) if wide else (3, 1)), squeeze=False).flat
    lines: list[Line2D] = []
    for place, (axes, frame) in enumerate(zip(panels, frames, strict=True)):
        lines += _panel(axes, frame, looks, place)
        letter(axes, place)
    legend_above(figure, lines)
    words = f"{plain(setting_text(named))}. " if named else ""
    more = f" {left_out} more contexts are not drawn." if left_out > 0 else ""
    return Drawing(
        figure=figure,
        part=part_name(named),
        caption=f"{words}One line per α (nats). (a) Fisher trace I_t at each timestep t after training, geometric "
        "mean. (b) Training loss, the cross-entropy averaged over all horizons; dotted lines mark α. (c) Validation "
        f"accuracy. Means over {seeds_text(n for frame in frames for n in frame['n'])}; bands are ± one standard "
        f"error over seeds, in (a) that of log I_t.{more}",
    )


def _panel(axes: "Axes", frame: pl.DataFrame, looks: dict[float, Look], place: int) -> list["Line2D"]:
    lines = []
    for alpha, look in looks.items():
        rows = rows_of(frame, [ALPHA], (alpha,))
        if rows.is_empty():
            continue
        known = rows.drop_nulls(["low", "high"])
        known = known.filter(pl.col("low") > 0) if place < 2 else known  # noqa: PLR2004 - a logarithmic axis
        draw_band(axes, known["x"].to_list(), known["low"].to_list(), known["high"].to_list(), look)
        x, name = rows["x"].to_list(), f"α = {text_of(alpha)}"
        lines.append(draw_line(axes, x, rows["mean"].to_list(), look, name, marked=place == 0))
        if place == 1 and alpha > 0:
            axes.axhline(alpha, color=look.colour, linewidth=0.9, linestyle=":", zorder=1)
    axes.set_ylabel(TITLES[place])
    if place < 2:  # noqa: PLR2004
        axes.set_yscale("log")
    if place == 0:
        step_axis(axes, max(frame["x"].to_list(), default=1))
    else:
        epoch_axis(axes)
    if place == 2:  # noqa: PLR2004
        axes.set_ylim(0, 1)
    return lines
