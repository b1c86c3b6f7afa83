"""Effects, shares and interactions as people read them: numbers with signs and bounds, and the report's tables."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from analysis.effect_shares import INTERACTIONS, shares_of
from analysis.fields import name_of
from analysis.interactions import interactions_of
from analysis.outcomes import OUTCOMES, TRANSITION, outcomes_of
from analysis.results import Results
from analysis.sections import Cell, Texts

ROWS = 20
"""Pairs of fields in the report's table."""
SMALLEST = 0.001


def signed(value: float | None, digits: int) -> str:
    """Return a difference with its sign; a dash where there is none."""
    if value is None:
        return "–"
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


def interval_text(low: float | None, high: float | None, digits: int) -> str:
    """Return ``low to high``; empty where there is no interval."""
    if low is None or high is None:
        return ""
    return " to ".join(f"{round(end, digits) + 0.0:.{digits}f}" for end in (low, high)).replace("-", "−")


def bound_of(row: Mapping[str, Any]) -> str:
    """Return ``≥ `` or ``≤ `` where the transitions of one level are cut off at the horizon and those of the other not.

    What is said of the difference then is the least that it is; where both are cut off it may be more or less.
    """
    if row["outcome"] != TRANSITION or row["turned"] is None or row["turned_reference"] is None:
        return ""
    return {(True, False): "≥ ", (False, True): "≤ "}.get((row["turned"] < 1, row["turned_reference"] < 1), "")


def effect_text(row: Mapping[str, Any]) -> str:
    """Return the effect of a row of `marginal_effects` with its sign and bound."""
    bound = bound_of(row) if row["effect"] is not None else ""
    return f"{bound}{signed(row['effect'], OUTCOMES[row['outcome']].digits)}"


def level_text(row: Mapping[str, Any]) -> str:
    """Return what a row compares, such as ``0.8 vs 0.3`` or ``per ×10``."""
    return f"{row['level']} vs {row['reference']}" if row["reference"] else f"per {row['level']}"


def share_text(share: float | None) -> str:
    """Return a share in percent; a dash where there is none."""
    return "–" if share is None else f"{share:.0%}".replace("%", " %")


def p_text(p: float | None) -> str:
    """Return a p-value to one digit that counts; empty where there is none."""
    return "" if p is None else f"< {SMALLEST}" if p < SMALLEST else f"{p:.2g}"


def share_texts(results: Results) -> Texts | None:
    """Return one row per field and a column per outcome: its share of the variance between settings."""
    table, fields = outcomes_of(results)
    if len(fields) < 2:  # noqa: PLR2004
        return None
    shares = shares_of(table, fields)
    outcomes = shares["outcome"].unique(maintain_order=True).to_list()
    if not outcomes:
        return None
    cells = {(row["outcome"], row["field"]): row for row in shares.iter_rows(named=True)}
    mean = shares.group_by("field", maintain_order=True).agg(pl.col("share").mean()).sort("share", descending=True)
    ranked = sorted(mean["field"], key=lambda field: field == INTERACTIONS)
    drawn = set(shares["method"]) == {"regression"}
    few = not drawn and any(row["low"] is None for row in cells.values())
    return Texts(
        caption="Share of the variance over trials that only this field explains in a regression"
        if drawn
        else "Share of the variance between settings that is each field's own doing; below, its 95 % interval",
        heads=["field", *(OUTCOMES[name].words for name in outcomes)],
        rows=[
            [field_text(field), *(_share_cell(cells.get((outcome, field))) for outcome in outcomes)] for field in ranked
        ],
        numbers=1,
        note=(
            ""
            if drawn
            else "Without what seeds add by chance; the rest of 100 % is what fields do together. "
            + ("An interval needs three seeds and a whole grid. " if few else "")
        )
        + "Shares are of the levels tried: a field tried over a wider range moves more.",
    )


def field_text(field: str) -> str:
    """Return a field in words."""
    return "fields together" if field == INTERACTIONS else name_of(field)


def interaction_texts(results: Results) -> Texts | None:
    """Return one row per outcome and pair of fields, the strongest of each outcome first."""
    table, fields = outcomes_of(results)
    if len(fields) < 2:  # noqa: PLR2004
        return None
    found = interactions_of(table, fields)
    rows = []
    for row in found.head(ROWS).iter_rows(named=True):
        digits = OUTCOMES[row["outcome"]].digits
        interval = interval_text(row["low"], row["high"], digits)
        rows.append([
            OUTCOMES[row["outcome"]].words, f"{name_of(row['first'])} × {name_of(row['second'])}",
            Cell(text=f"{row['strength']:.{digits}f} {row['unit']}", small=interval), share_text(row["share"]),
            p_text(row["p"]),
        ])  # fmt: skip
    return Texts(
        caption="How far the cells of two fields are from the sum of both effects: typical departure, 95 % interval "
        "below",
        heads=["outcome", "pair", "departure", "share of variance", "p"],
        rows=rows,
        numbers=2,
        note="Departures are root mean squares over the cells, without what seeds add by chance; p is that of an F "
        "test of no interaction, each for itself.",
    )


def _share_cell(row: Mapping[str, Any] | None) -> str | Cell:
    if row is None:
        return "–"
    ends = [row["low"], row["high"]]
    small = "" if None in ends else f"{100 * ends[0]:.0f} to {100 * ends[1]:.0f}"
    return Cell(text=share_text(row["share"]), small=small)
