"""Draws from a recorded grid, and what a contestant's recommendations cost on them (`lr_contest.py`)."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from lr_contest_arms import Arm

from analysis.recorded import Task
from tic_sweep.racing.replay import Curve, replay

SEEDS = 5
"""Seeds of the full grid, drawn with replacement from those recorded."""
BUDGETS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
"""Shares of the epochs of the full grid."""
TIE = 0.05
"""Points of regret within which two policies are as good, whatever the interval."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A task as it may have come out, and an order to run it in."""

    curves: tuple[Curve, ...]
    at_seed: tuple[Mapping[float, float], ...]
    """Test accuracy of each rate at each seed drawn."""

    @property
    def means(self) -> dict[float, float]:
        """Test accuracy of each rate, its mean over the seeds drawn."""
        return {rate: fmean(one[rate] for one in self.at_seed) for rate in self.at_seed[0]}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The regret of a contestant on a task, in points of test accuracy: by draw and budget."""

    regrets: tuple[tuple[float, ...], ...]
    """Against the rate with the best mean over seeds; for each draw its mean over orders."""
    single: tuple[float, ...]
    """Mean over draws of the regret at a single seed: against the rate that is best at that seed."""

    @classmethod
    def mean(cls, outcomes: "Sequence[Outcome]") -> "Outcome":
        """Return the mean over tasks, draw by draw."""
        regrets = [
            tuple(map(fmean, zip(*rows, strict=True))) for rows in zip(*(o.regrets for o in outcomes), strict=True)
        ]
        return cls(tuple(regrets), tuple(map(fmean, zip(*(o.single for o in outcomes), strict=True))))

    def at_every_budget(self) -> "Outcome":
        """Return what was asked at a single budget as if it had been asked so at each of `BUDGETS`."""
        return Outcome(tuple(row * len(BUDGETS) for row in self.regrets), self.single * len(BUDGETS))

    def mean_at(self, budget: int) -> float:
        """Return the mean regret at the so-manyth budget."""
        return fmean(row[budget] for row in self.regrets)

    def interval(self, budget: int) -> tuple[float, float]:
        """Return the middle 95 % of the draws."""
        return _middle([row[budget] for row in self.regrets])

    def told(self, budget: int) -> str:
        """Return mean and interval."""
        low, high = self.interval(budget)
        return f"{self.mean_at(budget):.2f} ({low:.2f}-{high:.2f})"

    def difference(self, other: "Outcome", budget: int) -> tuple[float, float, float]:
        """Return how much larger the regret is on the same draws, and the middle 95 % of them."""
        pairs = [a[budget] - b[budget] for a, b in zip(self.regrets, other.regrets, strict=True)]
        return fmean(pairs), *_middle(pairs)

    def against(self, other: "Outcome", budget: int) -> int:
        """Return -1 if the regret is smaller on the same draws, 1 if it is larger, 0 if that may be chance."""
        difference, low, high = self.difference(other, budget)
        if low <= 0 <= high or abs(difference) <= TIE:
            return 0
        return -1 if difference < 0 else 1


def grid_epochs(task: Task) -> int:
    """Return the epochs of the full grid: every rate and `SEEDS` seeds to their end."""
    return SEEDS * len(task.rates) * next(iter(task.curves.values())).runner.epochs


def draws(task: Task, number: int, orders: int) -> list[list[Draw]]:
    """Return so many draws of the seeds, each in several orders of rates and seeds."""
    return [_orders(task, draw, orders) for draw in range(number)]


def outcome(task: Task, drawn: Sequence[Sequence[Draw]], arm: Arm, budgets: tuple[float, ...] = BUDGETS) -> Outcome:
    """Return what an arm comes to on a task."""
    regrets, single = [], []
    for orders in drawn:
        both = [_regrets(task, draw, arm, budgets) for draw in orders]
        regrets.append(tuple(map(fmean, zip(*(one for one, _ in both), strict=True))))
        single.append(tuple(map(fmean, zip(*(own for _, own in both), strict=True))))
    return Outcome(tuple(regrets), tuple(map(fmean, zip(*single, strict=True))))


def _orders(task: Task, number: int, orders: int) -> list[Draw]:
    rng = random.Random(f"{task.name}/{number}")  # noqa: S311 - not for secrets
    drawn = [rng.choice(task.seeds) for _ in range(SEEDS)]
    at_seed = tuple({rate: task.test_acc[rate, seed] for rate in task.rates} for seed in drawn)
    made = []
    for _ in range(orders):
        rates = rng.sample(task.rates, len(task.rates))
        rng.shuffle(drawn)
        curves = tuple(_copy(task.curves[rate, seed], i) for i, seed in enumerate(drawn) for rate in rates)
        made.append(Draw(curves, at_seed))
    return made


def _copy(curve: Curve, number: int) -> Curve:
    """Return a curve as that of the so-manyth seed drawn, since a seed may be drawn twice."""
    return replace(curve, runner=replace(curve.runner, key=f"{curve.runner.key}-{number}", seed=number))


def _regrets(task: Task, draw: Draw, arm: Arm, budgets: tuple[float, ...]) -> tuple[list[float], list[float]]:
    """Return the regret at each budget, and that at a single seed; without a rate it is that of a random one."""
    asked = [share * grid_epochs(task) for share in budgets]
    went = replay(
        arm.build(draw.curves[0].runner.epochs), draw.curves, budget=asked[-1], ask_at=asked[:-1],
        workers=arm.workers, fisher_cost=0.0 if arm.free_fisher else task.fisher_cost, ic_every=arm.ic_every,
    )  # fmt: skip
    named = [one.rate for one in (*went.asked, went.recommendation)]
    single = [fmean(_regret(seed, rate) for seed in draw.at_seed) for rate in named]
    return [_regret(draw.means, rate) for rate in named], single


def _regret(accuracies: Mapping[float, float], rate: float | None) -> float:
    return 100 * (max(accuracies.values()) - (fmean(accuracies.values()) if rate is None else accuracies[rate]))


def _middle(values: Sequence[float]) -> tuple[float, float]:
    """Return the 2.5th and 97.5th percentile."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return ordered[round(0.025 * last)], ordered[round(0.975 * last)]
