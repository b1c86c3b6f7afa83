"""Means over the seeds of a setting with their intervals, at each point that all of its trials were measured at."""

from collections.abc import Sequence

import polars as pl

from analysis.curves import counted_trials
from analysis.intervals import student_reach


def seed_means(
    rows: pl.LazyFrame, trials: pl.LazyFrame, by: Sequence[str], within: Sequence[str], columns: Sequence[str]
) -> pl.LazyFrame:
    """Average rows of trials (key, the columns of ``within``, those to average) over the seeds of each setting.

    Columns: ``by``, ``within``, n; and of each column x its mean x, standard error x_se and 95 % Student-t interval
    x_low .. x_high, null for a single seed. The trials are those of `counted_trials`; a point that one of them lacks
    is left out, so that all points of a setting are means of the same trials.
    """
    margin = pl.col("n").map_batches(_student_t, return_dtype=pl.Float64)
    return (
        rows
        .join(counted_trials(trials, by), on="key", how="inner")
        .filter(pl.all_horizontal(pl.col(x).is_not_null() & pl.col(x).is_finite() for x in columns))
        .with_columns(seeds=pl.col("key").n_unique().over(*by))
        .group_by(*by, *within)
        .agg(
            pl.col("seeds").first(),
            pl.len().cast(pl.Int64).alias("n"),
            *(pl.col(x).mean() for x in columns),
            *((pl.col(x).std() / pl.len().sqrt()).alias(f"{x}_se") for x in columns),
        )
        .filter(pl.col("n") == pl.col("seeds"))
        .with_columns(
            *((pl.col(x) - margin * pl.col(f"{x}_se")).alias(f"{x}_low") for x in columns),
            *((pl.col(x) + margin * pl.col(f"{x}_se")).alias(f"{x}_high") for x in columns),
        )
        .select(*by, *within, "n", *(f"{x}{part}" for x in columns for part in ("", "_se", "_low", "_high")))
        .sort(*by, *within)
    )


def at_last_epoch(rows: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Return, of rows with an epoch, those of each group's last one."""
    return rows.filter(pl.col("epoch") == pl.col("epoch").max().over(*by))


def as_fractions(rows: pl.LazyFrame, *columns: str) -> pl.LazyFrame:
    """Return the rows of `seed_means` with the intervals of some columns ended at 0 and at 1."""
    return rows.with_columns(pl.col(f"{x}_{end}").clip(0.0, 1.0) for x in columns for end in ("low", "high"))


def _student_t(counts: pl.Series) -> pl.Series:
    """Return how many standard errors the interval of n values reaches to either side; null below two values."""
    reach = {n: student_reach(n - 1) if n > 1 else None for n in counts.unique()}
    return pl.Series(counts.name, [reach[n] for n in counts], dtype=pl.Float64)
