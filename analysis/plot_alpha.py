"""What α does to the Fisher trace, the training loss and the accuracy (Kim et al. 2023, Fig. 5)."""

from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.alpha import ALPHA, alpha_contexts, alpha_trials, alphas_of, fisher_over_t
from analysis.colours import BAND, BASE_AXIS, BASE_LAYOUT, Shade, dark_twins, faded, shades_of
from analysis.curves import mean_curves
from analysis.fields import label_of, rows_of, text_of
from analysis.panels import menu_of, step_ticks
from analysis.results import Results
from analysis.sections import Section

if TYPE_CHECKING:
    import plotly.graph_objects as go

MENU = 24
"""Contexts in the menu."""
TITLES = ("I<sub>t</sub> after training", "training loss (nats)", "accuracy (fraction)")
HOVER = (
    "t = %{x}: I<sub>t</sub> %{y:.3g}",
    "epoch %{x}: loss over horizons %{y:.3g}",
    "epoch %{x}: accuracy %{y:.3f}",
)


def plot_alpha(results: Results) -> "go.Figure":
    """Draw, a line per α: I_t against t after training, the loss that α holds against epoch, accuracy against epoch.

    The loss is the mean over horizons of the cross-entropy (L_t of Eq. 8); a dotted line marks α. Lines are means over
    seeds, geometric ones of I_t; bands ± standard error. A menu holds the contexts.
    """
    from plotly.subplots import make_subplots

    part, contexts, alphas = alpha_trials(results), alpha_contexts(results), alphas_of(results)
    shades = dict(zip(alphas, shades_of(alphas), strict=True))
    by = [*contexts, ALPHA]
    curves = _curves(part, by)
    groups = part.trials.select(*contexts).unique().sort(*contexts).collect().rows()[:MENU] if contexts else [()]
    figure = make_subplots(rows=1, cols=3, horizontal_spacing=0.08, subplot_titles=TITLES)
    owners: list[int] = []
    for number, group in enumerate(groups):
        for alpha in alphas:
            for panel, frame in enumerate(curves):
                rows = rows_of(frame, by, (*group, alpha))
                for trace in _traces(rows, panel, alpha, shades[alpha]):
                    figure.add_trace(trace.update(visible=number == 0), row=1, col=panel + 1)
                    owners.append(number)
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins(shades.values())}, height=440, hovermode="closest",
        margin={"l": 56, "r": 12, "t": 116, "b": 48},
        legend={
            "title": {"text": "α (nats)  "}, "orientation": "h", "x": 1, "xanchor": "right", "y": 1.16,
            "yanchor": "bottom",
        },
    )  # fmt: skip
    figure.update_xaxes(**BASE_AXIS, title="epoch", rangemode="tozero")
    last = max(curves[0]["x"].to_list(), default=1)
    figure.update_xaxes(title="timestep t", tickformat="d", dtick=step_ticks(last), rangemode="normal", col=1)
    figure.update_yaxes(**BASE_AXIS)
    for col in (1, 2):
        figure.update_yaxes(type="log", exponentformat="power", nticks=7, tickfont={"size": 11}, col=col)
    figure.update_yaxes(range=[0, 1], col=3)
    if len(groups) > 1:
        labels = [label_of(dict(zip(contexts, group, strict=True))) for group in groups]
        figure.update_layout(updatemenus=[menu_of(labels, owners, y=1.36)])
    return figure


def _curves(part: Results, by: list[str]) -> list[pl.DataFrame]:
    """Return, per panel, by, x, y, low, high and n."""
    over_t = fisher_over_t(part.fisher, part.trials, by).select(
        *by, x="t", y="fisher_trace", low="fisher_trace_low", high="fisher_trace_high", n="n"
    )
    by_epoch = [
        mean_curves(part.epochs, part.trials, by, column).select(*by, "low", "high", "n", x="epoch", y="mean")
        for column in ("train_loss_over_t", "val_acc")
    ]
    return [frame.collect() for frame in (over_t, *by_epoch)]


def _traces(rows: pl.DataFrame, panel: int, alpha: float, shade: Shade) -> list["go.Scatter"]:
    """Return a panel's band and line for one α, and for the loss the dotted line at α; none without rows."""
    import plotly.graph_objects as go

    if rows.is_empty():
        return []
    name, x = text_of(alpha), rows["x"].to_list()
    group: dict[str, Any] = {"legendgroup": name, "showlegend": False, "mode": "lines"}
    known = rows.drop_nulls(["low", "high"])
    if panel < 2:  # noqa: PLR2004 - a logarithmic axis
        known = known.filter(pl.col("low") > 0)
    inside = known["x"].to_list()
    band = go.Scatter(
        x=inside + inside[::-1], y=known["high"].to_list() + known["low"].to_list()[::-1], fill="toself",
        fillcolor=faded(shade.light, BAND), line={"width": 0}, hoverinfo="skip", meta={"role": "band"}, **group,
    )  # fmt: skip
    drawn = go.Scatter(
        x=x, y=rows["y"].to_list(), customdata=rows["n"].to_list(), name=name, meta={"role": "mean"},
        line={"width": 2.2, "color": shade.light}, **group | {"showlegend": panel == 0},
        hovertemplate=f"α = {name}<br>{HOVER[panel]} (mean of %{{customdata}})<extra></extra>",
    )  # fmt: skip
    if panel != 1 or alpha <= 0:
        return [band, drawn]
    level = go.Scatter(
        x=[min(x), max(x)], y=[alpha, alpha], line={"width": 1.5, "color": shade.light, "dash": "dot"},
        hovertemplate=f"α = {name}<extra></extra>", meta={"role": "guide"}, **group,
    )  # fmt: skip
    return [band, drawn, level]


ALPHA_SECTIONS = (
    Section(
        id="alpha",
        title="What does holding the loss at α do?",
        tables=("epochs",),
        caption="One line per α: the Fisher trace at each horizon after training, the training loss (cross-entropy, "
        "mean over all horizons) with a dotted line at α, and the validation accuracy (Kim et al. 2023, Fig. 5). Lines "
        "are means over seeds, bands ± standard error.",
        figure=plot_alpha,
    ),
)
