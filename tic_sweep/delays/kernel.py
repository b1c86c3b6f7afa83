"""Kernels of synapses with delays (Khalfaoui-Hassani et al. 2023). Shapes: O outputs, I inputs, K = max_delay + 1 taps.

A synapse has a weight w and a position P in [-c, c], c = max_delay / 2; in the kernel it lies at p = P + c in 0..K-1.
The kernel is w·X(i), i = 0..K-1, where X is 1 spread over the taps near p by one of four interpolations:

    gauss      exp(-½ ((i - p) / (|σ| + 0.27))²)     normalised over i
    max        relu(1 + |σ| - |i - p|)               normalised
    triangle   relu(1 - |i - p|)                     normalised
    linear     1 - r at ⌊p⌋ and r at ⌊p⌋ + 1, r = p - ⌊p⌋

``triangle`` and ``linear`` are the same numbers and differ in their gradient where p is an integer: ``triangle`` has
none there, ``linear`` that from above. The layer's output is a cross-correlation, y[t] = Σ_i K[i]·x[t - (K - 1) + i],
so that tap i is the delay K - 1 - i and a synapse's delay is c - P: P = c is none, P = -c is max_delay.
"""

from collections.abc import Callable

import torch
from torch import Tensor

SMALLEST_SUM = 1e-7
"""Added to the sum that an interpolation is divided by, as published."""
NARROWEST = 0.27
"""Added to σ under ``gauss``."""


def _gauss(distance_OIK: Tensor, sigma: float) -> Tensor:
    return torch.exp(-0.5 * (distance_OIK / (abs(sigma) + NARROWEST)).square())


def _max(distance_OIK: Tensor, sigma: float) -> Tensor:
    return torch.relu(1 + abs(sigma) - distance_OIK.abs())


def _triangle(distance_OIK: Tensor, sigma: float) -> Tensor:  # noqa: ARG001 - one signature for all
    return torch.relu(1 - distance_OIK.abs())


_NORMALISED: dict[str, Callable[[Tensor, float], Tensor]] = {"gauss": _gauss, "max": _max, "triangle": _triangle}

INTERPOLATIONS: tuple[str, ...] = (*_NORMALISED, "linear")


def interpolated(position_OI: Tensor, max_delay: int, kind: str, sigma: float) -> Tensor:
    """Return X [O, I, K]: 1 spread over the taps near each position.

    Args:
        position_OI: P, in [-max_delay / 2, max_delay / 2].
        max_delay: the longest delay, in timesteps.
        kind: one of `INTERPOLATIONS`.
        sigma: width of ``gauss`` and ``max``, in timesteps.

    Raises:
        ValueError: for an unknown kind.
    """
    place_OI1 = (position_OI + max_delay / 2)[..., None]
    taps_K = torch.arange(max_delay + 1, device=position_OI.device, dtype=position_OI.dtype)
    if kind == "linear":
        below_OI1 = place_OI1.detach().floor()
        above_OI1 = place_OI1 - below_OI1
        return (taps_K == below_OI1) * (1 - above_OI1) + (taps_K == below_OI1 + 1) * above_OI1
    if kind not in _NORMALISED:
        raise ValueError(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, got {kind!r}.")
    spread_OIK = _NORMALISED[kind](taps_K - place_OI1, sigma)
    return spread_OIK / (spread_OIK.sum(-1, keepdim=True) + SMALLEST_SUM)


def soft_kernel(weight_OI: Tensor, position_OI: Tensor, max_delay: int, kind: str, sigma: float) -> Tensor:
    """Return the kernel w·X [O, I, K], through which weights and positions have gradients."""
    return weight_OI[..., None] * interpolated(position_OI, max_delay, kind, sigma)


def hard_kernel(weight_OI: Tensor, position_OI: Tensor, max_delay: int) -> Tensor:
    """Return the kernel [O, I, K] with every weight whole at its nearest tap; positions have no gradient here."""
    tap_OI = max_delay - integer_delays(position_OI, max_delay)
    taps_K = torch.arange(max_delay + 1, device=position_OI.device)
    return weight_OI[..., None] * (taps_K == tap_OI[..., None])


def integer_delays(position_OI: Tensor, max_delay: int) -> Tensor:
    """Return each synapse's nearest whole delay [O, I], int64, in timesteps 0..max_delay."""
    return max_delay - (position_OI.detach() + max_delay / 2).round().long()
