"""One pass over the training images. Shapes: T timesteps trained with, N samples, K classes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from tic_sweep.data import Split, augment, batches
from tic_sweep.models import SpikingNetwork
from tic_sweep.pruning import mask_gradients, mask_weights
from tic_sweep.snn import horizon_logits
from tic_sweep.streams import stream
from tic_sweep.training.evaluation import hits
from tic_sweep.training.loss import objective
from tic_sweep.training.presentation import Presentation


def train_epoch(
    model: SpikingNetwork,
    optimiser: torch.optim.Optimizer,
    train: Split,
    present: Presentation,
    *,
    epoch: int,
    timesteps: int,
    masks: Mapping[str, Tensor],
    bfloat16: bool = False,
) -> dict[str, float]:
    """Train on every image once and return the means over them, under the names of `EpochRow`.

    Args:
        model: the network, left in training mode.
        optimiser: the update rule, its rate set.
        train: the training images.
        present: how they meet the network; its config is the trial's.
        epoch: chooses the streams that order, augmentation and coding draw from.
        timesteps: T trained with; the network's own T is back in place afterwards.
        masks: which weights are left, by layer; the others stay exactly zero.
        bfloat16: whether convolutions and linear layers compute in half precision.
    """
    config, device = present.config, train.images.device
    order, augmentation = stream(config.seed, "data", epoch), stream(config.seed, "augment", epoch)
    coding = stream(config.seed, "coding", epoch)
    sums = torch.zeros(3, device=device, dtype=torch.float64)
    correct = torch.zeros((), device=device, dtype=torch.int64)
    count = len(train.labels)
    model.train()
    with _running_for(model, timesteps):
        for chosen in batches(count, config.optimiser.batch_size, order):
            taken = chosen.to(device)
            pixels = augment(train.images[taken], config.data.augmentation, augmentation)
            labels_N = train.labels[taken]
            with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
                outputs_TNK = model(present(pixels, coding, timesteps))
            logits_TNK = horizon_logits(outputs_TNK, config.model.readout)
            loss, losses_T = objective(logits_TNK, labels_N, config.loss)
            _step(model, optimiser, loss, masks)
            sums += torch.stack([loss.detach(), losses_T[-1], losses_T.mean()]) * len(labels_N)
            correct += hits(logits_TNK[-1], labels_N)
    minimised, last, over_t = (sums / count).tolist()
    return {"objective": minimised, "train_loss": last, "train_loss_over_t": over_t, "train_acc": int(correct) / count}


def _step(model: SpikingNetwork, optimiser: torch.optim.Optimizer, loss: Tensor, masks: Mapping[str, Tensor]) -> None:
    """Update the weights that are left by the gradient of ``loss``."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    mask_gradients(model, masks)
    optimiser.step()
    mask_weights(model, masks)


@contextmanager
def _running_for(model: SpikingNetwork, timesteps: int) -> Iterator[None]:
    """Let the network run for some timesteps while the context lasts."""
    usual, model.timesteps = model.timesteps, timesteps
    try:
        yield
    finally:
        model.timesteps = usual
