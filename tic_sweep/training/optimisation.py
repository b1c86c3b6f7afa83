"""Update rules; `phases` has the learning rate over epochs."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from tic_sweep.config import OptimiserConfig
from tic_sweep.packing import is_recorded

PLAIN = {"fused": None, "capturable": False}
"""What a rule whose steps are not recorded says of them."""


def build_optimiser(model: nn.Module, config: OptimiserConfig) -> torch.optim.Optimizer:
    """Return the update rule over all parameters; weight decay acts on all of them, as in the paper's code."""
    return build_optimiser_of(model.parameters(), config)


def build_optimiser_of(parameters: Iterable[nn.Parameter], config: OptimiserConfig) -> torch.optim.Optimizer:
    """Return the update rule over some parameters.

    Where steps are recorded (`tic_sweep.packing`), the rate is a tensor on the GPU, because a recording keeps numbers
    of Python as they were.
    """
    chosen: dict[str, Any] = {"lr": config.lr, "weight_decay": config.weight_decay}
    if is_recorded():
        chosen |= {"lr": torch.tensor(config.lr, device="cuda"), "fused": True}
    if config.name == "sgd":
        return torch.optim.SGD(parameters, momentum=config.momentum, **chosen)
    return torch.optim.AdamW(parameters, betas=(config.momentum, 0.999), capturable=is_recorded(), **chosen)


def set_learning_rate(optimiser: torch.optim.Optimizer, lr: float) -> None:
    """Let the next steps be taken at a rate."""
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr


def optimiser_state(optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    """Return an update rule's state, the same whether its steps are recorded or not."""
    state = optimiser.state_dict()
    plain = {name: value for name, value in PLAIN.items() if name in state["param_groups"][0]}
    groups = [group | plain | {"lr": float(group["lr"])} for group in state["param_groups"]]
    return state | {"param_groups": groups}


def load_optimiser_state(optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Take back what `optimiser_state` returned, for steps that are recorded or not."""
    own = [{name: group[name] for name in ("lr", *PLAIN) if name in group} for group in optimiser.param_groups]
    groups = [saved | kept for saved, kept in zip(state["param_groups"], own, strict=True)]
    optimiser.load_state_dict(state | {"param_groups": groups})
