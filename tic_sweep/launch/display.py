"""Tables for the terminal, made to fit 80 columns."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.fields import text_of
from analysis.finding import transition_text, with_spread
from tic_sweep.config import field_rules, flatten, short_path
from tic_sweep.config.trial import TrialConfig
from tic_sweep.launch.progress import label_of
from tic_sweep.plan import PlannedTrial
from tic_sweep.records import ENDED, STATUSES
from tic_sweep.store import Manifest, stored_config
from tic_sweep.sweep import Sweep

TRIALS = 20
"""Trials of a plan that are printed; the rest is counted."""
UNBOUND = 10_000
"""Characters no table reaches."""
REASONS = 8
"""Reasons for bad ends that are printed."""
TOY_FIGURES = {"decades (95 %)", "best lr", "solved"}
VERDICT_STYLES = {"PASS": "bold green", "FAIL": "bold red", "UNDECIDED": "bold yellow"}


def print_summary(console: Console, summary: pl.DataFrame, settings: Sequence[str]) -> None:
    """Print the summary of a sweep, one line per setting; the least telling columns go where the width is short."""
    rows = summary.to_dicts()
    if not rows:
        return
    for left_out in ((), ("IC over epochs",), ("IC over epochs", "IC start"), ("IC over epochs", "IC start", "IC max")):
        table = _summary_table(rows, settings, left_out)
        if console.measure(table, options=console.options.update(width=UNBOUND)).maximum <= console.width:
            break
    console.print(table)


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


def print_status(console: Console, manifest: Manifest, trials: pl.DataFrame, epochs: pl.DataFrame) -> None:
    """Print how far a sweep is: trials by status, epochs done, the best trial so far, and why trials ended badly."""
    counts = dict(trials.group_by("status").len().iter_rows())
    total = max(trials.height, manifest.samples if manifest.searcher != "random" else 0)
    done = sum(count for status, count in counts.items() if status in ENDED)
    named = ", ".join(f"{counts[status]} {status.replace('_', ' ')}" for status in STATUSES if status in counts)
    console.print(f"{manifest.sweep}, {manifest.scale}: {done} of {total} trials done ({named}).", soft_wrap=True)
    trained = epochs.filter(pl.col("epoch") > 0).height
    last_epoch = pl.col("optimiser.epochs") + pl.col("pruning.cycles") * pl.col("pruning.epochs")
    if planned := trials.filter(pl.col("task") == "images").select(last_epoch.sum()).item():
        console.print(f"{trained} of {planned} epochs trained.")
    best = epochs.sort("val_acc", descending=True, maintain_order=True).head(1)
    for key, epoch, val_acc in best.select("key", "epoch", "val_acc").iter_rows():
        config = stored_config(trials.row(by_predicate=pl.col("key") == key, named=True))
        label = label_of(config, manifest.varied)
        console.print(f"Best so far: {label}, validation accuracy {val_acc:.1%} at epoch {epoch}.", soft_wrap=True)
    bad = trials.filter(pl.col("reason") != "", pl.col("status") != "interrupted")
    for status, reason, count in bad.group_by("status", "reason", maintain_order=True).len().head(REASONS).iter_rows():
        console.print(f"{count} {status.replace('_', ' ')}: {reason}", soft_wrap=True, markup=False)


def _summary_table(rows: Sequence[Mapping[str, Any]], settings: Sequence[str], left_out: Sequence[str]) -> Table:
    columns = {short_path(path): [text_of(row[path]) for row in rows] for path in settings} | {
        "trials": [_counted(row) for row in rows],
        "IC start": [with_spread(row["ic_start_mean"], None, 2) for row in rows],
        "IC max": [with_spread(row["ic_max_mean"], None, 2) for row in rows],
        "IC final": [with_spread(row["ic_final_mean"], row["ic_final_sd"], 2) for row in rows],
        "turns": [transition_text(row) for row in rows],
        "test acc %": [_percent(row["test_acc_mean"], row["test_acc_sd"]) for row in rows],
        "IC over epochs": [row["ic_spark"] for row in rows],
    }
    if all(row["n_seeds"] == row["n_finished"] for row in rows):
        del columns["trials"]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    kept = {head: cells for head, cells in columns.items() if head not in left_out}
    for head in kept:
        is_setting = head not in {"IC start", "IC max", "IC final", "turns", "test acc %"}
        table.add_column(head, justify="left" if is_setting else "right")
    for cells in zip(*kept.values(), strict=True):
        table.add_row(*cells)
    return table


def _with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Return ``1.33 (1.10 to 1.55)``, without the interval where too little is known for one."""
    if value is None:
        return "-"
    return f"{value:.2f}" if low is None or high is None else f"{value:.2f} ({low:.2f} to {high:.2f})"


def _counted(row: Mapping[str, Any]) -> str:
    """Return how many trials there are by status: ``2 finished, 1 failed``."""
    counts = ((status, row[f"n_{status}"]) for status in ("finished", *(s for s in STATUSES if s != "finished")))
    return ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts if count)


def _percent(mean: float | None, sd: float | None) -> str:
    return with_spread(None if mean is None else 100 * mean, None if sd is None else 100 * sd)


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
