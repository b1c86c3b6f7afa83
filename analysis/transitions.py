"""When the information centroid turns: per trial, and over the seeds of a setting with its uncertainty."""

import math
from collections.abc import Iterable, Sequence

import polars as pl

from analysis.fields import variant_of_trials, varied_columns
from analysis.turning import TRANSITION, transitions_of
from tic_sweep.records import STATUSES

ACCURACIES = ("val_acc", "test_acc", "best_test_acc")
MEASURES = ("ic_start", "ic_max", "ic_final", "test_acc", "best_test_acc")
"""Columns of `tic_transitions` that `over_seeds` sums up."""
FRACTIONS = ("test_acc", "best_test_acc")
"""Measures whose intervals end at 0 and at 1."""
CONFIDENCE = 0.95


def tic_transitions(epochs: pl.LazyFrame, trials: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per trial with its transition, by the definition in `tic_sweep.transition`.

    The transition is that of the first training: what pruning does to the centroid afterwards is another question.
    Columns: key, sweep, the config fields that vary, timesteps, seed, status, variant; the fields of `Transition`
    (epoch, not_before, interpolated, slope, depth, ic_start, ic_max, ic_min, ic_final, observed) and turned; val_acc,
    test_acc, best_test_acc. A trial without a transition has ``turned = false`` and ``observed``, the last epoch it
    was seen at; one without any IC has a null there. With fewer reports of IC than `turning.REPORTS` whether it turned
    is not known, ``turned`` is null, and IC is as reported, since a median of three would mix the first with the last.
    """
    first_training = pl.col("cycle").fill_null(0) == 0  # null in results from before there were cycles
    measured = pl.col("ic").is_not_null() & pl.col("ic").is_not_nan()
    curves = epochs.filter(first_training & measured).group_by("key").agg("epoch", "ic")
    return (
        trials
        .select(*carried_columns(trials))
        .join(curves, on="key", how="left", maintain_order="left")
        .with_columns(
            transition=pl.struct("epoch", "ic", "timesteps").map_batches(transitions_of, return_dtype=TRANSITION)
        )
        .drop("epoch", "ic")
        .unnest("transition")
    )


def to_common_horizon(turns: pl.LazyFrame, by: Sequence[str] = ()) -> pl.LazyFrame:
    """Restrict transitions (timesteps, turned, interpolated, observed) to what all trials were followed for.

    Adds ``horizon``, the last epoch that all trials of each setting of ``by`` were seen at, and ``transition``, its
    epoch restricted to it: one that has not come by then counts as if it came there, so that differences are defined
    without a guess about what comes later; they understate how far apart the transitions are. ``turned`` becomes
    whether it came by the horizon. For T = 1, which cannot turn, and where IC was measured too rarely to tell, both are
    null, and such a trial sets no horizon.
    """
    followed = pl.col("turned").is_not_null() & (pl.col("timesteps") > 1)
    horizon = pl.col("observed").filter(followed).min()
    epoch, last = pl.when("turned").then("interpolated"), pl.col("horizon").cast(pl.Float64)
    return turns.with_columns(horizon=horizon.over(*by) if by else horizon).with_columns(
        transition=pl.when(followed).then(pl.min_horizontal(epoch, last)),
        turned=pl.when(followed).then(pl.col("turned") & (pl.col("interpolated") <= last)),
    )


def carried_columns(trials: pl.LazyFrame, among: Iterable[str] | None = None) -> list[pl.Expr]:
    """Return the columns of the trials that stand beside their transitions: key, sweep, what varies, and how it ended.

    Where it is known that nothing varies but some fields, naming them saves a look at the others.
    """
    setting = [path for path in varied_columns(trials, among) if path != "timesteps"]
    names = ["key", "sweep", *setting, "timesteps", "seed", "status"]
    return [*map(pl.col, names), variant_of_trials(), *map(pl.col, ACCURACIES)]


def over_seeds(transitions: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Sum up the trials of each setting, the seeds being what is left to differ; sorted by the setting.

    Of every measure x in `MEASURES`: x_mean, x_sd and the 95 % Student-t interval x_low .. x_high, over the finished
    trials; that of an accuracy ends at 0 and at 1. The transition is followed in the trials that a scheduler stopped
    early, too: one that had not turned by then is censored there. Of it, likewise transition_mean, _sd, _low and _high,
    but only if *every* trial followed has turned: the mean of those that have would flatter a setting that half of the
    seeds never left. Where more than half have turned, transition_median is the median with the others counted as
    later than any; it is null where one of those was stopped before it, so that nobody knows. Counts: n_seeds,
    n_measured (finished and stopped trials with an IC), n_followed (those of them with enough of it to see a
    transition), n_turned, and one per status, so that no trial drops out of sight. ``observed`` is the last epoch that
    all of those measured have reached.
    """
    finished = pl.col("status") == "finished"
    measured = pl.col("status").is_in(["finished", "stopped"]) & pl.col("observed").is_not_null()
    followed = measured & pl.col("turned").is_not_null()
    all_turned = pl.when(pl.col("n_turned") == pl.col("n_measured"))
    return (
        transitions
        .with_columns(
            *(pl.when(finished).then(pl.col(name).fill_nan(None)).alias(name) for name in MEASURES),
            pl.when(measured).then("observed").alias("observed"),
            transition=pl.when(measured).then(pl.col("interpolated").fill_nan(None)),
            reached=pl.when(measured).then(pl.col("interpolated").fill_null(math.inf)),
            censored=pl.when(measured & pl.col("interpolated").is_null()).then("observed"),
        )
        .group_by(*by)
        .agg(
            pl.len().cast(pl.Int64).alias("n_seeds"),
            *((pl.col("status") == status).sum().cast(pl.Int64).alias(f"n_{status}") for status in STATUSES),
            measured.sum().cast(pl.Int64).alias("n_measured"),
            followed.sum().cast(pl.Int64).alias("n_followed"),
            (measured & pl.col("turned")).sum().cast(pl.Int64).alias("n_turned"),
            *([] if "timesteps" in by else [pl.col("timesteps").max()]),
            pl.col("observed").min(),
            *(part for name in (*MEASURES, "transition") for part in _moments(name)),
            pl.col("reached").median().alias("transition_median"),
            pl.col("censored").min(),
        )
        .with_columns(part for name in (*MEASURES, "transition") for part in _interval(name))
        .with_columns(
            pl
            .when(
                pl.col("transition_median").is_finite(),
                pl.col("transition_median") <= pl.col("censored").fill_null(math.inf),
            )
            .then("transition_median")
            .alias("transition_median"),
            *(
                all_turned.then(f"transition_{part}").alias(f"transition_{part}")
                for part in ("mean", "sd", "low", "high")
            ),
        )
        .select(*by, *_columns_over_seeds(by))
        .sort(*by)
    )


def _columns_over_seeds(by: Sequence[str]) -> list[str]:
    summed = [f"{name}_{part}" for name in (*MEASURES, "transition") for part in ("mean", "sd", "low", "high")]
    counts = ["n_seeds", *(f"n_{status}" for status in STATUSES), "n_measured", "n_followed", "n_turned"]
    return [*counts, *([] if "timesteps" in by else ["timesteps"]), "observed", *summed, "transition_median"]


def _moments(name: str) -> list[pl.Expr]:
    values = pl.col(name)
    parts = {"mean": values.mean(), "sd": values.std(), "n": values.count()}
    return [expression.alias(f"{name}_{part}") for part, expression in parts.items()]


def _interval(name: str) -> list[pl.Expr]:
    mean, sd, n = (pl.col(f"{name}_{part}") for part in ("mean", "sd", "n"))
    margin = n.map_batches(_student_t, return_dtype=pl.Float64) * sd / n.sqrt()
    bounds = (0.0, 1.0) if name in FRACTIONS else (-math.inf, math.inf)
    return [(mean - margin).clip(*bounds).alias(f"{name}_low"), (mean + margin).clip(*bounds).alias(f"{name}_high")]


def _student_t(counts: pl.Series) -> pl.Series:
    """Return how many standard errors the interval of ``n`` values reaches to either side; null below two values."""
    from scipy.special import stdtrit

    known = pl.Series(counts.name, stdtrit(counts.cast(pl.Float64).to_numpy() - 1, (1 + CONFIDENCE) / 2))
    return known.to_frame().select(pl.when(counts > 1).then(pl.first())).to_series()
