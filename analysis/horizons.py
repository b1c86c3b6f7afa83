"""Accuracy by the horizon that a network is read out at, and how many timesteps it needs."""

from collections.abc import Sequence

import polars as pl

from analysis.intervals import DIGITS
from analysis.results import Results
from analysis.seed_means import as_fractions, seed_means
from analysis.transitions import tic_transitions

TOLERANCE = 0.01
"""Accuracy that a shorter readout may cost, as a fraction."""


def horizon_curves(horizons: pl.LazyFrame, trials: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Return, per setting, epoch and horizon t, the validation accuracy of a readout at t, over seeds.

    Columns: ``by``, epoch, t, n, and accuracy (fraction) with _se, _low and _high as in `seed_means`, which chooses
    trials and epochs.
    """
    rows = horizons.select("key", "epoch", "t", accuracy="val_acc")
    return as_fractions(seed_means(rows, trials, by, ("epoch", "t"), ("accuracy",)), "accuracy")


def needed_by_trial(horizons: pl.LazyFrame, tolerance: float = TOLERANCE) -> pl.LazyFrame:
    """Return, per trial and epoch, how many timesteps a readout needs: key, epoch, needed, accuracy, steps.

    ``steps`` is T. ``needed`` is the smallest t from which on, up to T, the accuracy lies at most ``tolerance`` below
    that at T, which is ``accuracy``; higher accuracies before T are no lack. Near chance all horizons are alike, and 1
    is needed: a small number means something only next to the accuracy.
    """
    lacking = (pl.col("accuracy") - pl.col("val_acc")).round(DIGITS) > tolerance
    return (
        horizons
        .with_columns(accuracy=pl.col("val_acc").sort_by("t").last().over("key", "epoch"))
        .group_by("key", "epoch")
        .agg(
            needed=1 + pl.col("t").filter(lacking).max().fill_null(0),
            accuracy=pl.col("accuracy").first(),
            steps=pl.col("t").max(),
        )
        .sort("key", "epoch")
    )


def needed_timesteps(
    horizons: pl.LazyFrame, trials: pl.LazyFrame, by: Sequence[str], tolerance: float = TOLERANCE
) -> pl.LazyFrame:
    """Return, per setting and epoch, the mean of `needed_by_trial` over seeds.

    Columns: ``by``, epoch, n; needed (timesteps) and accuracy (fraction, at horizon T), each with _se, _low and _high
    as in `seed_means`, which chooses trials and epochs.
    """
    return _over_seeds(needed_by_trial(horizons, tolerance), trials, by, "epoch")


def needed_around(results: Results, by: Sequence[str], tolerance: float = TOLERANCE) -> pl.LazyFrame:
    """Return, per setting, how many timesteps a readout needs before and after the transition of IC.

    Columns: ``by``, phase (before or after), n; needed (timesteps) and accuracy (fraction, at T), each with _se, _low
    and _high. A trial's number is the mean over the epochs measured in that phase, the untrained network left out;
    trials that have not turned have no phases and do not count.
    """
    turns = tic_transitions(results.epochs, results.trials).select("key", "not_before", after="epoch").drop_nulls()
    phase = (
        pl
        .when(pl.col("epoch") >= pl.col("after"))
        .then(pl.lit("after"))
        .when(pl.col("epoch").is_between(1, pl.col("not_before")))
        .then(pl.lit("before"))
    )
    rows = (
        needed_by_trial(results.horizons, tolerance)
        .join(turns, on="key")
        .with_columns(phase=phase)
        .drop_nulls("phase")
        .group_by("key", "phase")
        .agg(pl.col("needed", "accuracy", "steps").mean())
    )
    return _over_seeds(rows, results.trials, by, "phase").sort(*by, pl.col("phase") == "after")


def _over_seeds(rows: pl.LazyFrame, trials: pl.LazyFrame, by: Sequence[str], within: str) -> pl.LazyFrame:
    """Return `seed_means` of needed and accuracy, intervals ended at what is possible: 1 and T, 0 and 1."""
    means = seed_means(rows, trials, by, (within,), ("needed", "accuracy", "steps"))
    return (
        means
        .with_columns(pl.col(f"needed_{end}").clip(1.0, pl.col("steps")) for end in ("low", "high"))
        .select(pl.exclude("^steps.*$"))
        .pipe(as_fractions, "accuracy")
    )
