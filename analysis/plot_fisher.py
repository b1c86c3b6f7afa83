"""The Fisher trace over time at a few epochs (Kim et al. 2023, Fig. 1): where in time the information lies."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import BASE_AXIS, BASE_LAYOUT, OKABE_ITO, Shade, dark_twins
from analysis.curves import TOLD_APART, counted_trials
from analysis.fields import label_of, rows_of
from analysis.layers import first_training
from analysis.panels import menu_of, step_ticks
from analysis.results import Results
from analysis.transitions import over_seeds, tic_transitions

if TYPE_CHECKING:
    import plotly.graph_objects as go

PANELS = 4
ACROSS = 2
BAR = Shade(*OKABE_ITO[0])
LINE = Shade(*OKABE_ITO[1])
HOVER = "t = %{x}: %{y:.1%} of the information<br>mean I<sub>t</sub> %{customdata:.3g}<extra></extra>"
MENU = 24
"""Settings in the menu; of more, those that turned first."""
TOP, BOTTOM = 84, 48
"""Margins above and below the panels, in pixels."""
MENU_ABOVE = 78
"""Pixels from the panels up to the menu's upper edge: the panels' titles lie between."""


def fisher_shares(results: Results, by: Sequence[str]) -> pl.LazyFrame:
    """Return, per setting, epoch and t, the share of the information at t, I_t and IC, over seeds.

    Columns: ``by``, epoch, t, n; share (mean of ``I_t / Σ I_t``) and its standard deviation sd, null for a single
    seed; fisher_trace and ic (means, ic in timesteps). Shares are taken per trial before averaging, so that no seed
    counts more because its gradients are larger. Trials and epochs are chosen as in `mean_curves`, epochs of pruning
    left out.
    """
    share = pl.col("fisher_trace") / pl.col("fisher_trace").sum().over("key", "epoch")
    return (
        first_training(results.fisher.filter(pl.col("level") == "model"), results.trials)
        .join(counted_trials(results.trials, by), on="key")
        .with_columns(share=share)
        .filter(pl.col("share").is_finite().all().over("key", "epoch"))
        .with_columns(
            ic=(pl.col("t") * pl.col("share")).sum().over("key", "epoch"), seeds=pl.col("key").n_unique().over(*by)
        )
        .group_by(*by, "epoch", "t")
        .agg(
            pl.col("seeds").first(), n=pl.len(), share=pl.col("share").mean(), sd=pl.col("share").std(),
            fisher_trace=pl.col("fisher_trace").mean(), ic=pl.col("ic").mean(),
        )
        .filter(pl.col("n") == pl.col("seeds"))
        .drop("seeds")
        .sort(*by, "epoch", "t")
    )  # fmt: skip


def fisher_bars(results: Results, epochs: Sequence[int] | None = None) -> "go.Figure":
    """Draw the share of Fisher information at each timestep in four epochs, IC as a dotted line.

    Shown first is the setting whose IC turned first; a menu holds the others.

    Args:
        results: what to draw.
        epochs: up to four epochs; by default the first, that of the highest IC, that of the transition, and the last.
    """
    from plotly.subplots import make_subplots

    by = list(results.settings)
    shares = fisher_shares(results, by).filter(pl.col("t").max().over(by) > 1).collect()
    settings = by_transition(results, by, shares)[:MENU]
    parts = [rows_of(shares, by, setting) for setting, _ in settings]
    chosen = [
        list(epochs)[:PANELS] if epochs is not None else telling_epochs(own, turned)
        for own, (_, turned) in zip(parts, settings, strict=True)
    ]
    rows = 2 if max(map(len, chosen), default=PANELS) > ACROSS else 1
    figure = make_subplots(
        rows=rows, cols=ACROSS, shared_xaxes=True, shared_yaxes=True, horizontal_spacing=0.05, vertical_spacing=0.14
    )
    looks = [
        _add_setting(figure, own, own_epochs, rows * ACROSS, visible=number == 0)
        for number, (own, own_epochs) in enumerate(zip(parts, chosen, strict=True))
    ]
    _lay_out(figure, rows, _highest(figure))
    if looks:
        figure.update_layout(looks[0])
    if len(settings) > 1:
        labels = [label_of(dict(zip(by, setting, strict=True))) for setting, _ in settings]
        owners = [trace // (rows * ACROSS) for trace in range(len(settings) * rows * ACROSS)]
        figure.update_layout(updatemenus=[menu_of(labels, owners, looks, y=1 + MENU_ABOVE / _plot_height(rows))])
    return figure


def by_transition(results: Results, by: list[str], shares: pl.DataFrame) -> list[tuple[tuple[Any, ...], float | None]]:
    """Return the settings with Fisher rows and their transition epochs, those that turned first at the front."""
    when = pl.coalesce("transition_mean", "transition_median")
    table = over_seeds(tic_transitions(results.epochs, results.trials), by).select(*by, when=when).collect()
    known = table.join(shares.select(*by).unique(), on=by, how="semi", nulls_equal=True)
    return [(tuple(row[:-1]), row[-1]) for row in known.sort("when", nulls_last=True, maintain_order=True).rows()]


def telling_epochs(own: pl.DataFrame, turned: float | None, count: int = PANELS) -> list[int]:
    """Return the first epoch, that of the highest IC, the first after the transition and the last; spread to ``count``.

    Where only three are asked for, as in Fig. 3, the first gives way.
    """
    ic = own.group_by("epoch").agg(pl.col("ic").first().round(TOLD_APART)).sort("epoch")
    epochs = ic["epoch"].to_list()
    highest = ic.sort("ic", descending=True, maintain_order=True)["epoch"][0]
    after = [epoch for epoch in epochs if turned is not None and epoch >= turned]
    first = epochs[:1] if count >= PANELS else []
    chosen = {*first, highest, *after[:1], epochs[-1]}
    spread = [epochs[round(i * (len(epochs) - 1) / (count - 1))] for i in range(count)]
    for epoch in spread:
        if len(chosen) < count:
            chosen.add(epoch)
    return sorted(chosen)


def _add_setting(
    figure: "go.Figure", own: pl.DataFrame, epochs: Sequence[int], panels: int, *, visible: bool
) -> dict[str, Any]:
    """Add a setting's panels; return the lines, titles and axes of time that go with them."""
    import plotly.graph_objects as go

    shapes, annotations = [], []
    for panel in range(panels):
        rows = own.filter(pl.col("epoch") == epochs[panel]) if panel < len(epochs) else own.clear()
        figure.add_trace(
            go.Bar(
                x=rows["t"].to_list(), y=rows["share"].to_list(), visible=visible, showlegend=False,
                customdata=rows["fisher_trace"].to_list(), marker={"color": BAR.light},
                error_y={"array": rows["sd"].fill_null(0.0).to_list(), "thickness": 1.2, "width": 3, "color": "#888"},
                meta={"role": "bar"},
                hovertemplate=HOVER,
            ),
            row=panel // ACROSS + 1, col=panel % ACROSS + 1,
        )  # fmt: skip
        axis = "" if panel == 0 else str(panel + 1)
        if rows.is_empty():
            continue
        ic = rows["ic"][0]
        shapes.append({
            "type": "line", "xref": f"x{axis}", "yref": f"y{axis} domain", "x0": ic, "x1": ic, "y0": 0, "y1": 1,
            "line": {"color": LINE.light, "width": 2, "dash": "dot"},
        })  # fmt: skip
        annotations.append({
            "xref": f"x{axis} domain", "yref": f"y{axis} domain", "x": 0, "y": 1.02, "xanchor": "left",
            "yanchor": "bottom", "showarrow": False, "text": f"<b>epoch {epochs[panel]}</b>   IC {ic:.2f}",
        })  # fmt: skip
    timesteps = max(own["t"].to_list(), default=1)
    ticks = {"range": [0.4, timesteps + 0.6], "dtick": step_ticks(timesteps)}
    axes = {
        f"xaxis{panel or ''}.{key}": value for panel in (None, *range(2, panels + 1)) for key, value in ticks.items()
    }
    return {"shapes": shapes, "annotations": annotations} | axes


def _lay_out(figure: "go.Figure", rows: int, highest: float) -> None:
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins((BAR, LINE))}, bargap=0.15, height=_plot_height(rows) + TOP + BOTTOM,
        margin={"l": 64, "r": 12, "t": TOP, "b": BOTTOM},
    )  # fmt: skip
    figure.update_xaxes(**BASE_AXIS)
    figure.update_xaxes(showgrid=False)
    figure.update_xaxes(title="timestep t", row=rows)
    figure.update_yaxes(**BASE_AXIS, range=[0, highest])
    figure.update_yaxes(title="share I<sub>t</sub> / Σ I<sub>t</sub>", col=1)


def _plot_height(rows: int) -> int:
    """Return the height of what the margins enclose, in pixels."""
    return 388 if rows > 1 else 208


def _highest(figure: "go.Figure") -> float:
    """Return where the panels' common axis ends: above the tallest bar and its error bar."""
    tops = [y + sd for trace in figure.data for y, sd in zip(trace.y, trace.error_y.array, strict=True)]  # type: ignore[union-attr]
    return min(1.05 * max(tops, default=1.0), 1.05)
