"""The Information Centroid of a Fisher trace over time (Kim et al. 2023, Eq. 7)."""

import math
from collections.abc import Sequence


def information_centroid(trace_T: Sequence[float]) -> float:
    """Return ``IC = Σ t·I_t / Σ I_t`` with t = 1..T, in timesteps; NaN if ``Σ I_t`` is zero or not finite.

    Args:
        trace_T: I_t for t = 1..T, non-negative.
    """
    total = math.fsum(trace_T)
    if not (math.isfinite(total) and total > 0):
        return math.nan
    return math.fsum(t * i_t for t, i_t in enumerate(trace_T, start=1)) / total


def relative_centroid(ic: float, timesteps: int) -> float:
    """Return ``ic_rel = (IC - 1) / (T - 1)`` in [0, 1], which compares different T; NaN for T = 1."""
    return (ic - 1) / (timesteps - 1) if timesteps > 1 else math.nan


NEAR_ZERO = 0.05
"""Share of the largest I_t up to which I_t counts as near zero."""


def information_end(trace_T: Sequence[float], near_zero: float = NEAR_ZERO) -> int:
    """Return the smallest t in 1..T after which every I_t is at most ``near_zero`` of the largest; T if there is none.

    The paper reads T_retrain off the trace by eye as the timestep after which information is near zero (Fig. 6b); this
    is that rule with a number. A trace that is zero or not finite has no end: T.
    """
    largest = max(trace_T, default=0.0)
    if not (math.isfinite(math.fsum(trace_T)) and largest > 0):
        return len(trace_T)
    return max(t for t, i_t in enumerate(trace_T, start=1) if i_t > near_zero * largest)
