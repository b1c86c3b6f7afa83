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
import triton.language as tl
from torch import Tensor

from tic_sweep.config import NeuronConfig
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
UNJOINED: Any = {"enable_fp_fusion": False}


@triton.jit
def _charge(v, x, inverse_tau):
    return v + (x - v) * inverse_tau


@triton.jit
def _reset(h, v_th, SOFT: tl.constexpr):
    if SOFT:
        return h - tl.where(h >= v_th, v_th, 0.0)
    return tl.where(h >= v_th, 0.0, h)


@triton.jit
def _slope(h, v_th, inverse_width, inverse_scale, SURROGATE: tl.constexpr):
    x = (h - v_th) * inverse_width
    if SURROGATE == 0:
        x = x * 3.14159274
        f = 1.0 / (x * x + 1.0)
    elif SURROGATE == 1:
        e = tl.exp(-tl.abs(x))
        f = e / ((1.0 + e) * (1.0 + e))
    elif SURROGATE == 2:  # noqa: PLR2004 - the order of SURROGATE_DERIVATIVES
        f = tl.maximum(1.0 - tl.abs(x), 0.0)
    else:
        a = tl.abs(x) + 1.0
        f = 1.0 / (a * a)
    return f * inverse_scale


@triton.jit
def _back(g, h, grad_s, v_th, rho, decay, inverse_width, inverse_scale, SOFT: tl.constexpr, RHO: tl.constexpr, SURROGATE: tl.constexpr):
    """Return g[t] = dL/ds[t]·f'(h[t]) + decay·g[t+1]·J[t]."""
    slope = _slope(h, v_th, inverse_width, inverse_scale, SURROGATE)
    if SOFT:
        jacobian = 1.0 - rho * v_th * slope
    else:
        jacobian = tl.where(h < v_th, 1.0, 0.0)
        if RHO:
            jacobian = jacobian - rho * h * slope
    return grad_s * slope + g * (decay * jacobian)


@triton.jit
def _lif_forward(
    x_ptr, s_ptr, M, x_step, inverse_tau, v_th, T: tl.constexpr, SOFT: tl.constexpr, SIZE: tl.constexpr
):  # fmt: skip
    i = tl.program_id(0).to(tl.int64) * SIZE + tl.arange(0, SIZE)
    inside = i < M
    v = tl.zeros([SIZE], tl.float32)
    for t in range(T):
        x = tl.load(x_ptr + i + x_step * t, inside, other=0.0).to(tl.float32)
        h = _charge(v, x, inverse_tau)
        tl.store(s_ptr + i + M * t, tl.where(h >= v_th, 1.0, 0.0).to(s_ptr.dtype.element_ty), inside)
        v = _reset(h, v_th, SOFT)


@triton.jit
def _lif_backward(
    x_ptr, grad_s_ptr, grad_x_ptr, h_ptr, M, x_step, inverse_tau, v_th, rho, decay, inverse_width, inverse_scale,
    T: tl.constexpr, SOFT: tl.constexpr, RHO: tl.constexpr, SURROGATE: tl.constexpr, SUMMED: tl.constexpr,
    IN_MEMORY: tl.constexpr, SIZE: tl.constexpr,
):  # fmt: skip
    i = tl.program_id(0).to(tl.int64) * SIZE + tl.arange(0, SIZE)
    inside = i < M
    v = tl.zeros([SIZE], tl.float32)
    g = tl.zeros([SIZE], tl.float32)
    total = tl.zeros([SIZE], tl.float32)
    if IN_MEMORY:
        for t in range(T):
            x = tl.load(x_ptr + i + x_step * t, inside, other=0.0).to(tl.float32)
            h = _charge(v, x, inverse_tau)
            tl.store(h_ptr + i + M * t, h, inside)
            v = _reset(h, v_th, SOFT)
        for k in range(T):
            h = tl.load(h_ptr + i + M * (T - 1 - k), inside, other=0.0)
            grad_s = tl.load(grad_s_ptr + i + M * (T - 1 - k), inside, other=0.0).to(tl.float32)
            g = _back(g, h, grad_s, v_th, rho, decay, inverse_width, inverse_scale, SOFT, RHO, SURROGATE)
            total += g * inverse_tau
            if not SUMMED:
                tl.store(grad_x_ptr + i + M * (T - 1 - k), (g * inverse_tau).to(grad_x_ptr.dtype.element_ty), inside)
    else:
        hs = ()
        for t in tl.static_range(T):
            x = tl.load(x_ptr + i + x_step * t, inside, other=0.0).to(tl.float32)
            h = _charge(v, x, inverse_tau)
            hs = hs + (h,)  # noqa: RUF005 - Triton knows no unpacking
            v = _reset(h, v_th, SOFT)
        for k in tl.static_range(T):
            grad_s = tl.load(grad_s_ptr + i + M * (T - 1 - k), inside, other=0.0).to(tl.float32)
            g = _back(g, hs[T - 1 - k], grad_s, v_th, rho, decay, inverse_width, inverse_scale, SOFT, RHO, SURROGATE)
            total += g * inverse_tau
            if not SUMMED:
                tl.store(grad_x_ptr + i + M * (T - 1 - k), (g * inverse_tau).to(grad_x_ptr.dtype.element_ty), inside)
    if SUMMED:
        tl.store(grad_x_ptr + i, total.to(grad_x_ptr.dtype.element_ty), inside)


