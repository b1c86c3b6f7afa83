"""Quantities against epoch, averaged over the seeds of a setting."""

from collections.abc import Sequence

import polars as pl

from tic_sweep.records import BEGUN

TOLD_APART = 9
"""Decimals to which means are told apart: the same numbers added in another order differ in their last digits."""


def counted_trials(trials: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Return key and setting of the trials that enter the means: the finished ones of each setting.

    Where none has finished, those still at work and those that a scheduler stopped early stand in; one that broke off
    never does, since it would drag the mean about at the epoch where it left.
    """
    finished = pl.col("status") == "finished"
    at_work = pl.col("status").is_in([*BEGUN, "stopped"]) & ~finished.any().over(*by)
    return trials.filter(finished | at_work).select("key", *by)


def with_setting(epochs: pl.LazyFrame, trials: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Return the epoch rows with the setting, seed and status of their trial, in order of setting, seed and epoch."""
    setting = trials.select("key", *by, "seed", "status")
    return epochs.join(setting, on="key", how="inner").sort(*by, "seed", "key", "epoch")


def mean_curves(epochs: pl.LazyFrame, trials: pl.LazyFrame, by: Sequence[str], column: str) -> pl.LazyFrame:
    """Return, per setting and epoch, n, mean, se, low (mean - se) and high (mean + se) of a column over the seeds.

    The trials are those of `counted_trials`. An epoch that one of them has not reported is left out, so that each
    curve is a mean of the same trials throughout; ``se`` is the standard error, null for a single seed.
    """
    value = pl.col(column)
    return (
        epochs
        .join(counted_trials(trials, by), on="key", how="inner")
        .filter(value.is_not_null(), value.is_not_nan())
        .with_columns(seeds=pl.col("key").n_unique().over(*by))
        .group_by(*by, "epoch")
        .agg(pl.col("seeds").first(), n=pl.len(), mean=value.mean(), se=value.std() / pl.len().sqrt())
        .filter(pl.col("n") == pl.col("seeds"))
        .drop("seeds")
        .with_columns(low=pl.col("mean") - pl.col("se"), high=pl.col("mean") + pl.col("se"))
        .sort(*by, "epoch")
    )
