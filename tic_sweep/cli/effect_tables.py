"""Effects and differences as tables for the terminal, made to fit 80 columns."""

from collections.abc import Sequence
from typing import Any

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

from analysis.compare import ALL
from analysis.differences import FALSE, SAME
from analysis.effect_texts import effect_text, field_text, interval_text, level_text, p_text, share_text, signed
from analysis.fields import name_of
from analysis.outcomes import OUTCOMES, TRANSITION

USUAL = "paired t over seeds"
BOLD = "bold"
SHOWN = 12
"""Rows of a comparison that are printed per table, those with the smallest q."""


def print_shares(console: Console, shares: pl.DataFrame) -> None:
    """Print, a line per outcome, the share of the variance that is each field's own doing, the largest first."""
    if shares.is_empty():
        return
    drawn = set(shares["method"]) == {"regression"}
    _head(console, f"What moves what: share of the variance between {'trials' if drawn else 'settings (95 %)'}")
    table = _table()
    table.add_column("outcome")
    table.add_column("fields, most important first")
    for (outcome,), own in shares.group_by("outcome", maintain_order=True):
        told = []
        for row in own.iter_rows(named=True):
            interval = "" if row["low"] is None else f" ({100 * row['low']:.0f} to {100 * row['high']:.0f})"
            told.append(f"{field_text(row['field'])} {share_text(row['share'])}{interval}".replace(" ", "\u00a0"))
        table.add_row(OUTCOMES[str(outcome)].words, ", ".join(told))
    console.print(table)


def print_effects(console: Console, effects: pl.DataFrame, horizon: Any) -> None:
    """Print, per outcome, each level's effect with its interval; those whose interval leaves 0 out in bold."""
    for (name,), own in effects.group_by("outcome", maintain_order=True):
        outcome = OUTCOMES[str(name)]
        turning = name == TRANSITION
        seen = f", seen to epoch {horizon}" if turning else ""
        _head(console, f"Effects on {outcome.words} ({outcome.unit}{seen})")
        table = _table()
        heads = ["field", "level", "effect", "95 %", "seeds", *(["turned"] if turning else [])]
        for head in heads:
            table.add_column(head, justify="left" if head in {"field", "level"} else "right", no_wrap=head != "field")
        for row in own.iter_rows(named=True):
            clear = row["low"] is not None and (row["low"] > 0 or row["high"] < 0)
            cells = [
                name_of(row["field"]), level_text(row), effect_text(row),
                interval_text(row["low"], row["high"], outcome.digits), str(row["n_seeds"]),
            ]  # fmt: skip
            table.add_row(*cells, *([_turned(row)] if turning else []), style=BOLD if clear else None)
        console.print(table)
        _print_methods(console, own)
    console.print("Bold: the 95 % interval leaves 0 out. Each is for itself: of 20 true zeros, one lies outside.")


def print_importances(console: Console, importances: pl.DataFrame) -> None:
    """Print Optuna's importances of the fields of a search; nothing where there are none."""
    for (outcome,), own in importances.group_by("outcome", maintain_order=True):
        _head(console, f"Optuna's importances for {OUTCOMES[str(outcome)].words}, with the range over resamples")
        table = _table()
        wide = own.pivot(on="evaluator", index="field", values=["importance", "low", "high"], maintain_order=True)
        for head in ("field", "fANOVA", "", "PED-ANOVA", ""):
            table.add_column(head, justify="left" if head == "field" else "right", no_wrap=True)
        for row in wide.iter_rows(named=True):
            cells = [name_of(row["field"])]
            for one in ("fanova", "ped_anova"):
                cells += [f"{row[f'importance_{one}']:.2f}", f"{row[f'low_{one}']:.2f} to {row[f'high_{one}']:.2f}"]
            table.add_row(*cells)
        console.print(table)
        if note := own["note"][0]:
            console.print(f"{note}.")


