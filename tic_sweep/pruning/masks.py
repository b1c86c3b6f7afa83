"""Global magnitude pruning with explicit masks (Han et al. 2015; Kim et al. 2023, Fig. 6 and 7).

A mask is a boolean tensor of its weight's shape, true where the weight remains, and belongs to a layer by name. It is
kept apart from the weights and never derived from them: a remaining weight that happens to be zero goes on learning,
and a pruned one never comes back. Masks of no layer, ``{}``, are those of a network not yet pruned.

``torch.nn.utils.prune`` is not used. It replaces each weight by a product of two new tensors, computed in a hook: the
names in checkpoints and in the weights' digest would change with pruning, the optimiser would go on to decay and move
what is pruned, and Fisher traces and cost, which read a layer's own weight, would no longer see a parameter there.
"""

from collections.abc import Mapping
from typing import TypeAlias

import torch
from torch import Tensor, nn

Masks: TypeAlias = dict[str, Tensor]


def prunable_weights(model: nn.Module) -> dict[str, Tensor]:
    """Return the weights of all convolutions and linear layers, by layer: stem, shortcuts and head included.

    Norms and biases are left alone, as in the lab's pruning code.
    """
    return {name: module.weight for name, module in model.named_modules() if isinstance(module, (nn.Conv2d, nn.Linear))}


def remaining_after(cycle: int, weights: int, share: float) -> int:
    """Return how many of ``weights`` remain after a cycle, ``(1 - share)^cycle`` of them, rounded only once."""
    return round(weights * (1 - share) ** cycle)


@torch.no_grad()
def keep_largest(model: nn.Module, masks: Mapping[str, Tensor], count: int) -> Masks:
    """Return masks of the ``count`` largest weights in magnitude among those that remain, over all layers together.

    Of equal magnitudes the later in the model's order stays, so that the masks are the same on every machine.
    """
    weights = prunable_weights(model)
    before = torch.cat([_mask(masks, name, weight).flatten() for name, weight in weights.items()])
    magnitudes = torch.cat([weight.abs().flatten() for weight in weights.values()])
    candidates = before.nonzero()[:, 0]
    order = magnitudes[candidates].sort(stable=True).indices
    kept = torch.zeros_like(before)
    kept[candidates[order[len(order) - count :]]] = True
    parts = kept.split([weight.numel() for weight in weights.values()])
    return {name: part.view_as(weight) for (name, weight), part in zip(weights.items(), parts, strict=True)}


@torch.no_grad()
def mask_weights(model: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Set the pruned weights to zero."""
    for name, mask in masks.items():
        model.get_parameter(f"{name}.weight").masked_fill_(~mask, 0.0)


def mask_gradients(model: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Set the gradients of the pruned weights to zero, so that neither momentum nor decay ever moves them."""
    for name, mask in masks.items():
        gradient = model.get_parameter(f"{name}.weight").grad
        if gradient is not None:
            gradient.masked_fill_(~mask, 0.0)


def count_remaining(model: nn.Module, masks: Mapping[str, Tensor]) -> dict[str, tuple[int, int]]:
    """Return, by layer, how many prunable weights there are and how many of them remain."""
    counts = {name: weight.numel() for name, weight in prunable_weights(model).items()}
    return {name: (count, int(masks[name].sum()) if name in masks else count) for name, count in counts.items()}


def _mask(masks: Mapping[str, Tensor], name: str, weight: Tensor) -> Tensor:
    return masks[name] if name in masks else torch.ones_like(weight, dtype=torch.bool)
