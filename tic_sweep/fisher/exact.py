"""Squared norms of per-sample gradients, exactly, horizon by horizon, by the cheaper of two identities.

Shapes: T timesteps, N samples, P output pixels, L = P pixels of each timestep up to the horizon, D output channels, K
weights per output channel, C channels of a norm.
"""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from tic_sweep.fisher.grams import channels_last, columns, gram, has_shifts

LAID_OUT = {"cpu": 30, "cuda": 4000}
"""Multiplications that laying out a Gram matrix takes the time of, for each of its elements: passes over memory."""


class Exact:
    """The rule by which gradients [N, ...] become squared norms [N], one unit for each sample."""

    def units(self, samples: int) -> int:
        """Return the number of units: every sample is one."""
        return samples

    def of_vectors(self, grad_NC: Tensor) -> Tensor:
        """Return ‖grad_n‖² [N] of parameters whose gradient is at hand."""
        return grad_NC.square().sum(1)

    def of_weight(
        self,
        module: nn.Conv2d | nn.Linear,
        a_TN: Tensor,
        horizons: int,
        mask: Tensor | None,
        samples: slice,  # noqa: ARG002 - estimators draw for each
    ) -> "WeightRule":
        """Return what turns gradients behind a layer into the squared norms of its weight's gradients.

        Args:
            module: the layer.
            a_TN: its input, [T, N, C, H, W] or [T, N, K]; T is 1 where all horizons share a timestep.
            horizons: at how many horizons it will be asked.
            mask: of the weight, true where it is a parameter; None is everywhere.
            samples: which of all samples are given.
        """
        if mask is not None:
            return Direct(module, a_TN, channels_last(mask))
        return (Gram if gram_is_cheaper(module, a_TN, horizons) else Direct)(module, a_TN)

    def bytes_per_sample(self, module: nn.Conv2d | nn.Linear, a_TN: Tensor) -> int:
        """Return what a rule keeps for each sample, about."""
        timesteps, pixels = len(a_TN), output_pixels(module, a_TN)
        d, k = len(module.weight), module.weight[0].numel()
        kept = max(timesteps * pixels * k + d * k, timesteps * (timesteps + 3) * pixels**2 // 2)
        return (kept + 2 * timesteps * pixels * d) * a_TN.element_size()


class WeightRule(ABC):
    """Squared norms of the weight's gradients at one horizon."""

    @abstractmethod
    def __call__(self, g_NLD: Tensor, scale_D: Tensor) -> Tensor:
        """Return ‖G_n‖² of each unit from the gradients g behind the layer, taken times ``scale_D``."""


class Direct(WeightRule):
    """‖gᵀa‖², with the gradient laid open: all there is where weights are left out."""

    def __init__(self, module: nn.Conv2d | nn.Linear, a_TN: Tensor, mask_DK: Tensor | None = None) -> None:
        self._columns_NLK = columns(module, a_TN)
        self._mask_DK = mask_DK

    def __call__(self, g_NLD: Tensor, scale_D: Tensor) -> Tensor:
        """Return the squared norms [N]."""
        grad_NDK = g_NLD.mT @ self._columns_NLK[:, : g_NLD.shape[1]]
        if self._mask_DK is not None:
            grad_NDK *= self._mask_DK
        return squared(grad_NDK, dim=2) @ _factors(scale_D)


class Gram(WeightRule):
    """Σ_s ⟨g_s, Σ_s' M_ss' g_s'⟩ over pairs of blocks of timesteps s' ≤ s."""

    def __init__(self, module: nn.Conv2d | nn.Linear, a_TN: Tensor) -> None:
        self._rows = gram(module, a_TN, output_pixels(module, a_TN))

    def __call__(self, g_NLD: Tensor, scale_D: Tensor) -> Tensor:
        """Return the squared norms [N]."""
        total_ND = torch.zeros(len(g_NLD), g_NLD.shape[2], dtype=accumulated(g_NLD), device=g_NLD.device)
        start = 0
        for row_NBL in self._rows:
            end = min(row_NBL.shape[2], g_NLD.shape[1])
            met_NBD = row_NBL[:, : end - start, :end] @ g_NLD[:, :end]
            total_ND += met_NBD.mul_(g_NLD[:, start:end]).sum(1, dtype=total_ND.dtype)
            start = end
            if end == g_NLD.shape[1]:
                break
        return total_ND @ _factors(scale_D)


def gram_is_cheaper(module: nn.Conv2d | nn.Linear, a_TN: Tensor, horizons: int) -> bool:
    """Compare the time of both identities over all horizons, on the device of ``a_TN``: they differ by rounding."""
    return _gram_over_direct(module, a_TN, horizons, LAID_OUT["cpu" if a_TN.is_cpu else "cuda"]) < 1


def exact_share(module: nn.Conv2d | nn.Linear, a_TN: Tensor, horizons: int) -> float:
    """Return the multiplications of the cheaper identity over those of the direct one, as a CPU would count them.

    What is estimated hangs on it, and so it does not hang on the device.
    """
    return min(1.0, _gram_over_direct(module, a_TN, horizons, LAID_OUT["cpu"]))


def _gram_over_direct(module: nn.Conv2d | nn.Linear, a_TN: Tensor, horizons: int, passes: int) -> float:
    timesteps, pixels = len(a_TN), output_pixels(module, a_TN)
    d, k = len(module.weight), module.weight[0].numel()
    if timesteps == 1:
        return pixels * (horizons * d + k) / (horizons * d * k)
    steps = timesteps * (timesteps + 1) // 2  # Σ_t t: the rows of all horizons, and the pairs s' ≤ s
    pairs = steps * (timesteps + 2) // 3  # Σ_t t(t + 1)/2
    laid_out = k
    if has_shifts(module):
        height, width = a_TN.shape[-2:]
        laid_out = a_TN.shape[2] * ((height + 2) * (width + 1) / (height * width)) ** 2
    return pixels * (pairs * d + steps * (laid_out + passes)) / (steps * d * k)


def output_pixels(module: nn.Conv2d | nn.Linear, a_TN: Tensor) -> int:
    """Return P of a layer's output; 1 of a linear layer."""
    return math.prod(output_sides(module, a_TN)) if isinstance(module, nn.Conv2d) else 1


def output_sides(conv: nn.Conv2d, a_TN: Tensor) -> tuple[int, int]:
    """Return height and width of a convolution's output."""
    sides = zip(a_TN.shape[-2:], conv.kernel_size, conv.stride, conv.padding, conv.dilation, strict=True)
    high, wide = ((side + 2 * int(p) - d * (k - 1) - 1) // s + 1 for side, k, s, p, d in sides)
    return high, wide


def squared(grad: Tensor, dim: int = 1) -> Tensor:
    """Return the squared norms over axes ``dim`` and beyond."""
    flat = grad.flatten(dim)
    return torch.linalg.vector_norm(flat, dim=dim, dtype=accumulated(flat)).square()


def accumulated(x: Tensor) -> torch.dtype:
    """Return the precision in which to add up elements of ``x``."""
    return torch.promote_types(x.dtype, torch.float32)


def _factors(scale_D: Tensor) -> Tensor:
    """Return what squares of each channel are multiplied by."""
    return scale_D.to(accumulated(scale_D)).square()
