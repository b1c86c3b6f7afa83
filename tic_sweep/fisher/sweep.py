"""One backward sweep through a `SpikingNetwork` for all horizons, each no further in time than it reaches.

Shapes: T timesteps, R rows (`tic_sweep.fisher.rows`), N samples, H, W pixels, D channels behind a layer, C before it,
K classes. Gradients are [R, N, H, W, D], channels last; linear layers have one pixel.

The forward pass is the model's own, without a graph: hooks keep what its convolutions, linear layers, norms, neurons
and pools were given. The sweep then goes from the head to the stem, layer by layer, with the gradients of all horizons
side by side; each layer's squared norms are taken as it is passed, by the rule it is given, and its gradients let go.
A norm's slope is one factor per channel in evaluation mode: it is multiplied into the weight before it, not into
gradients.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from tic_sweep.fisher.exact import Exact, accumulated
from tic_sweep.fisher.per_sample import has_rule
from tic_sweep.fisher.rows import Rows
from tic_sweep.fisher.transposed import input_gradient
from tic_sweep.models import LIF, ResidualBlock, SpikingConv, SpikingLinear, SpikingNetwork
from tic_sweep.snn import TimeNorm, lif_linearised

BYTES_KEPT = {"cpu": 256 * 2**20, "cuda": 4 * 2**30}
"""What a layer's rule would keep beyond this it keeps for some of the samples at a time."""


def can_sweep(model: nn.Module) -> TypeGuard[SpikingNetwork]:
    """Tell whether the sweep knows all of a model's parts, and meets none of its parameters twice."""
    if type(model) is not SpikingNetwork or any(type(b) not in _BLOCKS for b in model.blocks):
        return False
    weighted = [m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear)) and m is not model.head]
    if any(not has_rule(m) or m.bias is not None for m in weighted):
        return False
    held = [id(p) for module in model.modules() for p in module._parameters.values() if p is not None]  # noqa: SLF001
    return len(held) == len(set(held))


