"""Checkpoints that live elsewhere: fetched at the start, carried away when due, and never in the way of a trial."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from launch.launch_fakes import MovingTraining, by_key, new_recorder, new_writer, planned, rows

from tic_sweep.config import Resources
from tic_sweep.data import RawImages
from tic_sweep.launch.carrying import Carried, forget
from tic_sweep.launch.options import Options
from tic_sweep.launch.ray_tune import run_on_ray
from tic_sweep.launch.signals import Stop

IMAGES = {"digits": RawImages(*(np.full((4, 1, 8, 8), 3, np.uint8), np.zeros(4, np.int64)) * 2)}


def names(folder: Path) -> list[str]:
    """Return what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


class Shelf(dict):
    """Checkpoints in this process."""

    def fetch(self, key: str, to: Path) -> None:
        """Copy one out."""
        if key in self:
            to.write_bytes(self[key])

    def keep(self, key: str, file: Path) -> None:
        """Take one in."""
        self[key] = file.read_bytes()

    def forget(self, key: str) -> None:
        """Throw one away."""
        self.pop(key, None)


class Broken(Shelf):
    """Neither gives nor takes."""

    def fetch(self, key: str, to: Path) -> None:
        """Fail."""
        raise OSError("the network is down\nmore of it")

    keep = fetch


def test_what_was_stored_is_there_at_the_start() -> None:
    """As a file; what is written there later comes to the store, once each time."""
    shelf = Shelf(k=b"before")
    carried = Carried(shelf, "k", seconds=0)
    first = carried.file.read_bytes()
    shelf.clear()
    carried.carry()
    unchanged = dict(shelf)
    carried.file.write_bytes(b"after")
    carried.carry()
    carried.close()

    assert (b"before", {}, {"k": b"after"}) == (first, unchanged, dict(shelf))
    assert not carried.file.parent.exists()


def test_a_checkpoint_is_due_now_and_then() -> None:
    """Not before its time, and again only after as long."""
    carried = Carried(Shelf(), "k", seconds=0.2)
    early = carried.due
    time.sleep(0.25)
    due = carried.due
    carried.file.write_bytes(b"x")
    carried.carry()

    assert (False, True, False) == (early, due, carried.due)
    carried.close()


def test_a_folder_that_all_see_is_used_as_it_is(tmp_path: Path) -> None:
    """Nothing is copied, and nothing is ever due."""
    carried = Carried(tmp_path, "k", seconds=0)
    carried.file.write_bytes(b"x")
    carried.carry()
    carried.close()

    assert tmp_path / "k.pt" == carried.file
    assert not carried.due
    assert ["k.pt"] == names(tmp_path)


def test_a_network_that_is_down_is_told_and_no_more() -> None:
    """The trial begins anew, goes on, and its driver hears why, once for each time."""
    carried = Carried(Broken(), "k", seconds=0)
    told = [carried.problem(), carried.problem()]
    carried.file.write_bytes(b"x")
    carried.carry()
    told.append(carried.problem())
    carried.close()

    assert told[0] == (
        "a checkpoint could not be fetched, and its trial may have to begin anew (OSError: the network is down)"
    )
    assert ["", "a checkpoint could not be stored"] == [told[1], told[2].partition(",")[0]]


def test_a_disk_that_is_full_is_told_and_no_more() -> None:
    """What was carried before stays."""

    def full() -> None:
        raise OSError(28, "No space left on device")

    shelf = Shelf(k=b"before")
    carried = Carried(shelf, "k", seconds=0)
    carried.carry(full)
    carried.close()

    assert "a checkpoint could not be written, and its trial" in (told := carried.problem())
    assert "No space left" in told
    assert {"k": b"before"} == dict(shelf)


def test_what_is_forgotten_is_gone_wherever_it_lives(tmp_path: Path) -> None:
    """In a folder and in a store; what is not there is no error."""
    (tmp_path / "k.pt").write_bytes(b"x")
    shelf = Shelf(k=b"x")
    for place in (tmp_path, tmp_path, shelf, shelf):
        forget(place, "k")

    assert ([], {}) == (names(tmp_path), shelf)


def test_what_a_killed_worker_leaves_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the next trial on that node; the copy of one that runs is left alone."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = (
        "import os, signal, sys, tempfile; tempfile.tempdir = sys.argv[1]\n"
        "from launch.test_carrying import Carried, Shelf\n"
        "Carried(Shelf(k=b'x'), 'k', 0); os.kill(os.getpid(), signal.SIGKILL)"
    )
    paths = os.pathsep.join(str(folder) for folder in Path(__file__).parents[1:3])
    environment = os.environ | {"PYTHONPATH": paths}
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(tmp_path)], env=environment, check=False)
    left = names(tmp_path)
    running = Carried(Shelf(k=b"running"), "k", seconds=0)
    now = names(tmp_path)
    another = Carried(Shelf(), "k", seconds=0)

    assert (1, [running.file.parent.name]) == (len(left), now)
    assert left != now
    assert b"running" == running.file.read_bytes()
    for carried in (running, another):
        carried.close()
    assert [] == names(tmp_path)


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.usefixtures("ray_here")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("pack", "found"), [(1, "from 2"), (2, "from 1")])
def test_checkpoints_travel_to_the_driver(tmp_path: Path, pack: int, found: str) -> None:
    """Workers that share no folder with it continue trials that died elsewhere; rows are there once, no scratch stays.

    That a worker is another node is made up here: it never sees the folder that the checkpoints come to lie in. What a
    pack has carried is a report older.
    """
    from tic_sweep.launch.keeper import DriverCheckpoints

    trials = [planned(lr=lr, epochs=4) for lr in (0.25, 0.5)]
    options = Options(resources=Resources(checkpoint_seconds=0), pack=pack)
    with new_writer(tmp_path / "r") as writer:
        recorder = new_recorder(writer, trials)
        checkpoints = DriverCheckpoints(tmp_path / "kept")
        run_on_ray(
            trials, recorder=recorder, data=IMAGES, options=options, slots=2,
            scratch=tmp_path / "tune", session=1, checkpoints=checkpoints, stop=Stop(), training=MovingTraining,
        )  # fmt: skip
    kept = names(tmp_path / "kept")
    checkpoints.forget(trials[0].key)

    assert [] == recorder.problems
    assert {found} == set(by_key(tmp_path / "r", "reason").values())
    assert {2} == set(by_key(tmp_path / "r", "attempt").values())
    assert 2 * 5 == rows(tmp_path / "r", "epochs").height
    assert sorted(f"{trial.key}.pt" for trial in trials) == kept
    assert [f"{trials[1].key}.pt"] == names(tmp_path / "kept")
