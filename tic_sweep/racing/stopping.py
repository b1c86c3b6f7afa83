"""Policies that stop trials as they go, in the order of the plan: they pause nothing and promote nothing.

`AshaStopping` and `MedianStopping` follow the rules of Li et al. 2020 and Golovin et al. 2017. In both, strata are not
mixed, and the seeds of a rate are compared with other rates through their mean, not with each other. Golovin et al.
compare the best value of a trial so far with the median of the running averages of trials that have ended;
`MedianStopping` compares the values at one epoch, those of running and stopped trials included.
`TransitionRace` stops a trial once it has turned, or once it is later than the earliest rate by a factor.
"""

import math
from collections.abc import Sequence
from statistics import fmean, median

from tic_sweep.racing.detector import Z, sight
from tic_sweep.racing.entrants import Entrant, Race
from tic_sweep.racing.halving import geometric_levels
from tic_sweep.racing.protocol import GO_ON, Decision
from tic_sweep.racing.signals import LAST_ACCURACY, ByTransition, Signal


class AshaStopping(Race):
    """Asynchronous successive halving as Ray Tune has it: at each level stop what is not among the best 1/eta there.

    What arrives first is compared with nothing and goes on.
    """

    def __init__(
        self, signal: Signal = LAST_ACCURACY, *, eta: float = 3.0, first: float = 0.125, holdout: float = 0.0
    ) -> None:
        """Begin a race; the arguments are those of `Halving`."""
        super().__init__(signal, holdout=holdout)
        self.eta, self.first = eta, first

    def decide(self, entrant: Entrant) -> Decision:
        """Stop at a level if fewer than 1/eta of the rates that have been there are as good or worse."""
        epochs = entrant.runner.epochs
        if entrant.epoch == epochs or entrant.epoch not in geometric_levels(epochs, self.first, self.eta):
            return GO_ON
        merits = self.merits(entrant.runner.stratum, entrant.epoch)
        better = sum(merit > merits[entrant.runner.rate][0] for merit, _ in merits.values())
        if better < max(len(merits) / self.eta, 1):
            return GO_ON
        return Decision("stop", f"{better} of {len(merits)} rates were better at epoch {entrant.epoch}")


class MedianStopping(Race):
    """Stop what is worse than the median of the other rates at the same epoch."""

    def __init__(self, signal: Signal = LAST_ACCURACY, *, first: float = 0.125, holdout: float = 0.0) -> None:
        """Begin a race; nothing is stopped before the share ``first`` of its epochs."""
        super().__init__(signal, holdout=holdout)
        self.first = first

    def decide(self, entrant: Entrant) -> Decision:
        """Stop if two other rates or more have been here and half of them were better."""
        if not self.first * entrant.runner.epochs <= entrant.epoch < entrant.runner.epochs:
            return GO_ON
        merits = {rate: merit for rate, (merit, _) in self.merits(entrant.runner.stratum, entrant.epoch).items()}
        own = merits.pop(entrant.runner.rate)
        if len(merits) < 2 or own >= median(merits.values()):  # noqa: PLR2004 - of one there is no median
            return GO_ON
        return Decision("stop", f"worse than the median of {len(merits)} rates at epoch {entrant.epoch}")


class TransitionRace(Race):
    """Stop a trial that has turned, and one that is later than the earliest rate by a factor."""

    def __init__(self, *, slack: float = 1.25, z: float = Z, holdout: float = 0.0) -> None:
        """Begin a race.

        Args:
            slack: how many times as late as the earliest rate a trial may be before it is given up.
            z: standard errors by which the level must be cleared.
            holdout: share of the trials that are never stopped.
        """
        super().__init__(ByTransition(z), holdout=holdout)
        self.slack, self.z = slack, z

    def levels(self, epochs: int) -> tuple[int, ...]:
        """Return the end alone: how early trials turned can be compared wherever they were stopped."""
        return (epochs,)

    def decide(self, entrant: Entrant) -> Decision:
        """Stop what has its answer, and what can no longer be the earliest."""
        found = sight(entrant.looks, entrant.runner.timesteps, z=self.z)
        if found.epoch is not None:
            return Decision("stop", f"turned between epochs {found.not_before} and {found.epoch}")
        earliest = self._earliest(entrant)
        if entrant.epoch > self.slack * earliest:
            return Decision("stop", f"later than {self.slack:g} times epoch {earliest:.3g}, where the earliest turned")
        return GO_ON

    def _earliest(self, entrant: Entrant) -> float:
        """Return the mean transition of the earliest of the other rates whose trials have all turned."""
        means = []
        for rate, own in self._strata[entrant.runner.stratum].items():
            run = [e for e in own if e.looks]
            turns = [sight(e.looks, e.runner.timesteps, z=self.z).interpolated for e in run]
            known = [turn for turn in turns if turn is not None]
            if rate != entrant.runner.rate and known and len(known) == len(turns):
                means.append(fmean(known))
        return min(means, default=math.inf)

    def counts(self, entrant: Entrant, level: int) -> bool:  # noqa: ARG002 - wherever it was stopped
        """Return whether a trial counts in the ranking: it does once it has reported."""
        return bool(entrant.looks)

    def _level(self, own: Sequence[Entrant]) -> int | None:
        return own[0].runner.epochs if any(e.looks for e in own) else None
