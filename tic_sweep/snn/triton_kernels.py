"""The kernels for CUDA, in Triton. Shapes: T timesteps, N samples, C channels, M neurons, R = M/C rows; time is axis 0.

A program holds its neurons' membrane in registers through all timesteps, in float32, whatever the currents' precision;
spikes and gradients have the currents' precision. Products and sums are not joined into one rounding, and τ divides as
it does in torch's own kernels for CUDA, by multiplying with its inverse: spikes are the plain path's, bit for bit.
Normalised currents lie channels last in memory, so that a row holds the C channels of one pixel.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import triton
from torch import Tensor

from tic_sweep.config import NeuronConfig
from tic_sweep.snn import triton_source as source
from tic_sweep.snn.norm import EPS, MOMENTUM, TimeNorm
from tic_sweep.snn.surrogate import SURROGATE_DERIVATIVES

if TYPE_CHECKING:
    from tic_sweep.snn.fused import Branch

BLOCK = 1024
"""Neurons of a program."""
IN_REGISTERS = 24
"""Timesteps up to which a backward pass holds the charged potentials in registers; beyond, in memory."""
ROWS = 1024
"""Rows that one program sums."""


def fire(x: Tensor, neuron: NeuronConfig, timesteps: int | None = None) -> Tensor:
    """Return the spikes [T, *] of currents [T, *], or, with ``timesteps``, of one current [*] at every timestep."""
    x, step = _stepped(x, timesteps)
    of_one = x if timesteps else x[0]
    s = _laid_like(of_one, timesteps or len(x))
    M = of_one.numel()
    p = _constants(neuron)
    _run(
        source.lif_forward, (triton.cdiv(M, BLOCK),),
        x, s, M, step, p.inverse_tau, p.v_th, T=len(s), SOFT=p.soft, SIZE=BLOCK, num_warps=8,
    )  # fmt: skip
    return s


def descend(x: Tensor, grad_s: Tensor, neuron: NeuronConfig, timesteps: int | None = None) -> Tensor:
    """Return dL/dx from dL/ds [T, *]; for one current at every timestep, the sum over time."""
    x, step = _stepped(x, timesteps)
    of_one = x if timesteps else x[0]
    grad_s = _aligned(grad_s, _laid_like(of_one, len(grad_s), device="meta").stride())
    grad_x = torch.empty_like(of_one) if timesteps else _laid_like(of_one, len(x))
    T, M, p = len(grad_s), of_one.numel(), _constants(neuron)
    in_memory = T > IN_REGISTERS
    h = torch.empty(T * M if in_memory else 0, dtype=torch.float32, device=x.device)
    _run(
        source.lif_backward, (triton.cdiv(M, BLOCK),),
        x, grad_s, grad_x, h, M, step, p.inverse_tau, p.v_th, p.rho, p.decay, p.inverse_width, p.inverse_scale,
        T=T, SOFT=p.soft, RHO=p.rho != 0, SURROGATE=p.surrogate, SUMMED=timesteps is not None, IN_MEMORY=in_memory,
        SIZE=BLOCK, num_warps=8,
    )  # fmt: skip
    return grad_x


def takes(_y: Tensor) -> bool:
    """Tell that normalised currents of every shape are worth it."""
    return True


def laid_out(x: Tensor) -> Tensor:
    """Return [T, N, C, H, W] as the kernels of normalised currents take it: channels last."""
    frames = x.flatten(0, 1)
    if frames.data_ptr() == x.data_ptr() and frames.is_contiguous(memory_format=torch.channels_last):
        return x  # itself, with the bits that are kept of it
    return frames.contiguous(memory_format=torch.channels_last).unflatten(0, x.shape[:2])


def standardise(y: Tensor, norm: TimeNorm) -> Tensor:
    """Return mean, 1/√(variance + ε), scale and shift [4, T, C], and update the norm's running statistics."""
    T, R, C = _rows(y)
    parts, (BR, BC) = triton.cdiv(R, ROWS), _tile(C, 2048)
    sums = torch.empty((2, parts, T, C), dtype=torch.float32, device=y.device)
    _run(source.sums, (parts, triton.cdiv(C, BC), T), y, sums, R, C, ROWS, parts, T=T, BR=BR, BC=BC, num_warps=4)
    told = torch.empty((4, T, C), dtype=torch.float32, device=y.device)
    _run(
        source.standardise, (triton.cdiv(C, BC),),
        y, sums.sum(1), norm.gamma.detach(), norm.bias, norm.running_mean, norm.running_var, told, R, C, MOMENTUM, EPS,
        T=T, JOINT=norm.joint, BC=BC, num_warps=1,
    )  # fmt: skip
    return told


