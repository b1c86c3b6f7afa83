"""Table 1 as a figure: how far corruptions and attacks move the accuracy, beside what the paper printed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.comparison import Comparison, comparison_of
from analysis.fields import rows_of
from analysis.figures.style import (
    GREY,
    INK,
    Drawing,
    Look,
    draw_errors,
    grid_of,
    is_first,
    legend_above,
    letter,
    looks_of,
)
from analysis.figures.table1 import csv_of, tex_of
from analysis.figures.words import seeds_text, setting_text
from analysis.paper_table1 import beside_paper
from analysis.results import Results
from analysis.robustness import CORRUPTIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

PANELS = 6
ASIDE = 0.2
"""Distance between the settings at one corruption; the paper's number lies a third of it to the right."""
TICKS = ("Gaussian\nnoise", "blur", "FGSM", "PGD")


def draw_table1(results: Results, width: float | None) -> Iterator[Drawing]:
    """Yield the change of accuracy by each corruption with its 95 % interval, the paper's beside it; and the table."""
    compared = comparison_of(results)
    table = beside_paper(results).collect()
    contexts = table.select(*compared.contexts).unique(maintain_order=True).rows() if compared.contexts else [()]
    if table.is_empty():
        return
    shown = contexts[:PANELS]
    figure, panels = grid_of(width, len(shown), 3, 1.9)
    looks = dict(zip(compared.names, looks_of([compared.shades[line] for line in compared.names]), strict=True))
    lines: list[Line2D] = []
    for place, (axes, context) in enumerate(zip(panels, shown, strict=True)):
        lines += _panel(axes, rows_of(table, compared.contexts, context), compared, looks)
        if len(shown) > 1:
            letter(axes, place, setting_text(dict(zip(compared.contexts, context, strict=True))))
        if is_first(axes):
            axes.set_ylabel("change of accuracy (points)")
    legend_above(figure, lines, "" if compared.title == "" else compared.title)
    paper = table["paper_drop"].is_not_null().any()
    beside = (
        " Hollow marks are the paper's (Kim et al. 2023, Table 1; ResNet19 on whole images), matched by data set and "
        "rank of α: for the order of things, not to reproduce the values."
    )
    yield Drawing(
        figure=figure,
        caption="Test accuracy under each corruption less the clean one, in percentage points, at the configured "
        f"strengths: mean over {seeds_text(table['n'])}, bars are 95 % Student-t intervals over seeds."
        f"{beside if paper else ''} As a table: LaTeX (booktabs) and CSV files of the same name.",
        texts={"tex": tex_of(table, compared), "csv": csv_of(table)},
    )


def _panel(axes: "Axes", own: pl.DataFrame, compared: Comparison, looks: dict[tuple[Any, ...], Look]) -> list["Line2D"]:
    """Draw the marks of one context; return one per setting, and one that stands for the paper's."""
    from matplotlib.lines import Line2D

    present = [line for line in looks if rows_of(own, compared.lines, line).height]
    ranks = {corruption: place for place, corruption in enumerate(CORRUPTIONS)}
    handles: list[Line2D] = []
    for number, line in enumerate(present):
        rows, look = rows_of(own, compared.lines, line), looks[line]
        aside = ASIDE * (number - (len(present) - 1) / 2)
        x = [ranks[corruption] + aside for corruption in rows["corruption"]]
        draw_errors(
            axes, x, rows["drop"].to_list(), rows["drop_low"].to_list(), rows["drop_high"].to_list(), look.colour
        )
        handles += axes.plot(
            x, rows["drop"].to_list(), look.marker, color=look.colour, markersize=4, zorder=3,
            label=compared.names[line],
        )  # fmt: skip
        printed = rows.drop_nulls("paper_drop")
        if printed.height:
            axes.plot(
                [ranks[corruption] + aside + ASIDE / 3 for corruption in printed["corruption"]],
                printed["paper_drop"].to_list(), look.marker, color=look.colour, markersize=4, markerfacecolor="white",
                markeredgewidth=0.8, zorder=3, label="_paper",
            )  # fmt: skip
    axes.axhline(0, color=GREY, linewidth=0.6, linestyle=":", zorder=1)
    axes.set_xticks(range(len(CORRUPTIONS)), TICKS)
    axes.set_xlim(-0.5, len(CORRUPTIONS) - 0.5)
    if own["paper_drop"].is_not_null().any():
        handles.append(
            Line2D(
                [], [], marker="o", markersize=4, markeredgewidth=0.8, label="the paper's", markerfacecolor="white",
                markeredgecolor=INK, linestyle="none",
            )
        )  # fmt: skip
    return handles
