"""Fig. 2: what noise in one window of timesteps costs, early and late in training."""

import math
from collections.abc import Iterator

import polars as pl

from analysis.colours import shades_of
from analysis.comparison import comparison_of
from analysis.deficits import deficit_curves
from analysis.fields import rows_of
from analysis.figures.style import (
    GREY,
    Drawing,
    draw_band,
    draw_line,
    grid_of,
    is_first,
    legend_above,
    letter,
    looks_of,
)
from analysis.figures.words import counted, plain, seeds_text, setting_text
from analysis.plot_deficits import PANELS
from analysis.results import Results


def draw_fig2(results: Results, width: float | None) -> Iterator[Drawing]:
    """Yield accuracy with noise in each window less that in the last: a line per epoch, a panel per setting."""
    compared = comparison_of(results)
    by = compared.columns
    curves = deficit_curves(results.deficits, results.trials, by).collect()
    settings = curves.select(*by).unique(maintain_order=True).rows()
    drawn = settings[:PANELS]
    if not drawn:
        return
    epochs = curves["epoch"].unique().sort().to_list()
    looks = dict(zip(epochs, looks_of(shades_of(epochs)), strict=True))
    figure, panels = grid_of(width, len(drawn), 3, 1.75)
    lines = []
    for place, (axes, setting) in enumerate(zip(panels, drawn, strict=True)):
        own = rows_of(curves, by, setting)
        for rows in own.partition_by("epoch", maintain_order=True):
            epoch, first, mean = rows["epoch"][0], rows["first"].to_list(), rows["relative"]
            if rows["relative_se"].is_not_null().any():
                spread = rows["relative_se"].fill_null(0.0)
                draw_band(axes, first, (mean - spread).to_list(), (mean + spread).to_list(), looks[epoch])
            lines.append(draw_line(axes, first, mean.to_list(), looks[epoch], str(epoch), marked=True))
        axes.axhline(0, color=GREY, linewidth=0.6, linestyle=":", zorder=1)
        starts = own["first"].unique().sort().to_list()
        axes.set_xticks(starts[:: math.ceil(len(starts) / 8)])
        axes.set_xlabel("first noisy timestep $t$")
        if len(drawn) > 1:
            letter(axes, place, setting_text(dict(zip(by, setting, strict=True))))
        if is_first(axes):
            axes.set_ylabel("relative accuracy (points)")
    legend_above(figure, lines, "after epoch")
    more = f" {len(settings) - len(drawn)} more settings are not drawn." if len(settings) > len(drawn) else ""
    where = (
        "" if len(drawn) > 1 or by == ["sweep"] else f"{plain(setting_text(dict(zip(by, drawn[0], strict=True))))}. "
    )
    yield Drawing(
        figure=figure,
        caption=f"{where}Test accuracy with noise in {_windows(curves)} from t on, less that with noise in the last "
        "window, in percentage points: below zero, noise hurts more there than at the end. One line per epoch at "
        f"which the network was measured, means over {seeds_text(curves['n'])}; bands are ± one standard error over "
        f"seeds.{more}",
    )


def _windows(curves: pl.DataFrame) -> str:
    """Return how long the noise lasts, in words."""
    lengths = sorted({int(last - first + 1) for first, last in curves.select("first", "last").iter_rows()})
    return " or ".join(counted(length, "timestep") for length in lengths)
