"""Threads that take turns: one runs at a time, until it gives way to the next.

They are coroutines whose state is a whole call stack, so that a trial's code reads the same in a pack and alone. Since
nothing ever runs at the same time, nothing needs a lock: not torch's global state, and not the recording of a graph,
during which no other thread may touch the device.
"""

import threading
import time
from collections import deque
from collections.abc import Callable


class Closed(BaseException):
    """Raised in a thread whose turns have been closed, so that it unwinds; no `except Exception` may swallow it."""


class Turns:
    """A ring of seats, the first of which has the turn; `run` gives the turn away until all seats are at rest.

    ``clock`` gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._ring: deque[Seat] = deque()
        self._resting: set[Seat] = set()
        self._idle = threading.Event()
        self._idle.set()
        self._each, self._since = 0.0, 0.0
        self.closed = False

    def seat(self, work: Callable[[], None]) -> "Seat":
        """Start a thread that will do ``work`` once it is woken, in turns with others."""
        seat = Seat(self, work)
        self._resting.add(seat)
        seat.start()
        return seat

    def run(self) -> None:
        """Let those that are awake take turns until each rests or has ended."""
        if self._ring:
            self._since = self._clock()
            self._idle.clear()
            self._ring[0].go.release()
            self._idle.wait()

    def close(self) -> None:
        """End all threads, each where it next gives way or where it rests; may be called whatever has happened."""
        self.closed = True
        self._idle.wait()  # they may still run, if `run` was broken off
        for seat in list(self._resting):
            self.wake(seat)
        self.run()

    def seconds(self) -> float:
        """Return a time that passes n times more slowly while n take turns: what one of them may count as its own.

        To be asked by the one that has the turn.
        """
        return self._each + (self._clock() - self._since) / len(self._ring)

    def leave(self, seat: "Seat", *, resting: bool) -> None:
        """Take the seat that has the turn out of the ring, and hand the turn on."""
        self._each, self._since = self.seconds(), self._clock()
        if resting:
            self._resting.add(seat)
        self._ring.popleft()
        if self._ring:
            self._ring[0].go.release()
        else:
            self._idle.set()

    def pass_on(self) -> bool:
        """Hand the turn to the next seat, if there is another."""
        if len(self._ring) > 1:
            self._ring.rotate(-1)
            self._ring[0].go.release()
            return True
        return False

    def wake(self, seat: "Seat") -> None:
        """Let a seat at rest take turns again; to be called while nobody runs."""
        self._resting.discard(seat)
        self._ring.append(seat)


class Seat(threading.Thread):
    """A thread that takes turns; its methods are called by itself, while it has the turn."""

    def __init__(self, turns: Turns, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.go = threading.Semaphore(0)
        self._turns, self._work = turns, work

    def run(self) -> None:
        """Do the work once woken, and leave for good."""
        self.go.acquire()
        try:
            if not self._turns.closed:
                self._work()
        except Closed:
            pass
        finally:
            self._turns.leave(self, resting=False)

    def give_way(self) -> None:
        """Let every other one have a turn."""
        if self._turns.pass_on():
            self.go.acquire()
        if self._turns.closed:
            raise Closed

    def rest(self) -> None:
        """Have no more turns until woken."""
        self._turns.leave(self, resting=True)
        self.go.acquire()
        if self._turns.closed:
            raise Closed
