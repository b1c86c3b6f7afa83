"""Parts the networks are built from. Shapes: T timesteps, N samples, C channels, K classes; time is axis 0."""

import torch
from torch import Tensor, nn

from tic_sweep.config import NeuronConfig
from tic_sweep.snn import (
    TimeNorm,
    are_spikes,
    as_spikes,
    fused_lif,
    fused_norm_lif,
    is_packable,
    kernels_for,
    lif,
    packed_conv,
)


class LIF(nn.Module):
    """`lif` as a layer, without parameters or state, so that a forward hook sees the neurons' current and spikes."""

    def __init__(self, neuron: NeuronConfig) -> None:
        super().__init__()
        self.neuron = neuron

    def forward(self, current_TN: Tensor) -> Tensor:
        """Return the spikes."""
        return lif(current_TN, self.neuron)


class SpikingConv(nn.Module):
    """Convolution without bias, normalisation, and LIF neurons: [T, N, C, H, W] → spikes [T, N, C', H', W'].

    With ``pool`` the spikes are then max-pooled, each timestep by itself: there is a spike where any of 2x2 neurons
    fired (at the lower and right edge of an odd side, any of those that are left, so that a side of 1 stays 1).

    As a stem it may be given a static image [N, C, H, W] with ``timesteps``: convolution and normalisation are the same
    at every t and are computed once.
    """

    def __init__(
        self, inputs: int, outputs: int, *, stride: int = 1, pool: bool = False, norm: str, neuron: NeuronConfig
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm = TimeNorm(outputs, kind=norm, v_threshold=neuron.v_threshold)
        self.lif = LIF(neuron)
        self.pool = nn.MaxPool2d(2, ceil_mode=True) if pool else None

    def forward(self, x: Tensor, timesteps: int | None = None) -> Tensor:
        """Return the spikes."""
        if timesteps is None:
            spikes_TNCHW = _spikes(self.lif, self.norm, convolved(self.conv, x))
        else:
            spikes_TNCHW = _shown(self.lif, self.norm(self.conv(x)), timesteps)
        if self.pool is None:
            return spikes_TNCHW
        pooled_TNCHW = over_time(self.pool, spikes_TNCHW)
        return as_spikes(pooled_TNCHW) if are_spikes(spikes_TNCHW) else pooled_TNCHW


class SpikingLinear(nn.Module):
    """Linear layer without bias, normalisation, and LIF neurons: [T, N, C, H, W], flattened → spikes [T, N, F, 1, 1].

    Its neurons count as channels of one pixel, so that `TimeNorm` and the spatial mean treat them like any others.
    """

    def __init__(self, inputs: int, outputs: int, *, norm: str, neuron: NeuronConfig) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        self.norm = TimeNorm(outputs, kind=norm, v_threshold=neuron.v_threshold)
        self.lif = LIF(neuron)

    def forward(self, x_TNCHW: Tensor) -> Tensor:
        """Return the spikes."""
        current_TNF = over_time(self.linear, x_TNCHW.flatten(2))
        return _spikes(self.lif, self.norm, current_TNF[..., None, None])


class ResidualBlock(nn.Module):
    """Post-activation residual block: LIF(norm(conv(LIF(norm(conv(x))))) + shortcut(x)).

    The shortcut is the identity, or a 1x1 convolution and normalisation where stride or width change.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int, norm: str, neuron: NeuronConfig) -> None:
        super().__init__()
        self.first = SpikingConv(inputs, outputs, stride=stride, norm=norm, neuron=neuron)
        self.conv = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm = TimeNorm(outputs, kind=norm, v_threshold=neuron.v_threshold)
        self.shortcut = None
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)
            self.shortcut_norm = TimeNorm(outputs, kind=norm, v_threshold=neuron.v_threshold)
        self.lif = LIF(neuron)

    def forward(self, x_TNCHW: Tensor) -> Tensor:
        """Return the spikes after the residual addition."""
        residual = convolved(self.conv, self.first(x_TNCHW))
        if self.shortcut is None:
            return _spikes(self.lif, self.norm, residual, x_TNCHW)
        return _spikes(self.lif, self.norm, residual, convolved(self.shortcut, x_TNCHW), self.shortcut_norm)


def over_time(layer: nn.Module, x_TN: Tensor) -> Tensor:
    """Apply a layer that knows no time to all timesteps at once: [T, N, ...] → [T·N, ...] → [T, N, ...]."""
    return layer(x_TN.flatten(0, 1)).unflatten(0, x_TN.shape[:2])


def convolved(conv: nn.Conv2d, x_TNCHW: Tensor) -> Tensor:
    """Convolve all timesteps at once; in training with kernels, spikes are kept as bits for the way back."""
    kernels = _training_kernels(x_TNCHW, conv) if are_spikes(x_TNCHW) and is_packable(conv) else None
    return over_time(conv, x_TNCHW) if kernels is None else packed_conv(kernels, x_TNCHW, conv)


def _spikes(
    lif_layer: LIF, norm: TimeNorm, y_TNCHW: Tensor, other: Tensor | None = None, other_norm: TimeNorm | None = None
) -> Tensor:
    """Return LIF(norm(y) + other_norm(other)): at once in training with kernels, else layer by layer.

    What is added without a norm must be spikes to be added at once.
    """
    norms = [norm] if other_norm is None else [norm, other_norm]
    kernels = _training_kernels(y_TNCHW, lif_layer, *norms)
    addable = other is None or other_norm is not None or are_spikes(other)
    if kernels is not None and addable and kernels.takes(y_TNCHW):
        return fused_norm_lif(kernels, y_TNCHW, norm, lif_layer.neuron, other, other_norm)
    current_TNCHW = norm(y_TNCHW)
    if other is not None:
        current_TNCHW = current_TNCHW + (other if other_norm is None else other_norm(other))
    return lif_layer(current_TNCHW)


def _shown(lif_layer: LIF, current_NCHW: Tensor, timesteps: int) -> Tensor:
    """Return the spikes for one current that is the same at every timestep."""
    kernels = _training_kernels(current_NCHW, lif_layer)
    if kernels is not None:
        return fused_lif(kernels, current_NCHW, lif_layer.neuron, timesteps)
    return lif_layer(current_NCHW.expand(timesteps, *current_NCHW.shape))


def _training_kernels(x: Tensor, *layers: nn.Module):  # noqa: ANN202 - a module of kernels
    """Return the running kernels where layers may be joined: in training, and where nobody looks into them."""
    if not torch.is_grad_enabled() or any(not layer.training or _is_watched(layer) for layer in layers):
        return None
    return kernels_for(x)


def _is_watched(layer: nn.Module) -> bool:
    """Tell whether hooks see what goes in or comes out of a layer."""
    return any((layer._forward_hooks, layer._forward_pre_hooks, layer._backward_hooks, layer._backward_pre_hooks))  # noqa: SLF001 - torch tells it nowhere else
