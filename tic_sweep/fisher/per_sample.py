"""Squared norms of per-sample gradients, layer by layer, without ever holding the gradients of a whole network.

Shapes: T timesteps, N samples, D output channels, K weights per output channel, P pixels; time is axis 0. A layer sees
its input a and the gradient g of a sum over samples of per-sample scalars; since samples do not mix in evaluation
mode, the slice of sample n belongs to that sample alone:

    convolution, linear   G_n = Σ_tp g_ntp a_ntpᵀ   ‖G_n‖² directly, or as ⟨g_n g_nᵀ, a_n a_nᵀ⟩ where that is cheaper
    bias                  Σ_tp g_ntp
    TimeNorm              ∂γ_n = Σ_tp g_ntp·x̂_ntp,  ∂β_n = Σ_tp g_ntp

with a_ntp the K inputs that meet at output pixel p. Only steps 1..t carry gradient at horizon t, and only they are
multiplied; what depends on a alone is worked out once and shared by all horizons. A layer's input may lack the time
axis (the stem of a static image); its gradient is then summed over time already.
"""

from typing import TypeGuard

import torch
from torch import Tensor, nn

from tic_sweep.fisher.grams import channels_last, columns
from tic_sweep.snn import TimeNorm

BYTES_KEPT = 256 * 2**20
"""A layer whose unfolded input is larger than this unfolds it anew, part by part, for every horizon."""


class PerSampleNorms:
    """The squared gradient norms of one module, for one forward pass.

    Args:
        module: a convolution, linear layer or `TimeNorm` for which `has_rule` is true.
        inputs: what it was given in the forward pass; time and samples are its leading axes, joined or apart.
        samples: N.
        mask: of a convolution's or linear layer's weight, true where it is a parameter; None is everywhere.
    """

    def __init__(
        self, module: nn.Conv2d | nn.Linear | TimeNorm, inputs: Tensor, samples: int, mask: Tensor | None = None
    ) -> None:
        self._module = module
        self._mask_DK = None if mask is None else channels_last(mask)
        self._weight, self._bias = module.weight, module.bias
        self._samples = samples
        self._inputs_TN = _time_first(inputs, samples, _plain_dims(module))
        self._standard_TN = module.standardised(self._inputs_TN) if isinstance(module, TimeNorm) else None
        self._columns_NLK: Tensor | None = None
        self._gram_NLL: Tensor | None = None

    def __call__(self, grad_outputs: Tensor, t: int) -> Tensor:
        """Return [N], summed over the module's trainable parameters.

        Args:
            grad_outputs: gradient of the module's output, for a sum over samples of functions of the logits at t.
            t: the horizon, 1..T.
        """
        g_TN = _time_first(grad_outputs, self._samples, _plain_dims(self._module))[:t]
        norms_N = g_TN.new_zeros(self._samples)
        weight, bias = self._weight, self._bias
        if self._standard_TN is not None:
            if weight.requires_grad:
                gamma_NC = torch.einsum("tnchw,tnchw->nc", g_TN, self._standard_TN[: len(g_TN)])
                norms_N += gamma_NC.square().sum(1)
            g_NDL = g_TN.flatten(3).permute(1, 2, 0, 3).flatten(2)
        else:
            g_NDL = g_TN.flatten(3).permute(1, 2, 0, 3).flatten(2) if g_TN.dim() > 3 else g_TN.permute(1, 2, 0)  # noqa: PLR2004
            if weight.requires_grad:
                norms_N += self._weight_norms(g_NDL, len(g_TN))
        if bias is not None and bias.requires_grad:
            norms_N += g_NDL.sum(2).square().sum(1)
        return norms_N

    def _weight_norms(self, g_NDL: Tensor, steps: int) -> Tensor:
        """Return ``‖g_n a_nᵀ‖²`` [N] over the first ``steps`` timesteps, by the cheaper of two identities."""
        timesteps, (_, d, length) = len(self._inputs_TN), g_NDL.shape
        pixels, k = length // steps, self._weight.numel() // d
        if self._mask_DK is not None:
            return self._masked_norms(g_NDL, steps, self._mask_DK)
        if self._gram_NLL is not None or _gram_is_cheaper(timesteps, pixels, d, k):
            if self._gram_NLL is None:
                self._gram_NLL = torch.cat([a @ a.mT for a in self._each_part(timesteps, pixels * k)])
            return ((g_NDL.mT @ g_NDL) * self._gram_NLL[:, :length, :length]).sum((1, 2))
        if timesteps * pixels * k * self._samples * g_NDL.element_size() <= BYTES_KEPT:
            if self._columns_NLK is None:
                self._columns_NLK = self._columns(self._inputs_TN)
            return (g_NDL @ self._columns_NLK[:, :length]).square().sum((1, 2))
        parts = self._each_part(steps, pixels * k)
        sizes = g_NDL.split(self._part_size(steps, pixels * k))
        return torch.cat([(g @ a).square().sum((1, 2)) for g, a in zip(sizes, parts, strict=True)])

    def _masked_norms(self, g_NDL: Tensor, steps: int, mask_DK: Tensor) -> Tensor:
        """Return ``‖m ∘ g_n a_nᵀ‖²`` [N]: only explicit gradients can leave weights out, Gram matrices hold all."""
        d, k = mask_DK.shape
        size = self._part_size(steps, max(g_NDL.shape[2] // steps * k, d * k))
        parts = zip(g_NDL.split(size), self._inputs_TN[:steps].split(size, dim=1), strict=True)
        norms = [((g @ self._columns(a)) * mask_DK).square().sum((1, 2)) for g, a in parts]
        return torch.cat(norms)

    def _part_size(self, steps: int, floats_per_step: int) -> int:
        return max(1, BYTES_KEPT // (steps * floats_per_step * self._inputs_TN.element_size()))

    def _each_part(self, steps: int, floats_per_step: int):  # noqa: ANN202 - an iterator of tensors [n, L, K]
        for part_TN in self._inputs_TN[:steps].split(self._part_size(steps, floats_per_step), dim=1):
            yield self._columns(part_TN)

    def _columns(self, a_TN: Tensor) -> Tensor:
        assert isinstance(self._module, (nn.Conv2d, nn.Linear))  # noqa: S101 - norms have none
        return columns(self._module, a_TN)


def has_rule(module: nn.Module) -> TypeGuard[nn.Conv2d | nn.Linear | TimeNorm]:
    """Tell whether per-sample norms of the module's own parameters are known in closed form."""
    if isinstance(module, nn.Conv2d):
        return module.groups == 1 and module.padding_mode == "zeros" and not isinstance(module.padding, str)
    return isinstance(module, (nn.Linear, TimeNorm))


def _gram_is_cheaper(timesteps: int, pixels: int, d: int, k: int) -> bool:
    """Compare multiplications over all horizons: Σ_t (tP)²·D + (TP)²·K against Σ_t tP·D·K."""
    return pixels * (2 * timesteps * d / 3 + 2 * k) < d * k


def _plain_dims(module: nn.Module) -> int:
    """Return how many axes the module's input has when time and samples are joined."""
    return 2 if isinstance(module, nn.Linear) else 4


def _time_first(x: Tensor, samples: int, plain_dims: int) -> Tensor:
    """Return [T·N, ...], [N, ...] or [T, N, ...] as [T, N, ...]."""
    return x.unflatten(0, (-1, samples)) if x.dim() == plain_dims else x
