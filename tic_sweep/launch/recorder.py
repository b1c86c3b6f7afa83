"""`Recorder`: the one place where all that trials tell arrives, and from where rows, progress and W&B are fed.

It never raises: an exception that reached Ray Tune from here would end the whole sweep. What went wrong is kept in
`problems` and told at the end.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from tic_sweep.launch.provenance import Provenance, provenance
from tic_sweep.launch.signals import Stop
from tic_sweep.plan import PlannedTrial
from tic_sweep.records import EpochRow, Outcome, Report, TrialRow
from tic_sweep.store import ResultsWriter, blocks_told

NO_ROOM = "a disk that takes no more rows"
"""Why a run stops that has waited in vain for its disk."""


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
    packed: int = 1
    last: EpochRow | None = None
    remarks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Recorder:
    """Turns events of trials into rows and passes them on to the listeners.

    ``attempts`` says how often each trial known to the store was started before this session, ``remarks`` what its row
    says was mended, ``epochs`` up to where its rows go; ``circumstance`` and ``command`` stand in every trial's row.
    """

    writer: ResultsWriter
    sweep: str
    scale: str
    attempts: Mapping[str, int] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)
    epochs: Mapping[str, int] = field(default_factory=dict)
    gpus_per_trial: float = 0.0
    listeners: Sequence[Listener] = ()
    circumstance: str = ""
    command: str = ""
    problems: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    """What went wrong and cost time alone, a line each."""
    patience: float = 30.0
    """Seconds that a disk which refuses rows is waited for."""
    say: Callable[[str], None] = lambda _line: None
    """Told at once what somebody could mend."""
    _trials: dict[str, _Live] = field(default_factory=dict)
    _provenance: Provenance = field(default_factory=provenance)

    def expect(self, trials: Iterable[PlannedTrial]) -> None:
        """Make trials known that are in the store already, without a new row."""
        for trial in trials:
            told = self.remarks.get(trial.key, "")
            self._trials[trial.key] = _Live(
                trial, self.attempts.get(trial.key, 0), remarks=told.split("; ") if told else []
            )

    def planned(self, trial: PlannedTrial) -> None:
        """Store that a trial is in the plan."""
        self.expect([trial])
        self._guarded(lambda: self._store(self._trials[trial.key], Outcome(status="planned")))

    def pack(self, keys: Sequence[str]) -> None:
        """Take note of trials that will share a process."""
        for key in keys:
            self._trials[key].packed = len(keys)

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
        for text in report.remarks:
            self.remark(key, text)
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

    def remark(self, key: str, text: str) -> None:
        """Keep what went wrong with a trial and was mended; its next row tells it, and the end of the session."""
        remarks = self._trials[key].remarks
        if text not in remarks:
            remarks.append(text)
        line = f"trial {key}: {text}."
        if line not in self.mended:
            self.mended.append(line)

    def interrupted(self, reason: str) -> None:
        """Store that every trial still running was stopped from outside."""
        for key in self.running:
            self.failed(key, reason, status="interrupted")

    def has_ended(self, key: str) -> bool:
        """Tell whether a trial has ended in this session, and has not been started again."""
        return self._trials[key].ended

    def stored(self, stop: Stop) -> bool:
        """Tell whether the disk has taken every row; one that refuses is asked again each second, for `patience`.

        While it has not, no trial may be asked for more: a checkpoint written meanwhile would be ahead of its rows.
        In vain, the run is asked to stop.
        """
        if self.writer.refused:
            self.say(f"Waiting up to {self.patience:.0f} s for the disk: {self.writer.problems[0]}.")
        until = time.monotonic() + self.patience
        while self.writer.refused and not stop:
            if time.monotonic() >= until:
                stop.because(NO_ROOM)
                break
            time.sleep(min(1.0, self.patience))
            self._guarded(self.writer.flush)
        return not self.writer.refused

    @property
    def running(self) -> list[str]:
        """The trials that run now."""
        return [key for key, live in self._trials.items() if live.running]

    def planned_trials(self, keys: Iterable[str]) -> list[PlannedTrial]:
        """Return trials of this session by their keys."""
        return [self._trials[key].trial for key in keys]

    def epochs_done(self, key: str) -> int:
        """Return the last epoch a trial reported in this session."""
        last = self._trials[key].last
        return last.epoch if last else 0

    def stored_epoch(self, key: str) -> int:
        """Return the last epoch of a trial that the store knows, of this session or an earlier one; -1 for none."""
        last = self._trials[key].last
        return last.epoch if last else self.epochs.get(key, -1)

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
            packed=live.packed,
            remark="; ".join(live.remarks),
            gpu_seconds=None if seconds is None else seconds * self.gpus_per_trial,
            version=self._provenance.version,
            git_commit=self._provenance.git_commit,
            packages=self._provenance.packages,
            system=self._provenance.system,
            circumstance=self.circumstance,
            command=self.command,
        )

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - nothing that goes wrong here may end the sweep
            self.problem(f"{type(error).__name__}: {error}".splitlines()[0])


def checkpoint_of(folder: Path, key: str) -> Path:
    """Return where a trial's training state lies; it stays when the trial has ended, for its weights."""
    return folder / f"{key}.pt"