def fire_normalised(branches: Sequence["Branch"], added: Tensor | None, neuron: NeuronConfig) -> Tensor:
    """Return the spikes [T, N, C, H, W] of the sum of normalised branches and what is added as it is."""
    y, p = branches[0].y, _constants(neuron)
    (T, R, C), (BR, BC) = _rows(y), _tile(y.shape[2], 2048)
    s = torch.empty_strided(y.shape, y.stride(), dtype=y.dtype, device=y.device)
    other, other_scale, other_shift, kind = _other(branches, added, 1)
    _run(
        source.norm_lif_forward, (triton.cdiv(R, BR), triton.cdiv(C, BC)),
        y, other, s, branches[0].scale, branches[0].shift, other_scale, other_shift, R, C, p.inverse_tau, p.v_th,
        T=T, SOFT=p.soft, OTHER=kind, BR=BR, BC=BC, num_warps=8,
    )  # fmt: skip
    return s


def descend_normalised(
    branches: Sequence["Branch"], bits: Tensor | None, grad_s: Tensor, neuron: NeuronConfig
) -> tuple[Tensor, list[tuple[Tensor, Tensor, Tensor]]]:
    """Return dL/dcurrent [T, N, C, H, W], and for each branch the gradients of y, γ and β."""
    y, p = branches[0].y, _constants(neuron)
    (T, R, C), (BR, BC) = _rows(y), _tile(y.shape[2], 1024)
    grad_s = _aligned(grad_s, y.stride())
    grad = torch.empty_strided(y.shape, y.stride(), dtype=y.dtype, device=y.device)
    whole_bytes = R * C % 8 == 0
    added = bits if bits is None or whole_bytes else unpack(bits, y.shape, y.stride(), y.dtype)
    other, other_scale, other_shift, kind = _other(branches, added, 2 if whole_bytes else 1)
    in_memory = T > IN_REGISTERS
    h = torch.empty(y.numel() if in_memory else 0, dtype=torch.float32, device=y.device)
    _run(
        source.norm_lif_backward, (triton.cdiv(R, BR), triton.cdiv(C, BC)),
        y, other, grad_s, grad, h, branches[0].scale, branches[0].shift, other_scale, other_shift, R, C,
        p.inverse_tau, p.v_th, p.rho, p.decay, p.inverse_width, p.inverse_scale, T=T, SOFT=p.soft, RHO=p.rho != 0,
        SURROGATE=p.surrogate, OTHER=kind, IN_MEMORY=in_memory, BR=BR, BC=BC, num_warps=8,
    )  # fmt: skip
    sum_g, *sums_gy = _back_sums(branches, grad)
    return grad, [_through_norm(b, grad, sum_g, sum_gy) for b, sum_gy in zip(branches, sums_gy, strict=True)]


def pack(s: Tensor) -> Tensor:
    """Return dense spikes as bits, eight a byte, in their order in memory."""
    bits = torch.empty(triton.cdiv(s.numel(), 8), dtype=torch.uint8, device=s.device)
    _run(source.pack, (triton.cdiv(len(bits), 256),), s, bits, s.numel(), SIZE=256, num_warps=4)
    return bits


