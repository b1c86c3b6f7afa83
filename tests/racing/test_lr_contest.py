"""The contest's arithmetic, on two rates small enough to check by hand: regret, interval, wins, ties and losses."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest
from racing.races import EPOCHS, curve, turning

from analysis.recorded import Task
from tic_sweep.racing.signals import LAST_ACCURACY

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
RATES = (0.1, 0.2)
TASK = Task(
    name="two rates",
    curves={
        (rate, seed): curve(rate, seed, acc=(0.9 if rate == 0.1 else 0.5) - seed / 100, ic=turning(3 if seed else 99))
        for rate in RATES
        for seed in (0, 1)
    },
    test_acc={(0.1, 0): 0.5, (0.1, 1): 0.7, (0.2, 0): 0.8, (0.2, 1): 0.6},
    fisher_cost=0.5,
)
"""Validation accuracy prefers 0.1, by whose means 0.2 is better on the test images, 0.7 to 0.6; seed 1 turns."""


@pytest.fixture
def contest(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """Return the modules of the benchmark, which lie in no package."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return {name: importlib.import_module(f"lr_contest_{name}") for name in ("arms", "replays", "signals")}


def test_regret_by_hand(contest: dict[str, ModuleType]) -> None:
    """The full grid names 0.1, which costs 10 points by the means; at seed 0 it costs 30, at seed 1 nothing."""
    replays = contest["replays"]
    at_seed = tuple({rate: TASK.test_acc[rate, seed] for rate in RATES} for seed in (0, 1))
    draw = replays.Draw(tuple(TASK.curves.values()), at_seed)

    came = replays.outcome(TASK, [[draw]], contest["arms"].ARMS["random"], (1.0,))

    assert {0.1: 0.6, 0.2: 0.7} == pytest.approx(draw.means)
    assert 10.0 == pytest.approx(came.mean_at(0))
    assert (15.0,) == pytest.approx(came.single)


def test_without_a_rate_the_regret_is_that_of_a_random_one(contest: dict[str, ModuleType]) -> None:
    """No budget, no report, no rate: 10 points or none, 5 in the mean."""
    replays = contest["replays"]
    draw = replays.Draw(tuple(TASK.curves.values()), ({0.1: 0.6, 0.2: 0.7},))

    came = replays.outcome(TASK, [[draw]], contest["arms"].ARMS["accuracy"], (0.0,))

    assert 5.0 == pytest.approx(came.mean_at(0))


def test_draws_are_the_same_every_time(contest: dict[str, ModuleType]) -> None:
    """Five seeds of those recorded, each with both rates, under keys of their own though a seed is drawn twice."""
    replays = contest["replays"]

    (draw,), _ = replays.draws(TASK, 2, 1)

    assert replays.draws(TASK, 2, 1)[0] == [draw]
    assert 2 * replays.SEEDS == len({one.runner.key for one in draw.curves})
    assert 2 * replays.SEEDS * EPOCHS == replays.grid_epochs(TASK)


def test_the_interval_is_the_middle_of_the_draws(contest: dict[str, ModuleType]) -> None:
    """Of 41 draws from 0 to 40 the second and the last but one."""
    came = contest["replays"].Outcome(tuple((float(k),) for k in range(41)), (0.0,))

    assert (20.0, (1.0, 39.0)) == (came.mean_at(0), came.interval(0))
    assert "20.00 (1.00-39.00)" == came.told(0)


@pytest.mark.parametrize(
    ("less", "expected"),
    [
        ((1.0, 2.0, 3.0), 1),  # larger on every draw: a loss
        ((-1.0, -2.0, -3.0), -1),
        ((-1.0, 2.0, 3.0), 0),  # on one draw smaller: that may be chance
        ((0.01, 0.02, 0.03), 0),  # too little to matter, whatever the interval
    ],
)
def test_wins_ties_and_losses(contest: dict[str, ModuleType], less: tuple[float, ...], expected: int) -> None:
    """By the differences on the same draws, not by the intervals of each."""
    outcome = contest["replays"].Outcome
    base = (5.0, 50.0, 500.0)
    one, other = (outcome(tuple((a + b,) for a, b in zip(base, own, strict=True)), (0.0,)) for own in (less, (0, 0, 0)))

    assert expected == one.against(other, 0)
    assert -expected == other.against(one, 0)
    assert tuple(pytest.approx(x) for x in (sum(less) / 3, min(less), max(less))) == one.difference(other, 0)


def test_the_mean_over_tasks_goes_draw_by_draw(contest: dict[str, ModuleType]) -> None:
    """Draw 0 of each with draw 0 of the others."""
    outcome = contest["replays"].Outcome

    came = outcome.mean([outcome(((1.0,), (2.0,)), (4.0,)), outcome(((3.0,), (6.0,)), (8.0,))])

    assert (((2.0,), (4.0,)), (6.0,)) == (came.regrets, came.single)


def test_what_signals_know_by_hand(contest: dict[str, ModuleType]) -> None:
    """Half of the trainings turn; validation ranks the two rates backwards at either seed, equal centroids do not."""
    signals = contest["signals"]

    assert 0.5 == signals.turned_share(TASK, 0.0)
    assert -1.0 == pytest.approx(signals.correlation(TASK, LAST_ACCURACY, 1.0))
    assert 0.0 == signals.correlation(TASK, signals.SIGNALS["low IC"], 1.0)
