"""`Recorder`: the one place where all that trials tell arrives, and from where rows, progress and W&B are fed.

It never raises: an exception that reached Ray Tune from here would end the whole sweep. What went wrong is kept in
`problems` and told at the end.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from tic_sweep.launch.provenance import Provenance, provenance
from tic_sweep.plan import PlannedTrial
from tic_sweep.records import EpochRow, Outcome, Report, TrialRow
from tic_sweep.store import ResultsWriter, blocks_told


class Listener(Protocol):
    """Hears what trials tell, after the store has it."""

    def started(self, trial: PlannedTrial, attempt: int, /) -> None:
        """Hear that a trial has started, or started again."""

    def report(self, trial: PlannedTrial, report: Report, /) -> None:
        """Hear a trial's report."""

    def ended(self, trial: PlannedTrial, row: TrialRow, last: EpochRow | None, /) -> None:
        """Hear that a trial has ended, in any of the ways it can; ``last`` is its last epoch row of this session."""


@dataclass(slots=True)
class _Live:
    """A trial that this session has planned or started."""

    trial: PlannedTrial
    attempt: int
    running: bool = False
    ended: bool = False
    last: EpochRow | None = None


@dataclass(slots=True)
class Recorder:
    """Turns events of trials into rows and passes them on to the listeners.

    ``attempts`` says how often each trial known to the store was started before this session.
    """

    writer: ResultsWriter
    sweep: str
    scale: str
    attempts: Mapping[str, int] = field(default_factory=dict)
    gpus_per_trial: float = 0.0
    listeners: Sequence[Listener] = ()
    problems: list[str] = field(default_factory=list)
    _trials: dict[str, _Live] = field(default_factory=dict)
    _provenance: Provenance = field(default_factory=provenance)

    def expect(self, trials: Iterable[PlannedTrial]) -> None:
        """Make trials known that are in the store already, without a new row."""
        for trial in trials:
            self._trials[trial.key] = _Live(trial, self.attempts.get(trial.key, 0))

    def planned(self, trial: PlannedTrial) -> None:
        """Store that a trial is in the plan."""
        self.expect([trial])
        self._guarded(lambda: self._store(self._trials[trial.key], Outcome(status="planned")))

    def started(self, key: str) -> None:
        """Store that a trial has started, or started again after it died."""
        live = self._trials[key]
        live.attempt += 1
        live.running, live.ended = True, False
        self._guarded(lambda: self._store(live, Outcome(status="running", epochs_done=self.epochs_done(key))))
        for listener in self.listeners:
            self._guarded(lambda to=listener.started: to(live.trial, live.attempt))

    def report(self, key: str, report: Report) -> None:
        """Store the rows of a report."""
        live = self._trials[key]
        live.last = report.epoch or live.last
        self._guarded(lambda: self.writer.add_blocks(blocks_told(report)))
        for listener in self.listeners:
            self._guarded(lambda to=listener.report: to(live.trial, report))

    def ended(self, key: str, outcome: Outcome) -> None:
        """Store how a trial ended."""
        live = self._trials[key]
        live.running, live.ended = False, True
        row = self._row(live, outcome)
        self._guarded(lambda: self.writer.add(row, live.trial.config))
        for listener in self.listeners:
            self._guarded(lambda to=listener.ended: to(live.trial, row, live.last))

    def failed(self, key: str, reason: str, *, status: str = "failed") -> None:
        """Store that a trial was given up."""
        self.ended(key, Outcome(status=status, reason=reason, epochs_done=self.epochs_done(key)))

    def interrupted(self, reason: str) -> None:
        """Store that every trial still running was stopped from outside."""
        for key in [key for key, live in self._trials.items() if live.running]:
            self.failed(key, reason, status="interrupted")

    def epochs_done(self, key: str) -> int:
        """Return the last epoch a trial reported in this session."""
        last = self._trials[key].last
        return last.epoch if last else 0

    @property
    def ran(self) -> int:
        """How many trials this session has started."""
        return sum(live.running or live.ended for live in self._trials.values())

    def tick(self) -> None:
        """Write what has waited long enough."""
        self._guarded(self.writer.tick)

    def problem(self, text: str) -> None:
        """Keep a line to be told at the end, once."""
        if text not in self.problems:
            self.problems.append(text)

    def _store(self, live: _Live, outcome: Outcome) -> None:
        self.writer.add(self._row(live, outcome), live.trial.config)

    def _row(self, live: _Live, outcome: Outcome) -> TrialRow:
        known = {name: getattr(outcome, name) for name in Outcome.__dataclass_fields__}
        seconds = outcome.wall_seconds
        row = TrialRow(key=live.trial.key, sweep=self.sweep, scale=self.scale, attempt=live.attempt, **known)
        return replace(
            row,
            gpu_seconds=None if seconds is None else seconds * self.gpus_per_trial,
            version=self._provenance.version,
            git_commit=self._provenance.git_commit,
            packages=self._provenance.packages,
        )

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - nothing that goes wrong here may end the sweep
            self.problem(f"{type(error).__name__}: {error}".splitlines()[0])


def checkpoint_of(folder: Path, key: str) -> Path:
    """Return where a trial's training state lies; it stays when the trial has ended, for its weights."""
    return folder / f"{key}.pt"
