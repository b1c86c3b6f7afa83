"""One pass over the training sequences of a network with delays. Shapes: T timesteps, N samples, K classes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from tic_sweep.config import TrialConfig
from tic_sweep.data import SequenceSplit, batches
from tic_sweep.delays import DelayNetwork, Rewirer, delay_logits, weight_penalty
from tic_sweep.streams import stream
from tic_sweep.training.evaluation import hits
from tic_sweep.training.loss import objective


@dataclass(frozen=True, slots=True)
class Updates:
    """What changes a network: the weights' update rule, the delays' own, and the rule of its synapses; None is none."""

    weights: torch.optim.Optimizer
    positions: torch.optim.Optimizer | None
    rewirer: Rewirer | None

    def step(self, model: DelayNetwork, loss: Tensor, generator: torch.Generator) -> None:
        """Take a step down the gradient of ``loss``, rewire, and bring delays back into range."""
        for optimiser in (self.weights, self.positions):
            if optimiser is not None:
                optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for optimiser in (self.weights, self.positions):
            if optimiser is not None:
                optimiser.step()
        if self.rewirer is not None:
            self.rewirer.step(self.weights, generator, self.positions)
        model.clamp_()


def train_sequences(
    model: DelayNetwork, updates: Updates, train: SequenceSplit, config: TrialConfig, *, epoch: int
) -> dict[str, float]:
    """Train on every sequence once and return the means over them, under the names of `EpochRow`.

    What is minimised is the trial's loss plus the penalty λ·Σ|w|, and that is what ``objective`` tells.

    Args:
        model: the network, its σ set; left in training mode.
        updates: what changes it, rates set.
        train: the training sequences.
        config: the trial's.
        epoch: chooses the streams that order, dropout and rewiring draw from.
    """
    order, dropped, rewired = (stream(config.seed, use, epoch) for use in ("data", "dropout", "rewiring"))
    device = train.x.device
    sums = torch.zeros(3, device=device, dtype=torch.float64)
    correct = torch.zeros((), device=device, dtype=torch.int64)
    count = len(train.labels)
    model.train()
    for chosen in batches(count, config.optimiser.batch_size, order):
        taken = chosen.to(device)
        labels_N = train.labels[taken]
        logits_TNK = delay_logits(model(train.x[taken], dropped), config.delays.readout)
        loss, losses_T = objective(logits_TNK, labels_N, config.loss)
        loss = loss + weight_penalty(model, config.delays.l1)
        updates.step(model, loss, rewired)
        sums += torch.stack([loss.detach(), losses_T[-1], losses_T.mean()]) * len(labels_N)
        correct += hits(logits_TNK[-1], labels_N)
    minimised, last, over_t = (sums / count).tolist()
    return {"objective": minimised, "train_loss": last, "train_loss_over_t": over_t, "train_acc": int(correct) / count}
