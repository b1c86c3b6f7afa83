"""When the information centroid turns: per trial, and over the seeds of a setting with its uncertainty."""

import dataclasses
import math
import typing
from collections.abc import Sequence

import polars as pl

from analysis.fields import variant_of_trials, varied_columns
from tic_sweep.records import STATUSES
from tic_sweep.transition import CONFIRM, Transition, find_transition

ACCURACIES = ("val_acc", "test_acc", "best_test_acc")
MEASURES = ("ic_start", "ic_max", "ic_final", "test_acc", "best_test_acc")
"""Columns of `tic_transitions` that `over_seeds` sums up."""
FRACTIONS = ("test_acc", "best_test_acc")
"""Measures whose intervals end at 0 and at 1."""
CONFIDENCE = 0.95
REPORTS = 1 + CONFIRM
"""Reports of IC below which a trial cannot be seen to turn: one on the plateau, and those that confirm."""
_DTYPES = {int | None: pl.Int64, float | None: pl.Float64}
_TRANSITION = pl.Struct(
    {name: _DTYPES[hint] for name, hint in typing.get_type_hints(Transition).items()} | {"turned": pl.Boolean}
)


def tic_transitions(epochs: pl.LazyFrame, trials: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per trial with its transition, by the definition in `tic_sweep.transition`.

    The transition is that of the first training: what pruning does to the centroid afterwards is another question.
    Columns: key, sweep, the config fields that vary, timesteps, seed, status, variant; the fields of `Transition`
    (epoch, not_before, interpolated, slope, depth, ic_start, ic_max, ic_min, ic_final, observed) and turned; val_acc,
    test_acc, best_test_acc. A trial without a transition has ``turned = false`` and ``observed``, the last epoch it
    was seen at; one without any IC has a null there. With fewer reports of IC than `REPORTS` whether it turned is not
    known, ``turned`` is null, and IC is as reported, since a median of three would mix the first with the last.
    """
    first_training = pl.col("cycle").fill_null(0) == 0  # null in results from before there were cycles
    curves = epochs.filter(first_training).sort("key", "epoch").group_by("key", maintain_order=True).agg("epoch", "ic")
    setting = [path for path in varied_columns(trials) if path != "timesteps"]
    return (
        trials
        .select("key", "sweep", *setting, "timesteps", "seed", "status", variant_of_trials(), *ACCURACIES)
        .join(curves, on="key", how="left", maintain_order="left")
        .with_columns(
            transition=pl.struct("epoch", "ic", "timesteps").map_batches(_transitions, return_dtype=_TRANSITION)
        )
        .drop("epoch", "ic")
        .unnest("transition")
    )


def over_seeds(transitions: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Sum up the trials of each setting, the seeds being what is left to differ; sorted by the setting.

    Of every measure x in `MEASURES`: x_mean, x_sd and the 95 % Student-t interval x_low .. x_high, over the finished
    trials; that of an accuracy ends at 0 and at 1. Of the transition, likewise transition_mean, _sd, _low and _high,
    but only if *every* finished trial has turned: the mean of those that have would flatter a setting that half of the
    seeds never left. Where more than half have turned, transition_median is the median with the others counted as
    later than any. Counts: n_seeds, n_measured (finished trials with an IC), n_followed (those of them with enough of
    it to see a transition), n_turned, and one per status, so that no trial drops out of sight. ``observed`` is the
    last epoch that all finished trials have reached.
    """
    finished = pl.col("status") == "finished"
    measured = finished & pl.col("observed").is_not_null()
    followed = measured & pl.col("turned").is_not_null()
    all_turned = pl.when(pl.col("n_turned") == pl.col("n_measured"))
    return (
        transitions
        .group_by(*by)
        .agg(
            pl.len().cast(pl.Int64).alias("n_seeds"),
            *((pl.col("status") == status).sum().cast(pl.Int64).alias(f"n_{status}") for status in STATUSES),
            measured.sum().cast(pl.Int64).alias("n_measured"),
            followed.sum().cast(pl.Int64).alias("n_followed"),
            (measured & pl.col("turned")).sum().cast(pl.Int64).alias("n_turned"),
            *([] if "timesteps" in by else [pl.col("timesteps").max()]),
            pl.col("observed").filter(measured).min(),
            *(_moments(pl.col(name).filter(finished), name) for name in MEASURES),
            _moments(pl.col("interpolated").filter(measured), "transition"),
            pl.col("interpolated").filter(measured).fill_null(math.inf).median().alias("transition_median"),
        )
        .with_columns(_with_interval(name) for name in (*MEASURES, "transition"))
        .unnest(*MEASURES, "transition")
        .with_columns(
            pl.when(pl.col("transition_median").is_finite()).then("transition_median").alias("transition_median"),
            *(
                all_turned.then(f"transition_{part}").alias(f"transition_{part}")
                for part in ("mean", "sd", "low", "high")
            ),
        )
        .sort(*by)
    )


def _transitions(rows: pl.Series) -> pl.Series:
    found = []
    for row in rows.to_list():
        epochs, ic = row["epoch"] or [], row["ic"] or []
        transition = find_transition(epochs, ic, row["timesteps"])
        known = [float(value) for value in ic if value is not None and not math.isnan(value)]
        few = len(known) < REPORTS
        as_reported = _without_smoothing(known) if few and known else {}
        turned = None if few else transition.turned
        found.append(dataclasses.asdict(transition) | {"turned": turned} | as_reported)
    return pl.Series(rows.name, found, dtype=_TRANSITION)


def _without_smoothing(ic: Sequence[float]) -> dict[str, float | None]:
    """Return those fields of `Transition` that are smoothed, of centroids as they are."""
    top, last = max(ic), ic[-1]
    depth = (top - last) / (top - 1) if top > 1 else None
    return {"ic_max": top, "ic_min": min(ic), "ic_final": last, "depth": depth}


def _moments(values: pl.Expr, name: str) -> pl.Expr:
    values = values.drop_nulls().drop_nans()
    return pl.struct(mean=values.mean(), sd=values.std(), n=values.len()).alias(name)


def _with_interval(name: str) -> pl.Expr:
    mean, sd, n = (pl.col(name).struct.field(part) for part in ("mean", "sd", "n"))
    margin = n.map_batches(_student_t, return_dtype=pl.Float64) * sd / n.sqrt()
    bounds = (0.0, 1.0) if name in FRACTIONS else (-math.inf, math.inf)
    parts = {"mean": mean, "sd": sd, "low": (mean - margin).clip(*bounds), "high": (mean + margin).clip(*bounds)}
    return pl.struct([expression.alias(f"{name}_{part}") for part, expression in parts.items()]).alias(name)


def _student_t(counts: pl.Series) -> pl.Series:
    """Return how many standard errors the interval of ``n`` values reaches to either side; null below two values."""
    from scipy.special import stdtrit

    margins = [float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) if n > 1 else None for n in counts]
    return pl.Series(counts.name, margins, dtype=pl.Float64)
