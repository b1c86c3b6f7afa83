"""Squared norms of per-sample gradients of a layer with delays.

Shapes: T timesteps, N samples, O outputs, I inputs; time is axis 0 but where named otherwise.

In evaluation mode y[t, n, o] = Σ_i w_oi·x[t - d_oi, n, i] with whole delays d, so that for a sum over samples of
per-sample scalars with gradient g by the layer's output

    ∂/∂w_oi of sample n = Σ_u g[u, n, o]·x[u - d_oi, n, i]

over the synapses that exist; a fixed sign changes no square. A whole delay has no gradient: positions, which training
moves through a spread that evaluation does not have, add nothing to the trace. So the trace is that of the network
which is evaluated. What depends on x and d alone is laid out once and shared by all horizons.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from tic_sweep.delays import DelayLinear

BYTES_KEPT = 256 * 2**20
"""A layer whose delayed input is larger than this lays it out anew, some samples at a time, for every horizon."""


class DelayNorms:
    """The squared gradient norms of one layer with delays, for one forward pass in evaluation mode.

    Args:
        layer: the layer.
        inputs: what it was given, [T, N, I].
        mask: true where a weight is a parameter, [O, I]; None is where synapses exist.
    """

    def __init__(self, layer: DelayLinear, inputs: Tensor, mask: Tensor | None = None) -> None:
        self._mask_OI = layer.mask if mask is None else layer.mask & mask
        self._delay_OI = layer.delays(hard=True)
        self._trained = layer.weight.requires_grad
        self._inputs_TNI = inputs
        timesteps, samples, _ = inputs.shape
        per_sample = self._mask_OI.numel() * timesteps * inputs.element_size()
        self._part = max(1, BYTES_KEPT // per_sample)
        self._kept_NOIT = self._delayed(inputs) if self._part >= samples else None

    def __call__(self, grad_outputs: Tensor, t: int) -> Tensor:
        """Return [N], summed over the layer's weights.

        Args:
            grad_outputs: gradient of the layer's output [T, N, O], for a sum over samples of functions of the logits
                at t.
            t: the horizon, 1..T.
        """
        g_NOT1 = grad_outputs[:t].permute(1, 2, 0)[..., None]
        if not self._trained:
            return g_NOT1.new_zeros(len(g_NOT1))
        if self._kept_NOIT is not None:
            return _squares(self._kept_NOIT[..., :t], g_NOT1)
        parts = zip(self._inputs_TNI.split(self._part, dim=1), g_NOT1.split(self._part), strict=True)
        return torch.cat([_squares(self._delayed(x_TNI)[..., :t], g) for x_TNI, g in parts])

    def _delayed(self, x_TNI: Tensor) -> Tensor:
        """Return x[t - d_oi, n, i] as [N, O, I, T], zero before the first timestep and where there is no synapse."""
        timesteps, samples, inputs = x_TNI.shape
        longest = int(self._delay_OI.max())
        padded_NIL = pad(x_TNI.permute(1, 2, 0), (longest, 0))
        t_T = torch.arange(timesteps, device=x_TNI.device)
        place_IOT = (longest - self._delay_OI.T[..., None]) + t_T
        flat = place_IOT.flatten(1).expand(samples, -1, -1)
        taken_NIOT = padded_NIL.gather(2, flat).view(samples, inputs, -1, timesteps)
        return (taken_NIOT.transpose(1, 2) * self._mask_OI[..., None]).contiguous()


def _squares(x_NOIT: Tensor, g_NOT1: Tensor) -> Tensor:
    return (x_NOIT @ g_NOT1).square().sum((1, 2, 3))
