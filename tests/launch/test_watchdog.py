"""Who tells nothing for too long hangs; a driver that does not listen blames nobody."""

from tic_sweep.launch.watchdog import Watchdog


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def looks(dog: Watchdog, clock: Clock, seconds: float, step: float = 0.5) -> list[str]:
    """Look again and again for some seconds; return who hangs."""
    found = []
    for _ in range(int(seconds / step)):
        clock.now += step
        found += [key for key, _ in dog.hanging()]
    return found


def test_a_silent_trial_hangs_once() -> None:
    """After the limit, not before, and not again until it is started anew."""
    clock = Clock()
    dog = Watchdog(10, clock)
    dog.heard("a")

    assert [] == looks(dog, clock, 9.5)
    assert ["a"] == looks(dog, clock, 20)
    dog.heard("a")
    assert ["a"] == looks(dog, clock, 10)


def test_a_sign_of_life_begins_the_count_anew() -> None:
    """Every trial has a count of its own; one that has ended has none."""
    clock = Clock()
    dog = Watchdog(10, clock)
    for key in "abc":
        dog.heard(key)
    looks(dog, clock, 8)
    dog.heard("a")
    dog.ended("b")

    assert ["c"] == looks(dog, clock, 8)
    assert ["a"] == looks(dog, clock, 8)


def test_a_driver_that_was_held_up_blames_nobody() -> None:
    """An hour in which it did not listen counts as a second."""
    clock = Clock()
    dog = Watchdog(10, clock)
    dog.heard("a")
    clock.now += 3600

    assert [] == list(dog.hanging())
    assert ["a"] == looks(dog, clock, 9)


def test_without_a_limit_nobody_hangs() -> None:
    """It is off unless asked for."""
    clock = Clock()
    dog = Watchdog(None, clock)
    dog.heard("a")

    assert [] == looks(dog, clock, 10**5, step=100)


def test_the_reason_names_the_option() -> None:
    """Whoever reads the row knows what to change."""
    clock = Clock()
    dog = Watchdog(1, clock)
    dog.heard("a")
    clock.now = 1

    assert [("a", "it told nothing for 1 s (--epoch-seconds)")] == list(dog.hanging())
