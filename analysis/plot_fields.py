"""Figures of receptive fields (Mészáros et al. 2024, Fig. 1B and C): the best before and after training, and all I."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.colours import BASE_AXIS, BASE_LAYOUT, GUIDE, OKABE_ITO, Shade, dark_twins
from analysis.delays import VARIANT, variant_text
from analysis.field_examples import BestField, FieldExample, field_examples
from analysis.fields import label_of
from analysis.panels import menu_of
from analysis.plot_pruning import percent_text
from analysis.results import Results

if TYPE_CHECKING:
    import plotly.graph_objects as go

MENU = 12
"""Variants in the menu."""
BINS = 24
ROW, TOP, BOTTOM = 270, 108, 52
"""Heights of a row of panels and of the margins, in pixels."""
GAP = 0.24
"""Between the rows, in heights of a row."""
SIGNED = [[0.0, OKABE_ITO[0][0]], [0.5, "rgba(128, 128, 128, 0.06)"], [1.0, OKABE_ITO[1][0]]]
"""Inhibition blue, excitation orange, and where there is no synapse the page, light or dark."""
BEFORE, AFTER = Shade(*OKABE_ITO[5]), Shade(*OKABE_ITO[2])


def best_fields(results: Results) -> "go.Figure":
    """Draw the receptive field with the largest I before and after training, and I of all; dense above, sparse below.

    The menu has the variants.
    """
    from plotly.subplots import make_subplots

    variants = list(field_examples(results))[:MENU]
    rows = max((len(examples) for _, examples in variants), default=1)
    figure = make_subplots(
        rows=rows, cols=3, column_widths=[0.3, 0.3, 0.4], horizontal_spacing=0.08, vertical_spacing=GAP / rows
    )
    owners: list[int] = []
    looks = []
    for number, (_, examples) in enumerate(variants):
        titles = []
        for row, example in enumerate(examples, start=1):
            for column, trace in _traces(example, first=row == 1):
                figure.add_trace(trace.update(visible=number == 0), row=row, col=column)
                owners.append(number)
            titles += _titles(example, row)
        looks.append({"annotations": titles})
    plot = ROW * rows
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins((BEFORE, AFTER))}, height=plot + TOP + BOTTOM, barmode="overlay",
        bargap=0.02, margin={"l": 52, "r": 12, "t": TOP, "b": BOTTOM}, hovermode="closest",
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1 + 44 / plot, "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_xaxes(**BASE_AXIS)
    figure.update_yaxes(**BASE_AXIS)
    for column in (1, 2):
        figure.update_xaxes(title="delay (timesteps)", row=rows, col=column)
        figure.update_xaxes(showgrid=False, col=column)
        figure.update_yaxes(showgrid=False, col=column)
    figure.update_yaxes(title="input channel", col=1)
    figure.update_xaxes(title="Moran's I", row=rows, col=3)
    figure.update_yaxes(title="share of the fields", rangemode="tozero", col=3)
    if looks:
        figure.update_layout(looks[0])
    if len(variants) > 1:
        labels = [_label(setting) for setting, _ in variants]
        figure.update_layout(updatemenus=[menu_of(labels, owners, looks, y=1 + (TOP - 4) / plot)])
    return figure


def binned(example: FieldExample) -> tuple[list[float], list[float], list[float]]:
    """Return the middles of the bins of I, and the share of the fields in each, before and after training."""
    edges = np.histogram_bin_edges([*example.i_before, *example.i_after], bins=BINS)
    before, after = (
        (np.histogram(values, edges)[0] / max(len(values), 1)).tolist()
        for values in (example.i_before, example.i_after)
    )
    return ((edges[1:] + edges[:-1]) / 2).tolist(), before, after


def _label(setting: dict[str, Any]) -> str:
    context = label_of({path: value for path, value in setting.items() if path not in VARIANT})
    return ", ".join(filter(None, (context, variant_text(setting["delays"], setting["structure"]))))


def _traces(example: FieldExample, *, first: bool) -> Sequence[tuple[int, Any]]:
    import plotly.graph_objects as go

    middles, before, after = binned(example)
    shares = ((before, "untrained", BEFORE), (after, "trained", AFTER))
    top = max([*before, *after], default=1.0)
    bars = [
        (3, go.Bar(
            x=middles, y=heights, name=name, legendgroup=name, showlegend=first, marker={"color": shade.light},
            opacity=0.6, meta={"role": "bar"},
            hovertemplate=f"{name}: I about %{{x:.3f}}, %{{y:.1%}} of the fields<extra></extra>",
        ))
        for heights, name, shade in shares
    ]  # fmt: skip
    band = go.Scatter(
        x=[example.band] * 2, y=[0, top], mode="lines", line={"color": GUIDE, "width": 1.5, "dash": "dot"},
        name="95 % of shuffled weights", legendgroup="null", showlegend=first, meta={"role": "guide"},
        hovertemplate="95 % of shuffled weights lie below I = %{x:.3f}<extra></extra>",
    )  # fmt: skip
    return [(1, _map(example.before)), (2, _map(example.after)), *bars, (3, band)]


def _map(field: BestField) -> "go.Heatmap":
    import plotly.graph_objects as go

    reach = float(np.abs(field.weights_HW).max()) or 1.0
    return go.Heatmap(
        z=field.weights_HW.tolist(), zmin=-reach, zmax=reach, colorscale=SIGNED, showscale=False, meta={"role": "map"},
        hovertemplate="input %{y}, delay %{x}: weight %{z:.3g}<extra></extra>",
    )  # fmt: skip


def _titles(example: FieldExample, row: int) -> list[dict[str, Any]]:
    """Return the titles of a row's panels."""
    told = (
        f"<b>sparsity {percent_text(example.sparsity)} %</b>, untrained: I = {example.before.i:.3f}",
        f"epoch {example.after.epoch}: I = {example.after.i:.3f}",
        f"all {len(example.i_before)} fields before, {len(example.i_after)} after",
    )
    place = {"x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom", "showarrow": False}
    axes = [str(3 * (row - 1) + column) if row > 1 or column > 1 else "" for column in (1, 2, 3)]
    return [
        place | {"text": text, "xref": f"x{axis} domain", "yref": f"y{axis} domain"}
        for text, axis in zip(told, axes, strict=True)
    ]
