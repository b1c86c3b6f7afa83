"""Learning rates over the epochs of a training, 1..epochs; pure functions."""

import math

WARMUP_SHARE, FIRST_DIVISOR, LAST_DIVISOR = 0.3, 25, 1e4
"""Torch's defaults for its one-cycle schedule."""


def rate_at(schedule: str, epoch: int, epochs: int, lr: float) -> float:
    """Return the rate in an epoch under one of the schedules of ``optimiser.schedule``."""
    if schedule == "constant":
        return lr
    return one_cycle(epoch, epochs, lr) if schedule == "one_cycle" else cosine(epoch, epochs, lr)


def one_cycle(epoch: int, epochs: int, lr_max: float) -> float:
    """Return the rate in an epoch: up to ``lr_max`` by a cosine, then down by another.

    It starts at lr_max / 25, is ``lr_max`` after 30 % of the epochs, and ends at the first rate / 10,000. The rates are
    those of torch's OneCycleLR stepped once an epoch, which moves Adam's first beta too, as this does not.
    """
    first = lr_max / FIRST_DIVISOR
    top, done = WARMUP_SHARE * epochs - 1, epoch - 1
    if done <= top:
        return _cosine(first, lr_max, done / top)
    return _cosine(lr_max, first / LAST_DIVISOR, (done - top) / (epochs - 1 - top))


def cosine(epoch: int, epochs: int, lr: float) -> float:
    """Return the rate in an epoch, ``lr·(1 + cos(π·(epoch - 1) / epochs)) / 2``: from ``lr`` towards zero."""
    return lr * 0.5 * (1 + math.cos(math.pi * (epoch - 1) / epochs))


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
