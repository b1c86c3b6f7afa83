"""Accuracy against the strength of a corruption; the sections on robustness."""

from typing import TYPE_CHECKING

import polars as pl

from analysis.colours import BAND, BASE_AXIS, BASE_LAYOUT, Shade, dark_twins, faded
from analysis.comparison import comparison_of
from analysis.fields import rows_of
from analysis.panels import menu_of
from analysis.probe_texts import robustness_texts
from analysis.results import Results
from analysis.robustness import CORRUPTIONS, strength_curves
from analysis.sections import Section

if TYPE_CHECKING:
    import plotly.graph_objects as go

MENU = 24
"""Contexts in the menu."""
AXES = {"gaussian": "‖noise‖ / ‖image‖", "blur": "image shrunk by a factor of", "fgsm": "ε · 255", "pgd": "ε · 255"}
SCALES = {"fgsm": 255.0, "pgd": 255.0}
"""Factors from a strength to its axis: attacks are told in steps of an 8-bit pixel."""
WITHOUT = {"blur": 1.0}
"""Strength at which a corruption changes nothing; 0 for the others."""


def plot_strengths(results: Results) -> "go.Figure":
    """Draw test accuracy against the strength of each corruption after the last epoch measured, a line per setting.

    The first point is the accuracy without any; lines are means over seeds, bands ± standard error.
    """
    from plotly.subplots import make_subplots

    compared = comparison_of(results)
    curves = strength_curves(results.robustness, results.trials, compared.columns).collect()
    contexts = (
        curves.select(*compared.contexts).unique(maintain_order=True).rows()[:MENU] if compared.contexts else [()]
    )
    figure = make_subplots(
        rows=2, cols=2, shared_yaxes=True, horizontal_spacing=0.05, vertical_spacing=0.28,
        subplot_titles=list(CORRUPTIONS.values()),
    )  # fmt: skip
    owners: list[int] = []
    for number, context in enumerate(contexts):
        own = rows_of(curves, compared.contexts, context)
        for line, name in compared.names.items():
            rows = rows_of(own, compared.lines, line)
            measured = rows["corruption"].to_list()
            for panel, corruption in enumerate(CORRUPTIONS):
                part = rows.filter(pl.col("corruption") == corruption)
                for trace in _line(part, name, compared.shades[line], first=corruption in measured[:1]):
                    figure.add_trace(trace.update(visible=number == 0), row=panel // 2 + 1, col=panel % 2 + 1)
                    owners.append(number)
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins(compared.shades.values())}, height=660, hovermode="closest",
        showlegend=len(compared.names) > 1,
        margin={"l": 56, "r": 12, "t": 112, "b": 48},
        legend={
            "title": {"text": f"{compared.title}  " if compared.title else ""}, "orientation": "h", "x": 1,
            "xanchor": "right", "y": 1.12, "yanchor": "bottom",
        },
    )  # fmt: skip
    for panel, corruption in enumerate(CORRUPTIONS):
        title = {"text": AXES[corruption], "standoff": 6}
        figure.update_xaxes(**BASE_AXIS, title=title, row=panel // 2 + 1, col=panel % 2 + 1)
    figure.update_yaxes(**BASE_AXIS, range=[0, 1])
    figure.update_yaxes(title="test accuracy (fraction)", col=1)
    if len(contexts) > 1:
        figure.update_layout(updatemenus=[menu_of([compared.label(c) for c in contexts], owners, y=1.24)])
    return figure


def _line(part: pl.DataFrame, name: str, shade: Shade, *, first: bool) -> list["go.Scatter"]:
    """Return the band and the line of a setting and corruption, from no corruption on; none without rows."""
    import plotly.graph_objects as go

    if part.is_empty():
        return []
    corruption = part["corruption"][0]
    scale, without = SCALES.get(corruption, 1.0), WITHOUT.get(corruption, 0.0)
    points = [(s, y, se or 0.0) for s, y, se in part.select("strength", "accuracy", "accuracy_se").iter_rows()]
    if points[0][0] > without:
        points.insert(0, (without, part["clean_accuracy"][0], part["clean_accuracy_se"][0] or 0.0))
    x = [scale * strength for strength, _, _ in points]
    ends = [y + se for _, y, se in points] + [y - se for _, y, se in reversed(points)]
    band = go.Scatter(
        x=x + x[::-1], y=ends, fill="toself", fillcolor=faded(shade.light, BAND), line={"width": 0}, mode="lines",
        hoverinfo="skip", showlegend=False, legendgroup=name, meta={"role": "band"},
    )  # fmt: skip
    clean = part["clean_accuracy"][0]
    drawn = go.Scatter(
        x=x, y=[y for _, y, _ in points], customdata=[100 * (y - clean) for _, y, _ in points], name=name,
        mode="lines+markers", line={"width": 2.2, "color": shade.light}, marker={"size": 6}, legendgroup=name,
        showlegend=first, meta={"role": "mean"},
        hovertemplate=f"{name}, {CORRUPTIONS[corruption]}<br>{AXES[corruption]} %{{x:.3g}}: accuracy %{{y:.3f}} "
        f"(%{{customdata:+.1f}} points, mean of {part['n'][0]})<extra></extra>",
    )  # fmt: skip
    return [band, drawn]


ROBUSTNESS_SECTIONS = (
    Section(
        id="robustness",
        title="How much accuracy do corruptions and attacks cost?",
        tables=("robustness",),
        table=robustness_texts,
    ),
    Section(
        id="strengths",
        title="How does accuracy fall as corruptions grow?",
        tables=("robustness",),
        caption="Test accuracy against the strength of each corruption, after the last epoch measured. The first point "
        "of a line is the accuracy without any; lines are means over seeds, bands ± standard error.",
        figure=plot_strengths,
    ),
)
