"""`tune_learning_rate`: ask, race, answer. Asked again it goes on where it was, or gives the answer it has."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console

from tic_sweep.config import flatten
from tic_sweep.errors import StoreError
from tic_sweep.launch.known import KnownTrials
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.session import Ended, run_sweep
from tic_sweep.store import Manifest, ResultsFolder
from tic_sweep.sweep import RATE
from tic_sweep.tune.answer import Tuned, answer_of
from tic_sweep.tune.question import Question

ROUNDING = 0.005
"""Relative; ends of a range are tried to three digits (`log_spaced`)."""


def tune_learning_rate(
    question: Question | None = None,
    *,
    options: Options | None = None,
    results: Path | None = None,
    console: Console | None = None,
) -> Tuned:
    """Race learning rates against each other and return the one to use.

    Every rate is trained a little, the better half goes on, again and again, and the leaders are trained to their end
    with every seed. The budget only bounds that.

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
    _check_same(place, question)
    return run_sweep(Request(sweep=sweep), options, results=place, command=command, console=console)


def _check_same(place: Path, question: Question) -> None:
    """Refuse another question than the folder's own: its answer would be about trials that were not asked about.

    A wider question goes on with what is stored: more seeds, more rates, a range that holds those stored.
    """
    folder = ResultsFolder(place)
    before = Manifest.load(folder.manifest) if folder.manifest.exists() else None
    if before is None or before.sweep != question.name:  # another sweep's folder is refused by the session
        return
    for held, asked, remedy in _differing(KnownTrials(folder, before), before, question):
        raise StoreError(
            f"results folder {str(place)!r} holds a race with {held}, asked for is {asked}: "
            f"{remedy}give another folder with --results."
        )


def _differing(known: KnownTrials, before: Manifest, question: Question) -> Iterator[tuple[str, str, str]]:
    """Yield what of a folder a question leaves out, what it asks for in its place, and what else could be done."""
    searcher = "grid" if before.searcher == "random" else before.searcher
    for option, held, asked in (
        ("searcher", searcher, question.searcher), ("policy", before.scheduler, question.scheduler),
    ):  # fmt: skip
        if held != asked:
            yield f"--{option} {held}", asked, ""
    for path, value in flatten(question.base()).items():
        if path != RATE and before.fixed.get(path, value) != value:
            yield f"{path} {before.fixed[path]!r}", repr(value), ""
    if not set(before.seeds) <= set(question.seeds):
        yield f"--seeds {_listed(before.seeds)}", _listed(question.seeds), "name those, too, or "
    rates = known.scan("trials").select(RATE).collect()[RATE].drop_nulls().to_list()
    lowest, highest = min(rates, default=math.inf), max(rates, default=0.0)
    if lowest < question.low * (1 - ROUNDING):
        yield f"rates from {lowest!r}", f"--low {question.low!r}", ""
    if highest > question.high * (1 + ROUNDING):
        yield f"rates up to {highest!r}", f"--high {question.high!r}", ""


def _listed(seeds: Iterable[int]) -> str:
    return ",".join(map(str, seeds))
