"""Recorder: every event becomes rows, and nothing that goes wrong comes back out."""

import platform
from pathlib import Path

from launch.launch_fakes import new_recorder, new_writer, planned, report, rows

import tic_sweep
from tic_sweep.launch.recorder import Recorder
from tic_sweep.plan import PlannedTrial
from tic_sweep.records import EpochRow, Outcome, Report, TrialRow


class Broken:
    """A listener that always fails."""

    def started(self, _trial: PlannedTrial, _attempt: int, /) -> None:
        """Fail."""
        raise OSError("no space left")

    def report(self, _trial: PlannedTrial, _report: Report, /) -> None:
        """Fail."""
        raise OSError("no space left")

    def ended(self, _trial: PlannedTrial, _row: TrialRow, _last: EpochRow | None, /) -> None:
        """Fail."""
        raise OSError("no space left")


def test_a_trials_life_becomes_rows(tmp_path: Path) -> None:
    """The newest row tells status, attempt, provenance and the config; the reports are all there."""
    trial = planned(lr=0.125)
    with new_writer(tmp_path) as writer:
        recorder = new_recorder(writer, [trial])
        recorder.started(trial.key)
        recorder.report(trial.key, report(trial.key, 0))
        recorder.report(trial.key, report(trial.key, 1))
        recorder.ended(trial.key, Outcome(status="finished", epochs_done=1, wall_seconds=2.0))

    (row,) = rows(tmp_path, "trials").to_dicts()
    assert ("finished", 1, 1, "tiny") == (row["status"], row["attempt"], row["epochs_done"], row["sweep"])
    assert (0.125, tic_sweep.__version__, 0.0) == (row["optimiser.lr"], row["version"], row["gpu_seconds"])
    assert "torch " in row["packages"]
    assert platform.machine() in row["system"]
    assert [0, 1] == rows(tmp_path, "epochs")["epoch"].to_list()
    assert 2 == rows(tmp_path, "fisher").height


def test_a_report_without_an_epoch_is_stored_too(tmp_path: Path) -> None:
    """Some tasks measure rows of their own and have no epochs."""
    trial = planned()
    with new_writer(tmp_path) as writer:
        recorder = new_recorder(writer, [trial])
        recorder.started(trial.key)
        recorder.report(trial.key, Report(rows=report(trial.key).rows))

    assert [] == recorder.problems
    assert (0, 1) == (rows(tmp_path, "epochs").height, rows(tmp_path, "fisher").height)


def test_attempts_count_on_from_the_store(tmp_path: Path) -> None:
    """A trial that was started twice before is at its third attempt, then its fourth."""
    trial = planned()
    with new_writer(tmp_path) as writer:
        recorder = Recorder(writer, "tiny", "laptop", attempts={trial.key: 2})
        recorder.expect([trial])
        recorder.started(trial.key)
        recorder.started(trial.key)

    assert [("running", 4)] == rows(tmp_path, "trials").select("status", "attempt").rows()


def test_an_interruption_marks_what_runs_and_nothing_else(tmp_path: Path) -> None:
    """Trials that have ended or not begun keep their status."""
    ended, running, waiting = planned(seed=0), planned(seed=1), planned(seed=2)
    with new_writer(tmp_path) as writer:
        recorder = new_recorder(writer, [ended, running, waiting])
        for trial in (ended, running):
            recorder.started(trial.key)
        recorder.report(running.key, report(running.key, 3))
        recorder.ended(ended.key, Outcome(status="finished"))
        recorder.interrupted("stopped by SIGTERM")

    found = {
        row["seed"]: (row["status"], row["reason"], row["epochs_done"]) for row in rows(tmp_path, "trials").to_dicts()
    }
    assert {
        0: ("finished", "", 0), 1: ("interrupted", "stopped by SIGTERM", 3), 2: ("planned", "", 0),
    } == found  # fmt: skip


def test_a_broken_listener_costs_no_rows_and_raises_nothing(tmp_path: Path) -> None:
    """What went wrong is kept, once, to be told at the end."""
    trial = planned()
    with new_writer(tmp_path) as writer:
        recorder = new_recorder(writer, [trial], Broken())
        recorder.started(trial.key)
        recorder.report(trial.key, report(trial.key, 0))
        recorder.ended(trial.key, Outcome(status="finished"))

    assert ["OSError: no space left"] == recorder.problems
    assert ["finished"] == rows(tmp_path, "trials")["status"].to_list()


def test_a_write_that_fails_raises_nothing(tmp_path: Path) -> None:
    """A row that the store refuses is a problem to tell, not an exception for Tune."""
    trial = planned()
    writer = new_writer(tmp_path)
    recorder = new_recorder(writer, [trial])
    writer.add = None  # type: ignore[assignment]  # any call of it now fails
    recorder.started(trial.key)

    assert 1 == len(recorder.problems)
    writer.close()
