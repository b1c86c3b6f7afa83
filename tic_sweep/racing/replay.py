"""Races over recorded curves, in a virtual clock: what would a policy have recommended, and at what cost?

A race of W places runs a policy as the launcher does, with reports from the record in place of trainings. Time and cost
are counted in training epochs: a report takes the epochs since the one before, plus ``fisher_cost`` for a centroid that
the policy looks at. The race ends when the budget is spent, or when the policy lets nobody run any more. It is a
function of its arguments: the same call gives the same replay.
"""

import heapq
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tic_sweep.racing.protocol import Look, Policy, Recommendation, Runner

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Curve:
    """The record of one trial: every report it made, by increasing epoch, and how it ended."""

    runner: Runner
    looks: tuple[Look, ...]
    status: str = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How a race went."""

    recommendation: Recommendation
    asked: tuple[Recommendation, ...]
    """What was recommended when each of the smaller budgets that were asked about was spent."""
    cost: float
    """Training epochs spent, Fisher measurements included."""
    epochs: int
    """Training epochs alone."""
    clock: float
    """When it ended, in training epochs."""
    started: int
    """Trials that ran at all."""
    reached: Mapping[str, int]
    """Last epoch of each trial that ran, by key."""


def replay(
    policy: Policy,
    curves: Sequence[Curve],
    *,
    budget: float = math.inf,
    ask_at: Sequence[float] = (),
    workers: int = 1,
    fisher_cost: float = 0.0,
    ic_every: int = 1,
) -> Replay:
    """Run a policy over the recorded curves of one stratum.

    Args:
        policy: one that has not been used.
        curves: the trials, in the order of the plan.
        budget: training epochs that may be spent; a report that would exceed it is not made.
        ask_at: smaller budgets, increasing, at which the policy is asked on the way; it is not told about them, so what
            it then recommends is what it would have with that budget.
        workers: trials that run side by side.
        fisher_cost: cost of a Fisher measurement, in training epochs.
        ic_every: of the centroids recorded, the policy sees and pays for every so-manyth, and the first.
    """
    strata = {curve.runner.stratum for curve in curves}
    if len(strata) != 1:
        raise ValueError(f"curves must be of one stratum, got {len(strata)}.")
    race = _Race(policy, curves, fisher_cost, ic_every)
    running: list[tuple[float, int, str]] = []
    clock, turn = 0.0, itertools.count()
    asked: list[Recommendation] = []
    (stratum,) = strata
    while True:
        while len(running) < workers and (key := policy.choose(race.waiting)) is not None:
            race.waiting.remove(key)
            heapq.heappush(running, (clock + race.cost(key), next(turn), key))
        if not running or race.spent + race.cost(running[0][-1]) > budget + _ROUNDING:
            break
        while len(asked) < len(ask_at) and race.spent + race.cost(running[0][-1]) > ask_at[len(asked)] + _ROUNDING:
            asked.append(policy.recommend(stratum))
        clock, _, key = heapq.heappop(running)
        if race.goes_on(key):
            heapq.heappush(running, (clock + race.cost(key), next(turn), key))
    reached = {key: race.shown[key][n - 1].epoch for key, n in race.made.items() if n}
    final = policy.recommend(stratum)
    return Replay(
        recommendation=final,
        asked=(*asked, *[final] * (len(ask_at) - len(asked))),
        cost=race.spent,
        epochs=sum(reached.values()),
        clock=clock,
        started=len(reached),
        reached=reached,
    )


class _Race:
    """The trials of a replay: what each has reported, what it reports next, and who waits."""

    def __init__(self, policy: Policy, curves: Sequence[Curve], fisher_cost: float, ic_every: int) -> None:
        for curve in curves:
            policy.enter(curve.runner)
        self.policy = policy
        self.status = {c.runner.key: c.status for c in curves}
        self.shown = {c.runner.key: _shown(c.looks, policy.looks_at_ic, fisher_cost, ic_every) for c in curves}
        self.made = dict.fromkeys(self.shown, 0)
        self.waiting = list(self.shown)
        self.spent = 0.0

    def cost(self, key: str) -> float:
        """Return what a trial's next report costs."""
        return self.shown[key][self.made[key]].cost

    def goes_on(self, key: str) -> bool:
        """Make a trial's next report, and return whether it runs on."""
        look = self.shown[key][self.made[key]]
        self.spent += look.cost
        self.made[key] += 1
        verdict = self.policy.look(key, look).verdict
        if self.made[key] == len(self.shown[key]):
            if self.status[key] != "finished":
                self.policy.leave(key, self.status[key])
            return False
        if verdict == "pause":
            self.waiting.append(key)
        return verdict == "go_on"


def _shown(looks: Sequence[Look], with_ic: bool, fisher_cost: float, ic_every: int) -> tuple[Look, ...]:  # noqa: FBT001
    """Return the reports as a policy sees them, each with what it costs."""
    shown, measured, before = [], 0, 0
    for look in looks:
        seen = with_ic and look.ic is not None and measured % ic_every == 0
        measured += look.ic is not None
        cost = look.epoch - before + (fisher_cost if seen else 0.0)
        before = look.epoch
        shown.append(replace(look, ic=look.ic if seen else None, ic_se=look.ic_se if seen else None, cost=cost))
    return tuple(shown)
