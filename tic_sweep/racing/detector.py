"""Whether a trial that is still running has turned, said from its reports so far and their standard errors.

`tic_sweep.transition.find_transition` is the definition and is asked here; what is added is doubt. The level that IC
must fall to is L = 1 + (1 - DROP)·(P - 1), with P the running plateau. Let M be the mean of the reports since IC fell
to the level, or of the last two where it has not; then IC is clear of the level if

    |L - M| ≥ z·√(se(M)² + (1 - DROP)²·se(P)²)

with se(M) from the reports' own standard errors. A trial has *turned* if the definition says so and the level is
cleared, has *not yet* turned if it does not and the level is cleared, and is *unclear* otherwise: then more epochs are
needed. So errors withhold the definition's answer and never give the other one. The definition smooths by medians,
which pass over an outlier that M does not: where it says turned and M lies above the level, more precise reports settle
nothing. Without standard errors nothing is unclear, and the answer is the definition's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean
from typing import Literal

from tic_sweep.centroid import relative_centroid
from tic_sweep.racing.protocol import Look
from tic_sweep.transition import CONFIRM, DROP, PLATEAU, find_transition

Z = 1.645
"""Standard errors by which the level must be cleared: one-sided 95 %."""
_MEDIAN_OF_THREE = math.sqrt(0.4487)
"""Standard deviation of the median of three normal numbers, each of standard deviation 1."""

State = Literal["turned", "not yet", "unclear"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What is known of a trial's transition at its last report."""

    state: State
    not_before: int | None
    """Last report above the level: the transition lies after it. The last report of all where it has not turned."""
    epoch: int | None
    """First report at or below the level: the transition lies not after it. None where it has not turned."""
    interpolated: float | None
    """Where the line between the two meets the level."""
    ic: float | None
    """The last centroid, as the definition smooths it."""
    ic_rel: float | None
    plateau: float | None
    """P, the highest smoothed centroid so far; None before there is a report."""
    down: float
    """Share of the way from the plateau down to 1, in [0, 1]; the level lies at DROP."""
    plateau_rel: float
    """(P - 1) / (T - 1), in [0, 1]; 0 before there is a report, and for T = 1."""
    margin: float | None
    """L - M in standard errors, positive below the level; None without standard errors. Where there is no plateau yet,
    how much is lacking to one, as a negative number."""

    @property
    def censored(self) -> bool:
        """Whether the transition is only known to lie after `not_before`: it may still come."""
        return self.epoch is None


def sight(looks: Sequence[Look], timesteps: int, *, z: float = Z) -> Sighting:
    """Return what a trial's reports so far say of its transition.

    Args:
        looks: its reports by increasing epoch; those without a finite IC are passed over.
        timesteps: T.
        z: standard errors by which the level must be cleared.
    """
    seen = tuple((k.epoch, k.ic, k.ic_se) for k in looks if k.ic is not None and math.isfinite(k.ic))
    return _sight(seen, timesteps, z)


@lru_cache(maxsize=1 << 16)
def _sight(seen: tuple[tuple[int, float, float | None], ...], timesteps: int, z: float) -> Sighting:
    epochs, ic = [e for e, _, _ in seen], [c for _, c, _ in seen]
    found = find_transition(epochs, ic, timesteps)
    if not seen or found.ic_final is None or found.ic_max is None:
        return Sighting(
            state="not yet", not_before=None, epoch=None, interpolated=None, ic=None, ic_rel=None, plateau=None,
            down=0.0, plateau_rel=0.0, margin=None,
        )  # fmt: skip
    margin = _margin(seen, timesteps, found.epoch)
    in_doubt = margin is not None and abs(margin) < z and len(seen) > CONFIRM
    if in_doubt or (found.turned and margin is not None and margin <= 0):
        state = "unclear"
    else:
        state = "turned" if found.turned else "not yet"
    turned = state == "turned"
    relative = relative_centroid(found.ic_final, timesteps)
    return Sighting(
        state=state,
        not_before=found.not_before if turned else epochs[-1],
        epoch=found.epoch if turned else None,
        interpolated=found.interpolated if turned else None,
        ic=found.ic_final,
        ic_rel=None if math.isnan(relative) else relative,
        plateau=found.ic_max,
        down=min(max(found.depth or 0.0, 0.0), 1.0),
        plateau_rel=min(max((found.ic_max - 1) / (timesteps - 1), 0.0), 1.0) if timesteps > 1 else 0.0,
        margin=margin,
    )


def _margin(seen: tuple[tuple[int, float, float | None], ...], timesteps: int, epoch: int | None) -> float | None:
    """Return how far the mean of the last reports lies below the level, in standard errors."""
    errors = [se if se is not None and math.isfinite(se) else 0.0 for _, _, se in seen]
    if not any(errors) or timesteps == 1:
        return None
    place, top = _plateau([c for _, c, _ in seen])
    around = errors[max(0, place - 1) : place + 2]
    top_se = _root_mean_square(around) * (_MEDIAN_OF_THREE if len(around) > CONFIRM else len(around) ** -0.5)
    shortfall = 1 + PLATEAU * (timesteps - 1) - top
    if shortfall > 0:  # no plateau yet: the level to clear is that of having one
        return -shortfall / top_se if top_se else None
    since = [i for i, (e, _, _) in enumerate(seen) if epoch is not None and e >= epoch] or range(len(seen))[-2:]
    mean = fmean(seen[i][1] for i in since)
    mean_se = math.sqrt(sum(errors[i] ** 2 for i in since)) / len(since)
    se = math.hypot(mean_se, (1 - DROP) * top_se)
    return (1 + (1 - DROP) * (top - 1) - mean) / se if se else None


def _plateau(ic: Sequence[float]) -> tuple[int, float]:
    """Return where the running median of three is highest, and its value there."""
    smooth = [sorted(ic[max(0, i - 1) : i + 2]) for i in range(len(ic))]
    values = [three[len(three) // 2] if len(three) % 2 else fmean(three) for three in smooth]
    place = max(range(len(values)), key=values.__getitem__)
    return place, values[place]


def _root_mean_square(values: Sequence[float]) -> float:
    return math.sqrt(fmean(value**2 for value in values))
