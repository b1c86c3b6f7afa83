"""Tables for the terminal, made to fit 80 columns."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.fields import text_of
from tic_sweep.config import field_rules, flatten, short_path
from tic_sweep.config.trial import TrialConfig
from tic_sweep.launch.progress import label_of
from tic_sweep.launch.summary_table import summary_table
from tic_sweep.plan import PlannedTrial
from tic_sweep.sweep import Sweep

TRIALS = 20
"""Trials of a plan that are printed; the rest is counted."""
TOY_FIGURES = {"decades (95 %)", "best lr", "solved"}
VERDICT_STYLES = {"PASS": "bold green", "FAIL": "bold red", "UNDECIDED": "bold yellow"}


def print_summary(console: Console, summary: pl.DataFrame, settings: Sequence[str]) -> None:
    """Print the summary of a sweep, one line per setting, as `summary_table` fits it to the width."""
    if not summary.is_empty():
        console.print(summary_table(summary.to_dicts(), settings, console.width))


def print_toys(console: Console, summary: pl.DataFrame) -> None:
    """Print how many toy problems each variant solves, over which range of learning rates; nothing without any."""
    if summary.is_empty():
        return
    contexts = summary.columns[: summary.columns.index("variant")]
    rows = summary.to_dicts()
    columns = {short_path(path): [text_of(row[path]) for row in rows] for path in contexts} | {
        "gradient": [row["variant"] for row in rows],
        "decades (95 %)": [_with_interval(row["area"], row["low"], row["high"]) for row in rows],
        "best lr": [f"{row['best_lr']:.2g}" for row in rows],
        "solved": [f"{row['best_share']:.0%}" for row in rows],
    }
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    for head in columns:
        table.add_column(head, justify="right" if head in TOY_FIGURES else "left", no_wrap=True)
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*cells)
    console.print(table)


def print_claims(console: Console, verdicts: pl.DataFrame) -> None:
    """Print each claim's verdict, what it says, why the verdict is what it is, and where the claim is made."""
    if verdicts.is_empty():
        console.print("These results settle none of the papers' claims.")
    for row in verdicts.to_dicts():
        console.print(
            Text.assemble(
                (f"{row['verdict']:9}", VERDICT_STYLES[row["verdict"]]), f" {row['claim']}",
                f", {row['where']}" if row["where"] else "",
            )
        )  # fmt: skip
        for text in (row["statement"], row["explanation"], row["reference"]):
            console.print(
                textwrap.indent(textwrap.fill(text, console.width - 12), " " * 10), soft_wrap=True, markup=False
            )


def _with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Return ``1.33 (1.10 to 1.55)``, without the interval where too little is known for one."""
    if value is None:
        return "-"
    return f"{value:.2f}" if low is None or high is None else f"{value:.2f} ({low:.2f} to {high:.2f})"


def sweeps_table(sweeps: Iterable[Sweep]) -> Table:
    """Return the sweeps with their scales and questions."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for head in ("sweep", "scales", "question"):
        table.add_column(head, overflow="fold")
    for sweep in sweeps:
        table.add_row(sweep.name, ", ".join(sweep.scales), sweep.question)
    return table


def print_fields(console: Console) -> None:
    """Print every field of a trial: its path and default, then what it accepts and means."""
    defaults = flatten(TrialConfig())
    for path, rule in field_rules().items():
        console.print(f"{path} = {_cell(defaults[path])}", style="bold", highlight=False)
        text = f"{rule.doc[:1].upper()}{rule.doc[1:]}; {rule.accepted()}."
        console.print(textwrap.indent(textwrap.fill(text, console.width - 4), "    "), highlight=False, soft_wrap=True)


def plan_table(trials: Sequence[PlannedTrial], varied: Sequence[str]) -> Table:
    """Return the first trials of a plan: number, key and what sets each apart."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("", justify="right")
    table.add_column("key")
    table.add_column("trial", overflow="fold")
    for number, trial in enumerate(trials[:TRIALS], start=1):
        table.add_row(str(number), trial.key, label_of(trial.config, varied))
    if len(trials) > TRIALS:
        table.add_row("", "", f"and {len(trials) - TRIALS} more")
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
