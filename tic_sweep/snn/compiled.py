"""The compiled kernels for CPUs, on tensors. Shapes: T timesteps, N samples, C channels, * any; time is axis 0.

Neurons are shared out among torch's threads of this process; no sum crosses neurons, so that their number changes
nothing.
"""

import ctypes
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from tic_sweep.config import NeuronConfig
from tic_sweep.snn.library import library
from tic_sweep.snn.norm import EPS, MOMENTUM, TimeNorm
from tic_sweep.snn.surrogate import SURROGATE_DERIVATIVES

if TYPE_CHECKING:
    from tic_sweep.snn.fused import Branch

WORTH_SHARING = 2**16
"""Numbers of neurons, over all timesteps, from which on threads share a layer."""

SHORTEST_ROW = 4
"""Pixels from which on norm and neurons are joined."""


class _Neuron(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_float) for name in (
            "tau", "inverse_tau", "v_th", "rho", "rho_v_th", "decay", "width", "scale"
        )),
        ("soft", ctypes.c_int32), ("surrogate", ctypes.c_int32),
    ]  # fmt: skip


class _Currents(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("y", "scale", "shift", "other", "other_scale", "other_shift")),
        *((name, ctypes.c_int64) for name in "TNCP"),
    ]


def fire(x: Tensor, neuron: NeuronConfig, timesteps: int | None = None) -> Tensor:
    """Return the spikes [T, *] of currents [T, *], or, with ``timesteps``, of one current [*] at every timestep."""
    x, step = _stepped(x, timesteps)
    s_T = x.new_empty((timesteps, *x.shape) if timesteps else x.shape)
    steps, neurons = len(s_T), s_T[0].numel()

    def run(first: Any, last: Any) -> int:
        return library().lif_forward(
            _at(x), _size(step), _at(s_T), _size(steps), _size(neurons), _of(neuron), first, last
        )

    _share(neurons, steps, run)
    return s_T


def descend(x: Tensor, grad_s_T: Tensor, neuron: NeuronConfig, timesteps: int | None = None) -> Tensor:
    """Return dL/dx from dL/ds [T, *]; for one current at every timestep, the sum over time."""
    x, step = _stepped(x, timesteps)
    grad_s_T = grad_s_T.contiguous()
    grad_x = x.new_empty(x.shape)
    steps, neurons = len(grad_s_T), grad_s_T[0].numel()

    def run(first: Any, last: Any) -> int:
        return library().lif_backward(
            _at(x), _size(step), _at(grad_s_T), _at(grad_x), ctypes.c_int32(timesteps is not None), _size(steps),
            _size(neurons), _of(neuron), first, last,
        )  # fmt: skip

    _share(neurons, steps, run)
    return grad_x


def takes(y_TNCHW: Tensor) -> bool:
    """Tell whether normalised currents are worth it: their rows of pixels are what the kernels work on."""
    return y_TNCHW[0, 0, 0].numel() >= SHORTEST_ROW


def laid_out(x: Tensor) -> Tensor:
    """Return [T, N, C, H, W] as the kernels of normalised currents take it: contiguous."""
    return x.contiguous()


def standardise(y_TNCHW: Tensor, norm: TimeNorm) -> Sequence[Tensor]:
    """Return mean, 1/√(variance + ε), scale and shift [T, C], in torch's order of sums; update the running ones."""
    parts = y_TNCHW.flatten(0, 1)[None] if norm.joint else y_TNCHW
    taken = (_moments if _sums_as_torch() else _moments_by_torch)(parts, norm.running_mean, norm.running_var)
    mean, variance = (each.expand(len(y_TNCHW), -1).contiguous() for each in taken)
    inverse = (variance.double() + EPS).sqrt_().reciprocal_().float()
    scale = inverse * norm.gamma.detach()
    return mean, inverse, scale, torch.addcmul(norm.bias.detach(), mean, scale, value=-1)


