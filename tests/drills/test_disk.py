"""The disk of the results is full or slow, in a file system of its own."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from drills.harness import Drill, Sweep, said_by, wait_until, write_sweep

pytestmark = [pytest.mark.ray, pytest.mark.slow]
QUICK = ("--cpus", "2", "--checkpoint-seconds", "0")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of 16 MB in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("mounting a small file system takes rights that this process lacks")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Fill a disk to the last byte with a file, and return it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):  # no space left
        while True:
            file.write(b"x" * 4096)
    return ballast


def test_a_disk_full_for_a_while(disk: Path, tmp_path: Path, undisturbed: Path) -> None:
    """The sweep says in a line that it waits, and goes on when there is room; no trial even starts again."""
    drill = Drill("disk full for 8 s")
    sweep = Sweep(write_sweep(tmp_path), disk / "r")
    with sweep.started("run", str(sweep.file), "--results", str(sweep.place), *QUICK) as process:
        sweep.await_epochs(drill.draw.randint(1, 30), process)
        ballast = fill(disk)
        drill.times += 1
        time.sleep(8)
        ballast.unlink()
        freed = time.monotonic()
        sweep.await_epochs(1, process)
        drill.seconds.append(time.monotonic() - freed)
        said = said_by(process)

    assert 0 == said.code, said
    assert "Waiting up to 30 s for the disk: " in said.out
    assert {1} == set(sweep.table("trials")["attempt"])
    drill.compare(undisturbed, sweep.place)
    drill.end()


def test_a_disk_that_stays_full(disk: Path, tmp_path: Path, undisturbed: Path) -> None:
    """The sweep ends in order, and its last line says what is lost; with room, a resume computes it again.

    Nothing is lost where the journal found room at the last moment, because Ray Tune's scratch was removed. Lines
    before the last name trials whose checkpoints found none.
    """
    drill = Drill("disk full until the sweep gave up")
    sweep = Sweep(write_sweep(tmp_path), disk / "r")
    with sweep.started("run", str(sweep.file), "--results", str(sweep.place), *QUICK) as process:
        sweep.await_epochs(drill.draw.randint(1, 30), process)
        ballast = fill(disk)
        drill.times += 1
        said = said_by(process)
    ballast.unlink()
    resumed = sweep.resume()
    drill.seconds.append(resumed.seconds)

    lost = "No space left on device) and are lost: free space there and resume the sweep"
    kept = "rows are not yet in Parquet: [Errno 28] No space left on device"
    *mended, last = said.err.splitlines()
    assert all(" mended: trial " in line and "a checkpoint could not be written" in line for line in mended), said.err
    assert {1: kept, 2: lost}[said.code] in last
    assert "Waiting up to 30 s for the disk: " in said.out
    assert 0 == resumed.code, resumed
    drill.compare(undisturbed, sweep.place)
    drill.end()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nothing below a folder be made, renamed or removed; who has a file of it open already may go on."""
    made = subprocess.run(["mount", "--bind", str(folder), str(folder)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("mounting a folder takes rights that this process lacks")
    try:
        wait_until(lambda: turned_read_only(folder))
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def turned_read_only(folder: Path) -> bool:
    """Try to make a mounted folder read-only; it cannot be while somebody is writing to one of its files."""
    again = ["mount", "-o", "remount,bind,ro", str(folder)]
    return 0 == subprocess.run(again, capture_output=True, check=False).returncode


def test_a_disk_that_turns_read_only(tmp_path: Path, long_sweep: Sweep, undisturbed_long: Path) -> None:
    """The sweep goes on when the disk does; on one that is read-only from the start none begins."""
    drill = Drill("disk read-only for 8 s")
    sweep = Sweep(long_sweep.file, tmp_path / "there" / "r")
    sweep.place.parent.mkdir()
    with read_only(sweep.place.parent):
        refused = sweep.run(*QUICK)
    with sweep.started("run", str(sweep.file), "--results", str(sweep.place), *QUICK) as process:
        sweep.await_epochs(drill.draw.randint(1, 30), process)
        with read_only(sweep.place):
            drill.times += 1
            time.sleep(8)
            assert "finished" not in set(sweep.table("trials")["status"])
        freed = time.monotonic()
        sweep.await_epochs(1, process)
        drill.seconds.append(time.monotonic() - freed)
        said = said_by(process)

    assert (2, 1) == (refused.code, len(refused.err.splitlines())), refused
    assert "cannot be written: give a place you may write to" in refused.err
    assert 0 == said.code, said
    assert "a checkpoint could not be written (Read-only file system)" in said.err
    drill.compare(undisturbed_long, sweep.place)
    drill.end()


def test_a_slow_disk(sweep: Sweep, undisturbed: Path, tmp_path: Path) -> None:
    """Every flush to it takes a quarter of a second: the sweep takes longer, and that is all."""
    drill = Drill("disk slow (0.25 s per flush)")
    (tmp_path / "sitecustomize.py").write_text(
        "import os, time\nreal = os.fsync\nos.fsync = lambda descriptor: (time.sleep(0.25), real(descriptor))\n",
        encoding="utf-8",
    )
    sweep.extra["PYTHONPATH"] = f"{tmp_path}:{sweep.environment['PYTHONPATH']}"
    said = sweep.run("--cpus", "2")
    drill.times += 1
    drill.seconds.append(said.seconds)

    assert (0, "") == (said.code, said.err)
    drill.compare(undisturbed, sweep.place)
    drill.end()
