"""The commands that plan and run sweeps: ``list | fields | plan | run | resume``."""

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from tic_sweep.cli.options import CIRCUMSTANCE, FOLDER, OPEN, SCIENCE, make_console, shown, tell_aside, tell_report
from tic_sweep.errors import StoreError

RACE = ("scheduler", "budget", "holdout", "grace")
"""Options that replace a sweep's own race."""
SHOWN = 5
"""Mended mishaps that are told in the terminal; the rest is counted."""
TUNE = "tune-lr"
"""The command whose results are resumed by giving it again."""

if TYPE_CHECKING:
    from rich.console import Console

    from analysis.results import Results
    from tic_sweep.launch.options import Options, Request
    from tic_sweep.launch.session import Ended
    from tic_sweep.store import ResultsFolder


@click.command("list")
def list_() -> None:
    """Show the built-in sweeps and the question of each."""
    from tic_sweep.launch.display import sweeps_table
    from tic_sweep.sweep import load_sweep, sweep_names

    make_console().print(sweeps_table(load_sweep(name)[0] for name in sweep_names()))


@click.command()
def fields() -> None:
    """Show every field of a trial: default, bounds, unit and meaning."""
    from tic_sweep.launch.display import print_fields

    print_fields(make_console())


@click.command()
@click.argument("sweep")
@SCIENCE
@click.option("--cpus", type=click.IntRange(1), help="CPUs of this machine to use; all if left out.")
@click.option("--cpus-per-trial", type=click.IntRange(1), default=1, show_default=True, help="CPUs of a trial.")
@click.option("--no-cost", is_flag=True, help="Leave out the estimate, which takes some seconds to measure.")
def plan(sweep: str, no_cost: bool, **given: Any) -> None:  # noqa: FBT001 - click passes flags by name
    """Show the trials of SWEEP, a built-in name or a .py file, and what they will cost. Nothing is run."""
    from tic_sweep.config import EPOCH_TASKS
    from tic_sweep.launch.display import plan_table
    from tic_sweep.launch.preparing import prepare
    from tic_sweep.plan import likely

    prepared, console = prepare(_request(sweep, given)), make_console()
    scale = prepared.scale
    count = scale.samples if prepared.adaptive else len(prepared.trials)
    console.print(f"{prepared.sweep.name}, {prepared.scale_name}: {prepared.sweep.question}", soft_wrap=True)
    if prepared.adaptive:
        console.print(f"Up to {count} trials, each proposed from the {scale.objective} of those before.")
    else:
        console.print(plan_table(prepared.trials, prepared.telling))
    proposed = likely(scale, sweep_name=prepared.sweep.name) if prepared.adaptive else []
    configs = proposed or [trial.config for trial in prepared.trials]
    epochs = sum(config.last_epoch for config in configs if config.task in EPOCH_TASKS)
    console.print(f"{count} trials, {epochs} epochs." if epochs else f"{count} trials.")
    if scale.scheduler != "none":
        share = f"{scale.budget:.0%}".replace("%", " %")
        console.print(
            f"Raced by {scale.scheduler}: most trials end early, at most {share} of these epochs are trained."
        )
    if not no_cost and count:
        _print_cost(console, configs, given)


@click.command()
@click.argument("sweep")
@SCIENCE
@CIRCUMSTANCE
@click.option("--results", type=FOLDER, help="Results folder; results/SWEEP-SCALE if left out.")
@click.option("--rerun", is_flag=True, help="Run trials again that have ended in the results folder.")
@OPEN
@click.pass_context
def run(ctx: click.Context, sweep: str, results: Path | None, opens: bool, **given: Any) -> None:  # noqa: FBT001
    """Run SWEEP, a built-in name or a .py file. Trials that have ended in the results folder are left out."""
    from tic_sweep.launch.session import run_sweep

    console = make_console()
    options = circumstance(given)
    ended = run_sweep(
        _request(sweep, given), options, results=results, command=command_line(ctx, "run", sweep), console=console,
        then=lambda ended: _tell(ended, console, opens=opens),
    )  # fmt: skip
    _conclude(ended, console)


