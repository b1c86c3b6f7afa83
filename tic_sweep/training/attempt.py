"""`Attempt`: what every trainer shares, whatever its task: reports first, checkpoints when they have been taken.

An attempt runs one trial from its beginning, or from the checkpoint of the attempt before it, to an outcome.
"""

import copy
import platform
import re
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch

from tic_sweep.config import Resources, TrialConfig, trial_key
from tic_sweep.packing import seconds
from tic_sweep.records import Outcome, Report
from tic_sweep.snn import choose, running
from tic_sweep.training.allocator import keep_freed_memory
from tic_sweep.training.checkpoint import DamagedCheckpointError, load_checkpoint, save_checkpoint, set_aside


class Diverged(Exception):  # noqa: N818 - an outcome, not an error
    """The trial cannot go on: a number that should be finite is not."""


class Attempt(ABC):
    """One attempt at a trial. Iterate over `reports` to its end, then read `outcome`.

    Divergence and lack of memory are outcomes; anything else that goes wrong is an exception.
    """

    def __init__(self, config: TrialConfig, resources: Resources, checkpoint: Path | None) -> None:
        self.config = config
        self.key = trial_key(config)
        self.resources = resources
        self.device = resolve_device(resources.device)
        torch.set_num_threads(resources.threads)
        keep_freed_memory()
        self.kernels = choose(resources.kernels, self.device)
        self._kernels_before: list[str] = []
        self._checkpoint = checkpoint
        self._seconds = 0.0
        self._saved_at = time.monotonic()
        self._ending: dict[str, Any] = {"status": "interrupted"}
        self._remarks: list[str] = []

    def reports(self) -> Iterator[Report]:
        """Yield the reports not yet taken; ends early if the trial diverges or runs out of memory.

        What went wrong and was mended on the way is told with the report that comes next.
        """
        try:
            while not self._over:
                yield self._remarking(self._timed())
                # Only now has the report been taken: a checkpoint before it could lose its rows, not just repeat them.
                if self._over or time.monotonic() - self._saved_at >= self.resources.checkpoint_seconds:
                    self.save()
            if self._remarks:
                yield self._remarking(Report())
            with running(self.kernels):
                self._ending = {"status": "finished", **self._conclusion()}
        except Diverged as reason:
            self._ending = {"status": "diverged", "reason": str(reason)}
        except (MemoryError, RuntimeError) as error:  # torch.OutOfMemoryError is a RuntimeError
            if not _is_out_of_memory(error):
                raise
            self._ending = {"status": "out_of_memory", "reason": str(error).splitlines()[0]}

    @property
    def outcome(self) -> Outcome:
        """How the trial ended, or ``interrupted`` if its reports have not been read to the end."""
        return Outcome(
            **self._ending,
            **self._results(),
            wall_seconds=self._seconds,
            device=str(self.device),
            processor=processor_of(self.device),
            host=socket.gethostname(),
            kernels=", ".join(self._kernels_run),
        )

    def halt(self, status: str, reason: str) -> None:
        """End the attempt here because a scheduler says so: ``paused``, or ``stopped`` for good.

        Its checkpoint remains, from which either could go on.
        """
        self._ending = {"status": status, "reason": reason}
        self.save()

    def save(self) -> None:
        """Write the checkpoint now, if the trial keeps one and has something to keep.

        A disk that refuses costs the checkpoint, not the trial: the one before it stays.
        """
        if self._checkpoint is None or not self._begun:
            return
        own = {"key": self.key, "seconds": self._seconds, "kernels": self._kernels_run}
        try:
            save_checkpoint(self._checkpoint, own | self._state())
        except OSError as error:
            self._remark(f"a checkpoint could not be written ({error.strerror or error})")
        self._saved_at = time.monotonic()

    def _resume(self) -> None:
        """Continue from the checkpoint, if there is one; a damaged one is set aside, and the trial begins anew."""
        if self._checkpoint is None or not self._checkpoint.is_file():
            return
        try:
            self._take(load_checkpoint(self._checkpoint, self.key))
        except DamagedCheckpointError as damage:
            aside = set_aside(self._checkpoint)
            self._remark(f"its checkpoint was damaged ({damage}) and lies in {aside.name}: it began anew")

    def _take(self, state: Mapping[str, Any]) -> None:
        """Continue from a state; one that does not fit leaves the attempt as it was.

        Raises:
            DamagedCheckpointError: if it does not fit.
        """
        if not isinstance(epoch := state.get("epoch", 0), int):
            raise DamagedCheckpointError(f"its epoch is {epoch!r}")
        fresh = copy.deepcopy(self._state())
        try:
            seconds, kernels = float(state["seconds"]), state.get("kernels", ["plain"])  # from before there were others
            self._restore(dict(state))
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            if _is_out_of_memory(error):
                raise
            self._restore(fresh)
            why = " ".join(f"{type(error).__name__}: {error}".split())
            raise DamagedCheckpointError(f"it does not fit the trial, {why:.100}") from error
        self._seconds, self._kernels_before = seconds, kernels

    def _remark(self, text: str) -> None:
        if text not in self._remarks:
            self._remarks.append(text)

    def _remarking(self, report: Report) -> Report:
        remarks, self._remarks = tuple(self._remarks), []
        return replace(report, remarks=remarks) if remarks else report

    @property
    def _kernels_run(self) -> list[str]:
        """What ran the trial's neurons so far, in order: attempts on other machines may have had others."""
        before = self._kernels_before
        return before if before[-1:] == [self.kernels] else [*before, self.kernels]

    def _timed(self) -> Report:
        began = seconds()
        try:
            with running(self.kernels):
                return self._advance()
        finally:
            self._seconds += seconds() - began

    @property
    @abstractmethod
    def _begun(self) -> bool:
        """Whether a report has been made."""

    @property
    @abstractmethod
    def _over(self) -> bool:
        """Whether the last report has been made."""

    @abstractmethod
    def _advance(self) -> Report:
        """Make the next report; raises Diverged where there can be none."""

    @abstractmethod
    def _results(self) -> dict[str, Any]:
        """Return the fields of the outcome that are known by now, whether or not the trial has ended."""

    def _conclusion(self) -> dict[str, Any]:
        """Return the fields of the outcome that only the end of the trial tells."""
        return {}

    @abstractmethod
    def _state(self) -> dict[str, Any]:
        """Return what a checkpoint must hold: tensors and plain data."""

    @abstractmethod
    def _restore(self, state: dict[str, Any]) -> None:
        """Take back what `_state` returned."""


def resolve_device(name: str) -> torch.device:
    """Return the device a name stands for; ``auto`` is a GPU if one is visible to this process."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


@cache
def processor_of(device: torch.device) -> str:
    """Return the model of a GPU or of this machine's CPUs, as its maker calls it; empty if the system does not say."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    found = re.search(r"^model name\s*:\s*(.+)$", told, flags=re.MULTILINE)
    return found[1].strip() if found else platform.processor()


def _is_out_of_memory(error: Exception) -> bool:
    """Tell lack of memory from other errors; torch's CPU allocator raises a plain RuntimeError for it."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)
