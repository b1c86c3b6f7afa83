"""Two settings side by side (right columns of Kim et al. 2023, Fig. 4), and the sections on what settings change."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import BASE_AXIS, BASE_LAYOUT, TEXT, Shade, dark_twins
from analysis.comparison import Comparison, comparison_of
from analysis.curves import TOLD_APART
from analysis.fields import label_of, rows_of
from analysis.first_trainings import first_trainings
from analysis.panels import menu_of, step_ticks
from analysis.plot_fisher import HOVER, MENU, fisher_shares
from analysis.results import Results
from analysis.sections import Section
from analysis.setting_texts import difference_texts

if TYPE_CHECKING:
    import plotly.graph_objects as go

PANELS = 3
ROWS = 2
"""The settings with the lowest and with the highest IC at the end."""


def plot_settings(results: Results) -> "go.Figure":
    """Draw the share of information at each t of the two settings that end farthest apart, in the same three epochs.

    The two are those with the lowest and the highest IC at the end, as a share of their T. The epochs are the one
    where the higher of both IC peaks, the one where the two lie farthest apart, and the last. A menu chooses the
    context, such as the data set. The curves against epoch are `ic_by_epoch`'s, single settings `fisher_bars`'.
    """
    from plotly.subplots import make_subplots

    images = first_trainings(results.where(pl.col("task") == "images"))
    compared = comparison_of(images)
    shares = fisher_shares(images, compared.columns).filter(pl.col("t").max().over(compared.columns) > 1).collect()
    drawn = []
    for context in _contexts(shares, compared)[:MENU]:
        own = rows_of(shares, compared.contexts, context)
        pair = farthest(own, compared.lines)
        if pair and (epochs := epochs_of_pair(own, compared.lines, pair)):
            drawn.append((context, own, pair, epochs))
    columns = max((len(epochs) for *_, epochs in drawn), default=1)
    figure = make_subplots(
        rows=ROWS, cols=columns, shared_xaxes=True, shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=0.14
    )
    looks = [
        _add_pair(figure, own, compared, pair, epochs, columns, visible=number == 0)
        for number, (_, own, pair, epochs) in enumerate(drawn)
    ]
    labels = [compared.label(context) for context, *_ in drawn]
    _lay_out(figure, list(compared.shades.values()), _highest(figure))
    if looks:
        figure.update_layout(looks[0])
    if len(looks) > 1:
        owners = [trace // (ROWS * columns) for trace in range(ROWS * columns * len(looks))]
        placed = {"y": 1, "yanchor": "bottom", "pad": {"b": 40}}
        figure.update_layout(updatemenus=[menu_of(labels, owners, looks) | placed], height=480, margin={"t": 96})
    return figure


def _contexts(shares: pl.DataFrame, compared: Comparison) -> list[tuple[Any, ...]]:
    by = list(compared.contexts)
    return shares.select(*by).unique().sort(*by).rows() if by else [()]


def _relative(own: pl.DataFrame, lines: Sequence[str]) -> pl.DataFrame:
    """Return per setting and epoch its IC as a share of T: the setting, epoch, ic_rel."""
    per_epoch = own.group_by(*lines, "epoch").agg(pl.col("ic").first(), steps=pl.col("t").max())
    ic_rel = (pl.col("ic") - 1) / (pl.col("steps").max().over(*lines) - 1)
    return per_epoch.select(*lines, "epoch", ic_rel=ic_rel.round(TOLD_APART)).sort(*lines, "epoch")


def farthest(own: pl.DataFrame, lines: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return the settings with the lowest and the highest IC at their end; none if there is only one."""
    ends = _relative(own, lines).group_by(*lines, maintain_order=True).last().sort("ic_rel", maintain_order=True)
    settings = ends.select(*lines).rows()
    return [settings[0], settings[-1]] if len(settings) > 1 else []