@triton.jit
def _current(
    y_ptr, other_ptr, start, at, there, scale_ptr, shift_ptr, other_scale_ptr, other_shift_ptr, tc, channel_there,
    OTHER: tl.constexpr,
):  # fmt: skip
    """Return scale·y + shift at a timestep that begins at ``start``, plus what OTHER says.

    Nothing (0), what lies there (1), a bit (2), or another branch (3).
    """
    a = tl.load(scale_ptr + tc, channel_there, other=0.0)[None, :]
    b = tl.load(shift_ptr + tc, channel_there, other=0.0)[None, :]
    current = tl.load(y_ptr + start + at, there, other=0.0).to(tl.float32) * a + b
    if OTHER == 1:
        current += tl.load(other_ptr + start + at, there, other=0.0).to(tl.float32)
    if OTHER == 2:  # noqa: PLR2004 - as listed above
        byte = tl.load(other_ptr + (start >> 3) + (at >> 3), there, other=0).to(tl.int32)
        current += ((byte >> (at & 7)) & 1).to(tl.float32)
    if OTHER == 3:  # noqa: PLR2004 - as listed above
        d = tl.load(other_scale_ptr + tc, channel_there, other=0.0)[None, :]
        e = tl.load(other_shift_ptr + tc, channel_there, other=0.0)[None, :]
        current += tl.load(other_ptr + start + at, there, other=0.0).to(tl.float32) * d + e
    return current


