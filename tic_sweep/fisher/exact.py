"""Squared norms of per-sample gradients, exactly, horizon by horizon, by the cheaper of two identities.

Shapes: T timesteps, N samples, P output pixels, L = P pixels of each timestep up to the horizon, D output channels, K
weights per output channel, C channels of a norm.
"""

import torch
from torch import Tensor, nn

from tic_sweep.fisher.grams import channels_last, columns, gram, has_shifts

SHIFTED = 30
"""Multiplications that the shifts of a Gram matrix take the time of, for each of its elements."""


class Exact:
    """The rule by which gradients [N, ...] become squared norms [N], one unit for each sample."""

    def units(self, samples: int) -> int:
        """Return the number of units: every sample is one."""
        return samples

    def of_vectors(self, grad_NC: Tensor) -> Tensor:
        """Return ‖grad_n‖² [N] of parameters whose gradient is at hand."""
        return grad_NC.square().sum(1)

    def of_weight(self, module: nn.Conv2d | nn.Linear, a_TN: Tensor, horizons: int, mask: Tensor | None) -> "WeightRule":
        """Return what turns gradients behind a layer into the squared norms of its weight's gradients.

        Args:
            module: the layer.
            a_TN: its input, [T, N, C, H, W] or [T, N, K]; T is 1 where all horizons share a timestep.
            horizons: at how many horizons it will be asked.
            mask: of the weight, true where it is a parameter; None is everywhere.
        """
        if mask is not None:
            return Direct(module, a_TN, channels_last(mask))
        cheaper = gram_is_cheaper(module, a_TN, horizons)
        return Gram(module, a_TN) if cheaper else Direct(module, a_TN, None)

    def bytes_per_sample(self, module: nn.Conv2d | nn.Linear, a_TN: Tensor, horizons: int) -> int:
        """Return what a rule keeps for each sample, about."""
        timesteps, pixels = len(a_TN), output_pixels(module, a_TN)
        d, k = len(module.weight), module.weight[0].numel()
        kept = max(timesteps * pixels * k + d * k, timesteps * (timesteps + 3) * pixels**2 // 2)
        return (kept + 2 * timesteps * pixels * d) * a_TN.element_size()


class WeightRule:
    """Squared norms of the weight's gradients from g [N, L, D], the gradients behind the layer at one horizon."""

    def __call__(self, g_NLD: Tensor) -> Tensor:
        """Return ‖G_n‖², one for each unit."""
        raise NotImplementedError


class Direct(WeightRule):
    """‖gᵀa‖², with the gradient laid open: all there is where weights are left out."""

    def __init__(self, module: nn.Conv2d | nn.Linear, a_TN: Tensor, mask_DK: Tensor | None) -> None:
        self._columns_NLK = columns(module, a_TN)
        self._mask_DK = mask_DK

    def __call__(self, g_NLD: Tensor) -> Tensor:
        grad_NDK = g_NLD.mT @ self._columns_NLK[:, : g_NLD.shape[1]]
        if self._mask_DK is not None:
            grad_NDK *= self._mask_DK
        return squared(grad_NDK)


class Gram(WeightRule):
    """Σ_s ⟨g_s, Σ_s' M_ss' g_s'⟩ over pairs of timesteps s' ≤ s."""

    def __init__(self, module: nn.Conv2d | nn.Linear, a_TN: Tensor) -> None:
        self._rows = gram(module, a_TN)

    def __call__(self, g_NLD: Tensor) -> Tensor:
        pixels = self._rows[0].shape[1]
        total_N = torch.zeros(len(g_NLD), dtype=accumulated(g_NLD), device=g_NLD.device)
        for s in range(g_NLD.shape[1] // pixels):
            end = (s + 1) * pixels
            met_NPD = self._rows[s] @ g_NLD[:, :end]
            total_N += met_NPD.mul_(g_NLD[:, end - pixels : end]).sum((1, 2), dtype=total_N.dtype)
        return total_N


def gram_is_cheaper(module: nn.Conv2d | nn.Linear, a_TN: Tensor, horizons: int) -> bool:
    """Compare the multiplications of both identities over all horizons."""
    timesteps, pixels = len(a_TN), output_pixels(module, a_TN)
    d, k = len(module.weight), module.weight[0].numel()
    if timesteps == 1:
        return pixels * (horizons * d + k) < horizons * d * k
    steps = timesteps * (timesteps + 1) // 2  # Σ_t t: the rows of all horizons, and the pairs s' ≤ s
    pairs = steps * (timesteps + 2) // 3  # Σ_t t(t + 1)/2
    laid_out = k
    if has_shifts(module):
        height, width = a_TN.shape[-2:]
        laid_out = a_TN.shape[2] * ((height + 2) * (width + 1) / (height * width)) ** 2 + SHIFTED
    return pixels * (pairs * d + steps * laid_out) < steps * d * k


def output_pixels(module: nn.Conv2d | nn.Linear, a_TN: Tensor) -> int:
    """Return P of a layer's output; 1 of a linear layer."""
    if not isinstance(module, nn.Conv2d):
        return 1
    sides = zip(a_TN.shape[-2:], module.kernel_size, module.stride, module.padding, module.dilation, strict=True)
    high, wide = ((side + 2 * int(p) - d * (k - 1) - 1) // s + 1 for side, k, s, p, d in sides)
    return high * wide


def squared(grad_ND: Tensor) -> Tensor:
    """Return the squared norm of each gradient [N]."""
    flat = grad_ND.flatten(1)
    return torch.linalg.vector_norm(flat, dim=1, dtype=accumulated(flat)).square()


def accumulated(x: Tensor) -> torch.dtype:
    """Return the precision in which to add up elements of ``x``."""
    return torch.promote_types(x.dtype, torch.float32)
