"""Which hyperparameters change each other's effect: the cells of a pair as maps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import BASE_LAYOUT, dark_twins
from analysis.effect_texts import interval_text, signed
from analysis.fields import name_of
from analysis.interactions import cells_of, interactions_of
from analysis.outcomes import OUTCOMES, outcomes_of
from analysis.panels import menu_of
from analysis.results import Results

if TYPE_CHECKING:
    import plotly.graph_objects as go

MENU = 12
"""Pairs of fields and outcomes in the menu."""
FAINT = 0.2
"""Departures as a share of the spread of means below which their map stays faint."""
DIVERGING = [[0.0, "#0072b2"], [0.5, "#c4c4c4"], [1.0, "#d55e00"]]
"""Below 0, nothing, above 0: Okabe and Ito's blue and vermilion, which stand out from white and from black."""


def plot_interactions(results: Results) -> "go.Figure":
    """Draw, for a pair of fields and an outcome from a menu, the mean of each cell, and its departure from a sum."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    table, fields = outcomes_of(results)
    found = interactions_of(table, fields) if len(fields) > 1 else pl.DataFrame()
    if found.is_empty():
        return go.Figure(layout={"meta": {"dark": dark_twins(())}})
    pairs = _strongest(found)
    figure = make_subplots(
        rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.06, subplot_titles=["mean", "departure from the sum"]
    )
    looks, owners, deepest = [], [], 2
    for number, row in enumerate(pairs):
        cells = cells_of(table, fields, row["outcome"], row["first"], row["second"])
        deepest = max(deepest, cells["first"].n_unique())
        for column, trace in enumerate(_maps(cells, row), start=1):
            figure.add_trace(trace.update(visible=number == 0), row=1, col=column)
            owners.append(number)
        title = name_of(row["second"])
        looks.append({"yaxis.title.text": name_of(row["first"]), "xaxis.title.text": title, "xaxis2.title.text": title})
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins(())}, height=210 + 34 * deepest,
        margin={"l": 12, "r": 12, "t": 100, "b": 56},
    )  # fmt: skip
    figure.update_xaxes(type="category", showgrid=False, ticks="")
    figure.update_yaxes(type="category", showgrid=False, ticks="", automargin=True)
    figure.update_layout(looks[0])
    labels = [f"{OUTCOMES[row['outcome']].words}: {name_of(row['first'])} × {name_of(row['second'])}" for row in pairs]
    plot = 210 + 34 * deepest - 156
    figure.update_layout(updatemenus=[menu_of(labels, owners, looks, y=1 + 90 / plot)] if len(labels) > 1 else [])
    return figure


def _strongest(found: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the pairs in the menu: outcome after outcome, of each the strongest, as many of each as there is room."""
    room = max(MENU // max(found["outcome"].n_unique(), 1), 1)
    return found.group_by("outcome", maintain_order=True).head(room).head(MENU).to_dicts()


def _maps(cells: pl.DataFrame, row: dict[str, Any]) -> "list[go.Heatmap]":
    """Return the maps of the means and of the departures of one pair."""
    import plotly.graph_objects as go

    outcome = OUTCOMES[row["outcome"]]
    x, y = (cells[name].unique(maintain_order=True).to_list() for name in ("second", "first"))
    told = [interval_text(low, high, outcome.digits) for low, high in cells.select("low", "high").iter_rows()]
    spread = float(cells["mean"].max() or 0.0) - float(cells["mean"].min() or 0.0)  # type: ignore[arg-type]
    most = max(float(cells["departure"].abs().max() or 0.0), FAINT * spread, 10**-outcome.digits)  # type: ignore[arg-type]
    looks: Sequence[tuple[str, list[str], list[str], dict[str, Any]]] = (
        (
            "mean", [f"{value:.{outcome.digits}f}" for value in cells["mean"]], [outcome.unit] * cells.height,
            {"colorscale": "Viridis"},
        ),
        (
            "departure", [signed(value, outcome.digits) for value in cells["departure"]], told,
            {"colorscale": DIVERGING, "zmin": -most, "zmax": most},
        ),
    )  # fmt: skip
    return [
        go.Heatmap(
            x=x, y=y, z=_grid(cells[name].to_list(), len(x)), xgap=2, ygap=2, showscale=False, meta={"role": "map"},
            text=_grid(text, len(x)), texttemplate="%{text}", customdata=_grid(small, len(x)),
            hovertemplate=f"{name_of(row['first'])} %{{y}}, {name_of(row['second'])} %{{x}}: %{{text}} "
            "(%{customdata})<extra></extra>", **look,
        )
        for name, text, small, look in looks
    ]  # fmt: skip


def _grid(values: list[Any], across: int) -> list[list[Any]]:
    return [values[i : i + across] for i in range(0, len(values), across)]
