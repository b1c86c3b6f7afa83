"""Which hyperparameter moves what: effects as dots with intervals, importances as bars; the sections on effects."""

from textwrap import wrap
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import BASE_AXIS, BASE_LAYOUT, GUIDE, OKABE_ITO, Shade, dark_twins
from analysis.effect_texts import (
    bound_of,
    effect_text,
    interaction_texts,
    interval_text,
    level_text,
    share_texts,
)
from analysis.effects import effects_of
from analysis.fields import name_of
from analysis.importances import ENOUGH, EVALUATORS, MOST, importances
from analysis.outcomes import OUTCOMES, outcomes_of
from analysis.panels import menu_of
from analysis.plot_interactions import plot_interactions
from analysis.results import Results
from analysis.sections import Section

if TYPE_CHECKING:
    import plotly.graph_objects as go

ACROSS = 3
"""Panels side by side."""
ROWS = 60
"""Levels beyond which the figure would bury what it tells."""
ROW, BETWEEN = 24, 128
"""Height of a level, and of what lies between two rows of panels, in pixels."""
NARROW = 13
"""Characters of a panel's title in a line, so that titles stay apart on a narrow page."""
EVALUATOR_NAMES = {"fanova": "fANOVA: over all of the space", "ped_anova": "PED-ANOVA: what the best tenth shares"}
MAIN = ("transition", "ic", "accuracy")
"""Outcomes whose importances are drawn."""


