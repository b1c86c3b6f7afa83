"""Turns: one thread at a time, in order; time is shared; closing unwinds them all."""

import threading
import time
from collections.abc import Callable
from itertools import count

from tic_sweep.packing import Turns


class Seats:
    """Threads of some turns that note what they do, by name."""

    def __init__(self, turns: Turns, **works: Callable[["Seats", str], None]) -> None:
        self.turns, self.noted = turns, list[str]()
        self.seats = {name: turns.seat(lambda name=name, work=work: work(self, name)) for name, work in works.items()}

    def wake(self, *names: str) -> None:
        """Wake some and let all that are awake run until they rest."""
        for name in names:
            self.turns.wake(self.seats[name])
        self.turns.run()


def two_steps(seats: Seats, name: str) -> None:
    """Note two steps and give way after each."""
    for step in (1, 2):
        seats.noted.append(f"{name}{step}")
        seats.seats[name].give_way()


def resting(seats: Seats, name: str) -> None:
    """Note two steps with a rest between them."""
    seats.noted.append(f"{name}1")
    seats.seats[name].rest()
    seats.noted.append(f"{name}2")


def endless(seats: Seats, name: str) -> None:
    """Give way for ever, and note beginning and end."""
    seats.noted.append(f"{name} begun")
    try:
        while True:
            seats.seats[name].give_way()
    finally:
        seats.noted.append(f"{name} unwound")


def test_each_runs_until_it_gives_way() -> None:
    """Two threads alternate, and `run` comes back when both have ended."""
    seats = Seats(Turns(), a=two_steps, b=two_steps)
    seats.wake("a", "b")

    assert ["a1", "b1", "a2", "b2"] == seats.noted


def test_one_at_rest_has_no_turn() -> None:
    """It goes on when it is woken again; the others do not wait for it."""
    seats = Seats(Turns(), a=resting, b=two_steps)
    seats.wake("a", "b")
    before = list(seats.noted)
    seats.wake("a")

    assert ["a1", "b1", "b2"] == before
    assert [*before, "a2"] == seats.noted


def test_time_is_shared_by_those_that_run() -> None:
    """Each counts a half of the ticks while two run and all of them while it runs alone; together, every tick once."""
    ticks = count()
    turns = Turns(clock=lambda: float(next(ticks)))
    spent: dict[str, float] = {}

    def timed(seats: Seats, name: str, steps: int) -> None:
        began = turns.seconds()
        for _ in range(steps):
            seats.seats[name].give_way()
        spent[name] = turns.seconds() - began

    seats = Seats(turns, a=lambda s, n: timed(s, n, 1), b=lambda s, n: timed(s, n, 4))
    seats.wake("a", "b")

    # Looked at 0 (start), 1 (a begins), 2 (b begins), 3 (a's end), 4 (a leaves), 5 (b's end), 6 (b leaves).
    assert {"a": (3 - 1) / 2, "b": (4 - 2) / 2 + (5 - 4)} == spent


def test_closing_unwinds_those_at_work_and_those_at_rest() -> None:
    """Also those that were never woken end, without having begun."""
    turns = Turns()
    seats = Seats(turns, a=endless, b=resting, c=two_steps)
    seats.wake("b")
    turns.wake(seats.seats["a"])
    threading.Thread(target=turns.run).start()  # the wait for them will be broken off
    while "a begun" not in seats.noted:
        time.sleep(0.01)
    turns.close()
    for seat in seats.seats.values():
        seat.join(timeout=10)

    assert not any(seat.is_alive() for seat in seats.seats.values())
    assert ["b1", "a begun", "a unwound"] == seats.noted
