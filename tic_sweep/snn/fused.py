"""Layers of neurons in one pass over memory each way, by whichever kernels run. Shapes as in `neuron.py`, `norm.py`.

    fused_lif        spikes of currents
    fused_norm_lif   spikes of normalised currents, with a second branch added (an identity or normalised shortcut)
    packed_conv      a convolution of spikes that keeps them for its backward pass as bits

What is saved per neuron and timestep is what the norm was given; currents and membrane are worked out anew in the
backward pass, and spikes cost a bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from tic_sweep.config import NeuronConfig
from tic_sweep.snn.norm import TimeNorm

SAVED = 6
"""Tensors of a branch that a backward pass needs."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A normalised current scale·y + shift, with scale = γ/√(σ² + ε) and shift = β - μ·scale.

    ``y`` is [T, N, C, H, W], ``gamma`` [C]; the rest is [T, C], ``inverse`` being 1/√(σ² + ε). ``joint`` says that the
    statistics are those of all timesteps together.
    """

    y: Tensor
    gamma: Tensor
    mean: Tensor
    inverse: Tensor
    scale: Tensor
    shift: Tensor
    joint: bool

    @property
    def saved(self) -> tuple[Tensor, ...]:
        """What a backward pass needs."""
        return self.y, self.gamma, self.mean, self.inverse, self.scale, self.shift


def fused_lif(kernels: ModuleType, current: Tensor, neuron: NeuronConfig, timesteps: int | None = None) -> Tensor:
    """Return the spikes [T, *] for currents [T, *], or, with ``timesteps``, for one current [*] at every timestep."""
    return as_spikes(_LIF.apply(current, kernels, neuron, timesteps))


def fused_norm_lif(
    kernels: ModuleType,
    y: Tensor,
    norm: TimeNorm,
    neuron: NeuronConfig,
    other: Tensor | None = None,
    other_norm: TimeNorm | None = None,
) -> Tensor:
    """Return the spikes of ``norm(y)``, plus ``other_norm(other)`` or ``other`` itself, in training mode.

    Args:
        kernels: those of `kernels_for`.
        y: what the norm is given, [T, N, C, H, W].
        norm: takes statistics of ``y`` and updates its running ones, as when it is called.
        neuron: the neurons' parameters.
        other: of the shape of ``y``; spikes, if it is not normalised.
        other_norm: its norm.
    """
    y = kernels.laid_out(y)
    moments = kernels.standardise(y.detach(), norm)
    other_gamma = other_beta = other_moments = other_joint = None
    if other is not None:
        other = kernels.laid_out(other)
    if other is not None and other_norm is not None:
        other_moments, other_joint = kernels.standardise(other.detach(), other_norm), other_norm.joint
        other_gamma, other_beta = other_norm.gamma, other_norm.bias
    s = _NormLIF.apply(
        y, norm.gamma, norm.bias, other, other_gamma, other_beta, kernels, neuron, moments, norm.joint,
        other_moments, other_joint,
    )  # fmt: skip
    return as_spikes(s)


def is_ordinary(conv: nn.Conv2d) -> bool:
    """Tell whether a convolution has no groups, and zeros around it whose number is given."""
    return conv.groups == 1 and conv.padding_mode == "zeros" and not isinstance(conv.padding, str)


def is_packable(conv: nn.Conv2d) -> bool:
    """Tell whether `packed_conv` knows a convolution: an ordinary one without bias."""
    return is_ordinary(conv) and conv.bias is None


def packed_conv(kernels: ModuleType, spikes: Tensor, conv: nn.Conv2d) -> Tensor:
    """Return a convolution, one that `is_packable`, of spikes [T, N, C, H, W], at all timesteps at once."""
    return _PackedConv.apply(spikes, conv.weight, conv, kernels)


class _LIF(torch.autograd.Function):
    """The kernels' `fire` forward, `descend` backward."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, x: Tensor, kernels: ModuleType, neuron: NeuronConfig, timesteps: int | None
    ) -> Tensor:
        ctx.kernels, ctx.neuron, ctx.timesteps = kernels, neuron, timesteps
        ctx.save_for_backward(x)
        return kernels.fire(x, neuron, timesteps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_s: Tensor) -> tuple[Tensor, None, None, None]:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return ctx.kernels.descend(x, grad_s, ctx.neuron, ctx.timesteps), None, None, None


