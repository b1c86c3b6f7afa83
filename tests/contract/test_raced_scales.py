"""Scales that are raced: what they refuse, and how a launch changes them."""

from typing import Any

import pytest

from tic_sweep.config import FisherConfig, TrialConfig, replaced
from tic_sweep.errors import ConfigError
from tic_sweep.plan import adjusted
from tic_sweep.space import Grid, LogUniform
from tic_sweep.sweep import SCHEDULERS, Scale

RATES = {"optimiser.lr": Grid((0.1, 0.3))}
DRAWN = {"optimiser.lr": LogUniform(0.1, 0.3)}


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_scheduler_is_accepted(scheduler: str) -> None:
    """With rates that vary and Fisher traces that are measured."""
    assert scheduler == Scale(base=TrialConfig(), space=RATES, scheduler=scheduler).scheduler


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"scheduler": "hybrib"}, "Did you mean 'hybrid'?"),
        ({"budget": 0.0}, "budget must be a share of the epochs, greater than 0 and at most 1, got 0.0"),
        ({"budget": 35}, "greater than 0 and at most 1, got 35"),
        ({"holdout": -0.1}, "holdout must be a share of the trials, from 0 to 1, got -0.1"),
        ({"grace": 1.0}, "grace must be a share of a trial's epochs, at least 0 and below 1, got 1.0"),
        ({"scheduler": "first_turn", "grace": 0.2}, "grace has no effect on scheduler first_turn"),
        ({"scheduler": "asha", "space": {"neuron.tau": Grid((2, 3))}}, "let optimiser.lr vary"),
        ({"scheduler": "hybrid", "base": TrialConfig(fisher=FisherConfig(every=0))}, "looks at IC"),
        (
            {"scheduler": "hybrid", "space": DRAWN, "samples": 4, "searcher": "tpe"},
            "scheduler must be one of asha, median, first_turn with searcher 'tpe'",
        ),
        (
            {"scheduler": "asha", "base": replaced(TrialConfig(), {"task": "xor", "optimiser.name": "adamw"})},
            "scheduler must be none for task xor",
        ),
        (
            {"scheduler": "asha", "base": replaced(TrialConfig(), {"task": "sequences", "timesteps": 40})},
            "scheduler must be none for task sequences: only trials of task images are raced",
        ),
    ],
)
def test_a_race_that_makes_no_sense_is_refused(wrong: dict[str, Any], message: str) -> None:
    """By name and value, when the scale is made."""
    with pytest.raises(ConfigError) as refused:
        Scale(**({"base": TrialConfig(), "space": RATES} | wrong))

    assert message in str(refused.value)


def test_a_launch_may_race_any_scale_or_none() -> None:
    """What it says replaces what the scale says, and is checked like it."""
    scale = Scale(base=TrialConfig(), space=RATES, scheduler="asha", budget=0.5)
    same: dict[str, Any] = {"changes": {}, "seeds": None, "samples": None}

    off, cheaper = (adjusted(scale, race=race, **same) for race in ({"scheduler": "none"}, {"budget": 0.2}))

    assert ("none", 0.5) == (off.scheduler, off.budget)
    assert ("asha", 0.2) == (cheaper.scheduler, cheaper.budget)
    with pytest.raises(ConfigError, match=r"let optimiser\.lr vary"):
        adjusted(scale, **(same | {"changes": {"optimiser.lr": 0.1}}))


@pytest.mark.parametrize(("number", "value"), [("budget", 0.5), ("holdout", 0.0), ("grace", 0.2)])
def test_what_shapes_a_race_is_refused_without_one(number: str, value: float) -> None:
    """It would change nothing; with a scheduler beside it it does."""
    scale, same = Scale(base=TrialConfig(), space=RATES), {"changes": {}, "seeds": None, "samples": None}

    with pytest.raises(ConfigError, match=f"{number} has no effect without a race: give a scheduler, too, got {value}"):
        adjusted(scale, race={number: value}, **same)
    assert value == getattr(adjusted(scale, race={number: value, "scheduler": "asha"}, **same), number)
