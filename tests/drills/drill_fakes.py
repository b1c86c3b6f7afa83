"""Stand-ins for trainings that come to grief, in a module that Ray's workers can import, too."""

import ctypes
import os
import signal
import sys
import time

import numpy as np
from launch.launch_fakes import FakeTraining, report

from tic_sweep.records import Report


def stop_breathing() -> None:
    """Hang in C without giving the interpreter free, as a library that waits for a device does."""
    ctypes.PyDLL(None).sleep(600)


WAYS = {
    "raise": lambda: 1 / 0,
    "sys.exit": lambda: sys.exit(3),
    "os._exit": lambda: os._exit(3),
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "SIGSEGV": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "sleep": lambda: time.sleep(600),
    "hang in C": stop_breathing,
}


class UnluckyTraining(FakeTraining):
    """Comes to grief once, in epoch 1, in the way that its seed says."""

    def during(self, epoch: int) -> None:
        """Go down, the first time."""
        self.checkpoint.parent.mkdir(exist_ok=True)
        mark = self.checkpoint.with_suffix(".died")
        if epoch == 1 and not mark.exists():
            mark.touch()
            list(WAYS.values())[self.config.seed]()


class AlwaysHanging(FakeTraining):
    """Hangs in every epoch 1."""

    def during(self, epoch: int) -> None:
        """Hang."""
        if epoch == 1:
            time.sleep(600)


class OddTraining(FakeTraining):
    """Tells numbers that are none, and types that JSON does not know."""

    def told(self, epoch: int) -> Report:
        """Return a report with an odd IC."""
        odd = [float("nan"), float("inf"), None, np.float32(1.5), np.int64(1)]
        return report(self.key, epoch, ic=odd[self.config.seed])
