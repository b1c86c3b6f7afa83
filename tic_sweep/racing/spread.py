"""How far chance moves the merit of a rate: by the spread between its seeds, or by the images it was measured on."""

import math
from collections.abc import Sequence
from statistics import fmean


def pooled_sd(groups: Sequence[Sequence[float]]) -> float | None:
    """Return the standard deviation within groups, pooled; None if no group has two finite values."""
    finite = [[value for value in group if math.isfinite(value)] for group in groups]
    squares = math.fsum(math.fsum((value - fmean(group)) ** 2 for value in group) for group in finite if len(group) > 1)
    freedom = sum(len(group) - 1 for group in finite if len(group) > 1)
    return math.sqrt(squares / freedom) if freedom else None


def standard_error(values: Sequence[float], sd: float | None, images: int) -> float | None:
    """Return the standard error of the mean of some seeds' values; None if nothing is known of it.

    Args:
        values: one per seed.
        sd: standard deviation between seeds, √n of which count; None where no rate has two seeds.
        images: images of which a single value is a share, used where ``sd`` is None: √(p (1 - p) / images). 0 if it is
            no such share.
    """
    if sd is not None:
        return sd / math.sqrt(len(values))
    p = values[0]
    return math.sqrt(max(p * (1 - p), 1 / images) / images) if images and 0 <= p <= 1 else None
