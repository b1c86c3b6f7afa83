"""Figures of pruning (Kim et al. 2023, Fig. 6 and 7): accuracy by sparsity, the time saved, which layers go."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from analysis.colours import BASE_LAYOUT, GUIDE, OKABE_ITO, Shade, dark_twins, shades_of
from analysis.fields import label_of, rows_of
from analysis.panels import menu_of
from analysis.pruning import layer_sparsities, pruning_contexts, pruning_table
from analysis.results import Results
from analysis.small_panels import Panel, error_bars, grid_of, panels_by

if TYPE_CHECKING:
    import plotly.graph_objects as go

MENU = 24
"""Settings in the menu of layers."""
ASIDE = 0.06
"""Distance between lines at a sparsity, in halvings of the weights, so that their bars do not hide each other."""
CLOSE = 0.003
"""Percentage points by which a label may miss the sparsity it stands for before it needs no more digits."""
MEASURED = Shade(*OKABE_ITO[0])


def accuracy_by_sparsity(results: Results) -> "go.Figure":
    """Draw test accuracy against sparsity, a line per T_retrain and a panel per network (Fig. 7); dotted: unpruned."""
    table, by = pruning_table(results), pruning_contexts(results)
    retrained = table.filter(pl.col("cycle") > 0)
    values = retrained["retrain_timesteps"].unique().sort().to_list()
    shades = dict(zip(values, shades_of(values), strict=True))
    panels = panels_by(retrained, by)
    figure = grid_of(panels, by, list(shades.values()), "sparsity (%)", "test accuracy (fraction)")
    named: set[int] = set()
    for panel in panels:
        own = rows_of(retrained, by, panel.setting)
        for number, (timesteps, shade) in enumerate(shades.items()):
            rows = own.filter(pl.col("retrain_timesteps") == timesteps)
            if rows.height:
                aside = ASIDE * (number - (len(shades) - 1) / 2)
                figure.add_trace(_line(rows, timesteps, shade, aside, first=timesteps not in named), **panel.place)
                named.add(timesteps)
        _mark_unpruned(figure, rows_of(table, by, panel.setting), panel)
        _label_sparsities(figure, own, panel)
    figure.update_layout(legend={"title": {"text": "T<sub>retrain</sub>  "}})
    return figure


def savings(results: Results) -> "go.Figure":
    """Draw the training time saved against T_retrain: measured with 95 % intervals, and as the formula predicts it."""
    import plotly.graph_objects as go

    table, by = pruning_table(results), pruning_contexts(results)
    setting = [*by, "retrain_timesteps"]
    last = table.filter(pl.col("cycle") == pl.col("cycle").max().over(setting)).filter(
        pl.col("retrain_timesteps") < pl.col("timesteps")
    )
    panels = panels_by(last, by)
    figure = grid_of(panels, by, [MEASURED], "T<sub>retrain</sub> (timesteps)", "training time saved (%)")
    for panel in panels:
        rows = rows_of(last, by, panel.setting).with_columns(pl.col("^(predicted|measured).*$") * 100)
        first = panel is panels[0]
        timesteps = rows["retrain_timesteps"].to_list()
        figure.add_trace(
            go.Scatter(
                x=timesteps, y=rows["predicted"].to_list(), name="predicted", legendgroup="predicted",
                showlegend=first, mode="lines+markers", line={"color": GUIDE, "width": 1.5, "dash": "dot"},
                marker={"symbol": "line-ew-open", "size": 22, "color": GUIDE}, meta={"role": "guide"},
                hovertemplate="T<sub>retrain</sub> = %{x}: %{y:.1f} % predicted<extra></extra>",
            ),
            **panel.place,
        )  # fmt: skip
        known = rows.drop_nulls("measured")
        figure.add_trace(
            go.Scatter(
                x=known["retrain_timesteps"].to_list(), y=known["measured"].to_list(), name="measured",
                legendgroup="measured", showlegend=first, mode="markers",
                marker={"size": 9, "color": MEASURED.light}, error_y=error_bars(known, "measured", MEASURED.light),
                customdata=known["n_clocked"].to_list(), meta={"role": "mean"},
                hovertemplate="T<sub>retrain</sub> = %{x}: %{y:.1f} % measured (mean of %{customdata} pairs)"
                "<extra></extra>",
            ),
            **panel.place,
        )  # fmt: skip
        figure.update_xaxes(tickvals=timesteps, range=[min(timesteps) - 0.5, max(timesteps) + 0.5], **panel.place)
    figure.update_yaxes(rangemode="tozero")
    return figure


def layer_map(results: Results) -> "go.Figure":
    """Draw the share of each layer's weights that is pruned after each cycle; a menu of networks and T_retrain."""
    import plotly.graph_objects as go

    table = layer_sparsities(results).filter(pl.col("cycle") > 0)
    by = [*pruning_contexts(results), "retrain_timesteps"]
    settings = table.select(*by).unique(maintain_order=True).rows()[:MENU]
    figure, depth = go.Figure(), 0
    for number, setting in enumerate(settings):
        grid = rows_of(table, by, setting).pivot(on="cycle", index="layer", values="sparsity", maintain_order=True)
        depth = max(depth, grid.height)
        cells = grid.drop("layer")
        figure.add_trace(
            go.Heatmap(
                x=cells.columns, y=grid["layer"].to_list(), z=[[100 * v for v in row] for row in cells.iter_rows()],
                zmin=0, zmax=100, colorscale="Viridis", texttemplate="%{z:.1f}", visible=number == 0, xgap=2, ygap=1,
                colorbar={"title": {"text": "% pruned"}, "thickness": 12, "outlinewidth": 0}, meta={"role": "map"},
                hovertemplate="%{y}, cycle %{x}: %{z:.2f} % pruned<extra></extra>",
            )
        )  # fmt: skip
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins(())}, height=140 + 24 * max(depth, 6),
        margin={"l": 12, "r": 12, "t": 60, "b": 48},
    )  # fmt: skip
    figure.update_xaxes(title="pruning cycle", type="category", showgrid=False)
    figure.update_yaxes(type="category", showgrid=False, autorange="reversed", automargin=True)
    if len(settings) > 1:
        labels = [
            ", ".join(
                filter(None, (label_of(dict(zip(by[:-1], setting[:-1], strict=True))), f"T_retrain {setting[-1]}"))
            )
            for setting in settings
        ]
        figure.update_layout(updatemenus=[menu_of(labels, range(len(labels)), y=1 + 48 / (32 + 24 * max(depth, 6)))])
    return figure


