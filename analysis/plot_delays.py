"""Figures of learnt delays and learnt structure (Mészáros et al. 2024, Fig. 3): by sparsity, and by epoch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from analysis.colours import BAND, BASE_AXIS, BASE_LAYOUT, OKABE_ITO, Shade, dark_twins, faded, shades_of
from analysis.delays import FIXED, PROTOCOLS, SPARSITY, VARIANT, delay_accuracies, delay_contexts, variant_text
from analysis.fields import label_of, rows_of
from analysis.panels import menu_of
from analysis.plot_pruning import halvings, percent_text
from analysis.results import Results
from analysis.rewiring import rounding_gaps, synapse_drifts
from analysis.small_panels import grid_of, panels_by

if TYPE_CHECKING:
    import plotly.graph_objects as go

DASHES = ("dash", "solid", "dot", "dashdot", "longdash")
MENU = 24
ASIDE = 0.15
"""Room beyond the first and the last sparsity, in halvings."""
DRIFTS = {
    "grown": "synapses grown in the epoch (share)", "survived": "synapses kept from the start (share)",
    "excitatory": "excitatory synapses (share)", "shift": "mean shift of delays (timesteps)",
    "delay_entropy": "entropy of delays (bits)", "empty": "neurons without a synapse (share)",
}  # fmt: skip
"""Columns of `synapse_drifts` that are drawn, with the titles of their panels."""


class VariantLook(NamedTuple):
    """How a variant is drawn: its colour tells structure, its dash delays."""

    shade: Shade
    dash: str


def looks_of_variants(variants: Sequence[tuple[str, str]]) -> dict[tuple[str, str], VariantLook]:
    """Return variants (delays, structure) in order, fixed before learnt, with their looks."""
    delays, structures = ([FIXED, *sorted({v[i] for v in variants} - {FIXED})] for i in (0, 1))
    return {
        (delay, structure): VariantLook(
            Shade(*OKABE_ITO[structures.index(structure) % len(OKABE_ITO)]), DASHES[delays.index(delay) % len(DASHES)]
        )
        for structure in structures
        for delay in delays
        if (delay, structure) in variants
    }


def accuracy_by_density(results: Results) -> "go.Figure":
    """Draw test accuracy against sparsity, on an axis of halvings of the synapses; a line per variant (Fig. 3).

    A panel per context; the menu has the protocols.
    """
    table, by = delay_accuracies(results), delay_contexts(results)
    looks = looks_of_variants(table.select(*VARIANT).unique().rows())
    panels = panels_by(table, by)
    figure = grid_of(panels, by, [look.shade for look in looks.values()], "sparsity (%)", "test accuracy (fraction)")
    owners: list[int] = []
    for number, protocol in enumerate(PROTOCOLS):
        named: set[tuple[str, str]] = set()
        for panel in panels:
            own = rows_of(table.filter(pl.col("protocol") == protocol), by, panel.setting)
            for variant, look in looks.items():
                rows = rows_of(own, VARIANT, variant)
                if rows.is_empty():
                    continue
                told = [[percent_text(share), n] for share, n in rows.select(SPARSITY, "n").iter_rows()]
                ends = rows.select("test_acc", low="test_acc_low", high="test_acc_high")
                for trace in _line(
                    halvings(rows[SPARSITY].to_list()), ends, variant_text(*variant), look, told,
                    first=variant not in named, marked=True,
                    hover="sparsity %{customdata[0]} %: %{y:.3f} (mean of %{customdata[1]})",
                ):  # fmt: skip
                    figure.add_trace(trace.update(visible=number == 0), **panel.place)
                    owners.append(number)
                named.add(variant)
    for panel in panels:
        own = rows_of(table, by, panel.setting)
        labels = {percent_text(share): share for share in own[SPARSITY].unique().sort()}
        ticks = halvings(list(labels.values()))
        figure.update_xaxes(
            tickvals=ticks, ticktext=list(labels), range=[ticks[0] - ASIDE, ticks[-1] + ASIDE], **panel.place
        )
    if owners:
        _add_menu(figure, [f"test accuracy: {protocol}" for protocol in PROTOCOLS], owners)
    return figure


def drifts_by_epoch(results: Results, layer: str = "hidden") -> "go.Figure":
    """Draw how a layer's synapses and delays move in training, a line per variant; the menu has the sparsities.

    Shown first is the sparsest.
    """
    from plotly.subplots import make_subplots

    table = synapse_drifts(results).filter(pl.col("layer") == layer).collect()
    by = list(delay_contexts(results))
    settings = table.select(*by, SPARSITY).unique().sort(*by, SPARSITY, descending=[False] * len(by) + [True]).rows()
    looks = looks_of_variants(table.select(*VARIANT).unique().rows())
    across = 3
    figure = make_subplots(
        rows=2, cols=across, horizontal_spacing=0.08, vertical_spacing=0.2, subplot_titles=list(DRIFTS.values())
    )
    owners: list[int] = []
    for number, setting in enumerate(settings[:MENU]):
        own = rows_of(table, [*by, SPARSITY], setting)
        for variant, look in looks.items():
            rows = rows_of(own, VARIANT, variant).sort("epoch")
            for place, column in enumerate(DRIFTS) if rows.height else ():
                ends = _around(rows, column)
                for trace in _line(
                    rows["epoch"].to_list(), ends, variant_text(*variant), look, rows["n"].to_list(), first=place == 0,
                    hover="epoch %{x}: %{y:.3g} (mean of %{customdata})",
                ):  # fmt: skip
                    row, column_at = place // across + 1, place % across + 1
                    figure.add_trace(trace.update(visible=number == 0), row=row, col=column_at)
                    owners.append(number)
    _lay_out(figure, [look.shade for look in looks.values()], height=640)
    figure.update_xaxes(title="epoch", row=2)
    figure.update_yaxes(rangemode="tozero")
    if owners:
        _add_menu(figure, [label_of(dict(zip([*by, SPARSITY], s, strict=True))) for s in settings[:MENU]], owners)
    return figure


def gap_by_epoch(results: Results) -> "go.Figure":
    """Draw the validation accuracy that rounding learnt delays costs, against epoch; a line per sparsity."""
    table, by = rounding_gaps(results).collect(), [*delay_contexts(results), *VARIANT]
    sparsities = table[SPARSITY].unique().sort().to_list()
    shades = dict(zip(sparsities, shades_of(sparsities), strict=True))
    panels = panels_by(table, by)
    figure = grid_of(panels, by, list(shades.values()), "epoch", "lost by rounding (points)")
    named: set[float] = set()
    for panel in panels:
        own = rows_of(table, by, panel.setting)
        for sparsity, shade in shades.items():
            rows = own.filter(pl.col(SPARSITY) == sparsity).sort("epoch")
            if rows.is_empty():
                continue
            ends = _around(rows, "gap")
            told = [list(pair) for pair in rows.select("sigma", "n").iter_rows()]
            for trace in _line(
                rows["epoch"].to_list(), ends, f"{percent_text(sparsity)} %", VariantLook(shade, "solid"), told,
                first=sparsity not in named,
                hover="epoch %{x}: %{y:.1f} points (spread %{customdata[0]:.2f}, mean of %{customdata[1]})",
            ):  # fmt: skip
                figure.add_trace(trace, **panel.place)
            named.add(sparsity)
    figure.update_layout(legend={"title": {"text": "sparsity  "}})
    return figure


def _around(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return a column of means over seeds with the ends of ± one standard error."""
    se = pl.col(f"{column}_se")
    return rows.select(column, low=pl.col(column) - se, high=pl.col(column) + se)


