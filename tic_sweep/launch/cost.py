"""What a plan will cost: measured on this machine with a few samples, then extrapolated in proportion."""

from collections.abc import Sequence
from dataclasses import dataclass

from tic_sweep.config import EPOCH_TASKS, Resources, TrialConfig, listed
from tic_sweep.training import is_due, seconds_per_image, seconds_per_sequence, toy_seconds

PROBES = 8
"""Different kinds of trial measured at most; further ones are taken to cost the mean of these."""
EVALUATION = 1 / 3
"""An evaluation is the forward third of a training step."""


@dataclass(frozen=True, slots=True)
class Cost:
    """An estimate: seconds of work, all trials one after the other, and how many kinds of trial were measured."""

    seconds: float
    kinds: int
    measured: int


def estimate(configs: Sequence[TrialConfig], resources: Resources) -> Cost:
    """Estimate the seconds of work in some trials; each kind of trial is measured once, up to `PROBES` of them.

    Of more kinds, those measured are spread evenly over the plan, whose first trials may all have the same network.
    """
    kinds: dict[tuple[object, ...], list[TrialConfig]] = {}
    for config in configs:
        kinds.setdefault(_kind(config), []).append(config)
    groups, count = list(kinds.values()), min(len(kinds), PROBES)
    chosen = [groups[i * len(groups) // count] for i in range(count)]
    measured = [_seconds(trials, resources) for trials in chosen]
    counted = sum(len(trials) for trials in chosen)
    return Cost(sum(measured) * len(configs) / max(counted, 1), len(kinds), len(measured))


def _seconds(trials: Sequence[TrialConfig], resources: Resources) -> float:
    if trials[0].task not in EPOCH_TASKS:
        return toy_seconds(trials[0], resources) * len(trials)
    measured, passes = (seconds_per_image, _image_passes)
    if trials[0].task == "sequences":
        measured, passes = (seconds_per_sequence, _sequence_passes)
    train, fisher = measured(trials[0], resources)
    return sum(train * passes(config) + fisher * _samples_measured(config) for config in trials)


def _image_passes(config: TrialConfig) -> float:
    """Return how many training steps of one image a trial amounts to, apart from its Fisher measurements."""
    sizes, pruning = config.split_images, config.pruning
    retraining = (pruning.timesteps or config.timesteps) / config.timesteps
    trained = config.optimiser.epochs + retraining * pruning.cycles * pruning.epochs
    tests = 2 + (pruning.cycles + 1 if pruning.cycles else 0)
    evaluated = (config.last_epoch + 1) * sizes["validation"] + tests * sizes["test"]
    return trained * sizes["train"] + EVALUATION * evaluated + _probe_passes(config)


def _sequence_passes(config: TrialConfig) -> float:
    """Return how many training steps of one sequence a trial amounts to, apart from its Fisher measurements.

    After every epoch the validation split is looked at, again where delays are learnt, and the test split; two more
    tests end the trial.
    """
    sizes, epochs = config.split_sequences, config.optimiser.epochs
    looked_at = (1 + config.delays.learn) * sizes["validation"] + sizes["test"]
    return epochs * sizes["train"] + EVALUATION * ((epochs + 1) * looked_at + 2 * sizes["test"])


def _probe_passes(config: TrialConfig) -> float:
    """Return the same for dynamics, deficits and robustness; a step of an attack costs as much as one of training."""
    probes = config.probes
    images = probes.test_images or config.split_images["test"]
    windows = config.timesteps - probes.deficit_window + 1
    attacks = EVALUATION + len(listed(probes.strengths)) * (4 * EVALUATION + 1 + probes.pgd_steps)
    return (
        _measurements(config, probes.dynamics_every) * probes.dynamics_samples
        + len(listed(probes.deficit_epochs)) * images * EVALUATION * (windows + 1)
        + len(listed(probes.robustness_epochs)) * images * attacks
    )


def _samples_measured(config: TrialConfig) -> int:
    return _measurements(config, config.fisher.every) * config.fisher.samples


def _measurements(config: TrialConfig, every: int) -> int:
    """Return how often something is measured that is due every few epochs, the untrained network included."""
    return sum(is_due(config, every, epoch) for epoch in range(config.last_epoch + 1))


def _kind(config: TrialConfig) -> tuple[object, ...]:
    """Return what decides the cost of an image or a sequence, or of a toy trial."""
    if config.task == "sequences":
        return (
            config.sequences.inputs, config.sequences.classes, config.timesteps, config.delays, config.fisher.kind,
            config.optimiser.batch_size, config.neuron.temporal_gradient,
        )  # fmt: skip
    if config.task not in EPOCH_TASKS:
        return (config.task, config.toy, config.timesteps, config.optimiser.name)
    return (
        config.data.name, config.data.image_size, config.data.coding, config.model, config.timesteps,
        config.optimiser.batch_size, config.neuron.temporal_gradient, config.fisher.kind, config.fisher.detail,
    )  # fmt: skip
