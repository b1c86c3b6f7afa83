"""One pass over the training images. Shapes: T timesteps trained with, N samples, K classes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from tic_sweep.config import TrialConfig
from tic_sweep.data import Split, batches, cut_windows, draw_windows
from tic_sweep.models import SpikingNetwork
from tic_sweep.packing import awaited, give_way, replayed
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
    coding = stream(config.seed, "coding", epoch)
    count = len(train.labels)

    def step(seen: Tensor) -> Tensor:
        pixels, labels_N = cut_windows(train.images[seen[0]], seen[1:]), train.labels[seen[0]]
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            outputs_TNK = model(present(pixels, coding, timesteps))
        logits_TNK = horizon_logits(outputs_TNK, config.model.readout)
        loss, losses_T = objective(logits_TNK, labels_N, config.loss)
        _update(model, optimiser, loss, masks)
        means = torch.stack([loss.detach(), losses_T[-1], losses_T.mean()]) * len(labels_N)
        return torch.cat([means, hits(logits_TNK[-1], labels_N)[None]])

    sums = torch.zeros(4, device=device, dtype=torch.float64)
    model.train()
    with _running_for(model, timesteps):
        for seen in _drawn(config, count, train.images.shape[-1], epoch, device):
            sums += replayed(step, seen, key=("step", timesteps))
            give_way()
    minimised, last, over_t, correct = (awaited(sums) / count).tolist()
    return {"objective": minimised, "train_loss": last, "train_loss_over_t": over_t, "train_acc": correct}


def _drawn(config: TrialConfig, count: int, width: int, epoch: int, device: torch.device) -> Sequence[Tensor]:
    """Return, for each batch of an epoch, which images it holds, and with them what augments them: [1, N] or [4, N].

    All is drawn at once, so that it crosses to a GPU at once.
    """
    order, augmentation = stream(config.seed, "data", epoch), stream(config.seed, "augment", epoch)
    parts = [
        torch.cat([chosen[None], draw_windows(len(chosen), width, config.data.augmentation, augmentation)])
        for chosen in batches(count, config.optimiser.batch_size, order)
    ]
    return torch.cat(parts, dim=1).to(device).split([part.shape[1] for part in parts], dim=1)


def _update(model: SpikingNetwork, optimiser: torch.optim.Optimizer, loss: Tensor, masks: Mapping[str, Tensor]) -> None:
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
