"""What rewiring has changed, and an optimiser's memory of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTurnover:
    """A layer's synapses, as numbers of them; ``grown`` and ``pruned`` since the last look, the rest from the start.

    A synapse that goes and comes in the same step counts as both. ``survived`` have existed without a break from the
    start; ``overlap`` is the Jaccard index of the mask and the first one, |both| / |either|.
    """

    active: int
    grown: int
    pruned: int
    survived: int
    overlap: float


class Turnover:
    """Counts the synapses of each layer that go and come."""

    def __init__(self, masks: Mapping[str, Tensor]) -> None:
        self._first = {name: mask.clone() for name, mask in masks.items()}
        self._survivors = {name: mask.clone() for name, mask in masks.items()}
        self._counts = {name: [0, 0] for name in masks}

    def count(self, layer: str, gone: Tensor, come: Tensor) -> None:
        """Count what has gone and come in one step."""
        self._survivors[layer] &= ~gone
        self._counts[layer][0] += int(come.sum())
        self._counts[layer][1] += int(gone.sum())

    def taken(self, masks: Mapping[str, Tensor]) -> dict[str, LayerTurnover]:
        """Return the numbers of each layer, and count anew from here."""
        told = {}
        for name, mask in masks.items():
            first, (grown, pruned) = self._first[name], self._counts[name]
            told[name] = LayerTurnover(
                active=int(mask.sum()), grown=grown, pruned=pruned, survived=int(self._survivors[name].sum()),
                overlap=int((mask & first).sum()) / int((mask | first).sum()),
            )  # fmt: skip
            self._counts[name] = [0, 0]
        return told

    def state(self) -> dict[str, Any]:
        """Return tensors and plain data."""
        return {"first": self._first, "survivors": self._survivors, "counts": self._counts}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned."""
        for kept, given in ((self._first, state["first"]), (self._survivors, state["survivors"])):
            for name, mask in given.items():
                kept[name] = mask.to(kept[name].device, copy=True)
        self._counts = {name: list(counts) for name, counts in state["counts"].items()}


def forget_moments(optimiser: torch.optim.Optimizer, parameter: Tensor, where: Tensor) -> None:
    """Set to zero every elementwise memory of ``parameter`` (momentum, Adam's moments) where ``where`` is true."""
    for remembered in optimiser.state.get(parameter, {}).values():
        if isinstance(remembered, Tensor) and remembered.shape == where.shape and torch.is_floating_point(remembered):
            remembered.masked_fill_(where, 0)