@click.command()
@click.argument("results", type=FOLDER)
@CIRCUMSTANCE
@OPEN
@click.pass_context
def resume(ctx: click.Context, results: Path, opens: bool, **given: Any) -> None:  # noqa: FBT001
    """Continue the trials of RESULTS that have not ended, as they were started; options given here replace those."""
    from tic_sweep.launch.session import resume_sweep
    from tic_sweep.store import Manifest, ResultsFolder

    manifest = Manifest.load(ResultsFolder.open(results).manifest)
    chosen = {name for name in given if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if _words_of(manifest.command)[1:2] == [TUNE]:
        _tune_again(ctx, manifest.command, {"results": results, "opens": opens} | {n: given[n] for n in chosen})
        return
    started = _started_with(manifest.command)
    started.pop("stop_after", None)  # was meant for that session alone
    merged = {name: value if name in chosen else started.get(name, value) for name, value in given.items()}
    request = _request(started["sweep"], started) if "sweep" in started else None
    console = make_console()
    ended = resume_sweep(
        results, request, circumstance(merged), console=console,
        then=lambda ended: _tell(ended, console, opens=opens, hint=""),
    )  # fmt: skip
    _conclude(ended, console)


def _print_cost(console: "Console", configs: Sequence[Any], given: dict[str, Any]) -> None:
    from tic_sweep.config import Resources
    from tic_sweep.launch.cost import estimate
    from tic_sweep.launch.preflight import available_cpus
    from tic_sweep.launch.progress import duration

    cpus_per_trial = given["cpus_per_trial"]
    workers = max(1, min((given["cpus"] or available_cpus()) // cpus_per_trial, len(configs)))
    cost = estimate(configs, Resources(device="cpu", threads=cpus_per_trial))
    console.print(
        f"Estimate: about {duration(cost.seconds / workers)} on {workers} workers of this machine's CPUs "
        f"({duration(cost.seconds)} of work), from a few training steps measured now.", soft_wrap=True,
    )  # fmt: skip


def _request(sweep: str, given: dict[str, Any]) -> "Request":
    from tic_sweep.launch.options import Request

    return Request(
        sweep=sweep,
        scale=given.get("scale"),
        changes=dict(given.get("changes") or ()),
        seeds=given.get("seeds"),
        samples=given.get("samples"),
        race={name: given[name] for name in RACE if given.get(name) is not None},
    )


def circumstance(given: dict[str, Any]) -> "Options":
    """Return the options of a command that has `CIRCUMSTANCE`."""
    from tic_sweep.config import Resources
    from tic_sweep.launch.options import Options

    own = ("device", "precision", "kernels", "fisher_chunk", "checkpoint_seconds")
    resources = Resources(**{name: given[name] for name in own})
    others = set(Options.__dataclass_fields__) & set(given)
    return Options(resources=resources, **{name: given[name] for name in others})


def command_line(ctx: click.Context, *words: str) -> str:
    """Return the command as it was given, with absolute paths, so that `resume` can read it anywhere."""
    told = ["tic-sweep", *(str(Path(word).absolute()) if word.endswith(".py") else word for word in words)]
    for param in ctx.command.params:
        given = ctx.params.get(param.name or "")
        sources = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
        if not isinstance(param, click.Option) or ctx.get_parameter_source(param.name or "") not in sources:
            continue
        if param.is_flag:
            told += [param.opts[0]] if given else []
            continue
        for value in (given or ()) if param.multiple else (given,):
            told += [param.opts[0], _word(value)]
    return shlex.join(told)


def _word(value: Any) -> str:
    if isinstance(value, Path):
        return str(value.absolute())
    if isinstance(value, tuple) and isinstance(value[0], str):
        return f"{value[0]}={json.dumps(value[1])}"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _tune_again(ctx: click.Context, command: str, changes: dict[str, Any]) -> None:
    """Give the command again that began to tune: it goes on where it was."""
    from tic_sweep.cli.tuning import tune_lr

    before = _understood(tune_lr, _words_of(command)[2:])
    before.params |= {"stop_after": None} | changes
    with ctx.scope(cleanup=False), before:
        tune_lr.invoke(before)


def _started_with(command: str) -> dict[str, Any]:
    """Return the parameters of the command line that started a sweep; nothing if there was none."""
    words = _words_of(command)[2:]
    if not words:
        return {}
    return _understood(run, words).params


def _words_of(command: str) -> list[str]:
    """Return the words of a command line that was given earlier."""
    try:
        return shlex.split(command)
    except ValueError as error:
        raise _not_understood(str(error)) from error


def _understood(how: click.Command, words: list[str]) -> click.Context:
    """Return the context of a command line that was given earlier."""
    try:
        return how.make_context(how.name, words)
    except click.ClickException as error:
        raise _not_understood(error.format_message()) from error


def _not_understood(why: str) -> StoreError:
    """Return an error that does not repeat the command: older versions stored secrets of URLs in it."""
    return StoreError(
        f"sweep.json: field 'command' is not understood ({why.removesuffix('.')}): restore the file, or give the "
        f"command again by which the sweep was started, with --results."
    )


def _tidy(folder: "ResultsFolder") -> None:
    """Make the results quick to open; they are whole without it."""
    from tic_sweep.cli.tidying import MOST_ROWS, tidy

    try:
        tidy(folder, most_rows=MOST_ROWS)
    except StoreError as error:
        tell_aside(f"warning: {error}")


def _tell(ended: "Ended", console: "Console", *, opens: bool, hint: str = "; --rerun runs them again") -> "Results":
    """Print what came out, write the report, and return the results; the hint is for trials that had all ended."""
    import analysis
    from analysis import tables
    from tic_sweep.launch.display import print_summary, print_toys

    if not ended.ran:
        console.print(
            f"All {ended.total} trials have ended already in {shown(ended.folder.root)}{hint}.",
            soft_wrap=True,
        )
    else:
        _tidy(ended.folder)
    results = analysis.open_results(ended.folder.root).held
    print_summary(console, tables.summary(results), results.settings)
    print_toys(console, tables.toy_summary(results))
    console.print(tables.finding(results))
    tell_report(console, ended.folder.root, results=results, opens=opens)
    return results


def tell_mishaps(ended: "Ended") -> None:
    """Say what went wrong: what was mended on the way, shortly, what was not, and how many trials failed."""
    for line in ended.mended[:SHOWN]:
        tell_aside(f"mended: {line}")
    if (more := len(ended.mended) - SHOWN) > 0:
        tell_aside(f"mended: {more} more; the column remark of the table trials tells them.")
    for problem in ended.problems:
        tell_aside(f"warning: {problem}")
    if failed := ended.statuses.get("failed", 0):
        root = shown(ended.folder.root)
        tell_aside(f"{failed} of {ended.total} trials failed: tic-sweep status {root} tells why.")


def exit_code(ended: "Ended") -> int:
    """Return the exit code of a command that has run trials."""
    if ended.stop:
        return ended.stop.exit_code
    return 1 if ended.statuses.get("failed", 0) or ended.problems else 0


def _conclude(ended: "Ended", console: "Console") -> NoReturn:
    """Say what went wrong, and exit."""
    tell_mishaps(ended)
    if ended.stop:
        root = shown(ended.folder.root)
        console.print(
            f"Interrupted: {ended.done} of {ended.total} trials done. Continue with: tic-sweep resume {root}",
            soft_wrap=True,
        )
    sys.exit(exit_code(ended))
