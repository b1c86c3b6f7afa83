"""How images meet a network: pixels become its input."""

from dataclasses import dataclass

import torch
from torch import Tensor

from tic_sweep.config import TrialConfig
from tic_sweep.snn import normalised, poisson_spikes


@dataclass(frozen=True, slots=True)
class Presentation:
    """The fixed way from pixels to a network's input: coding, and normalisation by ``mean_C`` and ``std_C``.

    Poisson spikes are normalised like pixels, so that their mean over time is the direct input.
    """

    config: TrialConfig
    mean_C: Tensor
    std_C: Tensor

    def __call__(self, pixels_NCHW: Tensor, generator: torch.Generator, timesteps: int | None = None) -> Tensor:
        """Return [N, C, H, W] for direct coding, [T, N, C, H, W] for Poisson coding (drawn from ``generator``).

        T is the trial's, unless another is given.
        """
        if self.config.data.coding == "poisson":
            pixels_NCHW = poisson_spikes(pixels_NCHW, timesteps or self.config.timesteps, generator)
        return normalised(pixels_NCHW, self.mean_C, self.std_C)
