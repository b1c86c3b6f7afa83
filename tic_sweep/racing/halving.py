"""Successive halving by promotion: all rates a little, the better share of them further, the best to the end.

The first seed of every rate trains to the first level and pauses; the best 1/eta of the rates go on to the next level,
eta times as far, and so on to the last. Then comes a second *wave* with the next seed of each rate, and so on: what all
waves have seen of a rate at a level decides together. A level is decided when all that are expected have arrived, or
have left; other waves keep the places busy in the meantime.
"""

import math
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

    def levels(self, epochs: int) -> tuple[int, ...]:
        """Return the epochs at which rates are compared."""
        return geometric_levels(epochs, self.first, self.eta)

    def leave(self, key: str, status: str) -> None:
        """Take note that a trial has ended: nobody waits for it any more."""
        super().leave(key, status)
        entrant = self.entrants[key]
        for number in range(len(self.levels(entrant.runner.epochs))):
            self._close(entrant, number)

    def decide(self, entrant: Entrant) -> Decision:
        """Go on between levels; at a level go on if the rate is among those chosen, else pause or stop."""
        levels = self.levels(entrant.runner.epochs)
        number = _passed(levels, entrant.epoch)
        if number is None or (len(entrant.looks) > 1 and _passed(levels, entrant.looks[-2].epoch) == number):
            return GO_ON
        chosen = self._close(entrant, number)
        if number == len(levels) - 1:
            return GO_ON
        if chosen is None:
            return Decision("pause", f"waits at epoch {entrant.epoch} for the others")
        if entrant.runner.rate in chosen:
            return GO_ON
        return Decision("stop", f"its rate is not among the {len(chosen)} best at epoch {entrant.epoch}")

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

    def _may_go(self, entrant: Entrant) -> bool:
        if entrant.done:
            return False
        over = self._choice(entrant) is not None
        return self.promoted(entrant) or (over and entrant.held_out and entrant.epoch >= 0)

    def _is_dismissed(self, entrant: Entrant) -> bool:
        decided = self._choice(entrant) is not None
        return entrant.done or (decided and not is_cut_off(entrant) and not self._may_go(entrant))

    def _choice(self, entrant: Entrant) -> frozenset[float] | None:
        """Return the rates that go on from where a trial waits, or enter its wave; None if that is not decided."""
        stratum, wave = entrant.runner.stratum, entrant.ordinal
        number = _passed(self.levels(entrant.runner.epochs), entrant.epoch)
        return self._admitted(entrant) if number is None else self._chosen.get((stratum, wave, number))

    def _admitted(self, entrant: Entrant) -> frozenset[float] | None:
        """Return the rates of a trial's wave: those left by the last level of the wave before."""
        stratum, wave = entrant.runner.stratum, entrant.ordinal
        if wave == 0 or self.narrow == 1:
            return frozenset(self._strata[stratum])
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
        self._chosen[place] = frozenset(rates[: math.ceil(kept - 1e-9)])
        return self._chosen[place]


@cache
def geometric_levels(epochs: int, first: float, eta: float) -> tuple[int, ...]:
    """Return ``first·eta^k`` of the epochs for k = 0, 1, .., rounded, as far as they lie before the last, and that."""
    steps = (max(1, round(first * epochs * eta**k)) for k in range(64))
    return (*sorted({step for step in steps if step < epochs}), epochs)


def _passed(levels: Sequence[int], epoch: int) -> int | None:
    """Return the number of the last level that an epoch has reached; None before the first."""
    return max((number for number, level in enumerate(levels) if level <= epoch), default=None)
