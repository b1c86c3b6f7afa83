"""The command line: ``tic-sweep list | fields | plan | run | resume | status | report``.

What a user can mend is one line on stderr and exit code 2. A run that ends with failed trials exits with 1, one that
was interrupted with 128 plus the signal's number. Everything heavy is imported inside the commands.
"""

import json
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
from click.core import ParameterSource

import tic_sweep
from tic_sweep.errors import StoreError, UserError

if TYPE_CHECKING:
    from rich.console import Console

    from tic_sweep.launch.options import Options, Request
    from tic_sweep.launch.session import Ended

Command = TypeVar("Command", bound=Callable[..., Any])
FOLDER = click.Path(path_type=Path)
LARGE_CPU_RUN = 3600.0
"""Seconds of work from which `plan` speaks of GPUs."""


class SeedsType(click.ParamType):
    """Whole numbers separated by commas."""

    name = "0,1,2"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the seeds as a tuple."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} must be whole numbers separated by commas, such as 0,1,2.", param, ctx)


class ChangeType(click.ParamType):
    """A field and its value."""

    name = "path=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path and the value, read as JSON if it can be, else as a string."""
        if isinstance(value, tuple):
            return value
        path, equals, text = value.partition("=")
        if not (path and equals):
            self.fail(f"{value!r} must be path=value, such as optimiser.lr=0.1.", param, ctx)
        try:
            return path, json.loads(text)
        except ValueError:
            return path, text


