"""Workers die in every way there is, or hang; their trials go on elsewhere, from their checkpoints."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
from drills.drill_fakes import WAYS, AlwaysHanging, OddTraining, UnluckyTraining
from drills.harness import Drill, Sweep, said_by, wait_until
from launch.launch_fakes import FakeTraining, planned, rows
from launch.test_ray_tune import epochs_of, launch

from tic_sweep.store import ResultsFolder, compact

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
QUICK = ("--cpus", "2", "--checkpoint-seconds", "0")


def test_workers_killed(sweep: Sweep, undisturbed: Path) -> None:
    """Five times in one sweep a random worker is killed; the driver tells it, and every trial ends as if not."""
    drill = Drill("worker killed (SIGKILL)")
    with sweep.started("run", str(sweep.file), "--results", str(sweep.place), *QUICK, "--retries", "5") as process:
        for _ in range(5):
            sweep.await_epochs(drill.draw.randint(1, 10), process)
            wait_until(lambda: process.poll() is not None or bool(sweep.workers()))
            with suppress(ProcessLookupError, IndexError):
                os.kill(drill.draw.choice(sweep.workers()), signal.SIGKILL)
                drill.times += 1
                killed = time.monotonic()
                sweep.await_epochs(1, process)
                drill.seconds.append(time.monotonic() - killed)
        said = said_by(process)

    assert 0 == said.code, said
    assert "tic-sweep: mended: trial" in said.err
    drill.compare(undisturbed, sweep.place)
    drill.end()


def test_a_worker_that_hangs(sweep: Sweep, undisturbed: Path) -> None:
    """One that is stopped in the middle of an epoch is killed when its time is over, and its trial started again."""
    drill = Drill("worker hung (SIGSTOP, --epoch-seconds 20)")
    options = (*QUICK, "--epoch-seconds", "20")
    with sweep.started("run", str(sweep.file), "--results", str(sweep.place), *options) as process:
        sweep.await_epochs(drill.draw.randint(2, 10), process)
        os.kill(drill.draw.choice(sweep.workers()), signal.SIGSTOP)
        drill.times += 1
        stopped, said = time.monotonic(), said_by(process)
        drill.seconds.append(time.monotonic() - stopped)

    assert 0 == said.code, said
    assert "started again after it told nothing for 20 s (--epoch-seconds)" in said.err
    drill.compare(undisturbed, sweep.place)
    drill.end()


@pytest.mark.usefixtures("ray_here")
def test_every_way_to_go_down(tmp_path: Path) -> None:
    """Each costs an attempt of its own trial, is told, and loses, doubles and changes no row."""
    drill = Drill("worker raises, exits, crashes or hangs", times=len(WAYS))
    trials = [planned(seed=seed) for seed in range(len(WAYS))]
    began = time.monotonic()
    problems = launch(tmp_path / "unlucky", trials, UnluckyTraining, epoch_seconds=15)
    drill.seconds.append(time.monotonic() - began)
    launch(tmp_path / "lucky", trials, FakeTraining)

    assert [] == problems
    assert {("finished", 2)} == set(rows(tmp_path / "unlucky", "trials").select("status", "attempt").rows())
    assert all(rows(tmp_path / "unlucky", "trials")["remark"].str.starts_with("started again after "))
    assert epochs_of(tmp_path / "lucky") == epochs_of(tmp_path / "unlucky")
    compact(ResultsFolder.open(tmp_path / "unlucky"))  # as the end of a run does
    drill.compare(tmp_path / "lucky", tmp_path / "unlucky")
    drill.end()


@pytest.mark.usefixtures("ray_here")
def test_a_pack_goes_down_with_its_members_and_comes_back(tmp_path: Path) -> None:
    """One is killed, one sleeps, one hangs in C: each costs all three an attempt, and no row is lost or changed."""
    trials = [planned(seed=list(WAYS).index(way)) for way in ("SIGKILL", "sleep", "hang in C")]
    problems = launch(tmp_path / "unlucky", trials, UnluckyTraining, epoch_seconds=10, retries=3, pack=3)
    launch(tmp_path / "lucky", trials, FakeTraining)

    assert [] == problems
    assert {("finished", 4, 3)} == set(
        rows(tmp_path / "unlucky", "trials").select("status", "attempt", "packed").rows()
    )
    assert all(rows(tmp_path / "unlucky", "trials")["remark"].str.contains("it told nothing for 10 s", literal=True))
    assert epochs_of(tmp_path / "lucky") == epochs_of(tmp_path / "unlucky")


@pytest.mark.usefixtures("ray_here")
def test_who_always_hangs_is_given_up_with_the_reason(tmp_path: Path) -> None:
    """Its retries over, it is a row that says so."""
    launch(tmp_path, [planned()], AlwaysHanging, retries=1, epoch_seconds=3)

    assert ("failed", 2, "it told nothing for 3 s (--epoch-seconds)") == rows(tmp_path, "trials").select(
        "status", "attempt", "reason"
    ).row(0)


@pytest.mark.usefixtures("ray_here")
def test_odd_numbers_end_no_sweep(tmp_path: Path) -> None:
    """NaN, infinity, nothing and NumPy's scalars are stored as what they are; Tune never sees one it stumbles over."""
    drill = Drill("NaN, infinite, missing and NumPy numbers told", times=5)
    trials = [planned(seed=seed) for seed in range(5)]
    began = time.monotonic()
    problems = launch(tmp_path / "r", trials, OddTraining)
    drill.seconds.append(time.monotonic() - began)
    stored = {seed: rows(tmp_path / "r", "epochs").filter(key=trials[seed].key)["ic"].to_list() for seed in range(5)}

    assert [] == problems
    assert ["nan"] * 3 == [str(ic) for ic in stored[0]]
    assert [[float("inf")] * 3, [None] * 3, [1.5] * 3, [1.0] * 3] == [stored[seed] for seed in range(1, 5)]
    drill.lost = rows(tmp_path / "r", "trials").filter(pl.col("status") != "finished").height
    drill.end()
