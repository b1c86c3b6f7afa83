"""What a race knows and says: runners, looks, decisions, and the policy between them.

A *runner* is a trial in a race for the best learning rate of its *stratum*, everything of its config but rate and seed.
Whoever runs the trials, Ray Tune or a replay of recorded curves, speaks to a `Policy` in this order:

    enter(runner)          once for every trial that may run, before it does
    choose(waiting)        whenever a place is free: which of these should run, or go on, now?
    look(key, look)        at every report of a trial: go on, pause, or stop?
    leave(key, status)     when a trial ended before its last epoch and not by a decision: "diverged", "failed"
    dismissed(waiting)     whenever nothing is chosen: which of these will never be?
    recommend(stratum)     at any time

`enter`, `look` and `leave` are all there is to remember; the others change nothing. A policy is a
function of that sequence of calls and of nothing else, so that a race that was cut off is rebuilt by entering its
trials and showing their stored reports again, in the order in which they came.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tic_sweep.config import TrialConfig, replaced, trial_key

HOLDOUT = 0.05
"""Share of the trials that are never stopped once they run, so that what stopping costs can be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A trial in a race."""

    key: str
    stratum: str
    """What only rates of the same can be compared in (`stratum_of`)."""
    rate: float
    """Learning rate."""
    seed: int
    epochs: int
    """Epochs of its whole training."""
    timesteps: int
    """T."""
    validation: int = 0
    """Validation images, which say how far chance moves an accuracy; 0 if not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One report of a trial; what was not measured is None."""

    epoch: int
    """Training epochs completed; 0 is the untrained network."""
    ic: float | None = None
    """Information centroid, in timesteps."""
    ic_se: float | None = None
    """Its standard error over the images measured, in timesteps."""
    val_acc: float | None = None
    val_loss: float | None = None
    train_loss: float | None = None
    cost: float = 1.0
    """What this report cost since the one before, in training epochs."""


Verdict = Literal["go_on", "pause", "stop"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a trial after a report; a stopped one is censored at its last epoch."""

    verdict: Verdict
    reason: str = ""


GO_ON = Decision("go_on")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a rate stands in its stratum; a list of them goes from the best to the worst."""

    rate: float
    seeds: int
    """Seeds of it that have run at all."""
    epochs: int
    """Epochs of the one that ran furthest."""
    merit: float
    """What the policy ranks by, the mean over the seeds that got as far as the furthest; higher is better."""
    merit_se: float | None
    """Its standard error, from the seeds, or from the validation images if there is one seed; None if not known."""
    val_acc: float | None
    """Mean of the last validation accuracies of those seeds."""
    turned: float | None
    """Mean epoch of their transitions; None unless all have turned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The rate to use, and how sure that is."""

    rate: float | None
    """None while no trial of the stratum has reported anything to rank by, and where all that did have diverged."""
    as_good: tuple[float, ...] = ()
    """Other rates that the data at hand cannot tell from it."""
    told_apart: bool = True
    """Whether the data say how far chance goes. Where not, as with one seed a rate, the others are called as good."""
    why: str = ""
    """One sentence."""
    standings: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppingCost:
    """What the held-out trials say about stopping: how those ended that would have been stopped."""

    trials: int
    """Held-out trials that would have been stopped and have run to their end."""
    better: int
    """Those of them that ended with a higher validation accuracy than the mean of the recommended rate."""
    missed: float | None
    """By how much the best of them is higher, at least 0; None if there is none, or no rate is recommended."""


class Policy(Protocol):
    """Decides which trials of a race run, and how far."""

    @property
    def looks_at_ic(self) -> bool:
        """Whether it needs the information centroid, and so pays for Fisher measurements."""
        ...

    @property
    def strata(self) -> tuple[str, ...]:
        """The strata that have entered, in that order."""
        ...

    def enter(self, runner: Runner) -> None:
        """Take a trial into the race."""
        ...

    def look(self, key: str, look: Look) -> Decision:
        """Take a report, and say what becomes of the trial."""
        ...

    def leave(self, key: str, status: str) -> None:
        """Take note that a trial has ended before its last epoch and not by a decision, as one that diverged has."""
        ...

    def choose(self, waiting: Sequence[str]) -> str | None:
        """Return which of the trials that are not running should run next; None if none should for now.

        Args:
            waiting: keys in the order of the plan, of trials that never ran, are paused, or were cut off.
        """
        ...

    def dismissed(self, waiting: Sequence[str]) -> list[str]:
        """Return those of the trials that are not running which will never be chosen any more."""
        ...

    def recommend(self, stratum: str) -> Recommendation:
        """Say which rate is best by what has been seen."""
        ...


def stratum_of(config: TrialConfig) -> str:
    """Return the name of everything in a config that is neither learning rate nor seed."""
    return trial_key(replaced(config, {"optimiser.lr": TrialConfig().optimiser.lr, "seed": 0}))


def runner_of(config: TrialConfig) -> Runner:
    """Return a trial as a runner."""
    return Runner(
        key=trial_key(config),
        stratum=stratum_of(config),
        rate=config.optimiser.lr,
        seed=config.seed,
        epochs=config.optimiser.epochs,
        timesteps=config.timesteps,
        validation=config.split_images["validation"],
    )


def held_out(key: str, share: float = HOLDOUT) -> bool:
    """Return whether a trial is one of the share that is never stopped: drawn by its key, so the same everywhere."""
    drawn = int.from_bytes(hashlib.blake2b(f"holdout/{key}".encode(), digest_size=7).digest(), "big")
    return drawn < share * 2**56
