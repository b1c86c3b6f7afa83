"""The Ray runner: what dies is started again, what fails is a row, and no failure ends the sweep."""

import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import ray
from launch.launch_fakes import (
    DyingTraining,
    FailingTraining,
    FakeTraining,
    KeepingTraining,
    LookingTraining,
    by_key,
    new_recorder,
    new_writer,
    planned,
    report,
    rows,
)  # fmt: skip

from tic_sweep.data import RawImages
from tic_sweep.launch import ray_tune
from tic_sweep.launch.options import Options
from tic_sweep.launch.ray_tune import reason_in, run_on_ray
from tic_sweep.launch.recorder import Listener, checkpoint_of
from tic_sweep.launch.scratch import clear
from tic_sweep.launch.signals import Stop
from tic_sweep.plan import PlannedTrial
from tic_sweep.training import save_checkpoint

pytestmark = [
    pytest.mark.ray,
    pytest.mark.usefixtures("ray_here"),
    # Ray leaves sockets and files of its processes to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
IMAGES = {"digits": RawImages(*(np.full((4, 1, 8, 8), 3, np.uint8), np.zeros(4, np.int64)) * 2)}
TRIALS = [planned(lr=0.25), planned(lr=0.5), planned(lr=0.75)]


def launch(
    folder: Path,
    trials: Sequence[PlannedTrial],
    training: type,
    *listeners: Listener,
    stored: Mapping[str, int] | None = None,
    **wishes: object,
) -> list[str]:
    """Run trials on Ray with a stand-in for the training, some epochs being stored; return the problems told."""
    with new_writer(folder) as writer:
        recorder = new_recorder(writer, trials, *listeners)
        recorder.epochs = stored or {}
        run_on_ray(
            trials, recorder=recorder, data=IMAGES, options=Options(**wishes), slots=2, scratch=folder / "tune",
            session=writer.session, checkpoints=folder / "checkpoints", stop=Stop(), training=training,
        )  # fmt: skip
    return recorder.problems


def epochs_of(folder: Path) -> list[tuple[str, int, float]]:
    """Return key, epoch and IC of every epoch row, sorted."""
    return sorted(rows(folder, "epochs").select("key", "epoch", "ic").rows())


class Broken:
    """A listener that fails at every report."""

    def started(self, *_told: object) -> None:
        """Hear nothing."""

    def report(self, *_told: object) -> None:
        """Fail."""
        raise RuntimeError("listener is broken")

    def ended(self, *_told: object) -> None:
        """Hear nothing."""


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, ray_here: None) -> tuple[Path, list[str]]:
    """Return a folder where nothing happened to the trials but a broken listener, and the problems told.

    Tune's files, which go at the end, are kept beside it, as they were then.
    """
    folder = tmp_path_factory.mktemp("calm")

    def kept_and_cleared(scratch: Path) -> None:
        if scratch.is_dir():
            shutil.copytree(scratch, folder.with_name("kept"), dirs_exist_ok=True)
        clear(scratch)

    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(ray_tune, "clear", kept_and_cleared)
        return folder, launch(folder, TRIALS, FakeTraining, Broken())


def test_a_killed_worker_costs_no_row(tmp_path: Path, calm: tuple[Path, list[str]]) -> None:
    """A worker killed in the middle of an epoch is started again, and every row is there, once."""
    launch(tmp_path, TRIALS, DyingTraining)

    assert 9 == len(epochs_of(tmp_path))
    assert epochs_of(calm[0]) == epochs_of(tmp_path)
    assert {"finished"} == set(by_key(tmp_path, "status").values())
    assert {2} == set(by_key(tmp_path, "attempt").values())


@pytest.mark.parametrize("pack", [1, 2])
def test_checkpoints_that_are_ahead_of_their_rows_are_left(tmp_path: Path, pack: int) -> None:
    """As a power cut leaves them; a worker that dies later is continued from what it has kept since."""
    ahead, level = TRIALS[:2]
    new_writer(tmp_path).close()
    for trial in (ahead, level):
        save_checkpoint(checkpoint_of(tmp_path / "checkpoints", trial.key), {"key": trial.key, "epoch": 1})
    problems = launch(
        tmp_path, [ahead, level], KeepingTraining, stored={ahead.key: 0, level.key: 1}, retries=1, pack=pack
    )
    trials = {row["key"]: row for row in rows(tmp_path, "trials").iter_rows(named=True)}
    anew = "its checkpoint was of epoch 1 and its rows end with epoch 0: it began anew"

    assert [] == problems
    assert {"finished": 2} == dict(Counter(row["status"] for row in trials.values()))
    assert {ahead.key: "from 2", level.key: "from 2"} == {key: row["reason"] for key, row in trials.items()}
    assert trials[ahead.key]["remark"].startswith(f"{anew}; started again after ")
    assert anew not in trials[level.key]["remark"]
    assert [0, 1, 2] == rows(tmp_path, "epochs").filter(pl.col("key") == ahead.key)["epoch"].sort().to_list()


