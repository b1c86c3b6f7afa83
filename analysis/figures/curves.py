"""IC against epoch as figures for print draw it, and bars of the Fisher trace over time: parts of Fig. 1 and Fig. 4."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.curves import mean_curves
from analysis.fields import rows_of
from analysis.figures.style import GREY, INK, Look, draw_band, draw_diamond, draw_line, epoch_axis, height_at, step_axis
from analysis.results import Results
from analysis.transitions import over_seeds, tic_transitions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

BAND_TEXT = "bands are ± one standard error over seeds"
DIAMOND_TEXT = "diamonds mark the transition, their bars its standard deviation over seeds"


def ic_panel(
    axes: "Axes", results: Results, by: Sequence[str], looks: Mapping[tuple[Any, ...], Look],
    names: Mapping[tuple[Any, ...], str], *, bands: bool = True,
) -> tuple[list["Line2D"], list[int]]:  # fmt: skip
    """Draw IC against epoch, a line per setting with its band and where it turned; return lines and counts of seeds.

    Numbers are those of `mean_curves` and `over_seeds`, as in the report.
    """
    means = mean_curves(results.epochs, results.trials, by, "ic").collect()
    turns = over_seeds(tic_transitions(results.epochs, results.trials), by).collect()
    lines, counts = [], []
    for setting, look in looks.items():
        mean = rows_of(means, by, setting)
        if mean.is_empty():
            continue
        known = mean.drop_nulls("se")
        if bands and known.height:
            draw_band(axes, known["epoch"].to_list(), known["low"].to_list(), known["high"].to_list(), look)
        epochs, ic = mean["epoch"].to_list(), mean["mean"].to_list()
        lines.append(draw_line(axes, epochs, ic, look, names[setting]))
        counts += mean["n"].to_list()
        row = rows_of(turns, by, setting).to_dicts()[0]
        turned = row["transition_mean"] if row["transition_mean"] is not None else row["transition_median"]
        if (height := height_at(turned, epochs, ic)) is not None:
            spread = row["transition_sd"]
            draw_diamond(axes, turned, height, None if spread is None else (spread, spread), look.colour)
    trials = results.trials.select(*by, T="timesteps").unique().collect()
    totals = {T for setting in looks for T in rows_of(trials, by, setting)["T"]}
    if len(totals) == 1:
        axes.axhline((totals.pop() + 1) / 2, color=GREY, linewidth=0.7, linestyle=":", zorder=1)
    epoch_axis(axes)
    axes.set_ylabel("information centroid (timesteps)")
    return lines, counts


def trace_bars(axes: "Axes", rows: pl.DataFrame, colour: str, words: str, last: int) -> None:
    """Draw the share of I_t at each t with its standard deviation, and IC as a dotted line, from `fisher_shares`."""
    from matplotlib.ticker import MaxNLocator

    t, share = rows["t"].to_list(), rows["share"].to_list()
    axes.bar(t, share, width=0.82, color=colour, edgecolor="white", linewidth=0.3, zorder=2)
    spread = rows["sd"]
    if spread.is_not_null().any():
        errors = spread.fill_null(0.0).to_list()
        axes.errorbar(t, share, yerr=errors, fmt="none", ecolor="#505050", elinewidth=0.6, capsize=1.2, zorder=3)
    if rows.height:
        axes.axvline(rows["ic"][0], color=INK, linewidth=1.0, linestyle=":", zorder=4)
    axes.set_title(words, loc="left")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
    step_axis(axes, last)


def top_of(rows: pl.DataFrame) -> float:
    """Return where an axis of shares ends: above the tallest bar and its error bar, and no higher than 1.05."""
    highest = rows.select((pl.col("share") + pl.col("sd").fill_null(0.0)).max()).item()
    return min(1.05 * (highest or 1.0), 1.05)