class Sweep:
    """The squared gradient norms of some samples at all horizons, layer by layer.

    Args:
        model: the network, in evaluation mode.
        images: its input.
        rule: how gradients become squared norms.
        masks: by layer, true where its weight is a parameter.
        bfloat16: whether gradients are carried back in half precision. The forward pass is not: no spike changes.
    """

    def __init__(
        self,
        model: SpikingNetwork,
        images: Tensor,
        *,
        rule: Exact,
        masks: Mapping[str, Tensor],
        bfloat16: bool = False,
    ) -> None:
        self._model, self._rule, self._masks, self._bfloat16 = model, rule, masks, bfloat16
        self._names = {module: name for name, module in model.named_modules()}
        self._static = images.dim() == 4  # noqa: PLR2004 - [N, C, H, W] against [T, N, C, H, W]
        with torch.no_grad(), _recorded(model) as (self._given, self._sizes):
            self.outputs_TNK: Tensor = model(images)
        self._rows = Rows(len(self.outputs_TNK))
        self._units: dict[str, Tensor] = {}

    @torch.no_grad()
    def units(self, cotangents_TSNK: Tensor) -> dict[str, Tensor]:
        """Return the squared norms [units, T] of every layer with trainable parameters, in the model's order.

        Args:
            cotangents_TSNK: gradient of each horizon's log-likelihood by the network's outputs [T, T, N, K].
        """
        grad_RNK = self._rows.stacked(cotangents_TSNK)
        grad = self._head(grad_RNK.to(torch.bfloat16) if self._bfloat16 else grad_RNK)
        for block in reversed(self._model.blocks):
            grad = _BLOCKS[type(block)](self, block, grad)
        self._convolution(self._model.stem, grad, stem=True)
        return {name: self._units[name] for name in self._names.values() if name in self._units}

    def _head(self, grad_RNK: Tensor) -> Tensor:
        """Return the gradient by the last block's spikes, whose mean over pixels the head was given."""
        head, grad = self._model.head, grad_RNK[:, :, None, None]
        self._measure(head, None, grad, self._rows)
        height, width = self._sizes[self._model.blocks[-1] if len(self._model.blocks) else self._model.stem]
        spread = (grad @ head.weight.to(grad.dtype)) / (height * width)
        return spread.expand(-1, -1, height, width, -1)

    def _convolution(self, layer: SpikingConv, grad: Tensor, *, stem: bool = False) -> Tensor:
        if layer.pool is not None:
            grad = _unpooled(layer.pool, grad, self._given.pop(layer.pool), self._rows)
        grad = self._neurons(layer.lif, grad)
        rows = self._rows
        if stem and self._static:
            rows, grad = Rows(rows.horizons, static=True), rows.summed(grad)
        return self._weighted(layer.conv, layer.norm, grad, rows, first=stem)

    def _residual(self, block: ResidualBlock, grad: Tensor) -> Tensor:
        grad = self._neurons(block.lif, grad)
        inner = self._weighted(block.conv, block.norm, grad, self._rows)
        passed = grad
        if block.shortcut is not None:
            passed = self._weighted(block.shortcut, block.shortcut_norm, grad, self._rows)
        through = self._convolution(block.first, inner)
        return through.add_(passed)

    def _linear(self, layer: SpikingLinear, grad: Tensor) -> Tensor:
        grad = self._neurons(layer.lif, grad)
        scale_D = _slope(layer.norm)
        size = self._given[layer].shape[2:]
        self._measure(layer.linear, layer.norm, grad, self._rows)
        before = grad[:, :, 0, 0] @ (layer.linear.weight * scale_D[:, None]).to(grad.dtype)
        return before.unflatten(2, size).permute(0, 1, 3, 4, 2).contiguous()

    def _weighted(self, conv: nn.Conv2d, norm: TimeNorm, grad: Tensor, rows: Rows, *, first: bool = False) -> Tensor:
        """Measure a convolution and its norm, and return the gradient by its input; nothing comes before the first."""
        size = self._given[conv].shape[-3:]
        self._measure(conv, norm, grad, rows)
        return grad if first else input_gradient(conv, grad, _slope(norm), size)

    def _neurons(self, layer: LIF, grad_RN: Tensor) -> Tensor:
        """Return the gradient by neurons' currents: backwards in time, the horizons of a timestep at once."""
        current_TNHWC = _last(self._given.pop(layer))
        slope_TN, carry_TN = lif_linearised(current_TNHWC, layer.neuron)
        out_RN = torch.empty(grad_RN.shape, dtype=grad_RN.dtype, device=grad_RN.device)
        later = None
        for s in range(self._rows.steps - 1, -1, -1):
            here = self._rows.of_step(out_RN, s)
            torch.mul(self._rows.of_step(grad_RN, s), slope_TN[s].to(grad_RN.dtype), out=here)
            if later is not None and carry_TN is not None:
                here[1:].addcmul_(later, carry_TN[s].to(grad_RN.dtype))
            later = here
        return out_RN

    def _measure(self, module: nn.Conv2d | nn.Linear, norm: TimeNorm | None, grad: Tensor, rows: Rows) -> None:
        """Take the squared norms of a layer and of the norm behind it, horizon by horizon, some samples at a time."""
        a_TN = self._over_time(self._given.pop(module), module)
        kept = BYTES_KEPT["cpu" if grad.is_cpu else "cuda"]
        part = max(1, kept // self._rule.bytes_per_sample(module, a_TN))
        y_TN = None if norm is None else self._over_time(self._given.pop(norm), norm)
        parts = [
            self._part(module, norm, a_TN, y_TN, grad, rows, slice(i, i + part)) for i in range(0, a_TN.shape[1], part)
        ]
        for owner in parts[0]:
            self._units[self._names[owner]] = torch.cat([units[owner] for units in parts])

    def _part(
        self,
        module: nn.Conv2d | nn.Linear,
        norm: TimeNorm | None,
        a_TN: Tensor,
        y_TN: Tensor | None,
        grad: Tensor,
        rows: Rows,
        samples: slice,
    ) -> dict[nn.Module, Tensor]:
        """Return the squared norms [units, T] of a layer and its norm, those of the two that are trained."""
        rule, horizons = self._rule, rows.horizons
        a_TN, grad = a_TN[:, samples], grad[:, samples]
        units: dict[nn.Module, Tensor] = defaultdict(
            lambda: torch.zeros(rule.units(a_TN.shape[1]), horizons, dtype=accumulated(grad), device=grad.device)
        )
        of_weight = x_NLC = None
        scale_C = module.weight.new_ones(len(module.weight)) if norm is None else _slope(norm)
        if module.weight.requires_grad:
            mask = self._masks.get(self._names[module])
            of_weight = rule.of_weight(module, a_TN.to(grad.dtype), horizons, mask, samples)
        if norm is not None and norm.weight.requires_grad and y_TN is not None:
            x_NLC = _last(norm.standardised(y_TN[:, samples])).transpose(0, 1).flatten(1, 3).to(grad.dtype)
        for t in range(horizons):
            g_NLC = rows.of_horizon(grad, t).flatten(1, 3)
            if norm is not None and x_NLC is not None:
                units[norm][:, t] += rule.of_vectors(
                    (g_NLC * x_NLC[:, : g_NLC.shape[1]]).sum(1, dtype=accumulated(grad))
                )
            bias, owner = (module.bias, module) if norm is None else (norm.bias, norm)
            if bias is not None and bias.requires_grad:
                units[owner][:, t] += rule.of_vectors(g_NLC.sum(1, dtype=accumulated(grad)))
            if of_weight is not None:
                units[module][:, t] += of_weight(g_NLC, scale_C)
        return units

    def _over_time(self, x: Tensor, module: nn.Module) -> Tensor:
        """Return [T·N, ...], [N, ...] or [T, N, ...] as [T, N, ...], with T = 1 for what is the same at all t."""
        samples, plain_dims = self.outputs_TNK.shape[1], 2 if isinstance(module, nn.Linear) else 4
        return x.unflatten(0, (-1, samples)) if x.dim() == plain_dims else x


_BLOCKS = {SpikingConv: Sweep._convolution, ResidualBlock: Sweep._residual, SpikingLinear: Sweep._linear}  # noqa: SLF001


def _slope(norm: TimeNorm) -> Tensor:
    """Return ∂y/∂x [C] of a norm in evaluation mode."""
    ones_C11 = torch.ones_like(norm.running_mean)[:, None, None]
    return norm.weight.detach() * norm.standardised(norm.running_mean[:, None, None] + ones_C11)[:, 0, 0]


def _last(x_TNCHW: Tensor) -> Tensor:
    """Return [T, N, C, H, W] as [T, N, H, W, C]."""
    return x_TNCHW.permute(0, 1, 3, 4, 2).contiguous()


def _unpooled(pool: nn.MaxPool2d, grad: Tensor, spikes: Tensor, rows: Rows) -> Tensor:
    """Return the gradient by a pool's input: all of it where the largest input was, the first of equals."""
    height, width = spikes.shape[-2:]
    _, chosen = F.max_pool2d(
        spikes, pool.kernel_size, pool.stride, pool.padding, pool.dilation, pool.ceil_mode, return_indices=True
    )
    here = torch.zeros_like(spikes).flatten(2).scatter_(2, chosen.flatten(2), 1).view_as(spikes)
    here_TNHWC = _last(here.unflatten(0, (rows.steps, -1)))
    wide = grad.repeat_interleave(2, 2)[:, :, :height].repeat_interleave(2, 3)[:, :, :, :width]
    for s in range(rows.steps):
        rows.of_step(wide, s).mul_(here_TNHWC[s])
    return wide


@contextmanager
def _recorded(model: SpikingNetwork) -> Iterator[tuple[dict[nn.Module, Tensor], dict[nn.Module, torch.Size]]]:
    """Record what every layer is given, and the size of what blocks return, while the context lasts."""
    given: dict[nn.Module, Tensor] = {}
    sizes: dict[nn.Module, torch.Size] = {}

    def record(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        given[module] = args[0]

    def record_size(module: nn.Module, _args: tuple[Tensor, ...], output: Tensor) -> None:
        sizes[module] = output.shape[-2:]

    kinds = (nn.Conv2d, nn.Linear, TimeNorm, LIF, nn.MaxPool2d, SpikingLinear)
    handles = [module.register_forward_pre_hook(record) for module in model.modules() if isinstance(module, kinds)]
    handles += [block.register_forward_hook(record_size) for block in (model.stem, *model.blocks)]
    try:
        yield given, sizes
    finally:
        for handle in handles:
            handle.remove()
