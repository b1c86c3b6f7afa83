"""Update rules; `phases` has the learning rate over epochs."""

from collections.abc import Iterable

import torch
from torch import nn

from tic_sweep.config import OptimiserConfig


def build_optimiser(model: nn.Module, config: OptimiserConfig) -> torch.optim.Optimizer:
    """Return the update rule over all parameters; weight decay acts on all of them, as in the paper's code."""
    return build_optimiser_of(model.parameters(), config)


def build_optimiser_of(parameters: Iterable[nn.Parameter], config: OptimiserConfig) -> torch.optim.Optimizer:
    """Return the update rule over some parameters."""
    if config.name == "sgd":
        return torch.optim.SGD(parameters, lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay)
    return torch.optim.AdamW(parameters, lr=config.lr, betas=(config.momentum, 0.999), weight_decay=config.weight_decay)


def set_learning_rate(optimiser: torch.optim.Optimizer, lr: float) -> None:
    """Let the next steps be taken at a rate."""
    for group in optimiser.param_groups:
        group["lr"] = lr
