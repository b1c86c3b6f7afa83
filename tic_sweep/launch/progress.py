"""Live progress of a sweep in the terminal: trials done, time left, and what the running trials last told."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tic_sweep.config import EPOCH_TASKS, TrialConfig, flatten, short_path
from tic_sweep.plan import PlannedTrial
from tic_sweep.records import BADLY, ENDED, EpochRow, Report, TrialRow

LINES = 8
"""Running trials shown at once."""
PLAIN_SECONDS = 10.0
"""Seconds between two lines where the output is not a terminal."""


@dataclass(slots=True)
class _Running:
    label: str
    epochs: int
    last: EpochRow | None = None


class Progress:
    """A `Listener` that shows the state of the run; use it as a context manager.

    Time left is measured in epochs, each weighted by its trial's timesteps: what is still to do, at the pace since
    the first report.
    """

    def __init__(
        self,
        name: str,
        total: int,
        *,
        console: Console,
        varied: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._total, self._varied = name, total, varied
        self._console, self._clock = console, clock
        self._running: dict[str, _Running] = {}
        self._done: dict[str, str] = {}
        self._left: dict[str, float] = {}
        self._paid = 0.0
        self._first = self._told = clock()
        self._latest: _Running | None = None
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(get_renderable=self.render, console=self._console, refresh_per_second=2, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def expect(self, trials: Iterable[PlannedTrial], *, done: Mapping[str, str] | None = None) -> None:
        """Count trials that are to run, and those that were done before."""
        self._done |= done or {}
        for trial in trials:
            self._left[trial.key] = _work_after(trial.config, -1)

    def started(self, trial: PlannedTrial, _attempt: int, /) -> None:
        """Show a trial among the running ones."""
        if not self._running and not self._paid:
            self._first = self._clock()
        self._left.setdefault(trial.key, _work_after(trial.config, -1))
        self._running[trial.key] = _Running(label_of(trial.config, self._varied), trial.config.last_epoch)
        self._tell()

    def report(self, trial: PlannedTrial, report: Report, /) -> None:
        """Show a trial's last report."""
        running = self._running[trial.key]
        if report.epoch is None:
            return
        running.last, self._latest = report.epoch, running
        left = _work_after(trial.config, report.epoch.epoch)
        self._paid += max(self._left[trial.key] - left, 0.0)
        self._left[trial.key] = left
        self._tell()

    def ended(self, trial: PlannedTrial, row: TrialRow, _last: EpochRow | None, /) -> None:
        """Count a trial as done, unless it may go on."""
        self._running.pop(trial.key, None)
        left = self._left.pop(trial.key, 0.0)
        if trial.config.task not in EPOCH_TASKS:  # a toy trial has no epochs to count on the way
            self._paid += left
        if row.status in ENDED:
            self._done[trial.key] = row.status
        self._tell()

    def seconds_left(self) -> float | None:
        """Return the estimated time to the end of the sweep; None as long as nothing is known."""
        elapsed = self._clock() - self._first
        if not self._paid or elapsed <= 0:
            return None
        unseen = max(self._total - len(self._done) - len(self._left), 0)
        known = sum(self._left.values())
        each = (known + self._paid) / max(len(self._left) + len(self._done), 1)
        return (known + unseen * each) * elapsed / self._paid

    def render(self) -> RenderableType:
        """Return what a terminal shows now."""
        head = Table.grid(padding=(0, 2))
        head.add_row(
            Text(self._name, style="bold"),
            f"{len(self._done)} of {self._total} trials",
            ProgressBar(total=max(self._total, 1), completed=self._share() * self._total, width=16),
            self._counts(),
        )
        lines = list(self._running.values())
        rows = Table.grid(padding=(0, 2))
        for running in lines[:LINES]:
            rows.add_row("", running.label, *_cells(running))
        more = [Text(f"  and {len(lines) - LINES} more", style="dim")] if len(lines) > LINES else []
        return Group(head, rows, *more)

    def _share(self) -> float:
        """Return the share of the trials that is done, running ones counted by their reports."""
        partial = sum((run.last.epoch + 1) / (run.epochs + 1) for run in list(self._running.values()) if run.last)
        return min((len(self._done) + partial) / max(self._total, 1), 1.0)

    def _counts(self) -> str:
        ended = list(self._done.values())
        stopped, failed = ended.count("stopped"), sum(status in BADLY for status in ended)
        left = self.seconds_left()
        words = [f"{self._share():.0%}", f"{len(self._running)} running"]
        words += [f"{stopped} stopped"] if stopped else []
        words += [f"{failed} not finished"] if failed else []
        words += [f"about {duration(left)} left"] if left is not None and len(self._done) < self._total else []
        return ", ".join(words)

    def _tell(self) -> None:
        """Print a line now and then where there is no terminal."""
        now = self._clock()
        if self._live is not None or (now - self._told < PLAIN_SECONDS and len(self._done) < self._total):
            return
        self._told = now
        latest = f"; {self._latest.label}: " + ", ".join(_cells(self._latest)) if self._latest else ""
        self._console.print(
            f"{self._name}: {len(self._done)} of {self._total} trials, {self._counts()}{latest}",
            soft_wrap=True,
            markup=False,
        )


def label_of(config: TrialConfig, varied: Iterable[str]) -> str:
    """Name a trial by what sets it apart: ``lr 0.3, seed 1``."""
    values = flatten(config)
    return ", ".join(f"{short_path(path)} {_short(values[path])}" for path in [*varied, "seed"])


def duration(seconds: float) -> str:
    """Write a time as one would say it: ``40 s``, ``2.5 min``, ``3.1 h``, ``2.0 days``."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def _cells(running: _Running) -> list[str]:
    last = running.last
    if last is None:
        return ["starting"]
    ic = f"IC {last.ic:.2f}" if last.ic is not None else ""
    cells = [f"epoch {last.epoch}/{running.epochs}", ic, f"val acc {last.val_acc:.1%}"]
    return [cell for cell in cells if cell]


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _work_after(config: TrialConfig, epoch: int) -> float:
    """Return the timestep-epochs still to do after ``epoch``; -1 is before the untrained report, which counts as one.

    Of a T_retrain that the trial itself will choose, no more is known than that it is at most T.
    """
    first = max(config.optimiser.epochs - epoch, 0)
    retraining = config.last_epoch - max(epoch, config.optimiser.epochs)
    return float(first * config.timesteps + retraining * (config.pruning.timesteps or config.timesteps))
