"""Which block of a network holds its information when (Kim et al. 2023, Fig. 3): heat maps of blocks over timesteps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import BASE_AXIS, BASE_LAYOUT, OKABE_ITO, PAPER, Shade, dark_twins
from analysis.fields import label_of, rows_of
from analysis.first_trainings import first_trainings
from analysis.layers import block_centroids, layer_fisher
from analysis.panels import menu_of, step_ticks
from analysis.plot_fisher import MENU, by_transition, fisher_shares, telling_epochs
from analysis.results import Results
from analysis.sections import Section

if TYPE_CHECKING:
    import plotly.graph_objects as go

PANELS = 3
"""Epochs side by side, as in the paper."""
SHADES = {0.0: Shade("#e8eef4", "#1d2732"), 0.4: Shade("#4d9fd0", "#2a7fb8"), 1.0: Shade("#003a63", "#bfe6ff")}
"""The colour scale: what holds nothing is a shade away from the page, so that it differs from a gap."""
MARK = Shade(*OKABE_ITO[1])
SCALES = {
    "part": ("share over t", "when: shares of each block's own information"),
    "timestep": ("share over blocks", "where: shares of the information at each t"),
}
"""Title of the colour bar and words of the menu, per normalisation."""


def plot_layers(results: Results) -> "go.Figure":
    """Draw I_t of each block over t, shallow blocks above deep ones, in up to three epochs.

    Diamonds are the blocks' own IC. The epochs are those of the highest IC, of the transition and the last. One menu
    chooses the normalisation of `layer_fisher`, another the setting where there are several; first is the one whose IC
    turned first.
    """
    from plotly.subplots import make_subplots

    images = first_trainings(results.where(pl.col("task") == "images"))
    by = list(images.settings)
    shares = {name: layer_fisher(images, by, normalise=name).collect() for name in ("part", "timestep")}
    centroids = block_centroids(images, by).collect()
    measured = (
        fisher_shares(images, by).join(centroids.lazy(), on=[*by, "epoch"], how="semi", nulls_equal=True).collect()
    )
    settings = by_transition(images, by, measured)[:MENU]
    figure = make_subplots(rows=1, cols=PANELS, shared_yaxes=True, horizontal_spacing=0.03)
    looks, cells = [], {name: [] for name in SCALES}
    for number, (setting, turned) in enumerate(settings):
        epochs = telling_epochs(rows_of(measured, by, setting), turned, PANELS)
        own = {name: rows_of(table, by, setting) for name, table in shares.items()}
        _add_setting(figure, own, rows_of(centroids, by, setting), epochs, cells, visible=number == 0)
        looks.append(_look(rows_of(centroids, by, setting), own["part"], epochs))
    tops = {name: _highest(grids) for name, grids in cells.items()}
    _lay_out(figure, max(centroids["depth"].to_list(), default=1), tops["part"])
    if looks:
        figure.update_layout(looks[0])
        menus = [_normalisations(cells, tops)]
        if len(looks) > 1:
            labels = [label_of(dict(zip(by, setting, strict=True))) for setting, _ in settings]
            owners = [trace // (2 * PANELS) for trace in range(2 * PANELS * len(settings))]
            menus.append(menu_of(labels, owners, looks) | {"y": 1, "pad": {"b": 44}, "yanchor": "bottom"})
        figure.update_layout(updatemenus=menus)
    return figure


def _add_setting(
    figure: "go.Figure",
    shares: dict[str, pl.DataFrame],
    centroids: pl.DataFrame,
    epochs: Sequence[int],
    cells: dict[str, list[list[list[float | None]]]],
    *,
    visible: bool,
) -> None:
    """Add a heat map and its marks for each panel; append its cells by either normalisation to ``cells``."""
    import plotly.graph_objects as go

    parts = _parts(centroids)
    names = [_name(part) for part in parts.values()]
    for panel in range(PANELS):
        at = pl.col("epoch") == (epochs[panel] if panel < len(epochs) else -1)
        steps = range(1, max(shares["part"]["t"].to_list(), default=0) + 1)
        for name, table in shares.items():
            cells[name].append(_grid(table.filter(at), parts, steps))
        figure.add_trace(
            go.Heatmap(
                x=list(steps), y=list(parts), z=cells["part"][-1], coloraxis="coloraxis", visible=visible,
                customdata=[[name] * len(steps) for name in names], xgap=1, ygap=1, meta={"role": "map"},
                hovertemplate="%{customdata}, t = %{x}: %{z:.1%}<extra></extra>",
            ),
            row=1, col=panel + 1,
        )  # fmt: skip
        marks = centroids.filter(at)
        spreads = ["" if se is None else f" ± {se:.2f}" for se in marks["ic_se"]]
        figure.add_trace(
            go.Scatter(
                x=marks["ic"].to_list(), y=marks["depth"].to_list(), mode="markers", visible=visible, showlegend=False,
                marker={
                    "symbol": "diamond", "size": 10, "color": MARK.light, "line": {"width": 1.5, "color": PAPER.light}
                },
                customdata=list(zip(map(_name, marks["part"]), spreads, strict=True)), meta={"role": "centroid"},
                hovertemplate="%{customdata[0]}: IC %{x:.2f}%{customdata[1]}<extra></extra>",
            ),
            row=1, col=panel + 1,
        )  # fmt: skip


def _grid(rows: pl.DataFrame, parts: dict[int, str], steps: range) -> list[list[float | None]]:
    """Return shares as a row per part and a column per timestep; None where there is none."""
    found = {(depth, t): share for depth, t, share in rows.select("depth", "t", "share").iter_rows()}
    return [[found.get((depth, t)) for t in steps] for depth in parts]


def _look(centroids: pl.DataFrame, shares: pl.DataFrame, epochs: Sequence[int]) -> dict[str, Any]:
    """Return the titles of a setting's panels and the range and ticks of its axes."""
    parts = _parts(centroids)
    timesteps = max(shares["t"].to_list(), default=1)
    titles = [
        {
            "xref": f"x{panel or ''} domain", "yref": "paper", "x": 0, "y": 1, "yshift": 4, "xanchor": "left",
            "yanchor": "bottom", "showarrow": False, "text": f"<b>epoch {epoch}</b>",
        }
        for panel, epoch in zip((None, *range(2, PANELS + 1)), epochs, strict=False)
    ]  # fmt: skip
    look: dict[str, Any] = {
        "annotations": titles, "yaxis.range": [len(parts) + 0.5, 0.5], "yaxis.tickvals": list(parts),
        "yaxis.ticktext": [_name(part) for part in parts.values()],
    }  # fmt: skip
    for axis in ("xaxis", *(f"xaxis{panel}" for panel in range(2, PANELS + 1))):
        look |= {f"{axis}.range": [0.5, timesteps + 0.5], f"{axis}.dtick": step_ticks(timesteps)}
    return look