def print_overall(console: Console, settings: pl.DataFrame) -> None:
    """Print the difference of two sweeps in each outcome, over all the settings that they share."""
    several = settings.filter(pl.col("setting") == ALL)
    alone = settings.filter(~pl.col("outcome").is_in(several["outcome"].implode()))
    told = pl.concat([several, alone])
    words = [f"{OUTCOMES[name].words}, {OUTCOMES[name].unit}" for name in told["outcome"]]
    title = f"B − A, {ALL if several.height else 'the shared setting'}"
    _print_differences(console, title, "outcome", told.with_columns(what=pl.Series(words, dtype=pl.String)), ("a", "b"))


def print_setting_differences(console: Console, settings: pl.DataFrame, *, every: bool) -> None:
    """Print the shared settings in which two sweeps differ, or every one of them."""
    single = settings.filter(pl.col("setting") != ALL)
    chosen = single if every else single.filter(pl.col("differs").fill_null(value=False))
    for (outcome,), own in chosen.group_by("outcome", maintain_order=True):
        title = f"{'Settings' if every else 'Settings that differ'}: {_titled(str(outcome))}"
        _print_differences(console, title, "setting", own.with_columns(what="setting"), ("a", "b"), every=every)


def print_effect_differences(console: Console, effects: pl.DataFrame, *, every: bool) -> None:
    """Print by how much effects differ between two sweeps."""
    for (outcome,), own in effects.group_by("outcome", maintain_order=True):
        told = [f"{name_of(row['field'])} {level_text(row)}" for row in own.iter_rows(named=True)]
        named = own.with_columns(what=pl.Series(told, dtype=pl.String))
        title = f"Effects: {_titled(str(outcome))}"
        _print_differences(console, title, "effect", named, ("effect_a", "effect_b"), every=every)


def _print_differences(
    console: Console, title: str, what: str, rows: pl.DataFrame, sides: Sequence[str], *, every: bool = False
) -> None:
    _head(console, title)
    table = _table()
    table.add_column(what)
    for head in ("A", "B", "B − A", "95 %", "q"):
        table.add_column(head, justify="right", no_wrap=True)
    most = rows.height if every else SHOWN
    ordered = rows.sort("q", nulls_last=True, maintain_order=True) if rows.height > most else rows
    for row in ordered.head(most).iter_rows(named=True):
        digits = OUTCOMES[row["outcome"]].digits
        values = [signed(row[side], digits) if what == "effect" else f"{row[side]:.{digits}f}" for side in sides]
        q = "same" if row["method"] == SAME else p_text(row["q"])
        style = BOLD if row["q"] is not None and row["q"] < FALSE else None
        interval = interval_text(row["low"], row["high"], digits)
        table.add_row(row["what"], *values, signed(row["difference"], digits), interval, q, style=style)
    console.print(table)
    if rows.height > most:
        console.print(f"and {rows.height - most} more with a larger q: --all shows them")
    _print_methods(console, rows)


def _print_methods(console: Console, rows: pl.DataFrame) -> None:
    """Print how numbers were found where it was not as usual."""
    others = rows.filter(~pl.col("method").is_in([USUAL, SAME]))
    for (method,), own in others.group_by("method", maintain_order=True):
        which = "all" if own.height == rows.height else _listed(own)
        console.print(f"{which}: {method}", style="dim", markup=False)
    if "n_missing" in rows.columns and (missing := rows["n_missing"].max()):
        console.print(f"up to {missing} trials of a comparison lack this outcome", style="dim")


def _listed(rows: pl.DataFrame) -> str:
    told = [row.get("what") or f"{name_of(row['field'])} {level_text(row)}" for row in rows.iter_rows(named=True)]
    return ", ".join(told)


def _titled(outcome: str) -> str:
    return f"{OUTCOMES[outcome].words} ({OUTCOMES[outcome].unit})"


def _turned(row: dict[str, Any]) -> str:
    """Return the shares of trials that had turned, at the level and at the reference."""
    if row["turned"] is None or row["turned_reference"] is None:
        return ""
    return f"{row['turned']:.0%}, {row['turned_reference']:.0%}"


def _head(console: Console, text: str) -> None:
    console.print(f"\n{text}", style=BOLD, markup=False)


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1), collapse_padding=True)
