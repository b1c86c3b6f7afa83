"""The transition of many trials at once: `tic_sweep.transition.find_transition`, said in arrays.

That function is the definition; this is the same arithmetic in the same order, row by row of a matrix instead of number
by number, and a test holds the two equal bit for bit. Shape legend: n trials, m reports of each; epochs go from left to
right. Trials are taken together that have equally many reports, so that no row is padded and no row needs a mask.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from tic_sweep.transition import CONFIRM, DROP, PLATEAU

if TYPE_CHECKING:
    from numpy.typing import NDArray

REPORTS = 1 + CONFIRM
"""Reports of IC below which a trial cannot be seen to turn: one on the plateau, and those that confirm."""
AT_ONCE = 1 << 17
"""Reports worked on at a time: a matrix of them fits a processor's cache."""
_WHERE = ("epoch", "not_before")
_LEVELS = ("interpolated", "slope", "depth", "ic_start", "ic_max", "ic_min", "ic_final")
TRANSITION = pl.Struct(
    dict.fromkeys(_WHERE, pl.Int64) | dict.fromkeys(_LEVELS, pl.Float64) | {"observed": pl.Int64, "turned": pl.Boolean}
)
"""The fields of `tic_sweep.transition.Transition`, and whether it has turned."""


def transitions_of(curves: pl.Series) -> pl.Series:
    """Return the transition of each curve, a `TRANSITION`.

    Fields that a trial does not have are null. With fewer reports than `REPORTS` whether it turned is not known, and IC
    is as reported, since a median of three would mix the first with the last.

    Args:
        curves: structs of ``epoch`` and ``ic``, two lists of equal length without nulls or NaN, in any order of epochs,
            or null; and ``timesteps``.
    """
    import numpy as np

    rows = curves.struct.unnest()
    seen = rows["ic"].is_not_null()
    known = rows.filter(seen)
    counts = known["ic"].list.len().cast(pl.Int64).to_numpy()
    firsts = np.cumsum(counts) - counts
    epochs, ic = known["epoch"].explode().to_numpy(), known["ic"].explode().to_numpy()
    timesteps = known["timesteps"].to_numpy()
    whole = {name: np.zeros(len(counts), dtype=np.int64) for name in (*_WHERE, "observed")}
    parts = {name: np.full(len(counts), np.nan) for name in _LEVELS}
    turned = np.zeros(len(counts), dtype=bool)
    for m, trials in _of_equal_length(counts):
        places = firsts[trials][:, None] + np.arange(m)
        found = _transitions(*_in_order(epochs[places], ic[places]), timesteps[trials])
        turned[trials] = found.pop("turned")
        for name, values in found.items():
            (whole if name in whole else parts)[name][trials] = values
    frame = pl.DataFrame(whole | parts | {"turned": turned, "few": counts < REPORTS}).select(
        *(pl.when("turned").then(name).alias(name) for name in _WHERE),
        *(pl.col(name).fill_nan(None) for name in _LEVELS),
        "observed",
        turned=pl.when(~pl.col("few")).then("turned"),
    )
    every = pl.DataFrame({"seen": seen}).select(
        place=pl.when("seen").then(pl.col("seen").cast(pl.Int64).cum_sum() - 1)
    )  # fmt: skip
    return frame.select(pl.all().gather(every["place"])).to_struct(curves.name)


def _of_equal_length(counts: "NDArray[Any]") -> Iterator[tuple[int, "NDArray[Any]"]]:
    """Yield each number of reports with the places of trials that have it, at most `AT_ONCE` reports at a time."""
    import numpy as np

    for m in np.unique(counts).tolist():
        trials = np.flatnonzero(counts == m)
        step = max(AT_ONCE // m, 1)
        yield from ((m, trials[first : first + step]) for first in range(0, len(trials), step))


def _in_order(epochs_nm: "NDArray[Any]", ic_nm: "NDArray[Any]") -> tuple["NDArray[Any]", "NDArray[Any]"]:
    """Return both with epochs increasing in each row."""
    import numpy as np

    if (epochs_nm[:, 1:] > epochs_nm[:, :-1]).all():
        return epochs_nm, ic_nm
    order = np.argsort(epochs_nm, axis=1)
    return np.take_along_axis(epochs_nm, order, axis=1), np.take_along_axis(ic_nm, order, axis=1)


def _transitions(epochs_nm: "NDArray[Any]", ic_nm: "NDArray[Any]", timesteps_n: "NDArray[Any]") -> dict[str, Any]:
    """Return the fields of `TRANSITION` as arrays; what there is none of is NaN, or 0 where it has not turned."""
    import numpy as np

    n, m = ic_nm.shape
    smooth_nm = _running_median(ic_nm) if m >= REPORTS else ic_nm
    highest_nm = np.maximum.accumulate(smooth_nm, axis=1)
    plateau_n1 = (1 + PLATEAU * (timesteps_n - 1))[:, None]
    has_plateau_nm = (timesteps_n > 1)[:, None] & (highest_nm >= plateau_n1)
    level_nm = np.where(has_plateau_nm, 1 + (1 - DROP) * (highest_nm - 1), -np.inf)
    above_nm = smooth_nm > level_nm
    first_n = np.where(above_nm.any(axis=1), m - above_nm[:, ::-1].argmax(axis=1), 0)
    turned_n = (first_n > 0) & (first_n <= m - CONFIRM)
    top_n, last_n = highest_nm[:, -1], smooth_nm[:, -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        depth_n = np.where(top_n > 1, (top_n - last_n) / (top_n - 1), np.nan)

    row, turn = np.flatnonzero(turned_n), first_n[turned_n]
    after, before = epochs_nm[row, turn], epochs_nm[row, turn - 1]
    high, low = smooth_nm[row, turn - 1], smooth_nm[row, turn]
    share = (high - level_nm[row, turn]) / (high - low)
    crossing = {
        "epoch": (after, 0),
        "not_before": (before, 0),
        "interpolated": (before + share * (after - before), np.nan),
        "slope": ((low - high) / (after - before), np.nan),
    }
    found = {name: np.full(n, none, dtype=values.dtype) for name, (values, none) in crossing.items()}
    for name, (values, _) in crossing.items():
        found[name][row] = values
    return found | {
        "depth": depth_n,
        "ic_start": ic_nm[:, 0],
        "ic_max": top_n,
        "ic_min": smooth_nm.min(axis=1),
        "ic_final": last_n,
        "observed": epochs_nm[:, -1],
        "turned": turned_n,
    }


def _running_median(ic_nm: "NDArray[Any]") -> "NDArray[Any]":
    """Return the median of each value and its neighbours; of two values at either end."""
    import numpy as np

    before, own, after = ic_nm[:, :-2], ic_nm[:, 1:-1], ic_nm[:, 2:]
    middle = np.maximum(np.minimum(before, own), np.minimum(np.maximum(before, own), after))
    return np.concatenate(
        [(ic_nm[:, :1] + ic_nm[:, 1:2]) / 2, middle, (ic_nm[:, -2:-1] + ic_nm[:, -1:]) / 2], axis=1
    )  # fmt: skip
