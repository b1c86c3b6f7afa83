"""Policies for the learning rate against each other, on recorded trainings, at equal budgets.

Every replay draws seeds of the record with replacement and the order of the rates, and all policies run on that draw.
A policy spends training epochs, and where it looks at IC the measured cost of Fisher besides; when a budget is spent it
is asked for a rate. Its regret is the mean test accuracy of the best rate, over the draw's seeds, less that of the rate
named. Intervals are percentiles over draws, each averaged over its orders.

    python benchmarks/lr_contest.py RESULTS [--draws 100] [--orders 2] [--plot docs/figures/lr_contest.png]
    python benchmarks/lr_contest.py --small
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import fmean

from lr_contest_arms import Arm

from analysis.recorded import Task
from tic_sweep.racing.replay import Curve, replay

BUDGETS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
"""Shares of the epochs of the full grid."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A task as it may have come out, and an order to run it in."""

    curves: tuple[Curve, ...]
    test_acc: Mapping[float, float]
    """Mean over the seeds drawn."""
    at_seed: tuple[Mapping[float, float], ...]
    """Test accuracy of each rate at each seed drawn."""


def draws(task: Task, number: int, orders: int, *, seeds: Iterable[int] | None = None) -> list[list[Draw]]:
    """Return so many draws of the seeds, each in several orders."""
    return [_orders(task, draw, orders, list(seeds or task.seeds)) for draw in range(number)]


def _orders(task: Task, number: int, orders: int, seeds: list[int]) -> list[Draw]:
    rng = random.Random(f"{task.name}/{number}")  # noqa: S311 - not for secrets
    drawn = [rng.choice(seeds) for _ in seeds]
    at_seed = tuple({rate: task.test_acc[rate, seed] for rate in task.rates} for seed in drawn)
    means = {rate: fmean(one[rate] for one in at_seed) for rate in task.rates}
    made = []
    for _ in range(orders):
        rates = rng.sample(task.rates, len(task.rates))
        rng.shuffle(drawn)
        curves = tuple(_copy(task.curves[rate, seed], i) for i, seed in enumerate(drawn) for rate in rates)
        made.append(Draw(curves, means, at_seed))
    return made


def _copy(curve: Curve, number: int) -> Curve:
    """Return a curve as that of the so-manyth seed drawn, since a seed may be drawn twice."""
    return replace(curve, runner=replace(curve.runner, key=f"{curve.runner.key}-{number}", seed=number))


def regrets(draw: Draw, arm: Arm, fisher_cost: float, budgets: tuple[float, ...] = BUDGETS) -> list[float]:
    """Return an arm's regret at each budget, in points of test accuracy; without a rate it is that of a random one."""
    epochs = sum(curve.runner.epochs for curve in draw.curves)
    asked = [share * epochs for share in budgets]
    went = replay(
        arm.build(), draw.curves, budget=asked[-1], ask_at=asked[:-1], fisher_cost=fisher_cost, ic_every=arm.ic_every
    )
    best = max(draw.test_acc.values())
    named = [one.rate for one in (*went.asked, went.recommendation)]
    return [100 * (best - (fmean(draw.test_acc.values()) if r is None else draw.test_acc[r])) for r in named]