def unpack(bits: Tensor, shape: torch.Size, stride: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Return the spikes that `pack` was given."""
    s = torch.empty_strided(shape, stride, dtype=dtype, device=bits.device)
    _run(source.unpack, (triton.cdiv(s.numel(), BLOCK),), bits, s, s.numel(), SIZE=BLOCK, num_warps=4)
    return s


def _back_sums(branches: Sequence["Branch"], grad: Tensor) -> Tensor:
    """Return the sums over samples and pixels of g, and of g·(y - μ) for each branch: [1 + branches, T, C]."""
    first, last = branches[0], branches[-1]
    T, R, C = _rows(grad)
    parts, (BR, BC) = triton.cdiv(R, ROWS), _tile(C, 2048)
    sums = torch.empty((1 + len(branches), parts, T, C), dtype=torch.float32, device=grad.device)
    _run(
        source.back_sums, (parts, triton.cdiv(C, BC), T),
        grad, first.y, last.y, first.mean, last.mean, sums, R, C, ROWS, parts,
        T=T, TWO=len(branches) > 1, BR=BR, BC=BC, num_warps=4,
    )  # fmt: skip
    return sums.sum(1)


def _through_norm(branch: "Branch", grad: Tensor, sum_g: Tensor, sum_gy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of y, γ and β: dL/dy = scale·(g - mean(g) - ŷ·mean(g·ŷ)), with ŷ = (y - μ)·inverse."""
    (T, R, C), (BR, BC) = _rows(branch.y), _tile(branch.y.shape[2], 2048)
    factors = torch.empty((2, T, C), dtype=torch.float32, device=grad.device)
    grads = torch.empty((2, C), dtype=torch.float32, device=grad.device)
    _run(
        source.norm_back, (triton.cdiv(C, BC),),
        sum_g, sum_gy, branch.mean, branch.inverse, branch.scale, factors, grads, R, C,
        T=T, JOINT=branch.joint, BC=BC, num_warps=1,
    )  # fmt: skip
    to = torch.empty_like(grad)
    _run(
        source.affine, (triton.cdiv(R, BR), triton.cdiv(C, BC), T),
        grad, branch.y, to, branch.scale, factors[0], factors[1], R, C, BR=BR, BC=BC, num_warps=4,
    )  # fmt: skip
    return to, grads[0], grads[1]


def _other(branches: Sequence["Branch"], added: Tensor | None, added_kind: int) -> tuple[Tensor, Tensor, Tensor, int]:
    """Return the second current, its scale and shift, and its kind, as `_current` counts them."""
    first = branches[0]
    if len(branches) > 1:
        return branches[1].y, branches[1].scale, branches[1].shift, 3
    return (first.y, first.scale, first.shift, 0) if added is None else (added, first.scale, first.shift, added_kind)


def _run(kernel: Any, grid: tuple[int, ...], *arguments: object, **constants: Any) -> None:
    """Run a kernel; its products and sums are rounded one by one, as torch rounds them."""
    kernel[grid](*arguments, enable_fp_fusion=False, **constants)


class _Constants:
    """A neuron's constants as the kernels take them: rounded to float32 as torch rounds them."""

    def __init__(self, neuron: NeuronConfig) -> None:
        peak = SURROGATE_DERIVATIVES[neuron.surrogate][1]
        self.inverse_tau = float(np.float32(1) / np.float32(neuron.tau))
        self.v_th, self.rho = float(neuron.v_threshold), float(neuron.reset_gradient)
        self.decay = 1 - 1 / neuron.tau if neuron.temporal_gradient else 0.0
        self.inverse_width = 1 / neuron.surrogate_width
        self.inverse_scale = 1 / (peak if neuron.surrogate_unit_peak else neuron.surrogate_width)
        self.soft, self.surrogate = neuron.reset == "soft", list(SURROGATE_DERIVATIVES).index(neuron.surrogate)


@cache
def _constants(neuron: NeuronConfig) -> _Constants:
    return _Constants(neuron)


def _rows(y: Tensor) -> tuple[int, int, int]:
    """Return T, R and C of [T, N, C, H, W]."""
    return len(y), y.numel() // (len(y) * y.shape[2]), y.shape[2]


def _tile(C: int, size: int) -> tuple[int, int]:
    """Return rows and channels of a program: whole rows where they are short, and never more than `ROWS` of them."""
    channels = min(64, triton.next_power_of_2(C))
    return min(size // channels, ROWS), channels


def _stepped(x: Tensor, timesteps: int | None) -> tuple[Tensor, int]:
    """Return dense currents, and how many numbers their timesteps are apart: 0 for static ones."""
    if timesteps:
        return (x if _is_dense(x) else x.contiguous()), 0
    if _is_dense(x[0]) and x.stride(0) in (0, x[0].numel()):
        return x, x.stride(0)
    x = x.contiguous()
    return x, x[0].numel()


def _is_dense(x: Tensor) -> bool:
    channels_last = x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)  # noqa: PLR2004 - N, C, H, W
    return channels_last or x.is_contiguous()


def _laid_like(x: Tensor, timesteps: int, device: Any = None) -> Tensor:
    """Return an empty tensor [T, *] whose timesteps lie in memory as ``x`` does."""
    strides = (x.numel(), *x.stride())
    return torch.empty_strided((timesteps, *x.shape), strides, dtype=x.dtype, device=device or x.device)


def _aligned(x: Tensor, strides: tuple[int, ...]) -> Tensor:
    """Return a tensor with the given strides, copied if it has others."""
    if x.stride() == strides:
        return x
    return torch.empty_strided(x.shape, strides, dtype=x.dtype, device=x.device).copy_(x)
