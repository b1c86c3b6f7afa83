"""Whether somebody writes a results folder, seen from outside and without disturbing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tic_sweep.store.lock import FolderLock, is_held


def test_a_lock_is_seen_while_it_is_held(tmp_path: Path) -> None:
    """Before, during and after; looking takes nothing away from the next one who wants it."""
    path = tmp_path / "lock"
    before = is_held(path)
    lock = FolderLock(path)
    during = is_held(path)
    lock.release()
    after = is_held(path)
    FolderLock(path).release()

    assert [False, True, False] == [before, during, after]


def test_a_killed_holder_no_longer_holds(tmp_path: Path) -> None:
    """Its name is still in the file, but the lock went with the process."""
    path = tmp_path / "lock"
    code = f"import pathlib, tic_sweep.store.lock as lock\nheld = lock.FolderLock(pathlib.Path({str(path)!r}))"
    with subprocess.Popen(
        [sys.executable, "-c", code + "\nprint('held', flush=True); input()"],
        text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        holder.stdout.readline()
        during = is_held(path)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()

    assert during
    assert path.read_text(encoding="utf-8").startswith("process")
    assert is_held(path) is False
