"""Fig. 3: which block of a network holds its information when, in three epochs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from analysis.fields import rows_of
from analysis.figures.style import DOUBLE, Drawing, colour_of, letter, new_figure, step_axis
from analysis.figures.words import part_name, plain, seeds_text, setting_text
from analysis.first_trainings import first_trainings
from analysis.layers import block_centroids, layer_fisher
from analysis.plot_fisher import by_transition, fisher_shares, telling_epochs
from analysis.plot_layers import MARK, PANELS, SHADES
from analysis.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import LinearSegmentedColormap

MOST = 6
"""Settings drawn, those that turned first."""


def draw_fig3(results: Results, width: float | None) -> Iterator[Drawing]:
    """Yield, per setting, heat maps of each block's own I_t over t in the epochs of `plot_layers`, diamonds at IC."""
    images = first_trainings(results.where(pl.col("task") == "images"))
    by = list(images.settings)
    shares, centroids = layer_fisher(images, by).collect(), block_centroids(images, by).collect()
    measured = (
        fisher_shares(images, by).join(centroids.lazy(), on=[*by, "epoch"], how="semi", nulls_equal=True).collect()
    )
    settings = by_transition(images, by, measured)
    for setting, turned in settings[:MOST]:
        named = {} if len(settings) == 1 else dict(zip(by, setting, strict=True))
        epochs = telling_epochs(rows_of(measured, by, setting), turned, PANELS)
        own, marks = rows_of(shares, by, setting), rows_of(centroids, by, setting)
        yield _draw(own, marks, epochs, named, width or DOUBLE, len(settings) - MOST)


def _draw(
    own: pl.DataFrame, marks: pl.DataFrame, epochs: list[int], named: dict[str, object], width: float, left_out: int
) -> Drawing:
    parts = dict(marks.select("depth", "part").unique().sort("depth").iter_rows())
    steps, top = int(own["t"].max()), own.filter(pl.col("epoch").is_in(epochs))["share"].max()  # type: ignore[arg-type]
    figure = new_figure(width, 0.75 + max(0.145 * len(parts), 1.1))
    panels = figure.subplots(1, len(epochs), sharey=True, squeeze=False)[0]
    meshes = []
    for place, (axes, epoch) in enumerate(zip(panels, epochs, strict=True)):
        at = pl.col("epoch") == epoch
        meshes.append(_map(axes, own.filter(at), parts, steps, float(top)))  # type: ignore[arg-type]
        centroids = marks.filter(at)
        axes.plot(
            centroids["ic"].to_list(), centroids["depth"].to_list(), "D", color=MARK.light, markersize=4,
            markeredgecolor="white", markeredgewidth=0.6, zorder=4,
        )  # fmt: skip
        letter(axes, place, f"epoch {epoch}")
        step_axis(axes, steps)
        axes.set_xlim(0.5, steps + 0.5)
    panels[0].set_ylim(len(parts) + 0.5, 0.5)
    panels[0].set_yticks(list(parts), [part.replace("blocks.", "block ", 1) for part in parts.values()])
    for axes in panels:
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    bar = figure.colorbar(
        meshes[0], ax=panels, label="share of the\nblock's own $I_t$", aspect=24 if width >= DOUBLE else 18, pad=0.02
    )
    bar.outline.set_visible(False)  # type: ignore[operator] - Matplotlib's stubs take the spine for a property
    words = f"{plain(setting_text(named))}. " if named else ""
    more = f" {left_out} more settings are not drawn." if left_out > 0 else ""
    return Drawing(
        figure=figure,
        part=part_name(named),
        caption=f"{words}Fisher trace I_t of each block over timesteps, the shallowest block on top, as a share of the "
        f"block's own sum over t, in epochs {', '.join(map(str, epochs))}: mean over {seeds_text(own['n'])}. Diamonds "
        f"are each block's own information centroid. A gap is a block without information.{more}",
    )


def _map(axes: "Axes", rows: pl.DataFrame, parts: dict[int, str], steps: int, top: float) -> "QuadMesh":
    import numpy as np

    found = {(depth, t): share for depth, t, share in rows.select("depth", "t", "share").iter_rows()}
    grid = np.array([[found.get((depth, t), np.nan) for t in range(1, steps + 1)] for depth in parts])
    depths = list(parts)
    return axes.pcolormesh(
        np.arange(steps + 1) + 0.5, [depth - 0.5 for depth in depths] + [depths[-1] + 0.5],
        np.ma.masked_invalid(grid), cmap=_colours(), vmin=0, vmax=top, edgecolors="white", linewidth=0.4,
    )  # fmt: skip


def _colours() -> "LinearSegmentedColormap":
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("tic", [(at, colour_of(shade)) for at, shade in SHADES.items()])
