"""A race for the learning rate as a figure: IC and accuracy of every trial, as far as the race let it run."""

from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import BASE_AXIS, BASE_LAYOUT, GUIDE, Shade, dark_twins, shades_of
from analysis.fields import label_of, text_of
from analysis.race_texts import race_texts
from analysis.races import Answer, answers, is_raced, race_curves
from analysis.results import Results
from analysis.sections import Section
from tic_sweep.sweep import RATE

if TYPE_CHECKING:
    import plotly.graph_objects as go

STRATA = 4
"""Strata that are drawn; the table has all."""
MARKS = {"finished": "circle", "stopped": "x"}
ROW = 300


def plot_race(results: Results) -> "go.Figure":
    """Draw IC and validation accuracy against epoch, a line per trial, a row of panels per stratum.

    Lines of a rate share their colour; the recommended one's are thick. Crosses mark where trials were stopped, dots
    where they finished.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    if not is_raced(results):
        return go.Figure(layout={"meta": {"dark": dark_twins(())}})
    shown = answers(results)[:STRATA]
    curves = race_curves(results.epochs, results.trials).collect()
    rates = sorted(curves[RATE].unique())
    shades = dict(zip(rates, shades_of(rates), strict=True))
    figure = make_subplots(
        rows=max(len(shown), 1), cols=2, shared_xaxes=True, horizontal_spacing=0.09, vertical_spacing=0.4 / len(shown),
        subplot_titles=[title for answer in shown for title in (label_of(answer.setting), "")],
    )  # fmt: skip
    named: set[float] = set()
    for row, answer in enumerate(shown, start=1):
        own = curves.join(answer.part.trials.select("key").collect(), on="key", how="semi")
        _draw(figure, row, own, answer, shades, named)
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins(shades.values())}, height=110 + ROW * len(shown), hovermode="closest",
        margin={"l": 52, "r": 12, "t": 64, "b": 44},
        legend={"title": {"text": "learning rate  "}, "orientation": "h", "x": 0, "y": 1.06, "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_xaxes(**BASE_AXIS, title="epoch", rangemode="tozero")
    figure.update_yaxes(**BASE_AXIS)
    figure.update_yaxes(title="information centroid IC (timesteps)", col=1)
    figure.update_yaxes(title="validation accuracy (fraction)", range=[0, 1.02], col=2)
    return figure


def _draw(
    figure: "go.Figure", row: int, curves: pl.DataFrame, answer: Answer, shades: dict[float, Shade], named: set[float]
) -> None:
    import plotly.graph_objects as go

    best = answer.recommendation.rate
    for one in curves.partition_by("key", maintain_order=True):
        about = one.row(-1, named=True)
        rate, shade = about[RATE], shades[about[RATE]]
        for column, (name, words) in enumerate((("ic", "IC %{y:.2f}"), ("val_acc", "accuracy %{y:.3f}")), start=1):
            known = one.drop_nulls(name)
            place: dict[str, Any] = {"row": row, "col": column}
            marks = [0] * (known.height - 1) + [9] if about["status"] in MARKS else [0] * known.height
            figure.add_trace(
                go.Scatter(
                    x=known["epoch"].to_list(), y=known[name].to_list(), mode="lines+markers", name=text_of(rate),
                    legendgroup=text_of(rate), showlegend=rate not in named and bool(known.height),
                    line={"width": 2.8 if rate == best else 1.2, "color": shade.light},
                    marker={"size": marks, "symbol": MARKS.get(about["status"], "circle"), "color": shade.light},
                    meta={"role": "trial"},
                    hovertemplate=f"learning rate {text_of(rate)}, seed {about['seed']} "
                    f"({about['status'].replace('_', ' ')})<br>epoch %{{x}}, {words}<extra></extra>",
                ),
                **place,
            )  # fmt: skip
            named.update([rate] if known.height else [])
    even: Any = {"row": row, "col": 1}
    if curves["ic"].count():
        total = answer.part.trials.select("timesteps").head(1).collect().item()
        figure.add_hline(y=(total + 1) / 2, line={"color": GUIDE, "width": 1, "dash": "dot"}, layer="below", **even)


RACE_SECTIONS = (
    Section(
        id="race",
        title="Which learning rate?",
        tables=("epochs",),
        varied=(RATE,),
        figure=plot_race,
        caption="Information centroid and validation accuracy of every trial of the race, as far as it ran. Crosses "
        "mark where trials were stopped, dots where they finished; the recommended rate's lines are thick. The dotted "
        "line is where information spread evenly over time would lie.",
        table=race_texts,
    ),
)
