"""`Watchdog`: which running trials have told nothing for too long, by the driver's own time spent listening."""

import time
from collections.abc import Callable, Iterator

LONGEST_STEP = 1.0
"""Seconds that one look counts at most: a driver that was held up itself has heard nobody, and blames nobody."""


class Watchdog:
    """Counts each running trial's silence; told of every sign of life, asked again and again who hangs."""

    def __init__(self, limit: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Watch.

        Args:
            limit: seconds of silence after which a trial hangs; None is for ever.
            clock: seconds that never go back.
        """
        self._limit, self._clock = limit, clock
        self._silent: dict[str, float] = {}
        self._looked = clock()

    def heard(self, key: str) -> None:
        """Take note that a trial has started, or told something."""
        self._silent[key] = 0.0

    def ended(self, key: str) -> None:
        """Take note that a trial no longer runs."""
        self._silent.pop(key, None)

    def hanging(self) -> Iterator[tuple[str, str]]:
        """Yield each trial that hangs, once, and why it is taken to."""
        now = self._clock()
        passed, self._looked = min(now - self._looked, LONGEST_STEP), now
        if self._limit is None:
            return
        for key in list(self._silent):
            self._silent[key] += passed
            if self._silent[key] >= self._limit:
                del self._silent[key]
                yield key, f"it told nothing for {self._limit:g} s (--epoch-seconds)"
