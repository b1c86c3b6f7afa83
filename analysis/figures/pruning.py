"""Fig. 7: accuracy by sparsity for each T_retrain; and the training time that fewer timesteps save."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import shades_of
from analysis.fields import rows_of
from analysis.figures.style import (
    GREY,
    Drawing,
    draw_errors,
    draw_line,
    grid_of,
    is_first,
    legend_above,
    letter,
    looks_of,
)
from analysis.figures.words import field_text, plain, seeds_text, setting_text
from analysis.plot_pruning import ASIDE, MEASURED, halvings, percent_text
from analysis.pruning import pruning_contexts, pruning_table
from analysis.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 6
"""Panels, a context each."""


def draw_fig7(results: Results, width: float | None) -> Iterator[Drawing]:
    """Yield test accuracy against sparsity, a line per T_retrain, a panel per network; dotted: unpruned."""
    table, by = pruning_table(results), list(pruning_contexts(results))
    retrained = table.filter(pl.col("cycle") > 0)
    if retrained.is_empty():
        return
    steps = retrained["retrain_timesteps"].unique().sort().to_list()
    looks = dict(zip(steps, looks_of(shades_of(steps)), strict=True))
    figure, panels, more = _grid(retrained, by, width)
    lines = []
    for axes, setting in panels:
        own = rows_of(retrained, by, setting)
        for number, (timesteps, look) in enumerate(looks.items()):
            rows = own.filter(pl.col("retrain_timesteps") == timesteps)
            if rows.is_empty():
                continue
            aside = ASIDE * (number - (len(looks) - 1) / 2)
            x, y = [x + aside for x in halvings(rows["sparsity"].to_list())], rows["test_acc"].to_list()
            draw_errors(axes, x, y, rows["test_acc_low"].to_list(), rows["test_acc_high"].to_list(), look.colour)
            lines.append(draw_line(axes, x, y, look, str(timesteps), marked=True))
        unpruned = rows_of(table, by, setting).filter(pl.col("cycle") == 0)["test_acc"]
        if unpruned.len():
            axes.axhline(float(unpruned.mean()), color=GREY, linewidth=0.8, linestyle=":", zorder=1)  # type: ignore[arg-type]
        labels = {percent_text(share): share for share in own["sparsity"].sort()}
        axes.set_xticks(halvings(list(labels.values())), list(labels))
        axes.set_xlabel("sparsity (%)")
    _title(panels, "test accuracy (fraction)")
    legend_above(figure, lines, field_text("retrain_timesteps"))
    yield Drawing(
        figure=figure,
        caption=f"{_where(by, panels)}Test accuracy, at the horizon trained with, against the share of weights pruned, "
        f"after each cycle of pruning and retraining with T_retrain timesteps: mean over {seeds_text(retrained['n'])}, "
        "bars are 95 % Student-t intervals over seeds. Lines are set a little aside so that their bars do not hide "
        f"each other. The dotted line is the network before pruning.{more}",
    )


def draw_savings(results: Results, width: float | None) -> Iterator[Drawing]:
    """Yield the training time saved against T_retrain: measured with 95 % intervals, and as the formula predicts it."""
    table, by = pruning_table(results), list(pruning_contexts(results))
    last = table.filter(pl.col("cycle") == pl.col("cycle").max().over([*by, "retrain_timesteps"])).filter(
        pl.col("retrain_timesteps") < pl.col("timesteps")
    )
    if last.is_empty():
        return
    figure, panels, more = _grid(last, by, width)
    lines = []
    for axes, setting in panels:
        rows = rows_of(last, by, setting).with_columns(pl.col("^(predicted|measured).*$") * 100)
        steps = rows["retrain_timesteps"].to_list()
        lines += axes.plot(
            steps, rows["predicted"].to_list(), color=GREY, linestyle=":", marker="_", markersize=12,
            markeredgewidth=1.2, label="predicted",
        )  # fmt: skip
        known = rows.drop_nulls("measured")
        x, y = known["retrain_timesteps"].to_list(), known["measured"].to_list()
        low, high = known["measured_low"].to_list(), known["measured_high"].to_list()
        draw_errors(axes, x, y, low, high, MEASURED.light)
        if x:
            lines += axes.plot(x, y, "o", color=MEASURED.light, markersize=4.5, zorder=3, label="measured")
        axes.set_xticks(steps)
        axes.set_xlim(min(steps) - 0.5, max(steps) + 0.5)
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
        axes.set_xlabel(f"{field_text('retrain_timesteps')} (timesteps)")
    _title(panels, "training time saved (%)")
    legend_above(figure, lines)
    yield Drawing(
        figure=figure,
        caption=f"{_where(by, panels)}Share of the training time saved over the whole run against retraining with all "
        "T timesteps: measured in seconds, mean of pairs of trials with the same seed "
        f"({seeds_text(last['n_clocked'])}), bars are 95 % Student-t intervals; dashes are "
        f"the formula's prediction.{more}",
    )


def _grid(
    table: pl.DataFrame, by: Sequence[str], width: float | None
) -> tuple["Figure", list[tuple["Axes", tuple[Any, ...]]], str]:
    """Return the figure, a panel with its context for each of up to `MOST`, and what to say of the others."""
    settings = table.select(*by).unique(maintain_order=True).rows() if by else [()]
    shown = settings[:MOST]
    figure, axes = grid_of(width, len(shown), 3, 1.95)
    for place, (panel, setting) in enumerate(zip(axes, shown, strict=True)):
        if len(shown) > 1:
            letter(panel, place, setting_text(dict(zip(by, setting, strict=True))))
    more = f" {len(settings) - MOST} more contexts are not drawn." if len(settings) > MOST else ""
    return figure, list(zip(axes, shown, strict=True)), more


def _where(by: Sequence[str], panels: Sequence[tuple["Axes", tuple[Any, ...]]]) -> str:
    named = dict(zip(by, panels[0][1], strict=True)) if len(panels) == 1 else {}
    return f"{plain(setting_text(named))}. " if named else ""


def _title(panels: Sequence[tuple["Axes", tuple[Any, ...]]], words: str) -> None:
    """Write the title of the y axis at the first panel of each row."""
    for axes, _ in panels:
        if is_first(axes):
            axes.set_ylabel(words)