def epochs_of_pair(own: pl.DataFrame, lines: Sequence[str], pair: Sequence[tuple[Any, ...]]) -> list[int]:
    """Return epochs that both settings have: the highest IC, the largest distance, the last; others if these meet."""
    curves = [rows_of(_relative(own, lines), lines, setting).select("epoch", "ic_rel") for setting in pair]
    both = curves[0].join(curves[1], on="epoch").sort("epoch")
    if both.is_empty():
        return []
    epochs = both["epoch"].to_list()
    highest = both.select(pl.max_horizontal("ic_rel", "ic_rel_right").arg_max()).item()
    apart = both.select((pl.col("ic_rel") - pl.col("ic_rel_right")).abs().arg_max()).item()
    chosen = {epochs[highest], epochs[apart], epochs[-1]}
    for epoch in (epochs[0], epochs[len(epochs) // 2]):
        if len(chosen) < PANELS:
            chosen.add(epoch)
    return sorted(chosen)


def _add_pair(
    figure: "go.Figure",
    own: pl.DataFrame,
    compared: Comparison,
    pair: Sequence[tuple[Any, ...]],
    epochs: Sequence[int],
    columns: int,
    *,
    visible: bool,
) -> dict[str, Any]:
    """Add the panels of two settings; return their centroids as lines, their titles and the names of the rows."""
    import plotly.graph_objects as go

    shapes, annotations = [], []
    for panel in range(ROWS * columns):
        row, column = divmod(panel, columns)
        setting = pair[row]
        at = pl.col("epoch") == (epochs[column] if column < len(epochs) else -1)
        rows = rows_of(own, compared.lines, setting).filter(at)
        figure.add_trace(
            go.Bar(
                x=rows["t"].to_list(), y=rows["share"].to_list(), visible=visible, showlegend=False,
                customdata=rows["fisher_trace"].to_list(), marker={"color": compared.shades[setting].light},
                error_y={"array": rows["sd"].fill_null(0.0).to_list(), "thickness": 1.2, "width": 3, "color": "#888"},
                meta={"role": "bar"}, hovertemplate=f"{_label(compared, setting)}<br>{HOVER}",
            ),
            row=row + 1, col=column + 1,
        )  # fmt: skip
        if rows.is_empty():
            continue
        axis = "" if panel == 0 else str(panel + 1)
        ic = rows["ic"][0]
        shapes.append({
            "type": "line", "xref": f"x{axis}", "yref": f"y{axis} domain", "x0": ic, "x1": ic, "y0": 0, "y1": 1,
            "line": {"color": TEXT.light, "width": 1.6, "dash": "dot"},
        })  # fmt: skip
        name = f"<b>{_label(compared, setting)}</b>   " if column == 0 else ""
        annotations.append({
            "xref": f"x{axis} domain", "yref": f"y{axis} domain", "x": 0, "y": 1.02, "xanchor": "left",
            "yanchor": "bottom", "showarrow": False, "text": f"{name}epoch {epochs[column]}   IC {ic:.2f}",
        })  # fmt: skip
    timesteps = max(rows_of(own, compared.lines, setting)["t"].max() for setting in pair)  # type: ignore[type-var]
    ticks = {"range": [0.4, timesteps + 0.6], "dtick": step_ticks(timesteps)}
    axes = {
        f"xaxis{panel or ''}.{key}": value
        for panel in (None, *range(2, ROWS * columns + 1))
        for key, value in ticks.items()
    }
    return {"shapes": shapes, "annotations": annotations} | axes


def _label(compared: Comparison, setting: tuple[Any, ...]) -> str:
    return compared.names[setting] if not compared.title else label_of(dict(zip(compared.lines, setting, strict=True)))


def _lay_out(figure: "go.Figure", shades: Sequence[Shade], highest: float) -> None:
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins(shades)}, bargap=0.15, height=428,
        margin={"l": 64, "r": 12, "t": 44, "b": 48},
    )  # fmt: skip
    figure.update_xaxes(**BASE_AXIS)
    figure.update_xaxes(showgrid=False)
    figure.update_xaxes(title="timestep t", row=ROWS)
    figure.update_yaxes(**BASE_AXIS, range=[0, highest])
    figure.update_yaxes(title="share I<sub>t</sub> / Σ I<sub>t</sub>", col=1)


def _highest(figure: "go.Figure") -> float:
    """Return where the panels' common axis ends: above the tallest bar and its error bar."""
    tops = [y + sd for trace in figure.data for y, sd in zip(trace.y, trace.error_y.array, strict=True)]  # type: ignore[union-attr]
    return min(1.05 * max(tops, default=1.0), 1.05)


SETTING_SECTIONS = (
    Section(
        id="settings",
        title="How far do the settings drive information apart?",
        tables=("fisher",),
        figure=plot_settings,
        caption="Share of the Fisher trace at each horizon t of the two settings that end with the lowest (top) and "
        "the highest information centroid (bottom), in the same epochs: where the higher centroid peaks, where the "
        "two lie farthest apart, and at the end. Mean over seeds; bars show the standard deviation, dotted lines the "
        "centroids.",
    ),
    Section(
        id="changes",
        title="What does each setting change?",
        tables=("epochs",),
        table=difference_texts,
    ),
)
