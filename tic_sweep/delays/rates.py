"""Learning rates of networks with delays, weights and positions apart; pure functions of the epoch, 1..epochs."""

import math

from torch import nn

from tic_sweep.delays.linear import DelayLinear

WARMUP_SHARE, FIRST_DIVISOR, LAST_DIVISOR = 0.3, 25, 1e4
"""Torch's defaults for its one-cycle schedule, which the published training keeps."""


def one_cycle(epoch: int, epochs: int, lr_max: float) -> float:
    """Return the weights' published rate in an epoch: up to ``lr_max`` by a cosine, then down by another.

    It starts at lr_max / 25, is ``lr_max`` after 30 % of the epochs, and ends at the first rate / 10,000. The same as
    torch's OneCycleLR stepped once an epoch.
    """
    first = lr_max / FIRST_DIVISOR
    top, done = WARMUP_SHARE * epochs - 1, epoch - 1
    if done <= top:
        return _cosine(first, lr_max, done / top)
    return _cosine(lr_max, first / LAST_DIVISOR, (done - top) / (epochs - 1 - top))


def cosine(epoch: int, epochs: int, lr: float) -> float:
    """Return the positions' published rate in an epoch: from ``lr`` towards zero."""
    return _cosine(lr, 0.0, (epoch - 1) / epochs)


def positions_and_others(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the positions of all delay layers, which are never decayed, and all other parameters; trainable ones."""
    positions = [m.position for m in model.modules() if isinstance(m, DelayLinear) and m.position.requires_grad]
    known = {id(p) for p in positions}
    return positions, [p for p in model.parameters() if p.requires_grad and id(p) not in known]


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
