"""Runners from configs: what belongs to one stratum, and which trials are held out."""

import pytest

from tic_sweep.config import TrialConfig, replaced, trial_key
from tic_sweep.racing import held_out, runner_of, stratum_of

CONFIG = TrialConfig()


@pytest.mark.parametrize("changes", [{"optimiser.lr": 0.01}, {"seed": 7}, {"optimiser.lr": 3.0, "seed": 1}])
def test_rate_and_seed_do_not_leave_the_stratum(changes: dict[str, object]) -> None:
    """Rates and seeds of one setting race each other."""
    assert stratum_of(CONFIG) == stratum_of(replaced(CONFIG, changes))


@pytest.mark.parametrize(
    "changes", [{"timesteps": 4}, {"model.name": "vgg16"}, {"neuron.tau": 4.0}, {"optimiser.weight_decay": 0.0}]
)
def test_anything_else_does(changes: dict[str, object]) -> None:
    """Another T or anything else is another race."""
    assert stratum_of(CONFIG) != stratum_of(replaced(CONFIG, changes))


def test_a_runner_is_its_config() -> None:
    """Key, rate, seed, epochs, T, and how many validation images there are."""
    config = replaced(CONFIG, {"optimiser.lr": 0.1, "seed": 3, "timesteps": 4, "data.validation_samples": 500})

    runner = runner_of(config)

    assert (trial_key(config), 0.1, 3, 300, 4, 500) == (
        runner.key, runner.rate, runner.seed, runner.epochs, runner.timesteps, runner.validation,
    )  # fmt: skip
    assert 5000 == runner_of(CONFIG).validation  # a tenth of CIFAR-10's training images
    assert 144 == runner_of(replaced(CONFIG, {"data.name": "digits"})).validation  # of 1,437, as many as are held out


def test_the_holdout_is_drawn_by_key() -> None:
    """About the share asked for, the same every time; a larger share holds out those of a smaller one too."""
    keys = [f"trial-{i}" for i in range(4000)]

    drawn = {key for key in keys if held_out(key, 0.1)}

    assert 300 < len(drawn) < 500
    assert {key for key in keys if held_out(key, 0.05)} < drawn
    assert not any(held_out(key, 0.0) for key in keys)
    assert all(held_out(key, 1.0) for key in keys)
