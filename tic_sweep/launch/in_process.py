"""The runner for debugging: one trial after the other in this process, without Ray.

The first trial that fails stops the run with its traceback, after its row is written: here, and only here, a failure
of a trial is worth a traceback.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from tic_sweep.config import Resources
from tic_sweep.data import RawData, data_name
from tic_sweep.launch.carrying import leave_if_ahead
from tic_sweep.launch.race import STATUS, Race
from tic_sweep.launch.recorder import Recorder, checkpoint_of
from tic_sweep.launch.signals import Stop, Stopped
from tic_sweep.plan import PlannedTrial
from tic_sweep.records import Report
from tic_sweep.training import Trainer, try_trial


def run_in_process(
    trials: Iterable[PlannedTrial],
    *,
    recorder: Recorder,
    data: Mapping[str, RawData],
    resources: Resources,
    checkpoints: Path,
    stop: Stop,
    training: Callable[..., Trainer] = try_trial,
    race: Race | None = None,
) -> None:
    """Run the trials in order until they are done or ``stop`` is set; a ``race`` may end one between two reports."""
    for trial in trials:
        checkpoint = checkpoint_of(checkpoints, trial.key)
        try:
            start(recorder, trial.key, checkpoint)
            with stop.raises_stopped():
                running = training(trial.config, data.get(data_name(trial.config) or ""), resources, checkpoint)
                reports = iter(running.reports())
            while (report := _next(reports, stop)) is not None:
                if race is not None and report.epoch is not None:
                    race.look_at(report.epoch)
                recorder.report(trial.key, report)
                recorder.tick()
                if not recorder.stored(stop):
                    return
                if race is not None and (halt := race.halted(trial.key)) is not None:
                    running.halt(STATUS[halt.verdict], halt.reason)
                    break
        except Stopped:
            return
        except Exception as error:
            recorder.failed(trial.key, reason_of(error))
            raise
        recorder.ended(trial.key, running.outcome)


def start(recorder: Recorder, key: str, checkpoint: Path) -> None:
    """Tell that a trial starts here, from its checkpoint if there is one that its rows have caught up with."""
    for text in leave_if_ahead(checkpoint, recorder.stored_epoch(key)):
        recorder.remark(key, text)
    recorder.started(key)


def reason_of(error: BaseException) -> str:
    """Return an error as one line: its type and the first line of its message."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _next(reports: Iterator[Report], stop: Stop) -> Report | None:
    with stop.raises_stopped():
        return next(reports, None)
