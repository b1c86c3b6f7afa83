"""The synapses of a network with delays, as rows: their turnover, their delays, and one by one.

Shapes: O outputs, I inputs, S synapses that exist.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from tic_sweep.delays import DelayLinear, DelayNetwork, LayerTurnover, Rewirer
from tic_sweep.records import DelayRow, SynapseRow


def delay_rows(
    model: DelayNetwork, first: Mapping[str, Tensor], rewirer: Rewirer | None, key: str, epoch: int, timesteps: int
) -> Iterator[DelayRow]:
    """Yield a row for each layer.

    Args:
        model: the network.
        first: the layers' first delays [O, I], by name.
        rewirer: the rule of its synapses, which counts anew from here; None where all exist.
        key: the trial's.
        epoch: epochs trained.
        timesteps: T.
    """
    turnover = {} if rewirer is None else rewirer.turnover()
    for name, layer in model.layers().items():
        told = turnover.get(name) or _unchanged(layer)
        whole_S = layer.delays(hard=True)[layer.mask]
        moved_S = (layer.delays() - first[name]).abs()[layer.mask]
        yield DelayRow(
            key=key,
            epoch=epoch,
            layer=name,
            possible=layer.mask.numel(),
            active=told.active,
            grown=told.grown,
            pruned=told.pruned,
            survived=told.survived,
            overlap=told.overlap,
            shift=float(moved_S.mean()),
            delay_mean=float(whole_S.double().mean()),
            delay_entropy=entropy(whole_S),
            excitatory=float((layer.effective_weight()[layer.mask] > 0).double().mean()),
            empty=int((~layer.mask.any(1)).sum()),
            operations=told.active * timesteps,
        )


def synapse_rows(layers: Mapping[str, DelayLinear], key: str, epoch: int) -> Iterator[SynapseRow]:
    """Yield a row for each synapse that exists, layer by layer."""
    for name, layer in layers.items():
        place_S2 = layer.mask.nonzero()
        weight_S = layer.effective_weight().detach()[layer.mask]
        columns = (place_S2, weight_S, layer.delays(hard=True)[layer.mask], layer.delays()[layer.mask])
        for (neuron, source), weight, whole, real in zip(*(column.tolist() for column in columns), strict=True):
            yield SynapseRow(
                key=key, epoch=epoch, layer=name, neuron=neuron, input=source, weight=weight, delay=whole,
                delay_real=real,
            )  # fmt: skip


def entropy(whole_S: Tensor) -> float:
    """Return the entropy of a histogram of whole numbers, -Σ p·log₂ p, in bits."""
    share = torch.bincount(whole_S).double() / len(whole_S)
    share = share[share > 0]
    return float(-(share * share.log2()).sum())


def _unchanged(layer: DelayLinear) -> LayerTurnover:
    """Return the turnover of a layer that nothing rewires."""
    active = int(layer.mask.sum())
    return LayerTurnover(active=active, grown=0, pruned=0, survived=active, overlap=1.0)
