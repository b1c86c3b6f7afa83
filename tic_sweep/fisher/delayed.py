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
        self._kept_TNOI = self._delayed(inputs) if self._part >= samples else None

    def __call__(self, grad_outputs: Tensor, t: int) -> Tensor:
        """Return [N], summed over the layer's weights.

        Args:
            grad_outputs: gradient of the layer's output [T, N, O], for a sum over samples of functions of the logits
                at t.
            t: the horizon, 1..T.
        """
        g_TNO = grad_outputs[:t]
        if not self._trained:
            return g_TNO.new_zeros(g_TNO.shape[1])
        if self._kept_TNOI is not None:
            return _squares(self._kept_TNOI, g_TNO)
        parts = zip(self._inputs_TNI.split(self._part, dim=1), g_TNO.split(self._part, dim=1), strict=True)
        return torch.cat([_squares(self._delayed(x_TNI), g) for x_TNI, g in parts])

    def _delayed(self, x_TNI: Tensor) -> Tensor:
        """Return x[t - d_oi, n, i] as [T, N, O, I], zero before the first timestep and where there is no synapse."""
        timesteps, samples, _ = x_TNI.shape
        longest = int(self._delay_OI.max())
        padded_LNI = pad(x_TNI, (0, 0, 0, 0, longest, 0))
        first_OI = longest - self._delay_OI
        delayed_TNOI = x_TNI.new_empty(timesteps, samples, *first_OI.shape)
        for t, out_NOI in enumerate(delayed_TNOI.unbind()):
            place_NOI = (first_OI + t).expand(samples, -1, -1)
            torch.gather(padded_LNI.transpose(0, 1), 1, place_NOI, out=out_NOI)
        return delayed_TNOI.mul_(self._mask_OI)


def _squares(x_TNOI: Tensor, g_TNO: Tensor) -> Tensor:
    """Return Σ_oi (Σ_u g[u, n, o]·x[u, n, o, i])² [N] over the timesteps of ``g_TNO``.

    One timestep after the other, so that the sums stay where they are quick to reach: several times faster than a
    product of matrices with a single column.
    """
    sum_NOI = torch.zeros_like(x_TNOI[0])
    for x_NOI, g_NO in zip(x_TNOI, g_TNO, strict=False):
        sum_NOI.addcmul_(x_NOI, g_NO[..., None])
    return sum_NOI.square().sum((1, 2))