def test_a_failing_trial_is_a_row_and_the_others_finish(tmp_path: Path) -> None:
    """Its reason is the error in one line, its attempts are counted; nothing is told as a problem of the sweep.

    Each attempt's error is in the log of failures, whole.
    """
    problems = launch(tmp_path, TRIALS, FailingTraining, retries=1)

    found = {row["optimiser.lr"]: row for row in rows(tmp_path, "trials").to_dicts()}
    assert ["finished", "failed", "finished"] == [found[lr]["status"] for lr in (0.25, 0.5, 0.75)]
    assert ("ValueError: half is not a rate", 2, 0) == tuple(
        found[0.5][c] for c in ("reason", "attempt", "epochs_done")
    )
    assert [] == problems
    log = (tmp_path / "tune" / "failures.log").read_text()
    assert 2 == log.count(f"trial {found[0.5]['key']}\n") == log.count("ValueError: half is not a rate\nsecond line")
    assert 'raise ValueError("half is not a rate' in log


def test_a_worker_that_keeps_dying_is_given_up(tmp_path: Path) -> None:
    """Without retries a killed worker fails its trial, with Ray's word for it; others go on."""
    launch(tmp_path, TRIALS[:1], DyingTraining, retries=0)

    ((status, reason),) = rows(tmp_path, "trials").select("status", "reason").rows()
    assert "failed" == status
    assert "died" in reason


def test_listeners_that_fail_do_not_end_the_sweep(calm: tuple[Path, list[str]]) -> None:
    """An exception in a callback of Tune would: it is kept as a problem instead."""
    folder, problems = calm

    assert ["RuntimeError: listener is broken"] == problems
    assert {"finished"} == set(by_key(folder, "status").values())


def test_tunes_scratch_holds_no_rows_and_no_objects_of_ours(calm: tuple[Path, list[str]]) -> None:
    """Rows leave the result before Tune keeps it, what Tune pickles knows nothing of the writer; and all of it goes."""
    kept = calm[0].with_name("kept")
    scratch = b"".join(path.read_bytes() for path in kept.rglob("*") if path.is_file())

    assert b"training_iteration" in scratch
    assert not [word for word in (b"fisher_trace", b'"_report"', b'"_outcome"', b"ResultsWriter") if word in scratch]
    assert not list(kept.rglob("result.json"))
    assert [] == list((calm[0] / "tune").iterdir())


def test_workers_share_the_data_and_are_used_again(calm: tuple[Path, list[str]]) -> None:
    """Two processes, no more, run five trials; each sees the driver's arrays, read-only as they lie in the store.

    The second session in the same folder runs under a name of its own: Tune would mix two of one name. What a killed
    session has left behind goes as it begins.
    """
    folder, trials = calm[0], [planned(seed=seed) for seed in range(5)]
    (folder / "tune" / "session-0" / "left").mkdir(parents=True)
    launch(folder, trials, LookingTraining)

    seen = [str(by_key(folder, "reason")[trial.key]).split() for trial in trials]
    assert {("False", str(3 * 4 * 64), "1", "cpu")} == {tuple(words[:4]) for words in seen}
    assert str(os.getpid()) not in {words[4] for words in seen}
    assert 2 >= len({words[4] for words in seen})
    assert [] == list((folder / "tune").iterdir())


