"""Toy problems of the reset's gradient (Yang 2020): the share solved against the learning rate, per variant."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from analysis.fields import rows_of
from analysis.figures.style import Drawing, draw_band, draw_line, grid_of, is_first, legend_above, letter, looks_of
from analysis.figures.words import plain, setting_text
from analysis.plot_toys import NAMED
from analysis.results import Results
from analysis.toys import areas, solved_shares, toy_contexts, usual
from analysis.variants import shades_of_variants

MOST = 6
"""Panels, a context each, the usual one first."""


def draw_toys(results: Results, width: float | None) -> Iterator[Drawing]:
    """Yield the solved share against the learning rate with Wilson bands, a line per variant, a panel per context."""
    by = list(toy_contexts(results))
    table = solved_shares(results)
    if table.is_empty():
        return
    settings = _contexts(results, table, by)
    shown = settings[:MOST]
    shades = shades_of_variants(table["variant"].unique().to_list())
    looks = dict(zip(shades, looks_of(list(shades.values())), strict=True))
    figure, panels = grid_of(width, len(shown), 3, 1.7)
    lines = []
    for place, (axes, setting) in enumerate(zip(panels, shown, strict=True)):
        own = rows_of(table, by, setting)
        for variant, look in looks.items():
            rows = own.filter(pl.col("variant") == variant)
            if rows.is_empty():
                continue
            x = rows["lr"].to_list()
            if variant in NAMED:
                draw_band(axes, x, rows["low"].to_list(), rows["high"].to_list(), look)
            lines.append(draw_line(axes, x, rows["share"].to_list(), look, variant, marked=True))
        axes.set_xscale("log")
        axes.set_xlabel("learning rate")
        if len(shown) > 1:
            letter(axes, place, setting_text(dict(zip(by, setting, strict=True))))
    panels[0].set_ylim(-0.02, 1.02)
    for axes in filter(is_first, panels):
        axes.set_ylabel("share of problems solved")
    legend_above(figure, lines)
    more = f" {len(settings) - MOST} more contexts are not drawn." if len(settings) > MOST else ""
    yield Drawing(figure=figure, caption=_caption(results, table, by, shown) + more)


def _contexts(results: Results, table: pl.DataFrame, by: list[str]) -> list[tuple[Any, ...]]:
    if not by:
        return [()]
    first = tuple(usual(results).values())
    return [first, *(row for row in table.select(*by).unique(maintain_order=True).rows() if row != first)]


def _caption(results: Results, table: pl.DataFrame, by: list[str], shown: list[tuple[Any, ...]]) -> str:
    found = areas(results)
    told = []
    for setting in shown:
        words = plain(setting_text(dict(zip(by, setting, strict=True))))
        own = ", ".join(
            f"{variant} {area:.2f}" for variant, area in rows_of(found, by, setting).select("variant", "area").rows()
        )
        told.append(f"{words}: {own}" if words else own)
    problems = sorted(set(table["n"]))
    count = str(problems[0]) if len(problems) == 1 else f"{problems[0]} to {problems[-1]}"
    return (
        f"Share of {count} problems solved after training against the learning rate, per variant of the gradient; "
        "bands, for the named variants, are 95 % Wilson intervals over problems. Area under each curve in decades: "
        f"{'; '.join(told)}."
    )
