"""LIF dynamics (Kim et al. 2023, Eq. 1), one step and over time. Shapes: T timesteps, N samples, * any; time is axis 0.

    charge   h[t] = v[t-1] + (x[t] - v[t-1]) / τ
    fire     s[t] = 1 if h[t] >= v_th else 0          backward: the surrogate derivative f'(h)
    reset    v[t] = h[t]·(1 - r[t])   hard            r[t] = s[t] forward, ρ·(ds/dh) backward (ρ = reset_gradient)
             v[t] = h[t] - v_th·r[t]  soft

`lif_step` is this, written for autograd: the reference. `lif` runs all timesteps with the backward recursion by hand:

    g[t] = dL/dh[t] = dL/ds[t]·f'(h[t]) + (1 - 1/τ)·g[t+1]·J[t],      dL/dx[t] = g[t] / τ
    J[t] = dv[t]/dh[t] = (1 - s[t]) - ρ·h[t]·f'(h[t])  hard,   1 - ρ·v_th·f'(h[t])  soft,   0 without temporal gradient

(ρ = 1 is the reset's full term, Yang 2020.) It saves h alone. No state stays on any module: nothing needs resetting,
and deep copies, checkpointing and several trials in one process are safe. The order of operations in the charge and
``>=`` are part of the definition: one flipped spike changes a deep network's output.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tic_sweep.config import NeuronConfig
from tic_sweep.snn.fused import fused_lif
from tic_sweep.snn.kernels import kernels_for
from tic_sweep.snn.surrogate import surrogate_derivative


def lif_step(v: Tensor, current: Tensor, neuron: NeuronConfig) -> tuple[Tensor, Tensor]:
    """Charge, fire, reset: return the spikes in {0, 1} and the membrane potential after reset.

    Args:
        v: membrane potential after the previous step, [N, *].
        current: input current, [N, *].
        neuron: the neuron's parameters.
    """
    if not neuron.temporal_gradient:
        v = v.detach()
    h = v + (current - v) / neuron.tau
    s = _Spike.apply(h, neuron)
    r = s.detach() + neuron.reset_gradient * (s - s.detach())
    return s, h * (1 - r) if neuron.reset == "hard" else h - neuron.v_threshold * r


def lif(current_TN: Tensor, neuron: NeuronConfig) -> Tensor:
    """Return the spikes [T, N, *] of LIF neurons, starting from v = 0, for the input currents [T, N, *].

    Half-precision currents are charged in float32, the membrane's precision.
    """
    if current_TN.dtype in (torch.float16, torch.bfloat16):
        current_TN = current_TN.float()
    kernels = kernels_for(current_TN)
    return _LIF.apply(current_TN, neuron) if kernels is None else fused_lif(kernels, current_TN, neuron)


@torch.no_grad()
def lif_jacobian(current_TN: Tensor, neuron: NeuronConfig) -> Tensor:
    """Return dh[t+1]/dh[t] = (1 - 1/τ)·J[t] for t = 1..T-1, [T-1, N, *]: what gradients meet on their way back in time.

    Zero without a temporal gradient. Half-precision currents are charged in float32, as by `lif`.
    """
    if current_TN.dtype in (torch.float16, torch.bfloat16):
        current_TN = current_TN.float()
    h_TN = _charged(current_TN, neuron)[0][:-1]
    if not neuron.temporal_gradient:
        return torch.zeros_like(h_TN)
    return _reset_jacobian(h_TN, surrogate_derivative(h_TN, neuron), neuron).mul_(1 - 1 / neuron.tau)


@torch.no_grad()
def lif_linearised(current_TN: Tensor, neuron: NeuronConfig) -> tuple[Tensor, Tensor | None]:
    """Return what gradients meet on their way back through `lif`, for any number of them: slope and carry [T, N, *].

    dL/dx[t] = slope[t]·dL/ds[t] + carry[t]·dL/dx[t+1] with slope = f'(h)/τ and carry = (1 - 1/τ)·J, the recursion of
    the module's docstring divided by τ. The carry is None without a temporal gradient.
    """
    if current_TN.dtype in (torch.float16, torch.bfloat16):
        current_TN = current_TN.float()
    h_TN = _charged(current_TN, neuron)[0]
    slope_TN = surrogate_derivative(h_TN, neuron)
    carry_TN = None
    if neuron.temporal_gradient:
        carry_TN = _reset_jacobian(h_TN, slope_TN, neuron).mul_(1 - 1 / neuron.tau)
    return slope_TN.div_(neuron.tau), carry_TN


class _Spike(torch.autograd.Function):
    """Heaviside step forward, surrogate derivative backward."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, neuron: NeuronConfig) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(h)
        ctx.neuron = neuron
        return (h >= neuron.v_threshold).to(h.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_s: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        (h,) = ctx.saved_tensors
        return grad_s * surrogate_derivative(h, ctx.neuron), None


class _LIF(torch.autograd.Function):
    """All timesteps forward, and the recursion of the module's docstring backward."""

    @staticmethod
    def forward(ctx: Any, x_TN: Tensor, neuron: NeuronConfig) -> Tensor:  # type: ignore[override]
        h_TN, s_TN = _charged(x_TN, neuron)
        ctx.save_for_backward(h_TN)
        ctx.neuron = neuron
        return s_TN

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_s_TN: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        (h_TN,) = ctx.saved_tensors
        neuron: NeuronConfig = ctx.neuron
        slope_TN = surrogate_derivative(h_TN, neuron)
        g_TN = grad_s_TN * slope_TN
        if neuron.temporal_gradient:
            carry_TN = _reset_jacobian(h_TN, slope_TN, neuron).mul_(1 - 1 / neuron.tau)
            steps = list(zip(g_TN.unbind(), carry_TN.unbind(), strict=True))
            for (g_N, carry_N), (g_next_N, _) in zip(steps[-2::-1], steps[:0:-1], strict=True):
                g_N.addcmul_(g_next_N, carry_N)
        return g_TN.div_(neuron.tau), None


def _charged(x_TN: Tensor, neuron: NeuronConfig) -> tuple[Tensor, Tensor]:
    """Return the charged potentials h and the spikes s, from v = 0; for use where no gradient is recorded."""
    h_TN = torch.empty(x_TN.shape, dtype=x_TN.dtype, device=x_TN.device)
    s_TN = torch.empty_like(h_TN)
    v_N = torch.zeros_like(h_TN[0])
    for x_N, h_N, s_N in zip(x_TN.unbind(), h_TN.unbind(), s_TN.unbind(), strict=True):
        torch.sub(x_N, v_N, out=h_N).div_(neuron.tau).add_(v_N)
        fired_N = h_N >= neuron.v_threshold
        s_N.copy_(fired_N)
        v_N = h_N.masked_fill(fired_N, 0) if neuron.reset == "hard" else h_N - neuron.v_threshold * s_N
    return h_TN, s_TN


def _reset_jacobian(h_TN: Tensor, slope_TN: Tensor, neuron: NeuronConfig) -> Tensor:
    """Return J = dv/dh of the reset, as a fresh tensor."""
    if neuron.reset == "soft":
        return 1 - (neuron.reset_gradient * neuron.v_threshold) * slope_TN
    silent_TN = (h_TN < neuron.v_threshold).to(h_TN.dtype)
    if neuron.reset_gradient:
        silent_TN.addcmul_(h_TN, slope_TN, value=-neuron.reset_gradient)
    return silent_TN
