"""`tune_learning_rate`: ask, race, answer. Asked again it goes on where it was, or gives the answer it has."""

from pathlib import Path

from rich.console import Console

from tic_sweep.config import TrialConfig, flatten
from tic_sweep.errors import StoreError
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.session import Ended, run_sweep
from tic_sweep.store import Manifest, ResultsFolder
from tic_sweep.sweep import RATE
from tic_sweep.tune.answer import Tuned, answer_of
from tic_sweep.tune.question import Question


def tune_learning_rate(
    question: Question | None = None,
    *,
    options: Options | None = None,
    results: Path | None = None,
    console: Console | None = None,
) -> Tuned:
    """Race learning rates against each other and return the one to use.

    Every rate is trained a little, the better half goes on, again and again, and what is left of the budget goes to the
    leaders.

    Args:
        question: which network on which images, among which rates; by default the small one on digits.
        options: how and where trials run.
        results: the results folder; None is ``results/tune_lr-<dataset>-<arch>``.
        console: where progress goes; None is the terminal.

    Raises:
        UserError: if something asked for cannot be done; nothing is written then.
    """
    asked = question or Question()
    ended = race(asked, options or Options(), results=results, console=console)
    return answer_of(ended.folder.root, complete=not ended.stop)


def race(
    question: Question,
    options: Options,
    *,
    results: Path | None = None,
    command: str = "",
    console: Console | None = None,
) -> Ended:
    """Run the race of a question into its results folder, as far as it is not run yet; see `tune_learning_rate`."""
    place = (results or Path("results") / question.name).expanduser()
    sweep = question.sweep()
    _check_same(place, question.base())
    return run_sweep(Request(sweep=sweep), options, results=place, command=command, console=console)


def _check_same(place: Path, base: TrialConfig) -> None:
    """Refuse to mix trials in one folder that differ in anything but rate and seed: no race would compare them."""
    manifest = ResultsFolder(place).manifest
    before = Manifest.load(manifest).fixed if manifest.exists() else {}
    for path, value in flatten(base).items():
        if path != RATE and before.get(path, value) != value:
            raise StoreError(
                f"results folder {str(place)!r} holds a race with {path} {before[path]!r}, asked for is {value!r}: "
                f"give another folder with --results."
            )