def fire_normalised(branches: Sequence["Branch"], added: Tensor | None, neuron: NeuronConfig) -> Tensor:
    """Return the spikes [T, N, C, H, W] of the sum of normalised branches and what is added as it is."""
    s = branches[0].y.new_empty(branches[0].y.shape)
    currents = _currents(branches, added)

    def run(first: Any, last: Any) -> int:
        return library().norm_lif_forward(currents, _at(s), _of(neuron), first, last)

    _share(s.shape[2], s.numel() // s.shape[2], run)
    return s


def descend_normalised(
    branches: Sequence["Branch"], bits: Tensor | None, grad_s: Tensor, neuron: NeuronConfig
) -> tuple[Tensor, list[tuple[Tensor, Tensor, Tensor]]]:
    """Return dL/dcurrent [T, N, C, H, W], and for each branch the gradients of y, γ and β."""
    grad = grad_s.new_empty(grad_s.shape)
    grad_s = grad_s.contiguous()
    added = None if bits is None else unpack(bits, grad.shape)
    currents = _currents(branches, added)

    def run(first: Any, last: Any) -> int:
        return library().norm_lif_backward(currents, _at(grad_s), _at(grad), _of(neuron), first, last)

    _share(grad.shape[2], grad.numel() // grad.shape[2], run)
    return grad, [_through_norm(branch, grad) for branch in branches]


def pack(s: Tensor) -> Tensor:
    """Return spikes as bits, eight a byte."""
    s = s.contiguous()
    bits = s.new_empty(-(-s.numel() // 8), dtype=torch.uint8)
    _share(len(bits), 8, lambda first, last: library().pack(_at(s), _at(bits), _size(s.numel()), first, last))
    return bits


def unpack(bits: Tensor, shape: torch.Size, _stride: object = None, _dtype: object = None) -> Tensor:
    """Return the spikes that `pack` was given, contiguous, in float32."""
    s = bits.new_empty(shape, dtype=torch.float32)
    _share(len(bits), 8, lambda first, last: library().unpack(_at(bits), _at(s), _size(s.numel()), first, last))
    return s


def _moments(y_TNCP: Tensor, running_mean: Tensor, running_var: Tensor) -> tuple[Tensor, Tensor]:
    """Return means and variances [T, C] of [T, N, C, *]; update the running ones, timestep by timestep."""
    y_TNCP = y_TNCP.contiguous()
    timesteps, samples, channels, *pixels = y_TNCP.shape
    mean, variance = y_TNCP.new_empty(2, timesteps, channels)
    sizes = tuple(map(_size, (timesteps, samples, channels, math.prod(pixels))))

    def run(first: Any, last: Any) -> int:
        return library().moments(
            _at(y_TNCP), *sizes, ctypes.c_float(MOMENTUM), _at(mean), _at(variance), _at(running_mean),
            _at(running_var), first, last,
        )  # fmt: skip

    _share(channels, y_TNCP.numel() // channels, run)
    return mean, variance


def _moments_by_torch(y_TNCP: Tensor, running_mean: Tensor, running_var: Tensor) -> tuple[Tensor, Tensor]:
    """Return what `_moments` returns, by torch's own sums: one channel after the other, four times as slow."""
    taken = [torch.batch_norm_update_stats(y, running_mean, running_var, MOMENTUM) for y in y_TNCP]
    mean, variance = (torch.stack(each) for each in zip(*taken, strict=True))
    return mean, variance


@cache
def _sums_as_torch() -> bool:
    """Tell whether `_moments` gives torch's numbers to the last bit, which the build of either may change."""
    drawn = torch.Generator().manual_seed(0)
    like = {"dtype": torch.float32, "device": "cpu", "generator": drawn}
    y = torch.randn((4, 3, 61, 9, 7), **like) * 3 + 2
    before = torch.rand(2, 61, **like)
    both = [(before[0].clone(), before[1].clone()) for _ in range(2)]
    got = _moments(y, *both[0]), _moments_by_torch(y, *both[1])
    return all(torch.equal(*pair) for pair in (*zip(*got, strict=True), *zip(*both, strict=True)))


def _through_norm(branch: "Branch", grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of y, γ and β by torch's own backward pass, added over time in autograd's order."""
    parts = [(branch.y.flatten(0, 1), grad.flatten(0, 1))] if branch.joint else list(zip(branch.y, grad, strict=True))
    back = [
        torch.ops.aten.native_batch_norm_backward(
            g, y, branch.gamma, None, None, branch.mean[t], branch.inverse[t], True, EPS, [True, True, True]
        )
        for t, (y, g) in enumerate(parts)
    ]  # fmt: skip
    grad_gamma, grad_beta = back[-1][1].clone(), back[-1][2].clone()
    for _, of_gamma, of_beta in back[-2::-1]:
        grad_gamma += of_gamma
        grad_beta += of_beta
    grad_y = back[0][0].view(branch.y.shape) if branch.joint else torch.stack([of_y for of_y, _, _ in back])
    return grad_y, grad_gamma, grad_beta


def _currents(branches: Sequence["Branch"], added: Tensor | None) -> Any:
    first, *others = branches
    other = (others[0].y, others[0].scale, others[0].shift) if others else (added, None, None)
    timesteps, samples, channels, *pixels = first.y.shape
    tensors = (first.y, first.scale, first.shift, *other)
    struct = _Currents(*map(_at, tensors), timesteps, samples, channels, math.prod(pixels))
    return ctypes.byref(struct)


def _stepped(x: Tensor, timesteps: int | None) -> tuple[Tensor, int]:
    """Return currents as the kernels take them, and how many numbers their timesteps are apart: 0 for static ones."""
    if timesteps:
        return x.contiguous(), 0
    if len(x) > 1 and x.stride(0) == 0 and x[0].is_contiguous():
        return x, 0
    x = x.contiguous()
    return x, x[0].numel()


def _share(units: int, work_per_unit: int, run: Callable[[ctypes.c_int64, ctypes.c_int64], int | None]) -> None:
    """Run over all units, in as many parts as there are threads if that is worth it; a part that fails raises."""
    threads = torch.get_num_threads() if units * work_per_unit >= WORTH_SHARING else 1
    bounds = [units * i // threads for i in range(threads + 1)]
    parts = [(_size(a), _size(b)) for a, b in pairwise(bounds) if a < b]
    failed = list(_pool(threads).map(lambda part: run(*part), parts)) if len(parts) > 1 else [run(*p) for p in parts]
    if any(failed):
        raise MemoryError("a kernel could not have the memory for one block of neurons")


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="neurons")  # foreign calls let go of Python's lock


@cache
def _of(neuron: NeuronConfig) -> Any:
    """Return the neuron's constants as the kernels read them: in float32, as torch casts them."""
    names = list(SURROGATE_DERIVATIVES)
    peak = SURROGATE_DERIVATIVES[neuron.surrogate][1]
    exact = math.frexp(neuron.tau)[0] == 0.5  # noqa: PLR2004 - a power of two, by whose inverse one may multiply
    return ctypes.byref(
        _Neuron(
            tau=neuron.tau,
            inverse_tau=1 / neuron.tau if exact else 0,
            v_th=neuron.v_threshold,
            rho=neuron.reset_gradient,
            rho_v_th=neuron.reset_gradient * neuron.v_threshold,
            decay=1 - 1 / neuron.tau if neuron.temporal_gradient else 0,
            width=neuron.surrogate_width,
            scale=peak if neuron.surrogate_unit_peak else neuron.surrogate_width,
            soft=neuron.reset == "soft",
            surrogate=names.index(neuron.surrogate),
        )
    )


def _at(x: Tensor | None) -> Any:
    return None if x is None else ctypes.c_void_p(x.data_ptr())


_size = ctypes.c_int64