def percent_text(sparsity: float) -> str:
    """Return a sparsity in percent as the paper writes it: 50, 87.5, 93.75, and 96.9 for 31/32."""
    percent = 100 * sparsity
    short = (text for digits in (0, 1, 2) if abs(float(text := f"{percent:.{digits}f}") - percent) < CLOSE)
    return next(short, f"{percent:.1f}")


def halvings(sparsity: Sequence[float]) -> list[float]:
    """Return how often the weights were halved to reach each sparsity: cycles of the paper, evenly apart."""
    return [-math.log2(max(1 - share, 1e-9)) for share in sparsity]


def _line(rows: pl.DataFrame, timesteps: int, shade: Shade, aside: float, *, first: bool) -> "go.Scatter":
    import plotly.graph_objects as go

    sparsity = rows["sparsity"].to_list()
    told = [[percent_text(share), n] for share, n in zip(sparsity, rows["n"], strict=True)]
    return go.Scatter(
        x=[x + aside for x in halvings(sparsity)], y=rows["test_acc"].to_list(), name=str(timesteps),
        legendgroup=str(timesteps), showlegend=first, mode="lines+markers", line={"width": 2.2, "color": shade.light},
        marker={"size": 6}, error_y=error_bars(rows, "test_acc", shade.light), customdata=told, meta={"role": "mean"},
        hovertemplate=f"T<sub>retrain</sub> = {timesteps}, sparsity %{{customdata[0]}} %: %{{y:.3f}} "
        "(mean of %{customdata[1]})<extra></extra>",
    )  # fmt: skip


def _mark_unpruned(figure: "go.Figure", own: pl.DataFrame, panel: Panel) -> None:
    first = own.filter(pl.col("cycle") == 0)["test_acc"]
    if first.len():
        dots = {"color": GUIDE, "width": 1, "dash": "dot"}
        figure.add_hline(y=first.mean(), line=dots, layer="below", **panel.place)  # type: ignore[arg-type]


def _label_sparsities(figure: "go.Figure", own: pl.DataFrame, panel: Panel) -> None:
    labels = {percent_text(share): share for share in own["sparsity"].sort()}
    figure.update_xaxes(tickvals=halvings(list(labels.values())), ticktext=list(labels), **panel.place)
