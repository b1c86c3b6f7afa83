"""Replays: time, cost and order by hand on curves of a few reports."""

import math

import pytest
from racing.races import EPOCHS, curve, turning

from tic_sweep.racing import Decision, Look, build_policy
from tic_sweep.racing.entrants import Entrant, Race
from tic_sweep.racing.protocol import GO_ON
from tic_sweep.racing.replay import replay
from tic_sweep.racing.signals import HYBRID, LAST_ACCURACY

RATES = {0.1: 0.5, 0.2: 0.9, 0.4: 0.7}
CURVES = [curve(rate, acc=acc, ic=turning(3)) for rate, acc in RATES.items()]


class Spy(Race):
    """A policy that runs everything and keeps what it saw."""

    def __init__(self, signal: object = HYBRID, stop_at: int | None = None) -> None:
        super().__init__(signal)  # type: ignore[arg-type]
        self.seen: list[tuple[float, Look]] = []
        self.stop_at = stop_at

    def decide(self, entrant: Entrant) -> Decision:
        """Keep the report."""
        self.seen.append((entrant.runner.rate, entrant.looks[-1]))
        return Decision("stop") if entrant.epoch == self.stop_at else GO_ON


def test_everything_runs_in_the_order_of_the_plan() -> None:
    """One place: one trial after the other, and the best by validation is named."""
    spy = Spy(LAST_ACCURACY)

    went = replay(spy, CURVES)

    assert [rate for rate in RATES for _ in range(EPOCHS + 1)] == [rate for rate, _ in spy.seen]
    assert (24, 24, 24, 3, 0.2) == (went.cost, went.epochs, went.clock, went.started, went.recommendation.rate)


def test_places_run_side_by_side() -> None:
    """Three places: the reports alternate and the clock shows the epochs of one."""
    spy = Spy(LAST_ACCURACY)

    went = replay(spy, CURVES, workers=3)

    assert [*RATES] * 3 == [rate for rate, _ in spy.seen[:9]]
    assert (24, 8) == (went.cost, went.clock)


def test_the_budget_is_never_exceeded() -> None:
    """A report that would exceed it is not made."""
    went = replay(Spy(LAST_ACCURACY), CURVES, budget=10.5)

    assert (10, 2) == (went.cost, went.started)
    assert {"a/0.1/0": 8, "a/0.2/0": 2} == went.reached
    assert 0.1 == went.recommendation.rate  # the only one trained to its end


def test_asked_on_the_way_is_asked_with_a_smaller_budget() -> None:
    """What is recommended at a stop is what a replay with that budget recommends."""
    stops = (1.0, 7.0, 8.0, 15.0, 16.0)

    went = replay(build_policy("hybrid", holdout=0), CURVES, budget=18, ask_at=stops, fisher_cost=0.25)

    for stop, asked in zip(stops, went.asked, strict=True):
        alone = replay(build_policy("hybrid", holdout=0), CURVES, budget=stop, fisher_cost=0.25)
        assert alone.recommendation == asked


def test_fisher_is_paid_for_where_it_is_looked_at() -> None:
    """Nine measurements a trial, of which every third is three: 0, 3, 6."""
    blind = replay(Spy(LAST_ACCURACY), CURVES, fisher_cost=0.5)
    every = replay(Spy(), CURVES, fisher_cost=0.5)
    third = Spy()
    went = replay(third, CURVES, fisher_cost=0.5, ic_every=3)

    assert (24, 24 + 27 / 2, 24 + 9 / 2) == (blind.cost, every.cost, went.cost)
    assert {0, 3, 6} == {look.epoch for _, look in third.seen if look.ic is not None}
    assert pytest.approx(went.cost) == sum(look.cost for _, look in third.seen)


def test_a_blind_policy_sees_no_centroid() -> None:
    """It does not pay and must not profit."""
    spy = Spy(LAST_ACCURACY)
    replay(spy, CURVES)

    assert all(look.ic is None for _, look in spy.seen)


def test_stopped_trials_run_no_more() -> None:
    """Stopped after three epochs each."""
    went = replay(Spy(LAST_ACCURACY, stop_at=3), CURVES)

    assert (9, {3}) == (went.cost, set(went.reached.values()))


def test_a_diverged_trial_is_never_recommended() -> None:
    """Its record ends early; its rate ranks last, whatever it had reached."""
    bad = curve(0.8, acc=0.99, status="diverged")
    bad = type(bad)(bad.runner, bad.looks[:3], "diverged")

    went = replay(build_policy("accuracy", holdout=0), [bad, *CURVES])

    assert 0.2 == went.recommendation.rate
    assert 2 == went.reached[bad.runner.key]


def test_only_one_stratum() -> None:
    """Rates of two strata cannot race each other."""
    with pytest.raises(ValueError, match="got 2"):
        replay(Spy(), [*CURVES, curve(0.1, stratum="b")])


@pytest.mark.parametrize("name", ["transition", "hybrid", "accuracy", "asha", "median", "first_turn", "full"])
def test_same_call_same_replay(name: str) -> None:
    """A replay is a function of its arguments, and every policy ends it."""
    one, other = (replay(build_policy(name), CURVES, workers=2, budget=math.inf) for _ in range(2))

    assert one == other
    assert one.recommendation.rate is not None
