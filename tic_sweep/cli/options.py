"""What several commands share: the types of their parameters, their groups of options, and how they tell things."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tic_sweep.errors import StoreError

if TYPE_CHECKING:
    from rich.console import Console

    from analysis.results import Results

Command = TypeVar("Command", bound=Callable[..., Any])


class HereType(click.Path):
    """A path of this machine, which a URL is not."""

    def __init__(self, needed: str) -> None:
        super().__init__(path_type=Path)
        self.needed = needed

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; what is refused is not repeated where it may hold a secret."""
        from tic_sweep.store.addresses import refuse_url

        try:
            refuse_url(value, needed=self.needed)
        except StoreError as error:
            self.fail(str(error), param, ctx)
        return super().convert(value, param, ctx)


FOLDER, FILE = HereType("folder"), HereType("file")


class PlaceType(click.ParamType):
    """A results folder to read: a path, or a URL such as s3://bucket/results/tic-laptop."""

    name = "results"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        """Return the path of a folder here, or the URL of one in an object store as it was given."""
        from tic_sweep.store.addresses import local_path

        path = local_path(value)
        return value if path is None else path


PLACE = PlaceType()


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


def options_of(*decorators: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Return several decorators as one, applied in the order in which their options are to be listed."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


SCIENCE = options_of(
    click.option("--scale", help="laptop or paper; the first that exists if left out."),
    click.option("--set", "changes", type=ChangeType(), multiple=True, help="Fix a field of all trials; repeatable."),
    click.option("--seeds", type=SeedsType(), help="Seeds of the trials."),
    click.option("--samples", type=int, help="Points drawn from a space with ranges or choices."),
    click.option("--scheduler", help="Race learning rates: hybrid, transition, accuracy, asha, median, ...; or none."),
    click.option("--budget", type=float, help="Share of the epochs that a race may train."),
    click.option("--holdout", type=float, help="Share of the trials that a race never stops."),
    click.option("--grace", type=float, help="Share of its epochs that a race gives every trial."),
)
CIRCUMSTANCE = options_of(
    click.option("--data", type=FOLDER, envvar="TIC_SWEEP_DATA", help="Folder of the data sets [env: TIC_SWEEP_DATA]."),
    click.option("--download", is_flag=True, help="Fetch data sets that are missing in --data."),
    click.option("--address", metavar="ADDRESS", help="Ray cluster to join: auto or host:port."),
    click.option("--cpus", type=click.IntRange(1), help="CPUs of this machine to use; all if left out."),
    click.option("--cpus-per-trial", type=click.IntRange(1), default=1, show_default=True, help="CPUs of a trial."),
    click.option("--gpus-per-trial", type=float, default=0.0, help="GPUs of a trial; a fraction shares one."),
    click.option(
        "--pack",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Small trials that share one process and its GPU, at most.",
    ),
    click.option("--max-concurrent", type=click.IntRange(1), help="Trials at once, at most."),
    click.option(
        "--retries", type=click.IntRange(0), default=2, show_default=True, help="Restarts of a trial that died."
    ),
    click.option(
        "--epoch-seconds", type=float, help="Restart a trial that tells nothing for so long; never if left out."
    ),
    click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where trials compute."),
    click.option("--precision", type=click.Choice(["float32", "bfloat16"]), default="float32", help="Of products."),
    click.option(
        "--kernels",
        type=click.Choice(["auto", "plain", "compiled", "triton"]),
        default="auto",
        help="Of the neurons; auto is the fastest there is.",
    ),
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
    click.option("--stop-after", type=float, metavar="SECONDS", help="End in order after so long, to be resumed."),
    click.option("--storage", type=PLACE, help="Folder that all nodes see, or URL, for the checkpoints."),
    click.option("--in-process", is_flag=True, help="Debug: without Ray, stop at the first failure."),
    click.option(
        "--wandb",
        type=click.Choice(["off", "offline", "online"]),
        default="offline",
        show_default=True,
        envvar="TIC_SWEEP_WANDB",
        help="Mirror to W&B [env: TIC_SWEEP_WANDB].",
    ),
)
OPEN = click.option("--open/--no-open", "opens", default=False, help="Open the report in a browser.")


def make_console(*, stderr: bool = False) -> "Console":
    """Return the terminal as commands write to it."""
    from tic_sweep.launch.terminal import Terminal

    return Terminal(stderr=stderr)


def tell_aside(line: str) -> None:
    """Say something on stderr in one line, whoever wrote what is in it."""
    from tic_sweep.launch.terminal import plain

    click.echo(f"tic-sweep: {plain(' '.join(line.split()))}", err=True)


def place_to_write(place: str | Path, out: Path | None, option: str) -> Path | None:
    """Return where to write what is made of results; None is into their folder, which then has to lie here."""
    if out is None and isinstance(place, str):
        from tic_sweep.store.addresses import Address

        name = Address.parse(place).name  # a URL that holds a secret is refused and not repeated
        raise click.UsageError(f"{name} is only read: say with {option} where to write.")
    return out


def tell_report(
    console: "Console", place: str | Path, out: Path | None = None, results: "Results | None" = None, *, opens: bool
) -> None:
    """Write the report of a results folder, into it if nothing else is said, and say where it lies."""
    from analysis.report import write_report

    path = write_report(place, out, results)
    console.print(f"Report: {shown(path)}", soft_wrap=True)
    if opens:
        click.launch(str(path))


def shown(path: str | Path) -> str:
    """Return a path as short as it can be said from here, a URL as it is."""
    if isinstance(path, str):
        return path
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
