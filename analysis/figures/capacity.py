"""The Discussion's pilot experiment: accuracy against T per network, and where it saturates."""

from collections.abc import Iterator
from typing import Any

from analysis.capacity import NETWORK, TOLERANCE, capacity_curves, saturation
from analysis.colours import shades_of
from analysis.fields import rows_of
from analysis.figures.style import (
    Drawing,
    Look,
    draw_diamond,
    draw_errors,
    draw_line,
    grid_of,
    height_at,
    is_first,
    legend_above,
    letter,
    looks_of,
)
from analysis.figures.words import field_text, plain, seeds_text, setting_text, value_text
from analysis.results import Results

MOST = 6
"""Panels, a context each."""


def draw_capacity(results: Results, width: float | None) -> Iterator[Drawing]:
    """Yield test accuracy against T with 95 % intervals, a line per network, diamonds where they saturate."""
    table, ends = capacity_curves(results), saturation(results)
    if table.is_empty():
        return
    by = table.columns[: table.columns.index("timesteps")]
    names, contexts = [p for p in by if p in NETWORK], [p for p in by if p not in NETWORK]
    networks: list[tuple[Any, ...]] = table.select(names).unique().sort(names).rows() if names else [()]
    values = [network[0] if len(names) == 1 else str(network) for network in networks]
    looks = dict(zip(networks, looks_of(shades_of(values)), strict=True))
    settings = table.select(contexts).unique(maintain_order=True).rows() if contexts else [()]
    shown = settings[:MOST]
    figure, panels = grid_of(width, len(shown), 3, 1.95)
    lines = []
    for place, (axes, context) in enumerate(zip(panels, shown, strict=True)):
        own, own_ends = rows_of(table, contexts, context), rows_of(ends, contexts, context)
        for network, look in looks.items():
            rows = rows_of(own, names, network)
            if rows.is_empty():
                continue
            name = value_text(network[0]) if len(names) == 1 else setting_text(dict(zip(names, network, strict=True)))
            x, y = rows["timesteps"].to_list(), rows["test_acc"].to_list()
            draw_errors(axes, x, y, rows["test_acc_low"].to_list(), rows["test_acc_high"].to_list(), look.colour)
            lines.append(draw_line(axes, x, y, look, name, marked=True))
            _mark(axes, x, y, rows_of(own_ends, names, network).to_dicts(), look)
        axes.set_xticks(own["timesteps"].unique().sort().to_list())
        axes.set_xlabel("timesteps $T$")
        if len(shown) > 1:
            letter(axes, place, setting_text(dict(zip(contexts, context, strict=True))))
        if is_first(axes):
            axes.set_ylabel("test accuracy (fraction)")
    legend_above(figure, lines, "" if len(names) != 1 or isinstance(networks[0][0], str) else field_text(names[0]))
    more = f" {len(settings) - MOST} more contexts are not drawn." if len(settings) > MOST else ""
    where = (
        f"{plain(setting_text(dict(zip(contexts, shown[0], strict=True))))}. " if contexts and len(shown) == 1 else ""
    )
    yield Drawing(
        figure=figure,
        caption=f"{where}Test accuracy against the timesteps T trained and read out with, per network: mean over "
        f"{seeds_text(table['n'])}, bars are 95 % Student-t intervals over seeds. Diamonds mark where a network "
        f"saturates, that is, comes within {100 * TOLERANCE:.0f} point of its best; their bars are 95 % intervals over "
        f"seeds.{more}",
    )


def _mark(axes: Any, x: list[float], y: list[float], ends: list[dict[str, Any]], look: Look) -> None:
    """Mark the mean T of saturation on the line, with its interval; without a seed at every T there is none."""
    for end in ends:
        at, low, high = end["saturation"], end["saturation_low"], end["saturation_high"]
        height = height_at(at, x, y)
        if height is not None:
            draw_diamond(axes, at, height, None if low is None else (at - low, high - at), look.colour)
