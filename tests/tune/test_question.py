"""The question for a learning rate: sensible by default, and nonsense refused in one line."""

import math
from itertools import pairwise
from typing import Any

import pytest

from tic_sweep.config import DATASETS, MODELS
from tic_sweep.errors import ConfigError
from tic_sweep.plan import plan
from tic_sweep.tune.question import Question, log_spaced, middle_out


def test_rates_are_evenly_apart_on_a_log_scale() -> None:
    """Both ends are tried; steps are equal factors, to three digits."""
    assert (0.01, 0.1, 1.0) == log_spaced(0.01, 1.0, 3)
    assert (0.1, 0.316, 1.0) == log_spaced(0.1, 1.0, 3)
    steps = [math.log(b / a) for a, b in pairwise(log_spaced(0.01, 3, 8))]
    assert max(steps) == pytest.approx(min(steps), rel=0.02)
    assert 5 == len(set(log_spaced(1.0, 1.0001, 5)))


def test_the_middle_is_tried_first() -> None:
    """Then its neighbours, the higher of two equally far ones first, and the ends at last."""
    assert (3, 4, 2, 5, 1) == middle_out((1, 2, 3, 4, 5))
    assert (3, 2, 4, 1) == middle_out((1, 2, 3, 4))


def test_the_default_plans_every_rate_with_every_seed() -> None:
    """Seed by seed, middle out, with Fisher measurements that take no longer than needed."""
    scale = Question().sweep().laptop
    trials = plan(scale, sweep_name="x")

    assert (16, [0] * 8 + [1] * 8) == (len(trials), [t.config.seed for t in trials])
    assert 0.01 < trials[0].config.optimiser.lr < 3.0
    assert ("hybrid", 0.35, 0.0) == (scale.scheduler, scale.budget, scale.holdout)
    assert scale.base.fisher.until_turned
    assert scale.base.fisher.ic_se > 0


@pytest.mark.parametrize("arch", MODELS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_every_network_on_every_data_set_has_defaults(dataset: str, arch: str) -> None:
    """Each makes a sweep; only the small network sees few and small images."""
    base = Question(dataset=dataset, arch=arch).sweep().laptop.base

    assert (dataset, arch) == (base.data.name, base.model.name)
    assert (arch == "small_conv" and dataset != "digits") == (base.data.train_samples == 2000)


def test_what_is_said_goes_before_a_default() -> None:
    """Options over defaults, and any field over both."""
    question = Question(timesteps=4, tau=3.0, epochs=9, changes={"data.train_samples": 500, "optimiser.batch_size": 8})
    base = question.base()

    assert (4, 3.0, 9) == (base.timesteps, base.neuron.tau, base.optimiser.epochs)
    assert (500, 8) == (base.data.train_samples, base.optimiser.batch_size)


@pytest.mark.parametrize("policy", ["accuracy", "asha", "median"])
def test_a_policy_that_does_not_look_at_ic_pays_for_none(policy: str) -> None:
    """Fisher traces are measured for those that need them."""
    assert 0 == Question(policy=policy).base().fisher.every


def test_a_search_is_scheduled_by_what_can_do_with_one_trial_at_a_time() -> None:
    """As many proposals as a grid would have trials."""
    scale = Question(searcher="tpe", rates=4, seeds=(0, 1, 2)).sweep().laptop

    assert ("tpe", 12, "asha") == (scale.searcher, scale.samples, scale.scheduler)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"dataset": "digit"}, "--dataset must be one of digits,"),
        ({"dataset": "digit"}, "Did you mean 'digits'?"),
        ({"arch": "resnet18"}, "--arch must be one of small_conv,"),
        ({"dataset": 5}, "--dataset must be one of digits,"),
        ({"policy": "asho"}, "--policy must be one of transition,"),
        ({"policy": ""}, "--policy must be one of transition, hybrid, accuracy, asha, median, first_turn, got ''"),
        ({"policy": "", "searcher": "tpe"}, "--policy must be one of transition,"),
        ({"searcher": "random"}, "--searcher must be one of grid, tpe, got 'random'"),
        ({"low": 0.0}, "--low and --high must be rates with 0 < low < high, got 0.0 and 3.0"),
        ({"low": 3.0}, "--low and --high must be rates with 0 < low < high, got 3.0 and 3.0"),
        ({"high": math.inf}, "0 < low < high, got 0.01 and inf"),
        ({"low": math.nan}, "got nan and 3.0"),
        ({"rates": 1}, "--rates must be from 2 to 64, got 1"),
        ({"budget": 0.0}, "--budget must be percent of the full grid, above 0 and at most 100, got 0.0"),
        ({"budget": 101}, "at most 100, got 101"),
        ({"changes": {"optimiser.lr": 0.1}}, "--set optimiser.lr is what varies: leave it out"),
        ({"changes": {"data.name": "cifar10"}}, "--set data.name is what --dataset says: leave it out"),
        ({"changes": {"model.name": "vgg16"}}, "--set model.name is what --arch says: leave it out"),
        ({"changes": {"task": "sequences"}}, "--set task is images: leave it out"),
        ({"changes": {"optimiser.epochs": 0}}, "optimiser.epochs must be at least 1 with scheduler 'hybrid', got 0"),
        ({"timesteps": 0}, "--timesteps must be a whole number at least 1"),
        ({"tau": 0.1}, "--tau must be a finite number greater than 0.5"),
        ({"epochs": -1}, "--epochs must be at least 1, got -1"),
        ({"epochs": 0}, "--epochs must be at least 1, got 0: untrained rates are all alike"),
        ({"seeds": (0, 0)}, "seeds must differ from each other"),
        (
            {"searcher": "tpe", "policy": "hybrid"},
            "--policy must be one of asha, median, first_turn with --searcher tpe (others compare rates that are",
        ),
        ({"rates": 6.0}, "--rates must be a whole number, got 6.0"),
        ({"rates": "6"}, "--rates must be a whole number, got '6'"),
        ({"rates": True}, "--rates must be a whole number, got True"),
        ({"low": "0.1"}, "--low must be a number, got '0.1'"),
        ({"high": None}, "--high must be a number, got None"),
        ({"epochs": "5"}, "--epochs must be a whole number, got '5'"),
        ({"budget": None}, "--budget must be a number, got None"),
        ({"seeds": 3, "searcher": "tpe"}, "--seeds must be whole numbers such as (0, 1), got 3"),
        ({"seeds": ("a",)}, "seed must be a whole number"),
        ({"changes": [("timesteps", 4)]}, "--set must be fields and their values, got [('timesteps', 4)]"),
        ({"changes": {"fisher.every": 0}}, "scheduler 'hybrid' looks at IC, which fisher.every 0 never measures"),
    ],
)
def test_nonsense_is_refused_by_name_and_value(wrong: dict[str, Any], message: str) -> None:
    """In one line, before anything runs."""
    with pytest.raises(ConfigError) as refused:
        Question(**wrong).sweep()

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