def _normalisations(cells: dict[str, list[list[list[float | None]]]], tops: dict[str, float]) -> dict[str, Any]:
    """Return the menu that fills the heat maps with shares by either normalisation, whatever setting is shown."""
    maps = [2 * number for number in range(len(cells["part"]))]
    buttons = [
        {
            "label": words, "method": "update",
            "args": [
                {"z": cells[name]}, {"coloraxis.cmax": tops[name], "coloraxis.colorbar.title.text": title}, maps
            ],
        }
        for name, (title, words) in SCALES.items()
    ]  # fmt: skip
    placed = {"buttons": buttons, "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom", "pad": {"b": 44}}
    return menu_of([], []) | placed


def _lay_out(figure: "go.Figure", rows: int, top: float) -> None:
    colorbar = {"title": {"text": SCALES["part"][0]}, "thickness": 12, "outlinewidth": 0, "tickformat": ".0%"}
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins((*SHADES.values(), MARK))}, height=max(200 + 24 * rows, 340),
        margin={"l": 76, "r": 12, "t": 100, "b": 48},
        coloraxis={
            "colorscale": [[place, shade.light] for place, shade in SHADES.items()], "cmin": 0, "cmax": top,
            "colorbar": colorbar,
        },
    )  # fmt: skip
    figure.update_xaxes(**BASE_AXIS, title="timestep t")
    figure.update_yaxes(**BASE_AXIS)
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False)


def _highest(grids: Sequence[Sequence[Sequence[float | None]]]) -> float:
    return max((share for grid in grids for row in grid for share in row if share is not None), default=1.0)


def _parts(centroids: pl.DataFrame) -> dict[int, str]:
    """Return the names of the parts by their depth, the shallowest first."""
    return dict(centroids.select("depth", "part").unique().sort("depth").iter_rows())


def _name(part: str) -> str:
    """Return a part as people read it: ``blocks.3`` is ``block 3``, counted from 0 as in the tables."""
    return part.replace("blocks.", "block ", 1)


LAYER_SECTIONS = (
    Section(
        id="layers",
        title="Which blocks hold information early, and which late?",
        tables=("fisher",),
        figure=plot_layers,
        caption="Fisher trace I_t of each block, the shallowest on top, in up to three epochs: where IC is highest, "
        "after the transition, and at the end; mean over the finished seeds. Diamonds are each block's own information "
        "centroid. The paper does not say how it normalises: shares of a block's own information tell when it lies, "
        "shares of all information at t tell which block holds it. A gap is a block without information.",
    ),
)
