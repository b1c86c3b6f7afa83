"""Input coding and readout: from pixels to currents over time, and from outputs over time to logits at each horizon."""

import torch
from torch import Tensor


def normalised(pixels: Tensor, mean_C: Tensor, std_C: Tensor) -> Tensor:
    """Return ``(pixels - mean) / std`` per channel, for [..., C, H, W] in pixel scale [0, 1]."""
    return (pixels - mean_C[:, None, None]) / std_C[:, None, None]


def poisson_spikes(pixels_NCHW: Tensor, timesteps: int, generator: torch.Generator) -> Tensor:
    """Return [T, N, C, H, W] independent Bernoulli spikes whose rate at each t is the pixel's value in [0, 1].

    Drawn by the (CPU) generator whatever the images' device, so that a trial's input does not depend on it.
    """
    drawn = torch.rand((timesteps, *pixels_NCHW.shape), generator=generator)
    return (drawn.to(pixels_NCHW.device) < pixels_NCHW).to(pixels_NCHW.dtype)


def horizon_logits(outputs_TNK: Tensor, readout: str) -> Tensor:
    """Return the logits [T, N, K] at every horizon t, which use the outputs of timesteps 1..t.

    ``sum`` accumulates them, as the paper's text says; ``mean`` divides by t, as its code does. The choice scales I_t
    by t² and so moves the information centroid. ``softmax_sum`` accumulates their softmax over the classes, as networks
    with delays are published: logits in 0..t.
    """
    if readout == "softmax_sum":
        return outputs_TNK.softmax(-1).cumsum(0)
    summed_TNK = outputs_TNK.cumsum(0)
    if readout == "sum":
        return summed_TNK
    t_T = torch.arange(1, len(outputs_TNK) + 1, device=outputs_TNK.device, dtype=outputs_TNK.dtype)
    return summed_TNK / t_T[:, None, None]