def plot_effects(results: Results) -> "go.Figure":
    """Draw the marginal effect of each level against its field's reference, a panel per outcome; bars are 95 %.

    Empty where fewer than two fields vary, or more than `ROWS` levels. Open triangles are bounds: transitions that had
    not come by the horizon.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    known, fields = outcomes_of(results)
    table = effects_of(known, fields) if len(fields) > 1 else pl.DataFrame()
    if table.is_empty() or table["effect"].is_null().all() or not 0 < (places := _places(table))[1][-1] <= ROWS:
        return go.Figure(layout={"meta": {"dark": dark_twins(())}})
    positions, ticks, names = places
    outcomes = table.drop_nulls("effect")["outcome"].unique(maintain_order=True).to_list()
    shades = {field: Shade(*OKABE_ITO[number % len(OKABE_ITO)]) for number, field in enumerate(fields)}
    down = -(-len(outcomes) // ACROSS)
    height = (ROW * len(ticks) + BETWEEN) * down
    titles = ["<br>".join(wrap(OUTCOMES[name].words.replace(" − ", "\u00a0−\u00a0"), NARROW)) for name in outcomes]
    figure = make_subplots(
        rows=down, cols=min(ACROSS, len(outcomes)), shared_yaxes=True, horizontal_spacing=0.03,
        vertical_spacing=BETWEEN / height if down > 1 else 0.0, subplot_titles=titles,
    )  # fmt: skip
    for number, outcome in enumerate(outcomes):
        place: dict[str, Any] = {"row": number // ACROSS + 1, "col": number % ACROSS + 1}
        for field in fields:
            own = table.filter(outcome=outcome, field=field).drop_nulls("effect")
            if not own.is_empty():
                figure.add_trace(_dots(own, positions, shades[field]), **place)
        figure.update_xaxes(title={"text": OUTCOMES[outcome].unit, "standoff": 6}, **place)
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins(shades.values())}, hovermode="closest", showlegend=False,
        height=height, margin={"l": 12, "r": 12, "t": 76, "b": 52},
    )  # fmt: skip
    figure.update_annotations(font={"size": 13})
    figure.update_xaxes(
        **BASE_AXIS | {"zeroline": True, "zerolinecolor": GUIDE, "zerolinewidth": 1}, nticks=4, tickangle=0
    )
    figure.update_yaxes(
        **BASE_AXIS, tickvals=ticks, ticktext=names, range=[max(ticks) + 0.7, min(ticks) - 0.7], automargin=True
    )
    return figure


def plot_importances(results: Results) -> "go.Figure":
    """Draw how important each field that a search draws is, by both evaluators; a menu of outcomes."""
    import plotly.graph_objects as go

    table = importances(results, *MAIN)
    outcomes = table["outcome"].unique(maintain_order=True).to_list()
    shades = [Shade(*OKABE_ITO[number]) for number in range(len(EVALUATORS))]
    figure, owners = go.Figure(), []
    for number, outcome in enumerate(outcomes):
        for evaluator, shade in zip(EVALUATORS, shades, strict=True):
            own = table.filter(outcome=outcome, evaluator=evaluator)
            figure.add_trace(_bars(own, evaluator, shade).update(visible=number == 0))
            owners.append(number)
    fields = table["field"].n_unique()
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins(shades)}, barmode="group", bargap=0.3, height=150 + 46 * fields,
        margin={"l": 12, "r": 12, "t": 92, "b": 48},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
    )  # fmt: skip
    figure.update_xaxes(**BASE_AXIS, title="importance", rangemode="tozero")
    figure.update_yaxes(**BASE_AXIS | {"showgrid": False}, type="category", automargin=True, autorange="reversed")
    if len(outcomes) > 1:
        labels = [OUTCOMES[name].words for name in outcomes]
        figure.update_layout(updatemenus=[menu_of(labels, owners, y=1 + 84 / (10 + 46 * fields))])
    return figure


def _places(table: pl.DataFrame) -> tuple[dict[tuple[str, str], int], list[int], list[str]]:
    """Return where each field and comparison lies from the top, and the ticks with their names: fields, then levels."""
    positions: dict[tuple[str, str], int] = {}
    names: list[str] = []
    for (field,), own in table.group_by("field", maintain_order=True):
        names.append(f"<b>{name_of(str(field))}</b>")
        told = own.unique(["level", "reference"], maintain_order=True)
        for row in told.sort(pl.col("reference") == "", maintain_order=True).iter_rows(named=True):
            positions[str(field), level_text(row)] = len(names)
            names.append(level_text(row))
    return positions, list(range(len(names))), names


def _dots(own: pl.DataFrame, positions: dict[tuple[str, str], int], shade: Shade) -> "go.Scatter":
    """Return the dots of one field and outcome, with their intervals."""
    import plotly.graph_objects as go

    rows = own.to_dicts()
    told = [_hover(row) for row in rows]
    symbols = [{"≥ ": "triangle-right-open", "≤ ": "triangle-left-open"}.get(bound_of(row), "circle") for row in rows]
    effect = own["effect"]
    return go.Scatter(
        x=effect.to_list(), y=[positions[row["field"], level_text(row)] for row in rows], mode="markers",
        customdata=told, meta={"role": "effect"}, hovertemplate="%{customdata}<extra></extra>",
        marker={"size": 9, "symbol": symbols, "color": shade.light},
        error_x={
            "array": (own["high"] - effect).fill_null(0.0).to_list(), "thickness": 1.6, "width": 3,
            "arrayminus": (effect - own["low"]).fill_null(0.0).to_list(), "color": shade.light,
        },
    )  # fmt: skip


def _hover(row: dict[str, Any]) -> str:
    outcome = OUTCOMES[row["outcome"]]
    interval = interval_text(row["low"], row["high"], outcome.digits)
    return (
        f"{name_of(row['field'])} {level_text(row)}<br>{outcome.words}: {effect_text(row)} {outcome.unit}"
        f"{f' ({interval})' if interval else ''}<br>{row['n_seeds']} seeds, {row['method']}"
    )


def _bars(own: pl.DataFrame, evaluator: str, shade: Shade) -> "go.Bar":
    import plotly.graph_objects as go

    value = own["importance"]
    return go.Bar(
        x=value.to_list(), y=[name_of(path) for path in own["field"]], orientation="h", marker={"color": shade.light},
        name=EVALUATOR_NAMES[evaluator], meta={"role": "bar"},
        customdata=[f"{low:.2f} to {high:.2f} over resamples of {n} trials{f'; {note}' if note else ''}"
                    for low, high, n, note in own.select("low", "high", "n", "note").iter_rows()],
        error_x={
            "array": (own["high"] - value).clip(0.0).to_list(), "color": GUIDE, "thickness": 1.4, "width": 3,
            "arrayminus": (value - own["low"]).clip(0.0).to_list(),
        },
        hovertemplate="%{y}: %{x:.2f} (%{customdata})<extra></extra>",
    )  # fmt: skip


EFFECT_SECTIONS = (
    Section(
        id="effects",
        title="Which hyperparameter moves what, and by how much?",
        tables=("epochs",),
        figure=plot_effects,
        table=share_texts,
        caption="Difference of each level to its field's reference, as a mean over the settings of the other fields; "
        "bars are 95 % intervals over seeds, each for itself. “Per ×10” is the slope per tenfold. A triangle is a "
        "bound: there transitions had not come by the last epoch that all trials reached, and count as if they came "
        "there. Hover for the seeds and the method.",
    ),
    Section(
        id="interactions",
        title="Which hyperparameters change each other's effect?",
        tables=("epochs",),
        figure=plot_interactions,
        table=interaction_texts,
        caption="Left, the mean of each pair of levels over seeds and the settings of the other fields; right, what is "
        "left of it when the effects of both fields are taken off: grey cells are where the two simply add up. The "
        "menu has the pairs that interact most, outcome by outcome.",
    ),
    Section(
        id="importances",
        title="How important is each field of the search?",
        tables=("epochs",),
        figure=plot_importances,
        caption=f"Optuna's importances over the finished trials, of more than {MOST} over {MOST} drawn at random, "
        f"always the same; bars span the lowest and highest over resamples of these. Below {ENOUGH} trials they are "
        "not to be trusted: hover for the count.",
    ),
)
