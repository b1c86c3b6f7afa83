"""Cyclic sweeps: a made-up task on which delays provably matter. Shapes: N samples, T timesteps, I channels, C classes.

Every channel spikes once, one after the other, upwards or downwards, starting at one of a few channels; the class is
the start and the direction, and the first spike comes at a random timestep. With I channels, step s and shift k:

    lag of channel i    s·((i + k) mod I)    upwards,    s·(I - 1 - (i + k) mod I)    downwards

Spikes are then deleted, and spikes of noise added, independently of everything. The lags of every class are the same
numbers in another order. So spikes per channel, spikes per timestep, and the patterns seen at single timesteps, taken
together, follow the same law for every class: a network without delays and without memory that sums its outputs over
time is exactly at chance, however it is trained. With delays (I - 1)·s - lag all I spikes of a class meet in one
timestep, so that one unit for each class solves the task (`oracle_scores`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import conv1d, one_hot, pad

from tic_sweep.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class CyclicSweeps:
    """The task's numbers; there are two classes for each shift, and the longest lag is ``(channels - 1)·step``."""

    channels: int = 16
    timesteps: int = 40
    shifts: int = 4
    step: int = 1
    deletion: float = 0.1
    """Probability that a spike of the sweep is missing."""
    noise: float = 0.02
    """Probability of a spike of noise, per channel and timestep."""

    def __post_init__(self) -> None:
        """Refuse numbers that make no task.

        Raises:
            DataError: naming the field, its value and what is accepted.
        """
        if self.step < 1:
            raise DataError(f"step must be at least 1 timestep, got {self.step}.")
        if self.shifts < 1 or self.channels % self.shifts or self.channels < 2 * self.shifts:
            raise DataError(
                f"shifts must divide channels = {self.channels} into equal parts of two or more, got {self.shifts}."
            )
        if self.timesteps <= self.longest_lag:
            raise DataError(
                f"timesteps must be greater than (channels - 1)·step = {self.longest_lag}, got {self.timesteps}."
            )
        for name, value in (("deletion", self.deletion), ("noise", self.noise)):
            if not 0 <= value < 1:
                raise DataError(f"{name} must be a probability below 1, got {value}.")

    @property
    def classes(self) -> int:
        """C: two directions for each shift."""
        return 2 * self.shifts

    @property
    def longest_lag(self) -> int:
        """Timesteps from the first spike of a sweep to the last; delays up to this solve the task."""
        return (self.channels - 1) * self.step

    def lags(self) -> Tensor:
        """Return the timestep, from the sweep's first, of each channel's spike [C, I], int64; class 2·shift + down."""
        place_I = torch.arange(self.channels)
        starts = [j * self.channels // self.shifts for j in range(self.shifts)]
        order_SI = torch.stack([(place_I + start) % self.channels for start in starts])
        both_SDI = torch.stack([order_SI, self.channels - 1 - order_SI], dim=1)
        return self.step * both_SDI.flatten(0, 1)

    def draw(self, samples: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return spikes [N, T, I] in float32, 0 or 1, and labels [N] in int64, each class as often, in random order."""
        labels_N = (torch.arange(samples) % self.classes)[torch.randperm(samples, generator=generator)]
        onset_N = torch.randint(self.timesteps - self.longest_lag, (samples,), generator=generator)
        moment_NI = onset_N[:, None] + self.lags()[labels_N]
        shape = (samples, self.timesteps, self.channels)
        kept_N1I = torch.rand((samples, 1, self.channels), generator=generator) >= self.deletion
        noise_NTI = torch.rand(shape, generator=generator) < self.noise
        sweep_NTI = one_hot(moment_NI, self.timesteps).transpose(1, 2).bool()
        return (sweep_NTI & kept_N1I | noise_NTI).float(), labels_N


def oracle_delays(task: CyclicSweeps) -> Tensor:
    """Return the delays [C, I], int64, that bring all spikes of a class together at its last spike's timestep."""
    return task.longest_lag - task.lags()


def oracle_kernel(task: CyclicSweeps) -> Tensor:
    """Return the oracle's kernel [C, I, longest_lag + 1], tap i being the delay longest_lag - i, of weights 1 / I."""
    return one_hot(task.longest_lag - oracle_delays(task), task.longest_lag + 1).float() / task.channels


def oracle_scores(spikes_NTI: Tensor, task: CyclicSweeps) -> Tensor:
    """Return [N, C]: the largest share of a class's spikes that ever met in one timestep; its argmax is the answer."""
    padded_NIT = pad(spikes_NTI.transpose(1, 2), (task.longest_lag, 0))
    return conv1d(padded_NIT, oracle_kernel(task)).amax(-1)
