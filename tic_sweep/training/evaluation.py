"""How well a network does on a split at every horizon, from one forward pass. Shapes: T horizons, N samples."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tic_sweep.data import Split
from tic_sweep.packing import awaited, give_way, replayed
from tic_sweep.records import HorizonRow
from tic_sweep.snn import horizon_logits
from tic_sweep.training.loss import horizon_losses
from tic_sweep.training.presentation import Presentation

EVALUATION_BATCH = 250


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Mean loss (nats) and accuracy (fraction) of a split when the network is read out at t = 1..T."""

    loss_T: tuple[float, ...]
    acc_T: tuple[float, ...]

    @property
    def loss(self) -> float:
        """Loss at horizon T."""
        return self.loss_T[-1]

    @property
    def acc(self) -> float:
        """Accuracy at horizon T."""
        return self.acc_T[-1]


@torch.no_grad()
def evaluate(model: nn.Module, split: Split, present: Presentation, generator: torch.Generator) -> Evaluation:
    """Evaluate a model on a split, in evaluation mode; ``generator`` draws Poisson spikes, if any."""
    model.eval()
    count, horizons, readout = len(split.labels), present.config.timesteps, present.config.model.readout

    def work(inputs: Tensor, labels_N: Tensor) -> Tensor:
        logits_TNK = horizon_logits(model(inputs), readout)
        losses_T = horizon_losses(logits_TNK, labels_N).double()
        return torch.stack([losses_T * len(labels_N), hits(logits_TNK, labels_N).double()])

    sums_2T = torch.zeros(2, horizons, dtype=torch.float64, device=split.labels.device)
    for first in range(0, count, EVALUATION_BATCH):
        chosen = slice(first, first + EVALUATION_BATCH)
        inputs = present(split.images[chosen], generator)
        sums_2T += replayed(work, inputs, split.labels[chosen], key="evaluation")
        give_way()
    loss_T, acc_T = (awaited(sums_2T) / count).tolist()
    return Evaluation(tuple(loss_T), tuple(acc_T))


def hits(logits_TNK: Tensor, labels_N: Tensor) -> Tensor:
    """Return how many samples are classified correctly at each horizon [T]."""
    return (logits_TNK.float().argmax(-1) == labels_N).sum(-1)


def horizon_rows(evaluation: Evaluation, key: str, epoch: int) -> Iterator[HorizonRow]:
    """Yield an evaluation on the validation split as rows, one per horizon."""
    for t, (loss, acc) in enumerate(zip(evaluation.loss_T, evaluation.acc_T, strict=True), start=1):
        yield HorizonRow(key=key, epoch=epoch, t=t, val_loss=loss, val_acc=acc)
