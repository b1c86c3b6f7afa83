"""The command that chooses a learning rate: ``tune-lr``."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tic_sweep.cli.options import CIRCUMSTANCE, FOLDER, ChangeType, SeedsType, make_console, options_of, shown
from tic_sweep.cli.running import circumstance, command_line, exit_code, tell_mishaps

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from analysis.sections import Texts
    from tic_sweep.tune import Tuned

SHORT: dict[str, str] = {"learning rate": "rate", "seeds run": "seeds", "validation accuracy": "val acc"}
"""Heads of the table as the terminal has room for them."""
ASKED = options_of(
    click.option("--dataset", default="digits", show_default=True, help="Data set."),
    click.option("--arch", default="small_conv", show_default=True, help="Network."),
    click.option("--timesteps", type=int, help="T; 8 for small_conv, 10 for others."),
    click.option("--tau", type=float, help="Membrane time constant, in timesteps; 2 if left out."),
    click.option("--low", type=float, default=0.01, show_default=True, help="Lowest rate."),
    click.option("--high", type=float, default=3.0, show_default=True, help="Highest rate."),
    click.option("--rates", type=int, default=8, show_default=True, help="How many, evenly apart on a log scale."),
    click.option("--seeds", type=SeedsType(), default=(0, 1), show_default="0,1", help="The first runs every rate."),
    click.option("--epochs", type=int, help="Epochs of a whole training; a default for each data set."),
    click.option(
        "--budget", type=float, default=35.0, show_default=True, help="Percent of the full grid's epochs, at most."
    ),
    click.option("--searcher", default="grid", show_default=True, help="grid, or tpe: rates proposed by Optuna."),
    click.option("--policy", help="What stops trials; hybrid for grid, asha for tpe."),
    click.option("--set", "changes", type=ChangeType(), multiple=True, help="Another field of all trials; repeatable."),
)


@click.command("tune-lr")
@ASKED
@CIRCUMSTANCE
@click.option("--results", type=FOLDER, help="Results folder; results/tune_lr-DATASET-ARCH if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, and nothing else on stdout.")
@click.option("--open/--no-open", "opens", default=False, help="Open the report in a browser.")
@click.pass_context
def tune_lr(
    ctx: click.Context, results: Path | None, as_json: bool, opens: bool, changes: tuple[tuple[str, Any], ...],  # noqa: FBT001
    **given: Any,
) -> None:  # fmt: skip
    """Choose a learning rate for a network on a data set, for a fraction of the full grid's epochs.

    Trains every rate a little, goes on with the better half again and again, and trains the leaders to their end with
    every seed. That ends by itself, after a third of the grid with 8 rates and 2 seeds; --budget bounds it. Asked again
    it goes on where it was interrupted, or gives the answer that the results folder has.
    """
    from tic_sweep.tune import Question
    from tic_sweep.tune.answer import answer_of
    from tic_sweep.tune.learning_rate import race

    asked = {name: given[name] for name in Question.__dataclass_fields__ if name in given}
    question = Question(**asked, changes=dict(changes))
    options = circumstance(given)
    console = make_console(stderr=as_json)
    command = command_line(ctx, "tune-lr")
    ended = race(question, options, results=results, command=command, console=console)
    tell_mishaps(ended)
    tuned = answer_of(ended.folder.root, complete=not ended.stop)
    if as_json:
        click.echo(json.dumps(tuned.to_dict(), indent=2))
    else:
        tell(console, tuned)
    if opens and not ended.stop:
        click.launch(str(tuned.report))
    sys.exit(exit_code(ended))


def tell(console: "Console", tuned: "Tuned") -> None:
    """Print an answer: the rate, how sure it is, what it cost, how the rates stand, and where the evidence lies."""
    import analysis
    from analysis.race_texts import race_finding, race_texts

    results = analysis.open_results(tuned.results)
    if (texts := race_texts(results)) is not None and texts.rows:
        console.print(standings_table(texts))
    if not tuned.complete:
        root = shown(tuned.results)
        console.print(f"Interrupted; what follows may change. Go on with: tic-sweep resume {root}", soft_wrap=True)
    console.print(race_finding(results))
    if tuned.figure is not None:
        console.print(f"Evidence: {shown(tuned.figure)}", soft_wrap=True)
    console.print(f"Report: {shown(tuned.report)}", soft_wrap=True)


def standings_table(texts: "Texts") -> "Table":
    """Return how the rates stand as a table for the terminal, without the reasons, which the report has."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    shown = [number for number in range(len(texts.heads)) if number not in texts.words]
    for number in shown:
        head = str(texts.heads[number])
        table.add_column(SHORT.get(head, head), justify="left" if number < texts.numbers else "right", no_wrap=True)
    for row in texts.rows:
        table.add_row(*(str(row[number]) for number in shown))
    return table
