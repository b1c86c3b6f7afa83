"""The key of a trial: same science, same key, on any machine, in any version."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tic_sweep.config import (
    NeuronConfig,
    TrialConfig,
    field_rules,
    flatten,
    from_dict,
    replaced,
    short_path,
    to_dict,
    trial_key,
)
from tic_sweep.config.fields import Rule

DEFAULTS: dict[str, Any] = {
    "data.name": "cifar10",
    "data.train_samples": 0,
    "data.validation_samples": 0,
    "data.test_samples": 0,
    "data.split_seed": 0,
    "data.image_size": 0,
    "data.augmentation": "crop_flip",
    "data.coding": "direct",
    "model.name": "resnet19",
    "model.width": 1.0,
    "model.norm": "batch",
    "model.readout": "mean",
    "neuron.tau": 2.0,
    "neuron.v_threshold": 1.0,
    "neuron.reset": "hard",
    "neuron.reset_gradient": 0.0,
    "neuron.temporal_gradient": True,
    "neuron.surrogate": "arctan",
    "neuron.surrogate_width": 1.0,
    "neuron.surrogate_unit_peak": False,
    "optimiser.name": "sgd",
    "optimiser.lr": 0.3,
    "optimiser.momentum": 0.9,
    "optimiser.weight_decay": 0.0005,
    "optimiser.schedule": "cosine",
    "optimiser.batch_size": 128,
    "optimiser.epochs": 300,
    "loss.name": "cross_entropy",
    "loss.alpha": 0.0,
    "fisher.kind": "empirical",
    "fisher.estimator": "exact",
    "fisher.draws": 1,
    "fisher.every": 1,
    "fisher.samples": 1000,
    "fisher.split": "train",
    "fisher.detail": "model",
    "fisher.ic_se": 0.0,
    "fisher.until_turned": False,
    "probes.dynamics_every": 0,
    "probes.dynamics_samples": 64,
    "probes.test_images": 0,
    "probes.deficit_epochs": "",
    "probes.deficit_window": 3,
    "probes.deficit_strength": 0.5,
    "probes.robustness_epochs": "",
    "probes.strengths": "1",
    "probes.gaussian_strength": 0.5,
    "probes.blur_factor": 2.0,
    "probes.fgsm_eps": 8 / 255,
    "probes.pgd_eps": 8 / 255,
    "probes.pgd_step": 4 / 255,
    "probes.pgd_steps": 10,
    "probes.pgd_random_start": True,
    "pruning.cycles": 0,
    "pruning.share": 0.5,
    "pruning.epochs": 60,
    "pruning.timesteps": 0,
    "pruning.suggest": False,
    "pruning.lr_factor": 1.0,
    "pruning.weights": "continue",
    "pruning.rewind_epoch": 0,
    "toy.tau_synapse": 2.0,
    "toy.inputs": 100,
    "toy.input_rate": 0.1,
    "toy.target_rate": 0.05,
    "toy.width": 1.0,
    "toy.samples": 64,
    "toy.problems": 40,
    "toy.updates": 200,
    "toy.lr_low": 0.001,
    "toy.lr_high": 0.1,
    "toy.lr_count": 17,
    "sequences.name": "cyclic_sweeps",
    "sequences.train_samples": 0,
    "sequences.validation_samples": 0,
    "sequences.test_samples": 0,
    "sequences.validation_groups": 1,
    "sequences.split_seed": 0,
    "sequences.channels": 16,
    "sequences.shifts": 4,
    "sequences.step": 1,
    "sequences.deletion": 0.1,
    "sequences.noise": 0.02,
    "sequences.labels": "stored",
    "sequences.scaling": "published",
    "sequences.bin_ms": 10.0,
    "sequences.pooled": 5,
    "delays.hidden": 256,
    "delays.max_delay": 24,
    "delays.learn": True,
    "delays.position_lr": 0.1,
    "delays.position_schedule": "cosine",
    "delays.interpolation": "gauss",
    "delays.sigma_start": 0.0,
    "delays.sigma_share": 0.25,
    "delays.order": "published",
    "delays.readout": "softmax_sum",
    "delays.readout_tau": 0.0,
    "delays.dropout": 0.4,
    "delays.rule": "static",
    "delays.sparsity": 0.0,
    "delays.budget": "layer",
    "delays.regrow": "neg_grad",
    "delays.signs": "presynaptic",
    "delays.rewire_every": 1,
    "delays.exchange_share": 0.3,
    "delays.exchange_until": 0.75,
    "delays.temperature": 0.0,
    "delays.l1": 0.01,
    "delays.backend": "auto",
    "delays.field_epochs": "",
    "task": "images",
    "timesteps": 10,
    "seed": 0,
}

FROZEN: dict[str, dict[str, Any]] = {
    "default": {},
    "digits": {"data.name": "digits", "model.name": "small_conv", "timesteps": 8, "optimiser.lr": 0.1},
    "third": {"neuron.tau": 4 / 3, "seed": 2},
}


OTHERS = {
    "data.image_size": 16,
    "optimiser.momentum": 0.5,
    "probes.deficit_epochs": "1",
    "probes.robustness_epochs": "1,300",
    "probes.strengths": "0.5,1",
    "probes.fgsm_eps": 0.1,
    "probes.pgd_eps": 0.1,
    "probes.pgd_step": 0.1,
    "pruning.share": 0.25,
    "toy.input_rate": 0.2,
    "toy.target_rate": 0.2,
    "toy.lr_low": 0.01,
    **{f"sequences.{split}_samples": 1500 for split in ("train", "validation", "test")},
    "sequences.channels": 20,
    "sequences.shifts": 8,
    "sequences.deletion": 0.2,
    "sequences.noise": 0.2,
    "delays.sigma_share": 0.5,
    "delays.dropout": 0.5,
    "delays.sparsity": 0.5,
    "delays.rule": "deepr",
    "delays.exchange_share": 0.5,
    "delays.exchange_until": 0.5,
}
READ_BY = {"toy.width": "xor", "toy.samples": "xor"}
"""The task that reads a field, where it is not the first that reads its section."""
SPARSE = {"delays.sparsity": 0.5}
NEXT_TO = {
    "loss.alpha": {"loss.name": "alpha"},
    "fisher.draws": {"fisher.estimator": "projections"},
    "pruning.rewind_epoch": {"pruning.weights": "rewind"},
    **{f"sequences.{name}": {"sequences.name": "raw_hd"} for name in ("validation_groups", "labels", "scaling")},
    **{f"sequences.{name}": {"sequences.name": "shd"} for name in ("bin_ms", "pooled")},
    "delays.rule": SPARSE,
    "delays.budget": SPARSE,
    **{f"delays.{n}": SPARSE | {"delays.rule": "deepr"} for n in ("regrow", "signs", "rewire_every", "temperature")},
    **{
        f"delays.exchange_{name}": SPARSE | {"delays.rule": "rigl", "delays.regrow": "abs_grad"}
        for name in ("share", "until")
    },
}
"""Values next to which alone a field may differ from its default."""


def other(path: str, rule: Rule) -> object:
    """Return an accepted value that is not the default."""
    default = DEFAULTS[path]
    if path in OTHERS:
        return OTHERS[path]
    if path.startswith("data.") and path.endswith("_samples"):
        return 2000
    if rule.options:
        return next(option for option in rule.options if option != default)
    if rule.type is bool:
        return not default
    return default + 1 if default or path == "seed" else 1


def test_defaults_are_frozen() -> None:
    """A default never changes: keys hold what differs from it, so that old trials would pass for what they were not."""
    assert flatten(TrialConfig()) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "key"), [("default", "01e7b720ff566d53"), ("digits", "31c3d48e835086eb"), ("third", "5d51dc235f946e07")]
)
def test_keys_are_frozen(name: str, key: str) -> None:
    """Results of different versions compare only if the same trial has the same key."""
    assert key == trial_key(replaced(TrialConfig(), FROZEN[name]))


@pytest.mark.parametrize(("path", "rule"), field_rules().items())
def test_every_field_is_part_of_the_key(path: str, rule: Rule) -> None:
    """Two trials that differ in any field have different keys."""
    section = path.partition(".")[0]
    tasks = {"toy": "spike_train", "sequences": "sequences", "delays": "sequences"}
    base = replaced(
        TrialConfig(),
        {"task": READ_BY.get(path, tasks.get(section, "images")), "timesteps": 40, **NEXT_TO.get(path, {})},
    )

    assert trial_key(base) != trial_key(replaced(base, {path: other(path, rule)}))


def test_the_key_ignores_how_a_value_was_written() -> None:
    """An int and the equal float are one trial."""
    assert trial_key(TrialConfig(neuron=NeuronConfig(tau=4))) == trial_key(TrialConfig(neuron=NeuronConfig(tau=4.0)))


@given(st.permutations(list(FROZEN["digits"].items())))
def test_the_key_ignores_how_a_config_was_built(changes: list[tuple[str, Any]]) -> None:
    """The order of changes, spelt-out defaults, and a trip through JSON leave the key as it is."""
    expected = trial_key(replaced(TrialConfig(), FROZEN["digits"]))
    config = TrialConfig()
    for path, value in changes:
        config = replaced(config, {path: value})

    assert expected == trial_key(config)
    assert expected == trial_key(replaced(TrialConfig(), flatten(config)))
    assert expected == trial_key(from_dict(json.loads(json.dumps(to_dict(config)))))


def test_the_key_is_the_same_in_another_process() -> None:
    """Nothing of a process, such as the seed of its hashes, enters the key."""
    code = f"""
from tic_sweep.config import TrialConfig, replaced, trial_key
print(trial_key(replaced(TrialConfig(), {FROZEN["third"]!r})))
"""
    keys = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip

    assert {trial_key(replaced(TrialConfig(), FROZEN["third"]))} == keys


@pytest.mark.parametrize(
    ("path", "name"),
    [("optimiser.lr", "lr"), ("data.name", "data.name"), ("pruning.timesteps", "pruning.timesteps"),
     ("timesteps", "timesteps"), ("neuron.tau", "tau"), ("variant", "variant")],
)  # fmt: skip
def test_short_paths_tell_fields_apart(path: str, name: str) -> None:
    """A field goes by its last word where no other field has it."""
    assert name == short_path(path)
    assert len({short_path(path) for path in field_rules()}) == len(field_rules())
