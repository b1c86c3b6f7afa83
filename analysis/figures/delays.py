"""Fig. 3 of Mészáros et al. 2024: accuracy by sparsity, with delays and structure fixed or learnt."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.delays import FIRST, SPARSITY, VARIANT, delay_accuracies, delay_contexts, variant_text
from analysis.fields import rows_of
from analysis.figures.style import (
    DASHES,
    MARKERS,
    Drawing,
    Look,
    colour_of,
    draw_band,
    draw_line,
    grid_of,
    is_first,
    legend_above,
    letter,
)
from analysis.figures.words import plain, seeds_text, setting_text
from analysis.plot_delays import looks_of_variants
from analysis.plot_pruning import halvings, percent_text
from analysis.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 6
"""Panels, a context each."""


def draw_delays(results: Results, width: float | None) -> Iterator[Drawing]:
    """Yield test accuracy against sparsity on an axis of halvings, a line per variant, a panel per context."""
    table, by = delay_accuracies(results).filter(pl.col("protocol") == FIRST), list(delay_contexts(results))
    if table.is_empty():
        return
    settings = table.select(*by).unique(maintain_order=True).rows() if by else [()]
    shown = settings[:MOST]
    looks = print_looks(table.select(*VARIANT).unique().rows())
    figure, panels = grid_of(width, len(shown), 3, 2.2)
    lines = []
    for place, (axes, setting) in enumerate(zip(panels, shown, strict=True)):
        own = rows_of(table, by, setting)
        for variant, look in looks.items():
            rows = rows_of(own, VARIANT, variant)
            if rows.is_empty():
                continue
            x, known = halvings(rows[SPARSITY].to_list()), rows.drop_nulls("test_acc_low")
            low, high = known["test_acc_low"].to_list(), known["test_acc_high"].to_list()
            draw_band(axes, halvings(known[SPARSITY].to_list()), low, high, look)
            lines.append(draw_line(axes, x, rows["test_acc"].to_list(), look, variant_text(*variant), marked=True))
        label_sparsities(axes, own[SPARSITY].unique().sort().to_list())
        if is_first(axes):
            axes.set_ylabel("test accuracy (fraction)")
        if len(shown) > 1:
            letter(axes, place, setting_text(dict(zip(by, setting, strict=True))))
    legend_above(figure, lines)
    where = f"{plain(setting_text(dict(zip(by, shown[0], strict=True))))}. " if by and len(shown) == 1 else ""
    more = f" {len(settings) - MOST} more contexts are not drawn." if len(settings) > MOST else ""
    yield Drawing(
        figure=figure,
        caption=f"{where}Test accuracy against sparsity, where each step to the right halves the synapses: mean over "
        f"{seeds_text(table['n'])}, bands are 95 % Student-t intervals over seeds. Accuracies are those of the weights "
        "that were best on validation sequences. Structure is a fixed random mask, or learnt by rewiring; delays stay "
        "as drawn, or are learnt. At sparsity 0 there is no structure to learn, and one network stands for both."
        f"{more}",
    )


def print_looks(variants: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Look]:
    """Return variants with their looks in print: the colours of the report, a dash and a mark of their own."""
    return {
        variant: Look(colour_of(look.shade), DASHES[place % len(DASHES)], MARKERS[place % len(MARKERS)])
        for place, (variant, look) in enumerate(looks_of_variants(variants).items())
    }


def label_sparsities(axes: "Axes", sparsities: Sequence[Any]) -> None:
    """Make the x axis one of sparsities, at their halvings."""
    axes.set_xticks(halvings(sparsities), [percent_text(share) for share in sparsities])
    axes.set_xlabel("sparsity (%)")
