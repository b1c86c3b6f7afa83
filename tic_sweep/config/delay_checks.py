"""What only holds between sections of a trial of task ``sequences``; a ConfigError names field, value and remedy."""

from typing import TYPE_CHECKING

from tic_sweep.config.catalogue import SEQUENCES
from tic_sweep.config.fields import listed
from tic_sweep.errors import ConfigError

if TYPE_CHECKING:
    from tic_sweep.config.trial import TrialConfig


def check_sequences(config: "TrialConfig") -> None:
    """Refuse shapes that make no task, and sequences that the data set does not have."""
    chosen, spec = config.sequences, SEQUENCES[config.sequences.name]
    if chosen.name == "cyclic_sweeps":
        _check_cyclic(config)
    if spec.timesteps and config.timesteps > spec.timesteps:
        raise ConfigError(f"timesteps must be at most {spec.timesteps} for {chosen.name}, got {config.timesteps}.")
    if spec.groups and chosen.validation_groups >= spec.groups:
        raise ConfigError(
            f"sequences.validation_groups must be below the {spec.groups} speakers of {chosen.name}, got "
            f"{chosen.validation_groups}."
        )
    for name in ("train_samples", "validation_samples", "test_samples"):
        asked = getattr(chosen, name)
        held = spec.test_sequences if name == "test_samples" else spec.train_sequences
        if spec.classes and asked > held:
            raise ConfigError(f"sequences.{name} must be at most {held} for {chosen.name}, got {asked}.")
        if 0 < asked < chosen.classes:
            raise ConfigError(
                f"sequences.{name} must be 0 or at least one of each class ({chosen.classes}), got {asked}."
            )
    _check_measured(config)


def check_delays(config: "TrialConfig") -> None:
    """Refuse delays beyond the sequence, neurons that the published order has not, and epochs never reached."""
    delays, neuron, epochs = config.delays, config.neuron, config.optimiser.epochs
    if delays.max_delay >= config.timesteps:
        raise ConfigError(
            f"delays.max_delay must be below timesteps = {config.timesteps} (what comes later is never seen), got "
            f"{delays.max_delay}."
        )
    if delays.order == "published" and (neuron.reset != "hard" or neuron.reset_gradient):
        name, value = ("reset", neuron.reset) if neuron.reset != "hard" else ("reset_gradient", neuron.reset_gradient)
        raise ConfigError(
            f"neuron.{name} must be {'hard' if name == 'reset' else 0} when delays.order is published, got {value!r}: "
            f"choose delays.order charge_first."
        )
    if delays.field_epochs and max(listed(delays.field_epochs)) > epochs:
        raise ConfigError(
            f"delays.field_epochs must be at most {epochs}, the trial's last epoch, got {delays.field_epochs!r}."
        )


def _check_cyclic(config: "TrialConfig") -> None:
    chosen = config.sequences
    longest = (chosen.channels - 1) * chosen.step
    if chosen.channels % chosen.shifts or chosen.channels < 2 * chosen.shifts:
        raise ConfigError(
            f"sequences.shifts must divide sequences.channels = {chosen.channels} into equal parts of two or more, got "
            f"{chosen.shifts}."
        )
    if config.timesteps <= longest:
        raise ConfigError(
            f"timesteps must be greater than {longest}, the longest lag of these cyclic sweeps, got {config.timesteps}."
        )


def _check_measured(config: "TrialConfig") -> None:
    """Refuse Fisher traces on more sequences than are known to be there."""
    fisher = config.fisher
    if not fisher.every:
        return
    sizes = config.split_sequences
    if fisher.samples > sizes[fisher.split] and not config.sequences.holds_out_groups:
        raise ConfigError(
            f"fisher.samples must be at most the {sizes[fisher.split]} sequences of the {fisher.split} split, got "
            f"{fisher.samples}."
        )