class TestPacked:
    """The same, three trials to a process."""

    def test_a_killed_worker_costs_no_row(self, tmp_path: Path, calm: tuple[Path, list[str]]) -> None:
        """Each member kills the process once; the others go on from their checkpoints, and every row is there, once."""
        problems = launch(tmp_path, TRIALS, DyingTraining, pack=3, retries=3)
        keys = {trial.key for trial in TRIALS}

        assert [told for told in epochs_of(calm[0]) if told[0] in keys] == epochs_of(tmp_path)
        assert [("finished", 4, 3)] * 3 == rows(tmp_path, "trials").select("status", "attempt", "packed").rows()
        assert all(rows(tmp_path, "trials")["remark"].str.starts_with("started again after "))
        assert [] == problems

    def test_a_failing_member_is_a_row_and_the_others_finish(self, tmp_path: Path) -> None:
        """It is not tried again; its reason is the error in one line."""
        problems = launch(tmp_path, TRIALS, FailingTraining, pack=3)

        found = {row["optimiser.lr"]: row for row in rows(tmp_path, "trials").to_dicts()}
        assert ["finished", "failed", "finished"] == [found[lr]["status"] for lr in (0.25, 0.5, 0.75)]
        assert ("ValueError: half is not a rate", 1) == tuple(found[0.5][c] for c in ("reason", "attempt"))
        assert [] == problems

    @pytest.mark.slow
    def test_a_worker_that_keeps_dying_is_given_up(self, tmp_path: Path) -> None:
        """Without retries all members fail that had not ended, with Ray's word for it."""
        launch(tmp_path, TRIALS, DyingTraining, pack=3, retries=0)

        told = rows(tmp_path, "trials").select("status", "reason").rows()
        assert ["failed"] * 3 == [status for status, _ in told]
        assert all("died" in reason for _, reason in told)

    @pytest.mark.slow
    def test_packs_share_the_data_and_processes(self, tmp_path: Path) -> None:
        """Five trials in packs of two take two processes, which see the driver's arrays as they lie in the store."""
        trials = [planned(seed=seed) for seed in range(5)]
        launch(tmp_path, trials, LookingTraining, pack=2)

        seen = [str(by_key(tmp_path, "reason")[trial.key]).split() for trial in trials]
        assert {("False", str(3 * 4 * 64), "1", "cpu")} == {tuple(words[:4]) for words in seen}
        assert (seen[0][4], seen[2][4]) == (seen[1][4], seen[3][4])
        assert [1, 2, 2, 2, 2] == sorted(by_key(tmp_path, "packed").values())


FAILED_TWICE = """Failure # 1 (occurred at x)
old
Failure # 2 (occurred at y)
\x1b[36mray::T.train()\x1b[39m (pid=1)
  File "a.py", line 1
RuntimeError: CUDA error
Compile with X
"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (FAILED_TWICE, "RuntimeError: CUDA error"),
        ("Failure # 1 (occurred at x)\nThe actor died unexpectedly before finishing.\n  pid: 3\n", "The actor died"),
        ("", "the worker died without a word"),
    ],
)
def test_a_reason_is_one_telling_line(text: str, reason: str) -> None:
    """Of a traceback the error, of a death the first sentence, of the last failure only."""
    assert reason_in(text).startswith(reason)


def test_reports_cross_unchanged() -> None:
    """What the driver rebuilds is what the worker reported."""
    from tic_sweep.launch.trainable import report_from_dict, report_to_dict

    assert report() == report_from_dict(report_to_dict(report()))


@pytest.mark.parametrize("pack", [1, 3])
def test_a_trial_whose_worker_was_gone_before_it_began_is_given_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: int
) -> None:
    """Tune gives such a trial up at once, as it does when the node of a worker that it kept has died."""
    from tic_sweep.launch import ray_tune

    start, seen = ray_tune._Relay.on_trial_start, []

    def gone(self: object, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        """Let the first trial look as if it had not begun, and die."""
        start(self, iteration, trials, trial, **info)
        if not seen:
            seen.append(trial)
            self._begun.clear()
            ray.kill(trial.temporary_state.ray_actor)

    monkeypatch.setattr(ray_tune._Relay, "on_trial_start", gone)
    monkeypatch.setattr(ray_tune._Relay, "on_trial_recover", ray_tune._Relay.on_trial_error)
    monkeypatch.setattr("ray.tune.experiment.Trial.should_recover", lambda _: False)
    launch(tmp_path, TRIALS, FakeTraining, pack=pack)

    assert 1 == len(seen)
    assert {pack} == set(by_key(tmp_path, "packed").values())
    assert {"finished"} == set(by_key(tmp_path, "status").values())
    assert 9 == len(epochs_of(tmp_path))
