"""The race on a real Ray: the same end as in this process, whatever dies on the way."""

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from launch.launch_fakes import LearningTraining, new_recorder, new_writer, planned, rows

from analysis import open_results
from analysis.races import answers
from tic_sweep.launch.race import Race
from tic_sweep.racing import Look
from tic_sweep.racing.halving import Halving
from tic_sweep.racing.signals import LAST_ACCURACY
from tic_sweep.store import Manifest, ResultsFolder

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
TRIALS = [planned(lr=lr, epochs=8, seed=seed) for seed in (0, 1) for lr in (0.2, 0.1, 0.8, 0.4)]


class DyingOnce(LearningTraining):
    """Is killed once, in epoch 2 of the best rate, before its report is out."""

    def during(self, epoch: int) -> None:
        """Kill this worker, the first time."""
        mark = self.checkpoint.with_suffix(".died")
        if epoch == 2 and self.config.optimiser.lr == 0.8 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def on_ray(folder: Path, race: Race, training: type = LearningTraining) -> list[str]:
    """Run a race on Ray with a stand-in for the training; return the problems told."""
    from launch.test_ray_tune import IMAGES

    from tic_sweep.launch.options import Options
    from tic_sweep.launch.ray_tune import run_on_ray
    from tic_sweep.launch.signals import Stop

    with new_writer(folder) as writer:
        recorder = new_recorder(writer, TRIALS, race)
        race.dismiss = lambda trial, outcome: recorder.ended(trial.key, outcome)
        race.line_up([trial.key for trial in TRIALS])
        run_on_ray(
            TRIALS, recorder=recorder, data=IMAGES, options=Options(), slots=2, scratch=folder / "tune",
            session=writer.session, checkpoints=folder / "checkpoints", stop=Stop(), training=training, race=race,
        )  # fmt: skip
    return recorder.problems


def told(folder: Path) -> list[tuple]:
    """Return rate, seed, status and epochs of every trial."""
    return sorted(rows(folder, "trials").select("optimiser.lr", "seed", "status", "epochs_done").rows())


def new_race() -> Race:
    """Return a race by accuracy with levels 1, 2, 4 and 8."""
    return Race(Halving(LAST_ACCURACY, eta=2.0, first=0.125), TRIALS)


@pytest.mark.usefixtures("ray_here")
@pytest.mark.parametrize("training", [LearningTraining, DyingOnce])
def test_paused_trials_go_on_and_the_others_are_stopped(tmp_path: Path, training: type) -> None:
    """Of four rates two go beyond epoch 1 and one beyond epoch 2; a worker that dies on the way changes nothing."""
    assert [] == on_ray(tmp_path, new_race(), training)

    ended = {(rate, status, epochs) for rate, _, status, epochs in told(tmp_path)}
    assert {(0.1, "stopped", 1), (0.2, "stopped", 1), (0.4, "stopped", 2), (0.8, "finished", 8)} == ended
    assert 2 * (2 + 2 + 3 + 9) == rows(tmp_path, "epochs").height
    finished = rows(tmp_path, "trials").filter(pl.col("status") == "finished")
    assert finished["attempt"].min() > 1  # each time a paused trial goes on it has started again


class Broken(Halving):
    """A policy that fails at every report."""

    def look(self, key: str, look: Look) -> None:
        """Fail."""
        raise RuntimeError("policy is broken")


@pytest.mark.usefixtures("ray_here")
def test_a_policy_that_fails_does_not_end_the_sweep(tmp_path: Path) -> None:
    """Trials run on to their end, and what went wrong is told once."""
    problems = on_ray(tmp_path, Race(Broken(LAST_ACCURACY), TRIALS))

    assert ["RuntimeError: policy is broken"] == problems
    assert {"finished"} == {status for _, _, status, _ in told(tmp_path)}


def test_tune_pickles_no_race() -> None:
    """What goes into Tune's scratch decides nothing and holds nothing of ours."""
    from ray.tune.schedulers import FIFOScheduler

    from tic_sweep.launch.race_scheduler import RaceScheduler

    assert FIFOScheduler is type(pickle.loads(pickle.dumps(RaceScheduler(new_race(), print))))  # noqa: S301 - our own


RACED = """
from tic_sweep.config import DataConfig, FisherConfig, ModelConfig, OptimiserConfig, TrialConfig
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

SWEEP = Sweep(name="raced", question="Which rate?", laptop=Scale(
    base=TrialConfig(
        data=DataConfig(name="digits", augmentation="none", train_samples=300, validation_samples=100, test_samples=50),
        model=ModelConfig(name="small_conv"), optimiser=OptimiserConfig(epochs=8, batch_size=32),
        fisher=FisherConfig(samples=16), timesteps=4,
    ),
    space={"optimiser.lr": Grid((0.3, 0.1, 1.0, 0.03))}, seeds=(0, 1), scheduler="hybrid", holdout=0.0,
))
"""


def started(folder: Path, *words: str) -> subprocess.Popen:
    """Return a driver of its own, with a Ray of its own."""
    code = "from tic_sweep.cli import main; main()"
    log = (folder / "log").open("a")
    return subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=folder, stdout=log, stderr=log, start_new_session=True
    )  # fmt: skip


def reported(place: Path) -> int:
    """Return how many epochs a results folder holds so far."""
    try:
        return rows(place, "epochs").height
    except Exception:  # noqa: BLE001 - not yet made
        return 0


@pytest.mark.slow
def test_a_killed_driver_resumes_to_the_same_recommendation(tmp_path: Path) -> None:
    """Real trainings on digits, one at a time: killed in the middle and resumed, the race ends as if never killed."""
    (tmp_path / "raced.py").write_text(RACED, encoding="utf-8")
    wishes = ("--cpus", "1", "--wandb", "off", "--checkpoint-seconds", "0")
    assert 0 == started(tmp_path, "run", "raced.py", "--results", "whole", *wishes).wait(600)
    driver = started(tmp_path, "run", "raced.py", "--results", "killed", *wishes)
    deadline = time.monotonic() + 300
    while reported(tmp_path / "killed") < 12 and driver.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    before = told(tmp_path / "killed")
    assert 0 == started(tmp_path, "resume", "killed").wait(600)

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert told(whole) != before
    assert told(whole) == told(killed)
    assert answers(open_results(whole))[0].recommendation == answers(open_results(killed))[0].recommendation
    assert "hybrid" == Manifest.load(ResultsFolder.open(killed).manifest).scheduler
