"""`WandbSink`: hears what trials tell and mirrors it from a thread of its own, so that the sweep never waits."""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tic_sweep.plan import PlannedTrial
from tic_sweep.records import BADLY, EpochRow, Report, TrialRow
from tic_sweep.store import ResultsFolder
from tic_sweep.wandb_sink.client import Client, NotTakenError, log, one_line, summarise
from tic_sweep.wandb_sink.ledger import note
from tic_sweep.wandb_sink.naming import Naming
from tic_sweep.wandb_sink.report import mirror_report
from tic_sweep.wandb_sink.stored import stored_trials
from tic_sweep.wandb_sink.values import Entry, entries, summary_of
from tic_sweep.wandb_sink.whole import mirror_trials

if TYPE_CHECKING:
    import wandb

    from analysis.results import Results

CLOSE_SECONDS = 30.0
"""How long `WandbSink.close` waits for what is still to be sent."""
REPORT_SECONDS = 60.0
"""How much longer it waits for the run of the sweep's report."""
WAITING = 100_000
"""Messages that may wait for W&B; what comes while so many do is not mirrored."""


@dataclass(slots=True)
class _Live:
    """A trial at work; its run is opened when it first tells something."""

    trial: PlannedTrial
    attempt: int
    run: "wandb.Run | None" = None
    last: int = -1
    """The last step that was logged."""


class WandbSink:
    """A listener that mirrors trials to W&B; with mode ``off`` it does nothing and imports nothing."""

    def __init__(
        self, mode: str, folder: ResultsFolder, sweep: str, scale: str = "laptop", labels: Sequence[str] = ()
    ) -> None:
        """Start the thread that talks to W&B.

        Args:
            mode: off, offline or online.
            folder: the results folder; W&B keeps its files in it.
            sweep: name of the sweep; with its scale the group of its runs.
            scale: laptop or paper.
            labels: config fields that tell the trials apart, for the names of the runs.
        """
        self._naming = Naming(sweep=sweep, scale=scale, labels=tuple(labels))
        self._client = Client(folder=folder, mode=mode)
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue()
        self._live: dict[str, _Live] = {}
        self._not_taken: set[str] = set()
        self._report = False
        self._results: Results | None = None
        self._lost = 0
        self._first_loss = ""
        self._thread: threading.Thread | None = None
        if mode != "off":
            self._thread = threading.Thread(target=self._work, name="wandb-sink", daemon=True)
            self._thread.start()

    def started(self, trial: PlannedTrial, attempt: int, /) -> None:
        """Expect a trial's reports; one that starts again continues its run."""
        self._do(lambda: self._expect(trial, attempt))

    def report(self, trial: PlannedTrial, report: Report, /) -> None:
        """Log what a trial tells."""
        self._do(lambda: self._log(trial.key, report))

    def ended(self, trial: PlannedTrial, row: TrialRow, _last: EpochRow | None, /) -> None:
        """Close the trial's run with its outcome."""
        self._do(lambda: self._finish(trial.key, row))

    def close(self, *, report: bool = False, results: "Results | None" = None) -> list[str]:
        """Send what waits, for at most `CLOSE_SECONDS`, and return what there is to tell, one line each.

        That is what was lost, though never from the results, and where the runs are that are not with W&B.

        Args:
            report: whether to mirror the sweep's report, too, for which it waits `REPORT_SECONDS` more.
            results: those of the folder, if they are open; what has been asked of them is not worked out again.
        """
        if self._thread is None:
            return []
        self._report, self._results = report, results
        self._queue.put(None)
        self._thread.join(CLOSE_SECONDS + (REPORT_SECONDS if report else 0))
        told = []
        if self._thread.is_alive():
            told.append(f"W&B: gave up waiting with {self._queue.qsize()} messages unsent; the results are complete.")
        if self._lost:
            told.append(f"W&B: {self._lost} messages were not mirrored, the first because of {self._first_loss}")
        if kept := self._client.told or self._client.waiting:
            told.append(kept)
        self._thread = None
        return told

    def _do(self, act: Callable[[], None]) -> None:
        if self._thread is None:
            return
        if self._queue.qsize() < WAITING:
            self._queue.put(act)
        else:
            self._lose("too many waiting")

    def _work(self) -> None:
        while (act := self._queue.get()) is not None:
            self._guarded(act)
        for live in self._live.values():
            if live.run is not None:
                self._guarded(lambda run=live.run: self._client.finish(run, exit_code=1))
        if self._not_taken:
            self._client.fall_back()
            self._guarded(lambda: mirror_trials(self._client, self._naming, sorted(self._not_taken)))
        if self._report:
            self._guarded(lambda: mirror_report(self._client, self._naming, self._results))

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - W&B must not end the thread, let alone the sweep
            self._lose(one_line(error))

    def _lose(self, reason: str) -> None:
        self._lost += 1
        self._first_loss = self._first_loss or reason

    def _expect(self, trial: PlannedTrial, attempt: int) -> None:
        live = self._live.setdefault(trial.key, _Live(trial, attempt))
        live.attempt = attempt
        if live.run is not None:
            live.run.config.update({"attempt": attempt}, allow_val_change=True)

    def _log(self, key: str, report: Report) -> None:
        live = self._live.get(key)
        told = entries(report)
        if live is not None and told and (run := self._opened(live, told[0].step)):
            self._write(live, run, told)

    def _finish(self, key: str, row: TrialRow) -> None:
        if (live := self._live.pop(key, None)) is None:
            return
        run = self._opened(live, 0 if live.attempt == 1 else None)
        if run is None:
            return
        summarise(run, summary_of(row))
        self._client.finish(run, exit_code=1 if row.status in (*BADLY, "interrupted") else 0)
        note(self._client.folder, row)

    def _opened(self, live: _Live, step: int | None) -> "wandb.Run | None":
        """Return a trial's run, opened if it is not yet; None if W&B does not take it, which is made up for at the end.

        A trial that begins with step 0 begins a new run. One that goes on from an earlier session goes on with its
        run: online where W&B has it, offline by writing again what the store holds, so that the new run folder is
        whole and ``wandb sync`` replaces the earlier one's run with it.
        """
        if live.run is not None or live.trial.key in self._not_taken:
            return live.run
        try:
            live.run = self._client.open(self._naming.trial(live.trial, live.attempt, continued=step != 0))
        except NotTakenError:
            self._not_taken.add(live.trial.key)
            return None
        if step != 0 and live.run.offline:
            self._write_earlier(live, live.run, step)
        elif step != 0:
            live.last = live.run.step - 1
        return live.run

    def _write_earlier(self, live: _Live, run: "wandb.Run", step: int | None) -> None:
        for stored in stored_trials(self._client.folder, [live.trial.key]):
            for report in stored.reports:
                self._write(live, run, [entry for entry in entries(report) if step is None or entry.step < step])

    @staticmethod
    def _write(live: _Live, run: "wandb.Run", told: Sequence[Entry]) -> None:
        """Log what is new; an epoch that is told again after a crash has the same numbers and is left out."""
        for entry in told:
            if entry.step > live.last:
                log(run, entry)
                live.last = entry.step
