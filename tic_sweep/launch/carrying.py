"""Checkpoints that live elsewhere than where a trial runs: fetched when it starts, carried back as it goes on.

The core knows a checkpoint as a file. Where one folder can be seen by every node, the results folder of a single
machine or a shared disk, that file is the checkpoint. Elsewhere it is a copy on the worker's own disk, which is made
when the trial starts there and carried to a `CheckpointStore` whenever a checkpoint is due, and when the trial ends.
Whatever goes wrong on the way costs time and never the trial: without its checkpoint it begins anew, and its rows
replace those it has told before.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeAlias

from tic_sweep.launch.recorder import checkpoint_of


class CheckpointStore(Protocol):
    """Where the checkpoints of a sweep live; it crosses to workers."""

    def fetch(self, key: str, to: Path) -> None:
        """Copy a trial's checkpoint into a file; leave none there if there is none."""
        ...

    def keep(self, key: str, file: Path) -> None:
        """Make a file the trial's checkpoint, whole or not at all."""
        ...

    def forget(self, key: str) -> None:
        """Remove a trial's checkpoint, if there is one."""
        ...


Checkpoints: TypeAlias = Path | CheckpointStore
"""A folder that every worker sees, or a place that checkpoints are carried to."""


def forget(checkpoints: Checkpoints, key: str) -> None:
    """Remove a trial's checkpoint, if there is one, wherever it lives."""
    if isinstance(checkpoints, Path):
        checkpoint_of(checkpoints, key).unlink(missing_ok=True)
    else:
        checkpoints.forget(key)


def leave_if_ahead(file: Path, stored: int) -> tuple[str, ...]:
    """Remove a checkpoint of epochs whose rows are lost, as after a power cut: its trial begins anew.

    Args:
        file: where the checkpoint lies, if there is one.
        stored: the last epoch that the store knows.

    Returns:
        What to remark of the trial.
    """
    from tic_sweep.training import epoch_in

    if not file.is_file() or (reached := epoch_in(file)) <= stored:
        return ()
    file.unlink()
    known = f"end with epoch {stored}" if stored >= 0 else "are all lost"
    return (f"its checkpoint was of epoch {reached} and its rows {known}: it began anew",)


class Carried:
    """The checkpoint of a trial that runs here, as the file that its training reads and writes."""

    def __init__(self, checkpoints: Checkpoints, key: str, seconds: float) -> None:
        """Fetch the checkpoint, if there is one.

        Args:
            checkpoints: where it lives.
            key: of the trial.
            seconds: at least this long between two that are carried away.
        """
        self._key, self._seconds = key, seconds
        self._there: CheckpointStore | None = None
        self._problem = ""
        if isinstance(checkpoints, Path):
            self.file = checkpoint_of(checkpoints, key)
            return
        self._there = checkpoints
        self._scratch = _Scratch()
        self.file = checkpoint_of(self._scratch.folder, key)
        self._guarded("fetched", lambda: checkpoints.fetch(key, self.file))
        self._carried, self._carried_at = self._written, time.monotonic()

    @property
    def due(self) -> bool:
        """Whether a checkpoint should be written now and carried away."""
        return self._there is not None and time.monotonic() - self._carried_at >= self._seconds

    def carry(self, save: Callable[[], object] = lambda: None) -> None:
        """Carry the file to where checkpoints live, if it has been written since the last time or ``save`` does so."""
        self._guarded("written", save)
        there = self._there
        if there is None or (written := self._written) in {None, self._carried}:
            return
        self._guarded("stored", lambda: there.keep(self._key, self.file))
        self._carried, self._carried_at = written, time.monotonic()

    def problem(self) -> str:
        """Return what has gone wrong since the last time this was asked, as one line; empty if nothing."""
        told, self._problem = self._problem, ""
        return told

    def close(self) -> None:
        """Remove the copy."""
        if self._there is not None:
            self._scratch.remove()

    @property
    def _written(self) -> tuple[int, int] | None:
        """Which file it is, and when it was written; None if there is none."""
        try:
            state = self.file.stat()
        except OSError:
            return None
        return state.st_ino, state.st_mtime_ns

    def _guarded(self, done: str, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - a network or disk that fails must not fail the trial
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            self._problem = f"a checkpoint could not be {done}, and its trial may have to begin anew ({reason})"


class _Scratch:
    """A folder of this process alone. Those of processes that were killed are removed when the next one is made."""

    PREFIX = "tic_sweep-checkpoint-"

    def __init__(self) -> None:
        for left in Path(tempfile.gettempdir()).glob(f"{self.PREFIX}*"):
            self._remove_if_left(left)
        self.folder = Path(tempfile.mkdtemp(prefix=self.PREFIX))  # made with mode 0700
        early = self.folder / ".lock"
        self._lock = os.open(early, os.O_CREAT | os.O_RDWR)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        early.rename(self.folder / "lock")  # whoever finds one by this name that is not held has found what was left

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)

    @staticmethod
    def _remove_if_left(folder: Path) -> None:
        with suppress(OSError):  # another user's, or gone meanwhile
            lock = os.open(folder / "lock", os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
