"""What only holds between the sections of a trial; a check raises a ConfigError that names field, value and remedy."""

from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING

from tic_sweep.config.catalogue import DATASETS
from tic_sweep.config.fields import Section, listed
from tic_sweep.errors import ConfigError

if TYPE_CHECKING:
    from tic_sweep.config.trial import TrialConfig

IDLE_FIELDS: dict[str, tuple[str, ...]] = {
    "images": ("toy", "sequences", "delays"),
    "sequences": ("data", "model", "probes", "pruning", "toy", "fisher.estimator", "fisher.draws"),
    "spike_train": (
        "data", "model", "loss", "fisher", "probes", "pruning", "optimiser.lr", "optimiser.schedule",
        "optimiser.batch_size", "optimiser.epochs", "toy.width", "toy.samples", "sequences", "delays",
    ),
    "xor": (
        "data", "model", "loss", "fisher", "probes", "pruning", "optimiser.lr", "optimiser.schedule",
        "optimiser.batch_size", "optimiser.epochs", "toy.inputs", "toy.input_rate", "toy.target_rate",
        "sequences", "delays",
    ),
}  # fmt: skip
"""Sections and fields that a task does not read: they stay at their defaults, lest a table show what had no effect."""


def check_idle(config: "TrialConfig") -> None:
    """Refuse fields that the trial's task does not read and that are not at their defaults."""
    for path in IDLE_FIELDS[config.task]:
        section, _, name = path.partition(".")
        chosen = getattr(config, section)
        for idle in [name] if name else [f.name for f in fields(chosen)]:
            value, default = getattr(chosen, idle), getattr(_default(type(chosen)), idle)
            if value != default:
                raise ConfigError(
                    f"{section}.{idle} has no effect on task {config.task}: leave it at {default!r}, got {value!r}."
                )


@cache
def _default(section: type[Section]) -> Section:
    """Return a section at its defaults, made once: a plan checks thousands of trials."""
    return section()


def check_sizes(config: "TrialConfig") -> None:
    """Refuse images and samples that the data set does not have."""
    spec, data, sizes = DATASETS[config.data.name], config.data, config.split_images
    if data.image_size > spec.size:
        raise ConfigError(
            f"data.image_size must be at most {spec.size} pixels for {data.name} (images are pooled, never enlarged), "
            f"got {data.image_size}."
        )
    for name in ("train_samples", "validation_samples", "test_samples"):
        asked = getattr(data, name)
        held = spec.test_images if name == "test_samples" else spec.train_images
        if asked > held:
            raise ConfigError(f"data.{name} must be at most {held} for {data.name}, got {asked}.")
        if 0 < asked < spec.classes:
            raise ConfigError(f"data.{name} must be 0 or at least one image per class ({spec.classes}), got {asked}.")
    left = spec.train_images - sizes["validation"]
    if left < spec.classes:
        raise ConfigError(
            f"data.validation_samples must leave training images: {data.name} has {spec.train_images}, got "
            f"{data.validation_samples}."
        )
    if data.train_samples > left:
        raise ConfigError(
            f"data.train_samples must be at most {left} for {data.name} next to {sizes['validation']} validation "
            f"images, got {data.train_samples}."
        )


def check_measured(config: "TrialConfig") -> None:
    """Refuse measurements on more images than their split has, and probes that measure nothing."""
    fisher, probes, sizes = config.fisher, config.probes, config.split_images
    for name, asked, split, used in (
        ("fisher.samples", fisher.samples, fisher.split, fisher.every),
        ("probes.dynamics_samples", probes.dynamics_samples, "train", probes.dynamics_every),
        ("probes.test_images", probes.test_images, "test", True),
    ):
        if used and asked > sizes[split]:
            raise ConfigError(f"{name} must be at most the {sizes[split]} images of the {split} split, got {asked}.")
    if probes.robustness_epochs and not probes.strengths:
        raise ConfigError(
            f"probes.strengths must name at least one multiple when probes.robustness_epochs is "
            f"{probes.robustness_epochs!r}, got ''."
        )


def check_times(config: "TrialConfig") -> None:
    """Refuse epochs and timesteps that the trial never reaches, and probes that its coding has no meaning for."""
    probes, pruning, last = config.probes, config.pruning, config.last_epoch
    for name, text in (("deficit_epochs", probes.deficit_epochs), ("robustness_epochs", probes.robustness_epochs)):
        if text and max(listed(text)) > last:
            raise ConfigError(f"probes.{name} must be at most {last}, the trial's last epoch, got {text!r}.")
        if text and config.data.coding != "direct":
            raise ConfigError(
                f"probes.{name} must be empty for data.coding {config.data.coding} (probes disturb analogue "
                f"images), got {text!r}."
            )
    if probes.deficit_epochs and probes.deficit_window > config.timesteps:
        raise ConfigError(
            f"probes.deficit_window must be at most timesteps = {config.timesteps}, got {probes.deficit_window}."
        )
    if pruning.timesteps > config.timesteps:
        raise ConfigError(f"pruning.timesteps must be at most timesteps = {config.timesteps}, got {pruning.timesteps}.")
    if pruning.rewind_epoch > config.optimiser.epochs:
        raise ConfigError(
            f"pruning.rewind_epoch must be at most optimiser.epochs = {config.optimiser.epochs}, got "
            f"{pruning.rewind_epoch}."
        )
    if pruning.suggest and not config.fisher.every:
        raise ConfigError("pruning.suggest must be false when fisher.every is 0 (there is no Fisher trace), got True.")