class _NormLIF(torch.autograd.Function):
    """One or two branches, normalised and added, into spikes."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, y: Tensor, gamma: Tensor, _beta: Tensor, other: Tensor | None, other_gamma: Tensor | None,
        _other_beta: Tensor | None, kernels: ModuleType, neuron: NeuronConfig, moments: Sequence[Tensor],
        joint: bool, other_moments: Sequence[Tensor] | None, other_joint: bool | None,  # noqa: FBT001
    ) -> Tensor:  # fmt: skip
        branches, added = [_branch((y, gamma, *moments), joint)], other
        if other_moments is not None:
            assert other is not None and other_gamma is not None  # noqa: S101, PT018 - they come together
            branches.append(_branch((other, other_gamma, *other_moments), bool(other_joint)))
            added = None
        ctx.kernels, ctx.neuron, ctx.joint = kernels, neuron, [branch.joint for branch in branches]
        ctx.save_for_backward(
            *(x for branch in branches for x in branch.saved), *(() if added is None else (packed(added, kernels),))
        )
        return kernels.fire_normalised(branches, added, neuron)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_s: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        saved: Sequence[Tensor] = ctx.saved_tensors
        branches = [_branch(saved[SAVED * i :], joint) for i, joint in enumerate(ctx.joint)]
        bits = saved[SAVED] if len(saved) == SAVED + 1 else None
        grad_added, (first, *others) = ctx.kernels.descend_normalised(branches, bits, grad_s, ctx.neuron)
        second = others[0] if others else (None if bits is None else grad_added, None, None)
        return *first, *second, *(None,) * 6


def _branch(saved: Sequence[Tensor], joint: bool) -> Branch:  # noqa: FBT001
    y, gamma, mean, inverse, scale, shift = saved[:SAVED]
    return Branch(y, gamma, mean, inverse, scale, shift, joint)


def as_spikes(x: Tensor) -> Tensor:
    """Mark a tensor as zeros and ones, which may be kept as bits; return it."""
    x._packed = None  # type: ignore[attr-defined] # noqa: SLF001 - where `packed` will keep the bits
    return x


def are_spikes(x: Tensor) -> bool:
    """Tell whether a tensor is marked as zeros and ones."""
    return hasattr(x, "_packed")


def packed(spikes: Tensor, kernels: ModuleType) -> Tensor:
    """Return spikes as bits, worked out once for all who keep them."""
    bits = getattr(spikes, "_packed", None)
    if bits is None:
        bits = kernels.pack(spikes)
        spikes._packed = bits  # type: ignore[attr-defined] # noqa: SLF001 - it lives and dies with the spikes
    return bits


class _PackedConv(torch.autograd.Function):
    """The convolution forward; backward from the spikes' bits."""

    @staticmethod
    def forward(ctx: Any, spikes: Tensor, weight: Tensor, conv: nn.Conv2d, kernels: ModuleType) -> Tensor:  # type: ignore[override]
        ctx.kernels, ctx.conv, ctx.shape, ctx.stride, ctx.given = (
            kernels, conv, spikes.shape, spikes.stride(), spikes.dtype
        )  # fmt: skip
        ctx.save_for_backward(packed(spikes, kernels), weight)
        x = spikes.flatten(0, 1)
        y = F.conv2d(x, weight, None, conv.stride, conv.padding, conv.dilation)
        ctx.dtype = y.dtype
        return y.unflatten(0, spikes.shape[:2])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor | None, Tensor, None, None]:  # type: ignore[override]
        bits, weight = ctx.saved_tensors
        conv = ctx.conv
        x = ctx.kernels.unpack(bits, ctx.shape, ctx.stride, ctx.dtype).flatten(0, 1).to(ctx.dtype)
        grad_x, grad_weight, _ = torch.ops.aten.convolution_backward(
            grad_y.flatten(0, 1), x, weight.to(ctx.dtype), None, conv.stride, conv.padding, conv.dilation, False,
            [0, 0], 1, [ctx.needs_input_grad[0], True, False],
        )  # fmt: skip
        grad_spikes = None if grad_x is None else grad_x.unflatten(0, ctx.shape[:2]).to(ctx.given)
        return grad_spikes, grad_weight.to(weight.dtype), None, None