def _options(*decorators: Callable[[Any], Any]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


SCIENCE = _options(
    click.option("--scale", help="laptop or paper; the first that exists if left out."),
    click.option("--set", "changes", type=ChangeType(), multiple=True, help="Fix a field of all trials; repeatable."),
    click.option("--seeds", type=SeedsType(), help="Seeds of the trials."),
    click.option("--samples", type=int, help="Points drawn from a space with ranges or choices."),
)
CIRCUMSTANCE = _options(
    click.option("--data", type=FOLDER, envvar="TIC_SWEEP_DATA", help="Folder of the data sets [env: TIC_SWEEP_DATA]."),
    click.option("--download", is_flag=True, help="Fetch data sets that are missing in --data."),
    click.option("--address", metavar="ADDRESS", help="Ray cluster to join: auto or host:port."),
    click.option("--cpus", type=click.IntRange(1), help="CPUs of this machine to use; all if left out."),
    click.option("--cpus-per-trial", type=click.IntRange(1), default=1, show_default=True, help="CPUs of a trial."),
    click.option("--gpus-per-trial", type=float, default=0.0, help="GPUs of a trial; a fraction shares one."),
    click.option("--max-concurrent", type=click.IntRange(1), help="Trials at once, at most."),
    click.option(
        "--retries", type=click.IntRange(0), default=2, show_default=True, help="Restarts of a trial that died."
    ),
    click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where trials compute."),
    click.option("--precision", type=click.Choice(["float32", "bfloat16"]), default="float32", help="Of products."),
    click.option(
        "--fisher-chunk", type=click.IntRange(1), default=64, show_default=True, help="Images per Fisher pass."
    ),
    click.option(
        "--checkpoint-seconds",
        type=click.FloatRange(0),
        default=30.0,
        show_default=True,
        help="Between checkpoints of a trial.",
    ),
    click.option("--in-process", is_flag=True, help="Debug: without Ray, stop at the first failure."),
    click.option("--wandb", type=click.Choice(["off", "offline", "online"]), default="off", help="Mirror to W&B."),
)
OPEN = click.option("--open/--no-open", "opens", default=False, help="Open the report in a browser.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(tic_sweep.__version__, prog_name="tic-sweep")
def cli() -> None:
    """Sweeps of spiking networks that ask when in time their information lives.

    Begin with: tic-sweep run quickstart
    """


@cli.command("list")
def list_() -> None:
    """Show the built-in sweeps and the question of each."""
    from tic_sweep.launch.display import sweeps_table
    from tic_sweep.sweep import load_sweep, sweep_names

    _console().print(sweeps_table(load_sweep(name)[0] for name in sweep_names()))


@cli.command()
def fields() -> None:
    """Show every field of a trial: default, bounds, unit and meaning."""
    from tic_sweep.launch.display import print_fields

    print_fields(_console())


@cli.command()
@click.argument("sweep")
@SCIENCE
@click.option("--cpus", type=click.IntRange(1), help="CPUs of this machine to use; all if left out.")
@click.option("--cpus-per-trial", type=click.IntRange(1), default=1, show_default=True, help="CPUs of a trial.")
@click.option("--no-cost", is_flag=True, help="Leave out the estimate, which takes some seconds to measure.")
def plan(sweep: str, no_cost: bool, **given: Any) -> None:  # noqa: FBT001 - click passes flags by name
    """Show the trials of SWEEP, a built-in name or a .py file, and what they will cost. Nothing is run."""
    from tic_sweep.launch.display import plan_table
    from tic_sweep.launch.session import prepare
    from tic_sweep.plan import likely

    prepared, console = prepare(_request(sweep, given)), _console()
    scale = prepared.scale
    count = scale.samples if prepared.adaptive else len(prepared.trials)
    console.print(f"{prepared.sweep.name}, {prepared.scale_name}: {prepared.sweep.question}", soft_wrap=True)
    if prepared.adaptive:
        console.print(f"Up to {count} trials, each proposed from the {scale.objective} of those before.")
    else:
        console.print(plan_table(prepared.trials, prepared.telling))
    proposed = likely(scale, sweep_name=prepared.sweep.name) if prepared.adaptive else []
    configs = proposed or [trial.config for trial in prepared.trials]
    epochs = sum(config.last_epoch for config in configs if config.task == "images")
    console.print(f"{count} trials, {epochs} epochs." if epochs else f"{count} trials.")
    if not no_cost and count:
        _print_cost(console, configs, given)


@cli.command()
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

    console = _console()
    options = _circumstance(given)
    ended = run_sweep(
        _request(sweep, given), options, results=results, command=_command_line(ctx, sweep), console=console
    )
    _conclude(ended, console, opens=opens)


@cli.command()
@click.argument("results", type=FOLDER)
@CIRCUMSTANCE
@OPEN
@click.pass_context
def resume(ctx: click.Context, results: Path, opens: bool, **given: Any) -> None:  # noqa: FBT001
    """Continue the trials of RESULTS that have not ended, as they were started; options given here replace those."""
    from tic_sweep.launch.session import resume_sweep
    from tic_sweep.store import Manifest, ResultsFolder

    manifest = Manifest.load(ResultsFolder.open(results).manifest)
    started = _started_with(manifest.command)
    chosen = {name for name in given if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    merged = {name: value if name in chosen else started.get(name, value) for name, value in given.items()}
    request = _request(started["sweep"], started) if "sweep" in started else None
    console = _console()
    ended = resume_sweep(results, request, _circumstance(merged), console=console)
    _conclude(ended, console, opens=opens)


@cli.command()
@click.argument("results", type=FOLDER)
def status(results: Path) -> None:
    """Show how far the sweep in RESULTS is; it may be running."""
    import analysis
    from analysis import tables
    from tic_sweep.launch.display import print_status, print_summary, print_toys
    from tic_sweep.store import Manifest, ResultsFolder

    folder, console = ResultsFolder.open(results), _console()
    manifest, opened = Manifest.load(folder.manifest), analysis.open_results(results)
    print_status(console, manifest, opened.trials.collect(), opened.epochs.collect())
    print_summary(console, tables.summary(opened), opened.settings)
    print_toys(console, tables.toy_summary(opened))


@cli.command()
@click.argument("results", type=FOLDER)
def claims(results: Path) -> None:
    """Check the papers' claims that RESULTS can settle: PASS, FAIL or UNDECIDED, with intervals."""
    import analysis
    from analysis.claims import check_claims
    from tic_sweep.launch.display import print_claims
    from tic_sweep.store import ResultsFolder

    ResultsFolder.open(results)
    print_claims(_console(), check_claims(analysis.open_results(results)))


@cli.command()
@click.argument("results", type=FOLDER)
@OPEN
def report(results: Path, opens: bool) -> None:  # noqa: FBT001
    """Write RESULTS/report.html: figures and tables of the sweep so far."""
    from tic_sweep.store import ResultsFolder

    ResultsFolder.open(results)
    _write_report(_console(), results, opens=opens)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    try:
        code = cli.main(args=arguments, prog_name="tic-sweep", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 0
    except click.ClickException as error:
        code = _refuse(error.format_message())
    except UserError as error:
        code = _refuse(str(error))
    except (click.Abort, KeyboardInterrupt):
        code = _refuse("interrupted before any trial ran.", code=130)
    sys.exit(code if isinstance(code, int) else 0)


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


def _refuse(message: str, code: int = 2) -> int:
    click.echo(f"tic-sweep: error: {' '.join(message.split())}", err=True)
    return code


def _console() -> "Console":
    from rich.console import Console

    return Console(highlight=False)


def _request(sweep: str, given: dict[str, Any]) -> "Request":
    from tic_sweep.launch.options import Request

    return Request(
        sweep=sweep,
        scale=given.get("scale"),
        changes=dict(given.get("changes") or ()),
        seeds=given.get("seeds"),
        samples=given.get("samples"),
    )


def _circumstance(given: dict[str, Any]) -> "Options":
    from tic_sweep.config import Resources
    from tic_sweep.launch.options import Options

    own = ("device", "precision", "fisher_chunk", "checkpoint_seconds")
    resources = Resources(**{name: given[name] for name in own})
    others = set(Options.__dataclass_fields__) & set(given)
    return Options(resources=resources, **{name: given[name] for name in others})


def _command_line(ctx: click.Context, sweep: str) -> str:
    """Return the command as it was given, with absolute paths, so that `resume` can read it anywhere."""
    words = ["tic-sweep", "run", str(Path(sweep).absolute()) if sweep.endswith(".py") else sweep]
    for param in ctx.command.params:
        given = ctx.params.get(param.name or "")
        sources = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
        if not isinstance(param, click.Option) or ctx.get_parameter_source(param.name or "") not in sources:
            continue
        if param.is_flag:
            words += [param.opts[0]] if given else []
            continue
        for value in (given or ()) if param.multiple else (given,):
            words += [param.opts[0], _word(value)]
    return shlex.join(words)


def _word(value: Any) -> str:
    if isinstance(value, Path):
        return str(value.absolute())
    if isinstance(value, tuple) and isinstance(value[0], str):
        return f"{value[0]}={json.dumps(value[1])}"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _started_with(command: str) -> dict[str, Any]:
    """Return the parameters of the command line that started a sweep; nothing if there was none."""
    words = shlex.split(command)[2:]
    if not words:
        return {}
    try:
        return run.make_context("run", words).params
    except click.ClickException as error:
        raise StoreError(
            f"the sweep was started with {command!r}, which is not understood: {error.format_message()}"
        ) from error


def _conclude(ended: "Ended", console: "Console", *, opens: bool) -> NoReturn:
    """Print what came out, write the report, and exit."""
    import analysis
    from analysis import tables
    from tic_sweep.launch.display import print_summary, print_toys

    root = _shown(ended.folder.root)
    for problem in ended.problems:
        click.echo(f"tic-sweep: warning: {problem}", err=True)
    if ended.stop:
        console.print(
            f"Interrupted: {ended.done} of {ended.total} trials done. Continue with: tic-sweep resume {root}",
            soft_wrap=True,
        )
        sys.exit(ended.stop.exit_code)
    if not ended.ran:
        console.print(
            f"All {ended.total} trials have ended already in {root}; --rerun runs them again.", soft_wrap=True
        )
    results = analysis.open_results(ended.folder.root)
    print_summary(console, tables.summary(results), results.settings)
    print_toys(console, tables.toy_summary(results))
    console.print(tables.finding(results))
    _write_report(console, ended.folder.root, opens=opens)
    failed = ended.statuses.get("failed", 0)
    if failed:
        click.echo(f"tic-sweep: {failed} of {ended.total} trials failed: tic-sweep status {root} tells why.", err=True)
    sys.exit(1 if failed or ended.problems else 0)


def _write_report(console: "Console", root: Path, *, opens: bool) -> None:
    from analysis.report import write_report

    path = write_report(root)
    console.print(f"Report: {_shown(path)}", soft_wrap=True)
    if opens:
        click.launch(str(path))


def _shown(path: Path) -> str:
    """Return a path as short as it can be said from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
