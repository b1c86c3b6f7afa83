"""docs/tune_lr.md says where a race ends by itself: held against replays of the policies."""

import re
from pathlib import Path

import pytest

from tic_sweep.plan import plan
from tic_sweep.racing import Look, build_policy, runner_of
from tic_sweep.racing.replay import Curve, Replay, replay
from tic_sweep.tune import Question

DOCS = (Path(__file__).parents[2] / "docs" / "tune_lr.md").read_text(encoding="utf-8")
PERCENT = [
    (int(rates), seeds, int(percent))
    for rates, *row in re.findall(r"^\| (4|8|16) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", DOCS, flags=re.MULTILINE)
    for seeds, percent in zip((1, 2, 3, 5), row, strict=True)
]


def raced(rates: int, seeds: int, policy: str) -> tuple[Replay, int]:
    """Return the race of a question without a bound, where higher rates do better, and the epochs of its full grid."""
    question = Question(rates=rates, seeds=tuple(range(seeds)), policy=policy)
    runners = [runner_of(trial.config) for trial in plan(question.sweep().laptop, sweep_name="x")]
    curves = [
        Curve(one, tuple(Look(epoch=e, ic=4.0, ic_se=0.1, val_acc=one.rate * e / 50) for e in range(one.epochs + 1)))
        for one in runners
    ]
    return replay(build_policy(policy, holdout=0.0), curves), sum(one.epochs for one in runners)


@pytest.mark.parametrize("policy", ["hybrid", "accuracy"])
@pytest.mark.parametrize(("rates", "seeds", "percent"), PERCENT)
def test_a_race_by_halving_ends_by_itself(rates: int, seeds: int, percent: int, policy: str) -> None:
    """At the share of the full grid that the table says."""
    went, grid = raced(rates, seeds, policy)

    assert percent == round(100 * went.epochs / grid)


def test_the_default_race_ends_where_it_is_said_to() -> None:
    """Four rates have a second seed."""
    went, grid = raced(8, 2, "hybrid")

    assert f"after {went.epochs} of the {grid} epochs of the full grid" in DOCS
    assert (12, 12) == (len(PERCENT), went.started)
