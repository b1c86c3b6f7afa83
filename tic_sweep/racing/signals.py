"""Signals: what a policy ranks trials by, from what they have reported up to the same epoch; higher is better.

A signal takes the courses that are compared, all of one stratum, and the epoch that all of them have reached; reports
after it are not looked at. A course without what the signal needs, or that diverged, ranks below all others.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tic_sweep.racing.detector import Z, sight
from tic_sweep.racing.protocol import Look, Runner
from tic_sweep.racing.score import tic_score

LAST = -math.inf
"""Merit of a course that cannot be ranked."""


@dataclass(frozen=True, slots=True)
class Course:
    """A trial and its reports, by increasing epoch."""

    runner: Runner
    looks: Sequence[Look]
    diverged: bool = False


class Signal(Protocol):
    """Ranks courses."""

    @property
    def looks_at_ic(self) -> bool:
        """Whether it needs the information centroid."""
        ...

    def __call__(self, courses: Sequence[Course], epoch: int) -> list[float]:
        """Return the merit of each course at an epoch."""
        ...


@dataclass(frozen=True, slots=True)
class ByColumn:
    """The last value of a column of the reports, or the mean of the last few, with a sign."""

    column: str = "val_acc"
    sign: float = 1.0
    reports: int = 1
    """Over how many of the last reports the mean is taken."""
    looks_at_ic = False

    def __call__(self, courses: Sequence[Course], epoch: int) -> list[float]:
        """Return the merit of each course at an epoch."""
        return [self._merit(course, epoch) for course in courses]

    def _merit(self, course: Course, epoch: int) -> float:
        if course.diverged:
            return LAST
        values = [getattr(look, self.column) for look in course.looks if look.epoch <= epoch][-self.reports :]
        known = [value for value in values if value is not None and math.isfinite(value)]
        return self.sign * math.fsum(known) / len(known) if known else LAST


@dataclass(frozen=True, slots=True)
class ByTransition:
    """How early IC turned: minus the `tic_score` at the epoch."""

    z: float = Z
    """Standard errors by which the level must be cleared."""
    looks_at_ic = True

    def __call__(self, courses: Sequence[Course], epoch: int) -> list[float]:
        """Return the merit of each course at an epoch."""
        return [self._merit(course, epoch) for course in courses]

    def _merit(self, course: Course, epoch: int) -> float:
        looks = [look for look in course.looks if look.epoch <= epoch]
        if course.diverged or all(look.ic is None for look in looks):
            return LAST
        return -tic_score(sight(looks, course.runner.timesteps, z=self.z), max(epoch, 1))


@dataclass(frozen=True, slots=True)
class ByRanks:
    """Several signals together: the weighted mean of the ranks that they give, each from 0 (worst) to 1 (best)."""

    signals: tuple[Signal, ...]
    weights: tuple[float, ...]
    once_turned: bool = False
    """Whether what looks at IC counts only once one of the courses has turned: before, IC says little of them."""

    @property
    def looks_at_ic(self) -> bool:
        """Whether any of them needs IC."""
        return any(signal.looks_at_ic and weight > 0 for signal, weight in zip(self.signals, self.weights, strict=True))

    def __call__(self, courses: Sequence[Course], epoch: int) -> list[float]:
        """Return the merit of each course at an epoch."""
        heard = self.heard(courses, epoch)
        ranked = [_ranks(signal(courses, epoch)) for signal, _ in heard]
        counted = [weight for _, weight in heard]
        merits = [
            math.fsum(w * r for w, r in zip(counted, own, strict=True)) / math.fsum(counted)
            for own in zip(*ranked, strict=True)
        ]
        return [LAST if course.diverged else merit for course, merit in zip(courses, merits, strict=True)]

    def heard(self, courses: Sequence[Course], epoch: int) -> list[tuple[Signal, float]]:
        """Return the signals that have a say at an epoch, with their weights."""
        silent = self.once_turned and not any(_has_turned(course, epoch) for course in courses)
        return [
            (signal, weight)
            for signal, weight in zip(self.signals, self.weights, strict=True)
            if weight and not (silent and signal.looks_at_ic)
        ]


def deciding_column(signal: Signal, courses: Sequence[Course], epoch: int) -> ByColumn | None:
    """Return the column that alone decides what a signal says at an epoch; None if none does."""
    if isinstance(signal, ByRanks):
        heard = signal.heard(courses, epoch)
        return deciding_column(heard[0][0], courses, epoch) if len(heard) == 1 else None
    return signal if isinstance(signal, ByColumn) else None


def _has_turned(course: Course, epoch: int) -> bool:
    looks = [look for look in course.looks if look.epoch <= epoch]
    return sight(looks, course.runner.timesteps).state == "turned"


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the share of the other values that each one beats, a tie counting half."""
    others = max(len(values) - 1, 1)
    return [(sum(v < own for v in values) + (sum(v == own for v in values) - 1) / 2) / others for own in values]


LAST_ACCURACY = ByColumn("val_acc")
"""What Ray Tune's and Optuna's rules look at by default."""
ACCURACY = ByColumn("val_acc", reports=3)
"""Validation accuracy, over three reports: a few hundred images make a single one uncertain by points."""
LOSS = ByColumn("val_loss", sign=-1.0)
TRAIN_LOSS = ByColumn("train_loss", sign=-1.0)
TRANSITION = ByTransition()
HYBRID = ByRanks((ACCURACY, TRANSITION), (1.0, 1.0), once_turned=True)
"""Validation accuracy, and equally the transition once there is one."""
