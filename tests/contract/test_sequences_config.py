"""Trials of task ``sequences``: published defaults, sizes, and what contradicts what."""

import pytest

from tic_sweep.config import SEQUENCES, DelaysConfig, SequencesConfig, TrialConfig, replaced
from tic_sweep.errors import ConfigError

BASE = {"task": "sequences", "timesteps": 40}
RAW_HD = {"sequences.name": "raw_hd"}
SPARSE = {"delays.sparsity": 0.75}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"timesteps": 24}, "delays.max_delay must be below timesteps = 24 (what comes later is never seen), got 24."),
        ({"timesteps": 15, "delays.max_delay": 4}, "timesteps must be greater than 15, the longest lag"),
        (RAW_HD | {"timesteps": 81}, "timesteps must be at most 80 for raw_hd, got 81."),
        ({"sequences.channels": 10}, "sequences.shifts must divide sequences.channels = 10 into equal parts"),
        ({"sequences.channels": 4}, "into equal parts of two or more, got 4."),
        ({"sequences.train_samples": 7}, "sequences.train_samples must be 0 or at least one of each class (8), got 7."),
        (RAW_HD | {"sequences.test_samples": 2265}, "sequences.test_samples must be at most 2264 for raw_hd, got 2265"),
        ({"sequences.labels": "languages_swapped"}, "sequences.labels has no effect on sequences.name cyclic_sweeps"),
        (RAW_HD | {"sequences.noise": 0.1}, "sequences.noise has no effect on sequences.name raw_hd: leave it at 0.02"),
        (RAW_HD | {"sequences.validation_groups": 10}, "must be below the 10 speakers of raw_hd, got 10."),
        (RAW_HD | {"sequences.validation_samples": 100}, "must be 0 when speakers are held out"),
        ({"fisher.samples": 2049}, "fisher.samples must be at most the 2048 sequences of the train split, got 2049."),
        ({"fisher.split": "validation"}, "fisher.samples must be at most the 512 sequences of the validation split"),
        ({"fisher.kind": "batch", "fisher.samples": 15}, "fisher.samples must be at least 16, a batch"),
        ({"neuron.reset": "soft"}, "neuron.reset must be hard when delays.order is published, got 'soft': choose"),
        ({"neuron.reset_gradient": 0.5}, "neuron.reset_gradient must be 0 when delays.order is published, got 0.5"),
        ({"delays.rule": "deepr"}, "delays.rule must be static when delays.sparsity is 0 (every synapse exists)"),
        ({"delays.budget": "global"}, "delays.budget has no effect on delays.sparsity 0"),
        (SPARSE | {"delays.regrow": "random"}, "delays.regrow must be one of neg_grad for delays.rule static"),
        (SPARSE | {"delays.rule": "rigl"}, "delays.regrow must be one of abs_grad, random for delays.rule rigl"),
        (SPARSE | {"delays.rule": "set"}, "delays.regrow must be one of random for delays.rule set, got 'neg_grad'."),
        (SPARSE | {"delays.temperature": 1}, "delays.temperature has no effect on delays.rule static"),
        (SPARSE | {"delays.rule": "deepr", "delays.exchange_share": 0.2}, "no effect on delays.rule deepr"),
        ({"delays.learn": False, "delays.position_lr": 0.2}, "delays.position_lr has no effect on delays.learn false"),
        ({"delays.max_delay": 0}, "delays.learn must be false when delays.max_delay is 0 (there is none), got True."),
        ({"delays.interpolation": "linear", "delays.sigma_start": 3}, "no effect on delays.interpolation linear"),
        ({"delays.sigma_start": 0.1}, "delays.sigma_start must be 0 (half the kernel) or at least 0.23 timesteps"),
        ({"delays.sigma_share": 0, "delays.sigma_start": 3}, "delays.sigma_start has no effect on delays.sigma_share"),
        ({"delays.readout_tau": 0.5}, "delays.readout_tau must be 0 (the neurons') or greater than 0.5 timesteps"),
        ({"optimiser.epochs": 40, "delays.field_epochs": "0,41"}, "delays.field_epochs must be at most 40"),
        ({"probes.dynamics_every": 1}, "probes.dynamics_every has no effect on task sequences"),
        ({"data.name": "digits"}, "data.name has no effect on task sequences"),
    ],
)
def test_fields_that_contradict_each_other(changes: dict[str, object], message: str) -> None:
    """What has no meaning, no effect or no data is refused in one line that names field, value and remedy."""
    with pytest.raises(ConfigError) as refused:
        replaced(TrialConfig(), BASE | changes)

    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"neuron.reset": "soft", "delays.order": "charge_first"},
        {"delays.max_delay": 0, "delays.learn": False},
        SPARSE | {"delays.budget": "erdos_renyi"},
        SPARSE | {"delays.rule": "deepr", "delays.regrow": "random", "delays.signs": "synapse"},
        SPARSE | {"delays.rule": "rigl", "delays.regrow": "abs_grad", "delays.exchange_until": 0.5},
        SPARSE | {"delays.rule": "set", "delays.regrow": "random", "delays.rewire_every": 10},
        RAW_HD | {"timesteps": 80, "sequences.labels": "languages_swapped", "sequences.validation_groups": 2},
        RAW_HD | {"sequences.validation_groups": 0, "sequences.validation_samples": 100},
        {"sequences.name": "shd", "timesteps": 100, "sequences.pooled": 10},
        {"loss.name": "alpha", "loss.alpha": 0.1, "delays.readout": "mean"},
    ],
)
def test_what_belongs_together_is_accepted(changes: dict[str, object]) -> None:
    """Every data set, rule and order has trials."""
    assert "sequences" == replaced(TrialConfig(), BASE | changes).task


