"""What every policy keeps: who entered, what they reported, and how the rates of a stratum stand by a signal.

Seeds of one rate support each other: a rate's merit at a level, an epoch at which trials are compared, is the mean over
its trials that have reached it. The spread between seeds is pooled over the rates, since two or three seeds of one say
little. A held-out trial runs on whatever is decided; what it reports past the decision ranks nobody.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from tic_sweep.racing.detector import Z, sight
from tic_sweep.racing.protocol import GO_ON, Decision, Look, Recommendation, Runner, Standing, StoppingCost, held_out
from tic_sweep.racing.signals import LAST, Course, Signal, deciding_column
from tic_sweep.racing.spread import pooled_sd, standard_error


@dataclass(slots=True)
class Entrant:
    """A trial in the race."""

    runner: Runner
    ordinal: int
    """Which trial of its rate it is, counted from 0 in the order of entry."""
    held_out: bool
    looks: list[Look] = field(default_factory=list)
    decision: Decision = GO_ON
    """The last decision."""
    decided_at: int | None = None
    """Epoch at which it was decided to pause or stop; None if it goes on."""
    runs_on: bool = False
    """Whether it is held out and would have been stopped: it runs to its end, and no decision concerns it any more."""
    left: str = ""
    """Its status, if it ended before its last epoch and not by a decision."""

    @property
    def epoch(self) -> int:
        """The last epoch reported; -1 before the first report."""
        return self.looks[-1].epoch if self.looks else -1

    @property
    def counted(self) -> int:
        """The last epoch that counts in the ranking."""
        return self.epoch if self.decided_at is None else min(self.epoch, self.decided_at)

    @property
    def done(self) -> bool:
        """Whether it runs no more."""
        return (
            (self.decision.verdict == "stop" and not self.runs_on)
            or bool(self.left)
            or self.epoch >= self.runner.epochs
        )

    @property
    def course(self) -> Course:
        """Its reports, for a signal."""
        return Course(self.runner, self.looks, diverged=self.left == "diverged")


class Race:
    """The part that all policies share; one that decides nothing, so that every trial runs to its end.

    Subclasses say at which epochs trials are compared (`levels`) and what follows from a report (`decide`).
    """

    def __init__(self, signal: Signal, *, holdout: float = 0.0) -> None:
        """Begin a race.

        Args:
            signal: what rates are ranked by.
            holdout: share of the trials that are never stopped.
        """
        self.signal = signal
        self.holdout = holdout
        self.entrants: dict[str, Entrant] = {}
        self._strata: dict[str, dict[float, list[Entrant]]] = {}
        self._computed: dict[tuple[str, int], tuple[Any, dict[float, tuple[float, float | None]]]] = {}

    @property
    def looks_at_ic(self) -> bool:
        """Whether it needs the information centroid."""
        return self.signal.looks_at_ic

    @property
    def strata(self) -> tuple[str, ...]:
        """The strata of the race, in the order of entry."""
        return tuple(self._strata)

    def enter(self, runner: Runner) -> None:
        """Take a trial into the race; one that is in it already stays as it is."""
        if runner.key in self.entrants:
            return
        own = self._strata.setdefault(runner.stratum, {}).setdefault(runner.rate, [])
        entrant = Entrant(runner, len(own), held_out(runner.key, self.holdout))
        own.append(entrant)
        self.entrants[runner.key] = entrant

    def look(self, key: str, look: Look) -> Decision:
        """Take a report, and say what becomes of the trial; an epoch reported again replaces its report."""
        entrant = self.entrants[key]
        while entrant.looks and entrant.looks[-1].epoch >= look.epoch:
            entrant.looks.pop()
            self._computed.clear()
        if entrant.held_out and entrant.decision.verdict == "pause" and not self.promoted(entrant):
            entrant.runs_on = True
        entrant.looks.append(look)
        if entrant.runs_on:
            return GO_ON
        entrant.decided_at = None  # a trial that was paused and reports again counts again, at its next level, too
        entrant.decision = self.decide(entrant)
        entrant.decided_at = None if entrant.decision.verdict == "go_on" else look.epoch
        entrant.runs_on = entrant.held_out and entrant.decision.verdict == "stop"
        return GO_ON if entrant.runs_on else entrant.decision

    def leave(self, key: str, status: str) -> None:
        """Take note that a trial has ended before its last epoch and not by a decision."""
        self.entrants[key].left = status

    def choose(self, waiting: Sequence[str]) -> str | None:
        """Return the first trial that was cut off, else the first of the plan."""
        runnable = [self.entrants[key] for key in waiting if not self.entrants[key].done]
        return next((e.runner.key for e in [*filter(is_cut_off, runnable), *runnable]), None)

    def dismissed(self, waiting: Sequence[str]) -> list[str]:
        """Return those of the trials that are not running which will never be chosen any more."""
        return [key for key in waiting if self.entrants[key].done]

    def recommend(self, stratum: str) -> Recommendation:
        """Return the rate of most merit among those that got furthest."""
        standings = self.standings(stratum)
        if not standings or standings[0].merit == LAST:
            return Recommendation(rate=None, why=self._why_none(stratum, standings), standings=standings)
        best = standings[0]
        beaten = {s.rate: self._is_beaten(stratum, s.rate, best.rate) for s in standings[1:]}
        as_good = tuple(rate for rate, is_beaten in beaten.items() if not is_beaten)
        told_apart = None not in beaten.values()
        seeds = f"{best.seeds} seed" + "s" * (best.seeds > 1)
        why = f"it ranks first at epoch {best.epochs}, with {seeds}"
        return Recommendation(
            rate=best.rate, as_good=as_good, told_apart=told_apart, why=why, standings=standings
        )  # fmt: skip

    def stopping_cost(self, stratum: str) -> StoppingCost:
        """Return what is known of the trials that would have been stopped: the held-out ones that ran on."""
        best = self.recommend(stratum)
        through = [
            e.looks[-1].val_acc
            for own in self._strata.get(stratum, {}).values()
            for e in own
            if e.runs_on and e.epoch >= e.runner.epochs
        ]
        ended = [accuracy for accuracy in through if accuracy is not None]
        named = best.standings[0].val_acc if best.rate is not None else None
        if named is None or not ended:
            return StoppingCost(trials=len(ended), better=0, missed=None)
        return StoppingCost(
            trials=len(ended), better=sum(acc > named for acc in ended), missed=max(max(ended) - named, 0.0)
        )

    def standings(self, stratum: str) -> tuple[Standing, ...]:
        """Return how the rates stand: by the level reached, then by merit at it, then in the order of entry.

        Rates without a merit, as one that diverged with any seed, come last, however far they got.
        """
        rates = self._strata.get(stratum, {})
        reached = {rate: self._level(own) for rate, own in rates.items()}
        merits = {level: self.merits(stratum, level) for level in set(reached.values()) if level is not None}
        rows = []
        for rate, own in rates.items():
            if (level := reached[rate]) is None:
                continue
            there = [e for e in own if self.counts(e, level)]
            merit, se = merits[level][rate]
            rows.append((merit == LAST, -level, -merit, _standing(rate, own, there, (merit, se))))
        return tuple(row[-1] for row in sorted(rows, key=lambda row: row[:3]))

    def merits(self, stratum: str, level: int) -> dict[float, tuple[float, float | None]]:
        """Return, for each rate with a trial that has reached a level, its merit there and the standard error."""
        there = self._there(stratum, level)
        seen = [(e.runner.key, min(e.epoch, level), e.left) for e in there]
        known, merits = self._computed.get((stratum, level), (None, {}))
        if known != seen:
            merits = _merits(there, level, self.signal)
            self._computed[stratum, level] = (seen, merits)
        return merits

    def _there(self, stratum: str, level: int) -> list[Entrant]:
        """Return the trials that have a say at a level: those that have reached it, and those that diverged."""
        every = [e for own in self._strata[stratum].values() for e in own]
        return [e for e in every if self.counts(e, level) or e.left == "diverged"]

    def levels(self, epochs: int) -> tuple[int, ...]:
        """Return the epochs at which trials are compared, the last of them first trained for being best known."""
        return tuple(range(1, epochs + 1))

    def decide(self, entrant: Entrant) -> Decision:  # noqa: ARG002 - what subclasses decide by
        """Return what becomes of a trial after its last report."""
        return GO_ON

    def promoted(self, entrant: Entrant) -> bool:  # noqa: ARG002 - only policies that pause promote
        """Return whether a paused trial has been chosen to go on."""
        return True

    def passed_over(self, entrant: Entrant) -> bool:  # noqa: ARG002 - only policies that pause choose others
        """Return whether others have been chosen to go on from where a trial waits."""
        return False

    def diverged(self, stratum: str, rate: float) -> bool:
        """Return whether a rate has diverged with any seed."""
        return any(e.left == "diverged" for e in self._strata[stratum][rate])

    def counts(self, entrant: Entrant, level: int) -> bool:
        """Return whether a trial counts in the ranking at a level."""
        return entrant.counted >= level

    def _why_none(self, stratum: str, standings: Sequence[Standing]) -> str:
        """Return why no rate can be recommended."""
        rates = self._strata.get(stratum, {})
        ran = [rate for rate, own in rates.items() if any(e.looks or e.left for e in own)]
        far = [standing.rate for standing in standings] or ran
        if far and all(self.diverged(stratum, rate) for rate in far):
            return "all rates that got far enough to be ranked have diverged"
        return "no trial has reported anything to rank by"

    def _level(self, own: Sequence[Entrant]) -> int | None:
        furthest = max((e.counted for e in own), default=-1)
        return max((level for level in self.levels(own[0].runner.epochs) if level <= furthest), default=None)

    def _is_beaten(self, stratum: str, rate: float, best: float) -> bool | None:
        """Return whether a rate is worse than the best by more than chance; None if nothing says how far chance goes.

        They are compared where both have been. One seed a rate says nothing of chance; the validation images do, but of
        an accuracy only, and so where it alone decided.
        """
        common = [self._level(self._strata[stratum][r]) for r in (rate, best)]
        level = min(level for level in common if level is not None)
        merits = self.merits(stratum, level)
        if merits[rate][0] == LAST:
            return True
        if merits[rate][1] is None and merits[best][1] is None:
            there = self._there(stratum, level)
            column = deciding_column(self.signal, [e.course for e in there], level)
            merits = _merits(there, level, column) if column is not None else merits
        (one, one_se), (other, other_se) = merits[rate], merits[best]
        if one_se is None and other_se is None:
            return None
        return other - one > Z * math.hypot(one_se or 0.0, other_se or 0.0)


def is_cut_off(entrant: Entrant) -> bool:
    """Return whether a trial that is not running was in the middle of something."""
    return entrant.epoch >= 0 and (entrant.decision.verdict == "go_on" or entrant.runs_on) and not entrant.done


def _merits(there: Sequence[Entrant], level: int, signal: Signal) -> dict[float, tuple[float, float | None]]:
    """Return the merit of each rate by a signal at a level, the mean over its trials, and the standard error."""
    grouped: dict[float, list[float]] = {}
    for entrant, merit in zip(there, signal([e.course for e in there], level), strict=True):
        grouped.setdefault(entrant.runner.rate, []).append(merit)
    spread = pooled_sd(list(grouped.values()))
    of_images = getattr(signal, "column", None) == "val_acc"
    images = max((e.runner.validation for e in there), default=0) if of_images else 0
    return {
        rate: (fmean(own), standard_error(own, spread, images)) for rate, own in grouped.items()
    }  # fmt: skip


def _standing(rate: float, own: list[Entrant], there: list[Entrant], merit: tuple[float, float | None]) -> Standing:
    accuracies = [look.val_acc for e in there for look in e.looks[-1:] if look.val_acc is not None]
    turns = [sight(e.looks, e.runner.timesteps).interpolated for e in there]
    known = [turn for turn in turns if turn is not None]
    return Standing(
        rate=rate,
        seeds=sum(e.epoch >= 0 for e in own),
        epochs=max(e.counted for e in own),
        merit=merit[0],
        merit_se=merit[1],
        val_acc=fmean(accuracies) if accuracies else None,
        turned=fmean(known) if known and len(known) == len(turns) else None,
    )
