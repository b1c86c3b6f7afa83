"""Squared norms of per-sample gradients, layer by layer, without ever holding the gradients of a whole network.

Shapes: T timesteps, N samples, D output channels, K weights per output channel, P pixels; time is axis 0. A layer sees
its input a and the gradient g of a sum over samples of per-sample scalars; since samples do not mix in evaluation
mode, the slice of sample n belongs to that sample alone:

    convolution, linear   G_n = Σ_tp g_ntp a_ntpᵀ   ‖G_n‖² by `tic_sweep.fisher.exact`
    bias                  Σ_tp g_ntp
    TimeNorm              ∂γ_n = Σ_tp g_ntp·x̂_ntp,  ∂β_n = Σ_tp g_ntp

with a_ntp the K inputs that meet at output pixel p. Only steps 1..t carry gradient at horizon t, and only they are
multiplied; what depends on a alone is worked out once and shared by all horizons. A layer's input may lack the time
axis (the stem of a static image); its gradient is then summed over time already.
"""

from typing import TypeGuard

import torch
from torch import Tensor, nn

from tic_sweep.fisher.exact import Exact, WeightRule
from tic_sweep.snn import TimeNorm, is_ordinary

BYTES_KEPT = 256 * 2**20
"""A layer whose rule would keep more than this makes it anew, part by part, for every horizon."""


class PerSampleNorms:
    """The squared gradient norms of one module, for one forward pass.

    Args:
        module: a convolution, linear layer or `TimeNorm` for which `has_rule` is true.
        inputs: what it was given in the forward pass; time and samples are its leading axes, joined or apart.
        samples: N.
        horizons: at how many horizons they will be asked.
        mask: of a convolution's or linear layer's weight, true where it is a parameter; None is everywhere.
    """

    def __init__(
        self,
        module: nn.Conv2d | nn.Linear | TimeNorm,
        inputs: Tensor,
        samples: int,
        horizons: int,
        mask: Tensor | None = None,
    ) -> None:
        self._module, self._samples, self._horizons, self._mask = module, samples, horizons, mask
        self._inputs_TN = _time_first(inputs, samples, _plain_dims(module))
        self._standard_TN = module.standardised(self._inputs_TN) if isinstance(module, TimeNorm) else None
        self._kept: WeightRule | None = None

    def __call__(self, grad_outputs: Tensor, t: int) -> Tensor:
        """Return [N], summed over the module's trainable parameters.

        Args:
            grad_outputs: gradient of the module's output, for a sum over samples of functions of the logits at t.
            t: the horizon, 1..T.
        """
        module = self._module
        g_TN = _time_first(grad_outputs, self._samples, _plain_dims(module))[:t]
        norms_N = g_TN.new_zeros(self._samples)
        g_NLD = g_TN.flatten(3).permute(1, 0, 3, 2).flatten(1, 2) if g_TN.dim() > 3 else g_TN.transpose(0, 1)  # noqa: PLR2004
        if module.weight.requires_grad:
            if isinstance(module, TimeNorm):
                assert self._standard_TN is not None  # noqa: S101 - a norm's
                gamma_NC = torch.einsum("tnchw,tnchw->nc", g_TN, self._standard_TN[: len(g_TN)])
                norms_N += gamma_NC.square().sum(1)
            else:
                norms_N += self._weight_norms(module, g_NLD)
        if module.bias is not None and module.bias.requires_grad:
            norms_N += g_NLD.sum(1).square().sum(1)
        return norms_N

    def _weight_norms(self, module: nn.Conv2d | nn.Linear, g_NLD: Tensor) -> Tensor:
        """Return ``‖G_n‖²`` [N] by `Exact`, whose rule serves all horizons if it is not too large to keep."""
        unscaled_D = module.weight.new_ones(len(module.weight))
        part = max(1, BYTES_KEPT // Exact().bytes_per_sample(module, self._inputs_TN))
        if part >= self._samples:
            self._kept = self._kept or self._rule(module, slice(None))
            return self._kept(g_NLD, unscaled_D)
        cuts = [slice(first, first + part) for first in range(0, self._samples, part)]
        return torch.cat([self._rule(module, cut)(g_NLD[cut], unscaled_D) for cut in cuts])

    def _rule(self, module: nn.Conv2d | nn.Linear, samples: slice) -> WeightRule:
        return Exact().of_weight(module, self._inputs_TN[:, samples], self._horizons, self._mask, samples)


def has_rule(module: nn.Module) -> TypeGuard[nn.Conv2d | nn.Linear | TimeNorm]:
    """Tell whether per-sample norms of the module's own parameters are known in closed form."""
    if isinstance(module, nn.Conv2d):
        return is_ordinary(module)
    return isinstance(module, (nn.Linear, TimeNorm))


def _plain_dims(module: nn.Module) -> int:
    """Return how many axes the module's input has when time and samples are joined."""
    return 2 if isinstance(module, nn.Linear) else 4


def _time_first(x: Tensor, samples: int, plain_dims: int) -> Tensor:
    """Return [T·N, ...], [N, ...] or [T, N, ...] as [T, N, ...]."""
    return x.unflatten(0, (-1, samples)) if x.dim() == plain_dims else x
