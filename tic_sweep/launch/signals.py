"""Ending in order: the first Ctrl-C or SIGTERM lets what is done be written, the second one kills.

Batch systems and containers send SIGTERM where a person presses Ctrl-C; both must end a sweep the same way. Ray Tune
alone would lose its latest results on SIGTERM. A time limit of one's own ends a run the same way, before theirs kills.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGALRM: "its time limit"}
"""What people call a signal, where that is not its name."""
SOON = 0.001
"""Seconds until a limit that is reached already: none at all would be no limit."""


class Stopped(BaseException):
    """Raised inside a training in this process when it is asked to stop; no `except Exception` may swallow it."""


class Stop:
    """Whether the run was asked to stop, and by which signal or why; ``wake`` is called once when it is."""

    def __init__(self) -> None:
        self.signum: int | None = None
        self.reason = ""
        self.wake: Callable[[], None] = lambda: None

    def __bool__(self) -> bool:
        return self.signum is not None or bool(self.reason)

    @property
    def name(self) -> str:
        """Return how the stop was asked for: ``Ctrl-C``, ``its time limit``, a signal or a reason in words."""
        if self.signum is None and self.reason:
            return self.reason
        signum = signal.Signals(self.signum or signal.SIGTERM)
        return NAMES.get(signum, signum.name)

    @property
    def exit_code(self) -> int:
        """Return 128 plus the signal's number, as shells do (130 for Ctrl-C, 142 at the limit); 1 without one."""
        return 1 if self.signum is None else 128 + self.signum

    def because(self, reason: str) -> None:
        """Stop for a reason that lies in the run itself."""
        if not self:
            self.reason = reason
            self.wake()

    @contextmanager
    def raises_stopped(self) -> Iterator[None]:
        """Within this block, a signal raises `Stopped` at once instead of waiting for a good moment."""
        if self:
            raise Stopped
        self.wake = _raise_stopped
        try:
            yield
        finally:
            self.wake = lambda: None

    def handle(self, signum: int, _frame: FrameType | None) -> None:
        """Take note of the first signal; restore the default and die by the second."""
        if self.signum is not None:
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)
            return
        self.signum = signum
        signal.setitimer(signal.ITIMER_REAL, 0)  # a limit that is reached while the run ends must not kill it
        self.wake()


@contextmanager
def stop_on_signals(seconds: float | None = None) -> Iterator[Stop]:
    """Yield a `Stop` that SIGINT and SIGTERM set for the time of the block, and the clock after some ``seconds``."""
    stop = Stop()
    signals = SIGNALS if seconds is None else (*SIGNALS, signal.SIGALRM)
    before = {signum: signal.signal(signum, stop.handle) for signum in signals}
    if seconds is not None:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, SOON))
    try:
        yield stop
    finally:
        if seconds is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _raise_stopped() -> None:
    raise Stopped
