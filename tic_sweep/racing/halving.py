"""Successive halving by promotion: all rates a little, the better share of them further, the best to the end.

The first seed of every rate trains to the first level and pauses; the best 1/eta of the rates go on to the next level,
eta times as far, and so on to the last. Then comes a second *wave* with the next seed of each rate, and so on: what all
waves have seen of a rate at a level decides together. A level is decided when all that are expected have arrived, or
have left; other waves keep the places busy in the meantime.

A rate that diverges with any seed is out. Its place in a wave goes to the best that was passed over, at the furthest
level where one waits; hence nobody is dismissed before the wave has reached its end.
"""

import math
from collections import Counter
from collections.abc import Sequence
from functools import cache

from tic_sweep.errors import ConfigError
from tic_sweep.racing.entrants import Entrant, Race, is_cut_off
from tic_sweep.racing.protocol import GO_ON, Decision
from tic_sweep.racing.signals import LAST, Signal


class Halving(Race):
    """Successive halving of the rates of each stratum, a wave of seeds at a time."""

    def __init__(
        self,
        signal: Signal,
        *,
        eta: float = 2.0,
        first: float = 0.125,
        narrow: float = 1.0,
        finalists: int = 1,
        holdout: float = 0.0,
    ) -> None:
        """Begin a race.

        Args:
            signal: what rates are ranked by.
            eta: the share 1/eta of the rates goes on from a level to the next, eta times as far.
            first: first level, as a share of the epochs.
            narrow: each wave takes in 1/narrow of the rates of the wave before, the best so far; 1 is all of them.
            finalists: rates that every wave after the first trains to its last level, at least, so that seeds settle
                what is close.
            holdout: share of the trials that are never stopped.

        Raises:
            ConfigError: for a constant out of its bounds.
        """
        for name, value, low, high in (
            ("eta", eta, 1.1, 100), ("first", first, 0, 1), ("narrow", narrow, 1, 100),
            ("finalists", finalists, 1, 100), ("holdout", holdout, 0, 1),
        ):  # fmt: skip
            if not low <= value <= high:
                raise ConfigError(f"{name} of a race must be from {low:g} to {high:g}, got {value!r}.")
        super().__init__(signal, holdout=holdout)
        self.eta, self.first, self.narrow, self.finalists = eta, first, narrow, finalists
        self._chosen: dict[tuple[str, int, int], frozenset[float]] = {}
        self._vacant: Counter[tuple[str, int, int]] = Counter()

    def levels(self, epochs: int) -> tuple[int, ...]:
        """Return the epochs at which rates are compared."""
        return geometric_levels(epochs, self.first, self.eta)

    def leave(self, key: str, status: str) -> None:
        """Take note that a trial has ended: nobody waits for it any more, and if it diverged its rate is out."""
        super().leave(key, status)
        entrant = self.entrants[key]
        seeds = self._strata[entrant.runner.stratum][entrant.runner.rate] if status == "diverged" else [entrant]
        if status == "diverged":
            for seed in seeds:
                self._replace(seed)
        for seed in seeds:
            for number in range(len(self.levels(entrant.runner.epochs))):
                self._close(seed, number)

    def decide(self, entrant: Entrant) -> Decision:
        """Go on between levels; at a level go on if the rate is among those chosen, else pause: it may yet replace one.

        A trial that is held out would only wait to run on, and is stopped, which lets it.
        """
        levels = self.levels(entrant.runner.epochs)
        number = _passed(levels, entrant.epoch)
        if number is None or (len(entrant.looks) > 1 and _passed(levels, entrant.looks[-2].epoch) == number):
            return GO_ON
        chosen = self._close(entrant, number)
        if number == len(levels) - 1:
            return GO_ON
        if chosen is None:
            return Decision("pause", f"waits at epoch {entrant.epoch} for the others")
        if entrant.runner.rate in chosen or self._fills(entrant, number):
            return GO_ON
        reason = f"its rate is not among the {len(chosen)} best at epoch {entrant.epoch}"
        return Decision("stop" if entrant.held_out else "pause", reason)

    def choose(self, waiting: Sequence[str]) -> str | None:
        """Return a trial that was cut off, else by waves: one promoted furthest, the best first, else a new one."""
        entrants = [self.entrants[key] for key in waiting]
        cut_off = next((e for e in entrants if is_cut_off(e)), None)
        if cut_off is not None:
            return cut_off.runner.key
        runnable = [e for e in entrants if self._may_go(e)]
        if not runnable:
            return None
        first = min((e.ordinal, -e.epoch) for e in runnable)
        equals = [e for e in runnable if (e.ordinal, -e.epoch) == first]
        return (max(equals, key=self._merit) if len(equals) > 1 and first[1] <= 0 else equals[0]).runner.key

    def dismissed(self, waiting: Sequence[str]) -> list[str]:
        """Return those of the trials that are not running which will never be chosen any more."""
        return [key for key in waiting if self._is_dismissed(self.entrants[key])]

    def _merit(self, entrant: Entrant) -> float:
        if entrant.decided_at is None:
            return LAST
        return self.merits(entrant.runner.stratum, entrant.decided_at).get(entrant.runner.rate, (LAST, None))[0]

    def promoted(self, entrant: Entrant) -> bool:
        """Return whether a trial that waits at a level, or has not run, has been chosen to go on."""
        chosen = self._choice(entrant)
        return chosen is not None and entrant.runner.rate in chosen

    def passed_over(self, entrant: Entrant) -> bool:
        """Return whether others have been chosen to go on from where a trial waits, or to enter its wave."""
        return self._choice(entrant) is not None and not self.promoted(entrant)

    def _may_go(self, entrant: Entrant) -> bool:
        if entrant.done:
            return False
        over = self._choice(entrant) is not None
        return self.promoted(entrant) or (over and entrant.held_out and entrant.epoch >= 0)

    def _is_dismissed(self, entrant: Entrant) -> bool:
        levels = self.levels(entrant.runner.epochs)
        through = (entrant.runner.stratum, entrant.ordinal, len(levels) - 1) in self._chosen
        may_replace = entrant.epoch >= levels[0] and not through
        out = self.passed_over(entrant) and not may_replace
        return entrant.done or (out and not is_cut_off(entrant) and not self._may_go(entrant))

    def _choice(self, entrant: Entrant) -> frozenset[float] | None:
        """Return the rates that go on from where a trial waits, or enter its wave; None if that is not decided."""
        stratum, wave = entrant.runner.stratum, entrant.ordinal
        number = _passed(self.levels(entrant.runner.epochs), entrant.epoch)
        return self._admitted(entrant) if number is None else self._chosen.get((stratum, wave, number))

    def _admitted(self, entrant: Entrant) -> frozenset[float] | None:
        """Return the rates of a trial's wave: those left by the last level of the wave before."""
        stratum, wave = entrant.runner.stratum, entrant.ordinal
        if wave == 0:
            return frozenset(self._strata[stratum])
        if self.narrow == 1:
            return frozenset(rate for rate in self._strata[stratum] if not self.diverged(stratum, rate))
        return self._chosen.get((stratum, wave - 1, len(self.levels(entrant.runner.epochs)) - 1))

    def _close(self, entrant: Entrant, number: int) -> frozenset[float] | None:
        """Decide who goes on from a level once all have arrived; return the rates, or None if some are awaited."""
        stratum, wave = entrant.runner.stratum, entrant.ordinal
        place = (stratum, wave, number)
        if place in self._chosen:
            return self._chosen[place]
        before = self._admitted(entrant) if number == 0 else self._chosen.get((stratum, wave, number - 1))
        if before is None:
            return None
        if self._vacant[stratum, wave, number - 1] and self._is_coming(entrant, number - 1):
            return None
        levels = self.levels(entrant.runner.epochs)
        expected = [e for rate in before for e in self._strata[stratum][rate] if e.ordinal == wave]
        if any(e.epoch < levels[number] and not e.left for e in expected):
            return None
        every = len(self._strata[stratum])
        if number == len(levels) - 1:
            rates = [standing.rate for standing in self.standings(stratum)]
            kept = max(every / self.narrow ** (wave + 1), self.finalists)
        else:
            merits = self.merits(stratum, levels[number])
            arrived = {e.runner.rate for e in expected if e.epoch >= levels[number]}
            rates = sorted(
                (rate for rate in self._strata[stratum] if rate in arrived),
                key=lambda rate: merits.get(rate, (LAST, None))[0], reverse=True,
            )  # fmt: skip
            kept = max(every / self.eta ** (number + 1), self.finalists if wave else 1)
        healthy = [rate for rate in rates if not self.diverged(stratum, rate)]
        self._chosen[place] = frozenset(healthy[: math.ceil(kept - 1e-9)])
        if not healthy and number < len(levels) - 1:  # nobody will arrive at the next level and have it decided
            self._close(entrant, number + 1)
        return self._chosen[place]

    def _replace(self, entrant: Entrant) -> None:
        """Take a rate that diverged out of a wave that one of its trials is in, and let the next best have its place.

        Where nobody waits at the level that the trial has passed, the place there stays vacant, and one from a level
        before may come and fill it.
        """
        stratum, wave, rate = entrant.runner.stratum, entrant.ordinal, entrant.runner.rate
        levels = self.levels(entrant.runner.epochs)
        through = (stratum, wave, len(levels) - 1)
        if through in self._chosen:
            self._chosen[through] -= {rate}
            return
        passed = _passed(levels, entrant.epoch)
        for number in range(-1 if passed is None else passed, -1, -1):
            place = (stratum, wave, number)
            if rate not in self._chosen.get(place, ()):
                return
            self._chosen[place] -= {rate}
            if (other := self._runner_up(entrant, number)) is not None:
                self._chosen[place] |= {other}
                return
            self._vacant[place] += 1

    def _runner_up(self, entrant: Entrant, number: int) -> float | None:
        """Return the best of the rates that wait at a level of a trial's wave and were passed over; None if none do."""
        levels = self.levels(entrant.runner.epochs)
        merits = self.merits(entrant.runner.stratum, levels[number])
        passed_over = [
            e.runner.rate
            for e in self._wave_of(entrant)
            if _passed(levels, e.epoch) == number
            and e.decision.verdict == "pause"
            and not (e.done or e.runs_on or self.promoted(e) or self.diverged(e.runner.stratum, e.runner.rate))
        ]
        return max(passed_over, key=lambda rate: merits.get(rate, (LAST, None))[0], default=None)

    def _is_coming(self, entrant: Entrant, number: int) -> bool:
        """Return whether somebody of a trial's wave has still to arrive at a level, to fill a vacant place there."""
        level = self.levels(entrant.runner.epochs)[number]
        return any(e.epoch < level and not (e.left or e.runs_on) and self.promoted(e) for e in self._wave_of(entrant))

    def _fills(self, entrant: Entrant, number: int) -> bool:
        """Let a trial that has arrived at a level take a place that is vacant there; return whether it does."""
        stratum, rate = entrant.runner.stratum, entrant.runner.rate
        place = (stratum, entrant.ordinal, number)
        if not self._vacant[place] or self.diverged(stratum, rate):
            return False
        self._vacant[place] -= 1
        self._chosen[place] |= {rate}
        return True

    def _wave_of(self, entrant: Entrant) -> list[Entrant]:
        every = self._strata[entrant.runner.stratum].values()
        return [e for own in every for e in own if e.ordinal == entrant.ordinal]


@cache
def geometric_levels(epochs: int, first: float, eta: float) -> tuple[int, ...]:
    """Return ``first·eta^k`` of the epochs for k = 0, 1, .., rounded, as far as they lie before the last, and that."""
    steps = (max(1, round(first * epochs * eta**k)) for k in range(64))
    return (*sorted({step for step in steps if step < epochs}), epochs)


def _passed(levels: Sequence[int], epoch: int) -> int | None:
    """Return the number of the last level that an epoch has reached; None before the first."""
    return max((number for number, level in enumerate(levels) if level <= epoch), default=None)