@triton.jit
def _norm_lif_forward(
    y_ptr, other_ptr, s_ptr, scale_ptr, shift_ptr, other_scale_ptr, other_shift_ptr, R, C, inverse_tau, v_th,
    T: tl.constexpr, SOFT: tl.constexpr, OTHER: tl.constexpr, BR: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    r = tl.program_id(0) * BR + tl.arange(0, BR)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    there = (r < R)[:, None] & (c < C)[None, :]
    offset = r[:, None] * C + c[None, :]
    step = R.to(tl.int64) * C
    v = tl.zeros([BR, BC], tl.float32)
    for t in range(T):
        x = _current(
            y_ptr, other_ptr, step * t, offset, there, scale_ptr, shift_ptr, other_scale_ptr, other_shift_ptr,
            c + C * t, c < C, OTHER,
        )  # fmt: skip
        h = _charge(v, x, inverse_tau)
        tl.store(s_ptr + step * t + offset, tl.where(h >= v_th, 1.0, 0.0).to(s_ptr.dtype.element_ty), there)
        v = _reset(h, v_th, SOFT)


@triton.jit
def _store_back(
    g, h, grad_s_ptr, grad_ptr, at, there, inverse_tau, v_th, rho, decay, inverse_width, inverse_scale,
    SOFT: tl.constexpr, RHO: tl.constexpr, SURROGATE: tl.constexpr,
):  # fmt: skip
    """Go one step back in time and store dL/dx."""
    grad_s = tl.load(grad_s_ptr + at, there, other=0.0).to(tl.float32)
    g = _back(g, h, grad_s, v_th, rho, decay, inverse_width, inverse_scale, SOFT, RHO, SURROGATE)
    tl.store(grad_ptr + at, (g * inverse_tau).to(grad_ptr.dtype.element_ty), there)
    return g


@triton.jit(do_not_specialize=["parts"])
def _norm_lif_backward(
    y_ptr, other_ptr, grad_s_ptr, grad_ptr, h_ptr, sums_ptr, scale_ptr, shift_ptr, mean_ptr, other_scale_ptr,
    other_shift_ptr, other_mean_ptr, R, C, parts, inverse_tau, v_th, rho, decay, inverse_width, inverse_scale,
    T: tl.constexpr, SOFT: tl.constexpr, RHO: tl.constexpr, SURROGATE: tl.constexpr, OTHER: tl.constexpr,
    IN_MEMORY: tl.constexpr, BR: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    """Store dL/dcurrent, and this program's sums over its rows for the gradients of the norms."""
    part = tl.program_id(0)
    r = part * BR + tl.arange(0, BR)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    there = (r < R)[:, None] & (c < C)[None, :]
    offset = r[:, None] * C + c[None, :]
    step = R.to(tl.int64) * C
    v = tl.zeros([BR, BC], tl.float32)
    g = tl.zeros([BR, BC], tl.float32)
    if IN_MEMORY:
        for t in range(T):
            x = _current(
                y_ptr, other_ptr, step * t, offset, there, scale_ptr, shift_ptr, other_scale_ptr, other_shift_ptr,
                c + C * t, c < C, OTHER,
            )  # fmt: skip
            h = _charge(v, x, inverse_tau)
            tl.store(h_ptr + step * t + offset, h, there)
            v = _reset(h, v_th, SOFT)
        for k in range(T):
            h = tl.load(h_ptr + step * (T - 1 - k) + offset, there, other=0.0)
            g = _store_back(
                g, h, grad_s_ptr + step * (T - 1 - k), grad_ptr + step * (T - 1 - k), offset, there,
                inverse_tau, v_th, rho, decay, inverse_width, inverse_scale, SOFT, RHO, SURROGATE,
            )  # fmt: skip
    else:
        hs = ()
        for t in tl.static_range(T):
            x = _current(
                y_ptr, other_ptr, step * t, offset, there, scale_ptr, shift_ptr, other_scale_ptr, other_shift_ptr,
                c + C * t, c < C, OTHER,
            )  # fmt: skip
            h = _charge(v, x, inverse_tau)
            hs = hs + (h,)  # noqa: RUF005 - Triton knows no unpacking
            v = _reset(h, v_th, SOFT)
        for k in tl.static_range(T):
            g = _store_back(
                g, hs[T - 1 - k], grad_s_ptr + step * (T - 1 - k), grad_ptr + step * (T - 1 - k), offset, there,
                inverse_tau, v_th, rho, decay, inverse_width, inverse_scale, SOFT, RHO, SURROGATE,
            )  # fmt: skip
    # Sums in a loop of their own, over what lies in the cache still: unrolled, they would take half a minute to compile.
    tl.debug_barrier()
    plane = parts.to(tl.int64) * T * C
    for t in range(T):
        grad = tl.load(grad_ptr + step * t + offset, there, other=0.0).to(tl.float32)
        y = tl.load(y_ptr + step * t + offset, there, other=0.0).to(tl.float32)
        mean = tl.load(mean_ptr + c + C * t, c < C, other=0.0)[None, :]
        to = sums_ptr + (part * T + t).to(tl.int64) * C + c
        tl.store(to, tl.sum(grad, 0), c < C)
        tl.store(to + plane, tl.sum(grad * (y - mean), 0), c < C)
        if OTHER == 3:  # noqa: PLR2004 - as in _current
            z = tl.load(other_ptr + step * t + offset, there, other=0.0).to(tl.float32)
            other_mean = tl.load(other_mean_ptr + c + C * t, c < C, other=0.0)[None, :]
            tl.store(to + 2 * plane, tl.sum(grad * (z - other_mean), 0), c < C)


@triton.jit(do_not_specialize=["parts"])
def _sums(y_ptr, sums_ptr, R, C, rows, parts, T: tl.constexpr, BR: tl.constexpr, BC: tl.constexpr):
    """Sum y - y[t, 0] and its square over this program's rows."""
    part, t = tl.program_id(0), tl.program_id(2)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    base = y_ptr + (t * R).to(tl.int64) * C
    centre = tl.load(base + c, c < C, other=0.0).to(tl.float32)[None, :]
    first = tl.zeros([BR, BC], tl.float32)
    second = tl.zeros([BR, BC], tl.float32)
    for start in range(0, rows, BR):
        r = part.to(tl.int64) * rows + start + tl.arange(0, BR)
        there = (r < R)[:, None] & (c < C)[None, :]
        y = tl.load(base + r[:, None] * C + c[None, :], there, other=0.0).to(tl.float32)
        d = tl.where(there, y - centre, 0.0)
        first += d
        second += d * d
    to = sums_ptr + (part * T + t).to(tl.int64) * C + c
    tl.store(to, tl.sum(first, 0), c < C)
    tl.store(to + parts.to(tl.int64) * T * C, tl.sum(second, 0), c < C)


@triton.jit
def _affine(
    g_ptr, y_ptr, to_ptr, p_ptr, q_ptr, r_ptr, R, C, BR: tl.constexpr, BC: tl.constexpr
):  # fmt: skip
    """Store p·g + (q·y + r), with p, q and r [T, C]."""
    t = tl.program_id(2)
    r = tl.program_id(0).to(tl.int64) * BR + tl.arange(0, BR)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    there = (r < R)[:, None] & (c < C)[None, :]
    at = r[:, None] * C + c[None, :] + (t * R).to(tl.int64) * C
    of_g = tl.load(p_ptr + c + C * t, c < C, other=0.0)[None, :]
    of_y = tl.load(q_ptr + c + C * t, c < C, other=0.0)[None, :]
    rest = tl.load(r_ptr + c + C * t, c < C, other=0.0)[None, :]
    g = tl.load(g_ptr + at, there, other=0.0).to(tl.float32)
    y = tl.load(y_ptr + at, there, other=0.0).to(tl.float32)
    tl.store(to_ptr + at, (of_g * g + (of_y * y + rest)).to(to_ptr.dtype.element_ty), there)


@triton.jit
def _pack(s_ptr, bits_ptr, count, SIZE: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * SIZE + tl.arange(0, SIZE)
    k = tl.arange(0, 8)
    at = i[:, None] * 8 + k[None, :]
    s = tl.load(s_ptr + at, at < count, other=0.0) != 0
    tl.store(bits_ptr + i, tl.sum(s.to(tl.int32) << k[None, :], 1).to(tl.uint8), i * 8 < count)


@triton.jit
def _unpack(bits_ptr, s_ptr, count, SIZE: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * SIZE + tl.arange(0, SIZE)
    byte = tl.load(bits_ptr + (i >> 3), i < count, other=0).to(tl.int32)
    tl.store(s_ptr + i, ((byte >> (i & 7).to(tl.int32)) & 1).to(tl.float32).to(s_ptr.dtype.element_ty), i < count)


def fire(x: Tensor, neuron: NeuronConfig, timesteps: int | None = None) -> Tensor:
    """Return the spikes [T, *] of currents [T, *], or, with ``timesteps``, of one current [*] at every timestep."""
    x, step = _stepped(x, timesteps)
    of_one = x if timesteps else x[0]
    s = _laid_like(of_one, timesteps or len(x))
    M = of_one.numel()
    p = _constants(neuron)
    _lif_forward[(triton.cdiv(M, BLOCK),)](
        x, s, M, step, p.inverse_tau, p.v_th, T=len(s), SOFT=p.soft, SIZE=BLOCK, num_warps=8, **UNJOINED
    )
    return s


def descend(x: Tensor, grad_s: Tensor, neuron: NeuronConfig, timesteps: int | None = None) -> Tensor:
    """Return dL/dx from dL/ds [T, *]; for one current at every timestep, the sum over time."""
    x, step = _stepped(x, timesteps)
    of_one = x if timesteps else x[0]
    grad_s = _aligned(grad_s, _laid_like(of_one, len(grad_s), device="meta").stride())
    grad_x = torch.empty_like(of_one) if timesteps else _laid_like(of_one, len(x))
    T, M, p = len(grad_s), of_one.numel(), _constants(neuron)
    in_memory = T > IN_REGISTERS
    h = torch.empty(T * M if in_memory else 0, device=x.device)
    _lif_backward[(triton.cdiv(M, BLOCK),)](
        x, grad_s, grad_x, h, M, step, p.inverse_tau, p.v_th, p.rho, p.decay, p.inverse_width, p.inverse_scale,
        T=T, SOFT=p.soft, RHO=p.rho != 0, SURROGATE=p.surrogate, SUMMED=timesteps is not None, IN_MEMORY=in_memory,
        SIZE=BLOCK, num_warps=8, **UNJOINED,
    )  # fmt: skip
    return grad_x


def takes(_y: Tensor) -> bool:
    """Tell that normalised currents of every shape are worth it."""
    return True


def laid_out(x: Tensor) -> Tensor:
    """Return [T, N, C, H, W] as the kernels of normalised currents take it: channels last."""
    return x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, x.shape[:2])


def moments(y: Tensor, norm: TimeNorm) -> tuple[Tensor, Tensor]:
    """Return mean and 1/√(variance + ε) [T, C], and update the norm's running statistics."""
    T, R, C = _rows(y)
    parts = triton.cdiv(R, ROWS)
    sums = torch.empty((2, parts, T, C), device=y.device)
    BR, BC = _tile(C, 2048)
    _sums[(parts, triton.cdiv(C, BC), T)](y, sums, R, C, ROWS, parts, T=T, BR=BR, BC=BC, num_warps=4, **UNJOINED)
    centre = y[:, 0, :, 0, 0].float()
    first, second = sums.sum(1) / R
    mean, variance, count = centre + first, (second - first * first).clamp_(min=0), R
    if norm.joint:
        overall = mean.mean(0)
        variance = (variance + (mean - overall).square()).mean(0)
        mean, count = overall, R * T
    _track(norm, mean, variance, count)
    return mean.expand(T, -1).contiguous(), (variance + EPS).rsqrt_().expand(T, -1).contiguous()


def fire_normalised(branches: Sequence["Branch"], added: Tensor | None, neuron: NeuronConfig) -> Tensor:
    """Return the spikes [T, N, C, H, W] of the sum of normalised branches and what is added as it is."""
    y, p = branches[0].y, _constants(neuron)
    (T, R, C), (BR, BC) = _rows(y), _tile(y.shape[2], 2048)
    s = torch.empty_strided(y.shape, y.stride(), dtype=y.dtype, device=y.device)
    other, other_scale, other_shift, kind = _other(branches, added, 1)
    _norm_lif_forward[(triton.cdiv(R, BR), triton.cdiv(C, BC))](
        y, other, s, branches[0].scale, branches[0].shift, other_scale, other_shift, R, C, p.inverse_tau, p.v_th,
        T=T, SOFT=p.soft, OTHER=kind, BR=BR, BC=BC, num_warps=8, **UNJOINED,
    )  # fmt: skip
    return s


def descend_normalised(
    branches: Sequence["Branch"], bits: Tensor | None, grad_s: Tensor, neuron: NeuronConfig
) -> tuple[Tensor, list[tuple[Tensor, Tensor, Tensor]]]:
    """Return dL/dcurrent [T, N, C, H, W], and for each branch the gradients of y, γ and β."""
    y, p = branches[0].y, _constants(neuron)
    (T, R, C), (BR, BC) = _rows(y), _tile(y.shape[2], 1024)
    parts = triton.cdiv(R, BR)
    grad_s = _aligned(grad_s, y.stride())
    grad = torch.empty_strided(y.shape, y.stride(), dtype=y.dtype, device=y.device)
    sums = torch.empty((1 + len(branches), parts, T, C), device=y.device)
    whole_bytes = R * C % 8 == 0
    added = bits if bits is None or whole_bytes else unpack(bits, y.shape, y.stride(), y.dtype)
    other, other_scale, other_shift, kind = _other(branches, added, 2 if whole_bytes else 1)
    in_memory = T > IN_REGISTERS
    h = torch.empty(y.numel() if in_memory else 0, device=y.device)
    _norm_lif_backward[(parts, triton.cdiv(C, BC))](
        y, other, grad_s, grad, h, sums, branches[0].scale, branches[0].shift, branches[0].mean,
        other_scale, other_shift, branches[-1].mean, R, C, parts,
        p.inverse_tau, p.v_th, p.rho, p.decay, p.inverse_width, p.inverse_scale, T=T, SOFT=p.soft, RHO=p.rho != 0,
        SURROGATE=p.surrogate, OTHER=kind, IN_MEMORY=in_memory, BR=BR, BC=BC, num_warps=8, **UNJOINED,
    )  # fmt: skip
    sum_g, *sums_gy = sums.sum(1)
    return grad, [_through_norm(b, grad, sum_g, sum_gy) for b, sum_gy in zip(branches, sums_gy, strict=True)]


def pack(s: Tensor) -> Tensor:
    """Return dense spikes as bits, eight a byte, in their order in memory."""
    bits = torch.empty(triton.cdiv(s.numel(), 8), dtype=torch.uint8, device=s.device)
    _pack[(triton.cdiv(len(bits), 256),)](s, bits, s.numel(), SIZE=256, num_warps=4)
    return bits


def unpack(bits: Tensor, shape: torch.Size, stride: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Return the spikes that `pack` was given."""
    s = torch.empty_strided(shape, stride, dtype=dtype, device=bits.device)
    _unpack[(triton.cdiv(s.numel(), BLOCK),)](bits, s, s.numel(), SIZE=BLOCK, num_warps=4)
    return s


def _through_norm(branch: "Branch", grad: Tensor, sum_g: Tensor, sum_gy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of y, γ and β: dL/dy = scale·(g - mean(g) - ŷ·mean(g·ŷ)), with ŷ = (y - μ)·inverse."""
    T, R, C = _rows(branch.y)
    grad_gamma, grad_beta = (sum_gy * branch.inverse).sum(0), sum_g.sum(0)
    count = R
    if branch.joint:
        sum_g, sum_gy, count = grad_beta.expand(T, -1), sum_gy.sum(0).expand(T, -1), R * T
    of_y = branch.scale * branch.inverse.square() * sum_gy * (-1 / count)
    rest = -(branch.scale * sum_g / count + of_y * branch.mean)
    BR, BC = _tile(C, 2048)
    to = torch.empty_like(grad)
    _affine[(triton.cdiv(R, BR), triton.cdiv(C, BC), T)](
        grad, branch.y, to, branch.scale, of_y, rest, R, C, BR=BR, BC=BC, num_warps=4, **UNJOINED
    )
    return to, grad_gamma, grad_beta


def _track(norm: TimeNorm, mean: Tensor, variance: Tensor, count: int) -> None:
    """Update running statistics as T calls in turn would: r ← (1-m)^T·r + Σ_t m·(1-m)^(T-t)·new[t]."""
    mean, variance = mean.view(-1, mean.shape[-1]), variance.view(-1, mean.shape[-1])
    weights, left = _weights(len(mean), mean.device)
    norm.running_mean.mul_(left).add_(weights @ mean)
    norm.running_var.mul_(left).add_(weights @ variance, alpha=count / max(count - 1, 1))


@cache
def _weights(updates: int, device: torch.device) -> tuple[Tensor, float]:
    kept = [(1 - MOMENTUM) ** (updates - t) for t in range(updates + 1)]
    return torch.tensor([MOMENTUM * k for k in kept[1:]], device=device), kept[0]


def _other(
    branches: Sequence["Branch"], added: Tensor | None, added_kind: int
) -> tuple[Tensor, Tensor, Tensor, int]:
    """Return the second current, its scale and shift, and its kind, as `_current` counts them."""
    first = branches[0]
    if len(branches) > 1:
        return branches[1].y, branches[1].scale, branches[1].shift, 3
    return (first.y, first.scale, first.shift, 0) if added is None else (added, first.scale, first.shift, added_kind)


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
    """Return rows and channels of a program: whole rows where they are short."""
    channels = min(64, triton.next_power_of_2(C))
    return size // channels, channels


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