def _line(
    x: Sequence[float], ends: pl.DataFrame, name: str, look: VariantLook, told: Sequence[Any], *, first: bool,
    hover: str, marked: bool = False,
) -> list["go.Scatter"]:  # fmt: skip
    """Return the band (without an interval none) and the line of a frame with a value, its low and its high end."""
    import plotly.graph_objects as go

    value = ends.columns[0]
    known = [(at, *ends_at) for at, ends_at in zip(x, ends.select("low", "high").iter_rows(), strict=True)]
    known = [point for point in known if point[1] is not None]
    band = go.Scatter(
        x=[p[0] for p in known] + [p[0] for p in reversed(known)],
        y=[p[2] for p in known] + [p[1] for p in reversed(known)], fill="toself",
        fillcolor=faded(look.shade.light, BAND), line={"width": 0}, hoverinfo="skip", showlegend=False,
        meta={"role": "band"}, mode="lines", legendgroup=name,
    )  # fmt: skip
    line = go.Scatter(
        x=list(x), y=ends[value].to_list(), name=name, showlegend=first, customdata=list(told), meta={"role": "mean"},
        line={"width": 2.2, "color": look.shade.light, "dash": look.dash},
        hovertemplate=f"{name}<br>{hover}<extra></extra>", mode="lines+markers" if marked else "lines",
        marker={"size": 6}, legendgroup=name,
    )  # fmt: skip
    return [band, line] if known else [line]


def _lay_out(figure: "go.Figure", shades: Sequence[Shade], height: int) -> None:
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins(shades)}, height=height, hovermode="closest",
        margin={"l": 52, "r": 12, "t": 64, "b": 48},
        legend={"orientation": "h", "x": 0, "y": 1 + 30 / (height - 112), "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_xaxes(**BASE_AXIS, rangemode="tozero")
    figure.update_yaxes(**BASE_AXIS)


def _add_menu(figure: "go.Figure", labels: Sequence[str], owners: Sequence[int]) -> None:
    """Add a menu above the legend."""
    top, height = figure.layout.margin.t, figure.layout.height  # type: ignore[union-attr]
    above = 48
    figure.update_layout(margin={"t": top + above})
    plot = height - top - (figure.layout.margin.b or 0)  # type: ignore[union-attr]
    figure.update_layout(height=height + above, updatemenus=[menu_of(labels, owners, y=1 + (top + above - 8) / plot)])
