"""The sweeps of delays: which points they hold, what pairs them, and the one finding that is quick to see again."""

from typing import Any

import pytest

from tic_sweep.config import Resources, TrialConfig, flatten, replaced
from tic_sweep.plan import plan
from tic_sweep.sweep import load_sweep
from tic_sweep.training import SequenceTraining

VARIED = {"delays.learn", "delays.rule", "delays.regrow", "delays.sparsity", "seed"}


def configs(name: str, scale: str) -> list[TrialConfig]:
    """Return the trials of a sweep's scale."""
    return [planned.config for planned in plan(load_sweep(name)[0].at(scale)[1], sweep_name=name)]


@pytest.mark.parametrize(("scale", "sparsities", "structures"), [("laptop", 3, 2), ("paper", 9, 3)])
def test_fixed_and_learnt_delays_meet_every_structure_at_every_sparsity(scale: str, sparsities: int, structures: int):
    """Five seeds of each; a dense network has no structure to learn, so that only its delays vary."""
    trials = configs("delays", scale)
    dense = [config for config in trials if not config.delays.sparsity]

    assert 5 * (2 + 2 * structures * sparsities) == len(trials)
    assert 5 * 2 == len(dense)
    assert {"static"} == {config.delays.rule for config in dense}
    assert all((config.delays.sparsity - 1) in {-(2.0**-k) for k in range(10)} for config in trials)


@pytest.mark.parametrize("name", ["delays", "receptive_fields"])
@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_trials_of_a_seed_differ_in_delays_and_structure_alone(name: str, scale: str):
    """Whatever else might differ would be in their differences too."""
    shared = [{k: v for k, v in flatten(config).items() if k not in VARIED} for config in configs(name, scale)]

    assert all(shared[0] == other for other in shared)


@pytest.mark.parametrize("name", ["delays", "receptive_fields"])
def test_the_papers_scale_is_as_published(name: str):
    """Raw Heidelberg Digits, 150 epochs in batches of 256, one cycle to 5e-3 without decay, 256 neurons, kernel 25."""
    config = configs(name, "paper")[0]

    assert ("raw_hd", 80, 150, 256) == (
        config.sequences.name, config.timesteps, config.optimiser.epochs, config.optimiser.batch_size,
    )  # fmt: skip
    assert ("adamw", 5e-3, 0.0, "one_cycle", 10.05) == (
        config.optimiser.name, config.optimiser.lr, config.optimiser.weight_decay, config.optimiser.schedule,
        config.neuron.tau,
    )  # fmt: skip
    assert (256, 24, 0.4, 0.01, 0.1, "published", "softmax_sum") == (
        config.delays.hidden, config.delays.max_delay, config.delays.dropout, config.delays.l1,
        config.delays.position_lr, config.delays.order, config.delays.readout,
    )  # fmt: skip


@pytest.mark.slow
def test_learnt_structure_helps_where_three_quarters_of_the_synapses_are_missing():
    """With fixed delays, rewired networks of three seeds answer more of the cyclic sweeps rightly than static ones."""
    base = load_sweep("delays")[0].at("laptop")[1].base

    def accuracy(seed: int, **rule: Any) -> float:
        changes = {"delays.learn": False, "delays.sparsity": 0.75, "fisher.every": 0, "seed": seed, **rule}
        training = SequenceTraining(replaced(base, changes), None, Resources(device="cpu"))
        for _ in training.reports():
            pass
        assert training.outcome.test_acc is not None
        return training.outcome.test_acc

    gains = [accuracy(seed, **{"delays.rule": "deepr"}) - accuracy(seed) for seed in (0, 1, 2)]

    assert sum(gains) / 3 > 0.02
