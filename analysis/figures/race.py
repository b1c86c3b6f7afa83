"""A race for the learning rate for print: IC and accuracy of every trial, as far as the race let it run."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from analysis.colours import shades_of
from analysis.fields import text_of
from analysis.figures.style import DOUBLE, GREY, Drawing, Look, epoch_axis, legend_above, letter, looks_of, new_figure
from analysis.figures.words import part_name
from analysis.races import Answer, answers, is_raced, race_curves
from analysis.results import Results
from tic_sweep.sweep import RATE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

THIN, THICK = 0.7, 1.8
MARKS = {"finished": "o", "stopped": "X"}


def draw_race(results: Results, width: float | None) -> Iterator[Drawing]:
    """Yield a figure per stratum of a raced sweep: IC on the left, validation accuracy on the right."""
    if not is_raced(results):
        return
    curves = race_curves(results.epochs, results.trials).collect()
    rates = sorted(curves[RATE].unique())
    looks = dict(zip(rates, looks_of(shades_of(rates)), strict=True))
    for answer in answers(results):
        own = curves.join(answer.part.trials.select("key").collect(), on="key", how="semi")
        if own.is_empty():
            continue
        figure = new_figure(width or DOUBLE, 2.6)
        left, right = figure.subplots(1, 2)
        lines = _panel(left, own, "ic", looks, answer) + _panel(right, own, "val_acc", looks, answer)
        if own["ic"].count():
            total = answer.part.trials.select("timesteps").head(1).collect().item()
            left.axhline((total + 1) / 2, color=GREY, linewidth=0.7, linestyle=":", zorder=1)
        left.set_ylabel("information centroid (timesteps)")
        right.set_ylabel("validation accuracy")
        right.set_ylim(0, 1.02)
        for place, axes in enumerate((left, right)):
            epoch_axis(axes)
            letter(axes, place)
        legend_above(figure, lines, "learning rate")
        yield Drawing(figure=figure, caption=_caption(answer, own), part=part_name(answer.setting))


def _panel(axes: "Axes", curves: pl.DataFrame, name: str, looks: dict[float, Look], answer: Answer) -> "list[Line2D]":
    lines = []
    for one in curves.drop_nulls(name).partition_by("key", maintain_order=True):
        about = one.row(-1, named=True)
        rate, look = about[RATE], looks[about[RATE]]
        thick = rate == answer.recommendation.rate
        x, y = one["epoch"].to_list(), one[name].to_list()
        lines += axes.plot(
            x, y, color=look.colour, linestyle=look.dash, linewidth=THICK if thick else THIN, label=text_of(rate),
            zorder=4 if thick else 3,
        )  # fmt: skip
        if about["status"] in MARKS:
            axes.plot(
                x[-1:], y[-1:], color=look.colour, marker=MARKS[about["status"]], markersize=5, zorder=5,
                markeredgecolor="white", markeredgewidth=0.5,
            )  # fmt: skip
    return lines


def _caption(answer: Answer, curves: pl.DataFrame) -> str:
    found = answer.recommendation
    recommended = "none yet" if found.rate is None else text_of(found.rate)
    return (
        f"A race between {curves[RATE].n_unique()} learning rates: (a) information centroid and (b) validation "
        f"accuracy of each of {curves['key'].n_unique()} trials against epoch. Crosses mark where a trial was stopped "
        f"early, dots where it finished; thick lines are the recommended rate's, {recommended}. The dotted line in (a) "
        "is where information spread evenly over time would lie."
    )
