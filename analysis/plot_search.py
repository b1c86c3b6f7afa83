"""A search over several fields at once: where IC ends against each field, and the best draws as a table."""

import math
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import BASE_AXIS, BASE_LAYOUT, DECADES, dark_twins
from analysis.fields import name_of
from analysis.results import Results
from analysis.search import IC_REL, drawn_fields, draws, rank_correlation, setting_of, value_text
from analysis.sections import Section, Texts
from analysis.variants import ACCURACY

if TYPE_CHECKING:
    import plotly.graph_objects as go

ACROSS = 3
LISTED = 10
"""Draws in the table."""


def plot_search(results: Results) -> "go.Figure":
    """Draw (IC − 1) / (T − 1) at the end against each field drawn, a dot per finished trial, coloured by accuracy."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    fields = drawn_fields(results)
    table = draws(results).drop_nulls(IC_REL) if fields else pl.DataFrame()
    if table.is_empty():
        return go.Figure(layout={"meta": {"dark": dark_twins(())}})
    down = math.ceil(len(fields) / ACROSS)
    figure = make_subplots(
        rows=down, cols=ACROSS, shared_yaxes=True, horizontal_spacing=0.04, vertical_spacing=0.42 / down,
        subplot_titles=[_title(table, path) for path in fields],
    )  # fmt: skip
    told = [setting_of(row, fields) for row in table.iter_rows(named=True)]
    for number, path in enumerate(fields):
        place: dict[str, Any] = {"row": number // ACROSS + 1, "col": number % ACROSS + 1}
        own = table.with_columns(told=pl.Series(told)).drop_nulls(path)
        figure.add_trace(
            go.Scatter(
                x=own[path].to_list(), y=own[IC_REL].to_list(), mode="markers", showlegend=False,
                customdata=list(zip(own["told"], own[ACCURACY].fill_null(math.nan), strict=True)),
                marker={"size": 9, "color": own[ACCURACY].to_list(), "coloraxis": "coloraxis", "line": {"width": 0}},
                meta={"role": "draw"},
                hovertemplate="%{customdata[0]}<br>%{y:.3f}, test accuracy %{customdata[1]:.3f}<extra></extra>",
            ),
            **place,
        )  # fmt: skip
        figure.update_xaxes(**_axis(own[path]), **place)
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins(())}, height=90 + 260 * down, hovermode="closest",
        margin={"l": 60, "r": 12, "t": 48, "b": 40},
        coloraxis={
            "colorscale": "Viridis", "colorbar": {"title": {"text": "test<br>accuracy"}, "thickness": 12,
                                                  "outlinewidth": 0},
        },
    )  # fmt: skip
    figure.update_xaxes(**BASE_AXIS)
    figure.update_yaxes(**BASE_AXIS, range=[-0.03, 1.03])
    figure.update_yaxes(title="(IC − 1) / (T − 1)", col=1)
    return figure


def search_texts(results: Results) -> Texts | None:
    """Return the best draws of a search: the number looked for, the accuracy, and all fields drawn."""
    fields = drawn_fields(results)
    if not fields:
        return None
    rows = [
        [
            str(rank), value_text(row[IC_REL]), value_text(row[ACCURACY]), _turn(row["turn"], row["turned"]),
            setting_of(row, fields),
        ]
        for rank, row in enumerate(draws(results).head(LISTED).iter_rows(named=True), start=1)
    ]  # fmt: skip
    return Texts(
        caption=f"The {len(rows)} best draws by {results.manifests[0].objective.replace('_', ' ')}",
        heads=["rank", "(IC − 1) / (T − 1)", "test accuracy", "turned at", "setting"],
        rows=rows,
        numbers=1,
        words=[4],
        note="A search looks where it has found something, so that draws are no fair sample: their fields go together, "
        "and what one of them does is for a sweep over that field to tell.",
    )


def _turn(turn: float | None, turned: bool | None) -> str:  # noqa: FBT001 - a column's value
    return f"{turn:.1f}" if turned and turn is not None else "none yet" if turned is not None else "–"


def _title(table: pl.DataFrame, path: str) -> str:
    found = rank_correlation(table, path, IC_REL) if table[path].dtype.is_numeric() else None
    words = name_of(path)
    return f"{words} (ρ = {found[0]:+.2f})".replace("-", "−") if found else words


def _axis(values: pl.Series) -> dict[str, object]:
    """Return the kind of axis: names side by side, numbers that span decades by their logarithm."""
    if not values.dtype.is_numeric():
        return {"type": "category", "range": [-0.6, values.n_unique() - 0.4]}
    low, high = float(values.min() or 0.0), float(values.max() or 0.0)  # type: ignore[arg-type]
    logarithmic = low > 0 and high / low >= DECADES
    return {"type": "log", "dtick": 1, "exponentformat": "power"} if logarithmic else {"type": "linear"}


SEARCH_SECTIONS = (
    Section(
        id="search",
        title="Which of the settings drawn end where in time?",
        tables=("epochs",),
        figure=plot_search,
        caption="Where the information ends, from 0 at t = 1 to 1 at t = T, against each field that the search draws: "
        "a dot per finished trial, its colour the test accuracy. ρ is Spearman's rank correlation, without regard to "
        "the other fields.",
        table=search_texts,
    ),
)