@pytest.mark.parametrize(
    ("changes", "classes", "inputs"),
    [
        ({}, 8, 16), ({"sequences.shifts": 2, "sequences.channels": 12}, 4, 12), (RAW_HD, 20, 40),
        ({"sequences.name": "shd"}, 20, 140), ({"sequences.name": "shd", "sequences.pooled": 9}, 20, 78),
    ],
)  # fmt: skip
def test_shapes_follow_from_the_data(changes: dict[str, object], classes: int, inputs: int) -> None:
    """Classes and channels are the task's own, or the catalogue's."""
    chosen = replaced(TrialConfig(), BASE | changes).sequences

    assert (classes, inputs) == (chosen.classes, chosen.inputs)


@pytest.mark.parametrize(
    ("changes", "sizes"),
    [
        ({}, (2048, 512, 2048)),
        ({"sequences.train_samples": 4096, "sequences.test_samples": 80}, (4096, 512, 80)),
        (RAW_HD, (7340, 816, 2264)),
        (RAW_HD | {"sequences.validation_groups": 0, "sequences.validation_samples": 156}, (8000, 156, 2264)),
    ],
)
def test_split_sizes(changes: dict[str, object], sizes: tuple[int, ...]) -> None:
    """Made-up sequences are as many as asked for; of published ones some are held out."""
    assert sizes == tuple(replaced(TrialConfig(), BASE | changes).split_sequences.values())


def test_defaults_are_the_published_ones() -> None:
    """256 neurons, kernel 25, dropout 0.4, L1 0.01, positions at 0.1 by a cosine, dense."""
    delays = DelaysConfig()

    assert (256, 24, 0.4, 0.01, 0.1, "cosine") == (
        delays.hidden, delays.max_delay, delays.dropout, delays.l1, delays.position_lr, delays.position_schedule,
    )  # fmt: skip
    assert ("static", 0.0, True) == (delays.rule, delays.sparsity, delays.learn)


@pytest.mark.parametrize("name", SEQUENCES)
def test_catalogue_agrees_with_itself(name: str) -> None:
    """A data set has sequences to train and to test on, and more than one class."""
    chosen, spec = SequencesConfig(name=name), SEQUENCES[name]

    assert chosen.classes > 1
    assert chosen.inputs > 1
    assert min(spec.train_sequences, spec.test_sequences) > 10 * chosen.classes
