"""The neuron of the published delay network, in its own order of operations. Shapes: T timesteps, N samples, * any.

The published step fires from the potential of the step before, and charges with the current of the step before:

    o[t] = 1 if m[t-1] >= v_th else 0;   m[t] = (λ·m[t-1] + i[t-1])·(1 - o[t]),   λ = 1 - 1/τ

With h[k] = m[k+1] this is h[k] = (λ·h[k-1] + i[k])·(1 - s[k-1]), s[k] = [h[k] >= v_th] and o[t] = s[t-2]: the current
is not divided by τ, spikes come two timesteps late, and what arrives in the step after a spike is lost. The first is
`tic_sweep.snn.lif` at τ times the current, the second a shift, but the third no option of `lif` says; and it is a
memory of one timestep, so that this neuron is not memoryless even at τ = 1. Hence a neuron of its own, whose reset has
no gradient, as published:

    g[k] = dL/ds[k]·f'(h[k]) + λ·(1 - s[k])·g[k+1],     dL/di[k] = g[k]·(1 - s[k-1])
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from tic_sweep.config import NeuronConfig
from tic_sweep.snn import surrogate_derivative

LATENCY = 2
"""Timesteps from a current to the spike that it causes."""

PUBLISHED_NEURON = NeuronConfig(tau=10.05, surrogate="arctan", surrogate_width=0.4)
"""τ = 10.05 timesteps, threshold 1, hard reset, and the surrogate 5/2 / (1 + (5π/2·x)²)."""


class LateLIF(nn.Module):
    """The published neuron as a layer without parameters or state: currents [T, N, *] → spikes [T, N, *]."""

    def __init__(self, neuron: NeuronConfig) -> None:
        """Take the neuron's parameters.

        Raises:
            ValueError: for a soft reset or a reset with a gradient, which this neuron has not.
        """
        super().__init__()
        if neuron.reset != "hard" or neuron.reset_gradient:
            raise ValueError(
                f"the published neuron has a hard reset without gradient, got {neuron.reset!r} and "
                f"{neuron.reset_gradient!r}."
            )
        self.neuron = neuron

    def forward(self, current_TN: Tensor) -> Tensor:
        """Return the spikes."""
        return _LateLIF.apply(current_TN, self.neuron)


class _LateLIF(torch.autograd.Function):
    """All timesteps forward, and the recursion of the module's docstring backward."""

    @staticmethod
    def forward(ctx: Any, current_TN: Tensor, neuron: NeuronConfig) -> Tensor:  # type: ignore[override]
        h_TN, s_TN = torch.empty_like(current_TN), torch.empty_like(current_TN)
        h_N, silent_N = torch.zeros_like(current_TN[0]), torch.ones_like(current_TN[0])
        for i_N, out_h_N, out_s_N in zip(current_TN.unbind(), h_TN.unbind(), s_TN.unbind(), strict=True):
            h_N = torch.mul(h_N, 1 - 1 / neuron.tau, out=out_h_N).add_(i_N).mul_(silent_N)
            out_s_N.copy_(h_N >= neuron.v_threshold)
            silent_N = 1 - out_s_N
        ctx.save_for_backward(h_TN, s_TN)
        ctx.neuron = neuron
        return _late(s_TN)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_o_TN: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        (h_TN, s_TN), neuron = ctx.saved_tensors, ctx.neuron
        silent_TN = 1 - s_TN
        g_TN = _late(grad_o_TN.flip(0)).flip(0) * surrogate_derivative(h_TN, neuron)
        if neuron.temporal_gradient:
            carry_TN = silent_TN * (1 - 1 / neuron.tau)
            for k in range(len(g_TN) - 2, -1, -1):
                g_TN[k].addcmul_(g_TN[k + 1], carry_TN[k])
        g_TN[1:] *= silent_TN[:-1]
        return g_TN, None


def _late(x_TN: Tensor) -> Tensor:
    """Return ``x_TN`` shifted by the latency, zeros first."""
    late_TN = torch.zeros_like(x_TN)
    late_TN[LATENCY:] = x_TN[:-LATENCY]
    return late_TN
