"""What the claims of the main paper ask of results: the trials they are about, and means over seeds as evidence."""

import dataclasses
from collections.abc import Sequence

import polars as pl

from analysis.fields import label_of
from analysis.first_trainings import first_trainings
from analysis.intervals import Interval, student
from analysis.layers import first_training
from analysis.results import Results, once
from analysis.seed_means import at_last_epoch
from analysis.turning import REPORTS
from analysis.variants import LEARNING_RATE, REFERENCE, at_best_rates, trained
from analysis.verdicts import Evidence

MANY = 3
"""Settings of one trial each beyond which a search is told in one sentence rather than in a verdict per setting."""


@once
def of_the_paper(results: Results, *splits: str) -> Results:
    """Return the trials that are trained and measured as in the paper, apart from what a claim varies.

    That is: gradients through the membrane and not through the reset, cross-entropy, and I_t of Eq. 6, the data's
    labels, on training images; ``splits`` names others where a claim is about them. Trials whose IC is measured too
    rarely to be followed are about something else, and pruning comes after what the claims are about.
    """
    loss = pl.col("loss.name").fill_null("cross_entropy")  # null in results from before there were others
    every = pl.col("fisher.every")
    paper = results.where(
        (pl.col("task") == "images")
        & (pl.col("variant") == REFERENCE)
        & (pl.col("timesteps") > 1)
        & (loss == "cross_entropy")
        & (pl.col("fisher.kind") == "empirical")
        & pl.col("fisher.split").is_in(splits or ("train",))
        & (every > 0)
        & (1 + (pl.col("optimiser.epochs") / every).ceil() >= REPORTS)  # before training, every so often, at the end
    )
    return first_trainings(paper)


@once
def well_trained(paper: Results) -> list[tuple[str, Results]]:
    """Return the finished trials of each context at the learning rate that is best on validation images, with IC.

    Of their Fisher rows they have those `after_training`, a small part, which is held in memory for all contexts.
    """
    varied = LEARNING_RATE in paper.varied
    found = []
    for setting, part in after_training(paper).parts(paper.contexts(LEARNING_RATE)):
        best = trained(at_best_rates(part))
        if best.epochs.drop_nulls("ic").head(1).collect().is_empty():
            continue
        rates = best.trials.select(pl.col(LEARNING_RATE).unique()).collect().to_series().to_list()
        found.append((label_of(setting | ({LEARNING_RATE: rates[0]} if varied else {})), best))
    return found


def after_training(results: Results) -> Results:
    """Return the results with those Fisher rows alone that were measured last in the first training, by level."""
    rows = first_training(results.fisher, results.trials)
    last = rows.group_by("key", "level").agg(pl.col("epoch").max()).collect()
    few = results.fisher.filter(pl.col("epoch").is_in(last["epoch"].unique().to_list()))  # passed on to the reader
    kept = few.join(last.lazy(), on=["key", "level", "epoch"], how="semi", maintain_order="left").collect()
    return dataclasses.replace(results, fisher=kept.lazy())


def early_shares(part: Results, last: pl.Expr) -> list[float]:
    """Return, per trial, the share of Σ I_t at t ≤ ``last`` (an expression of timesteps) after the first training."""
    i_t = pl.col("fisher_trace")
    return (
        first_training(part.fisher.filter(pl.col("level") == "model"), part.trials)
        .join(part.trials.select("key", "timesteps"), on="key")
        .pipe(at_last_epoch, ["key"])
        .group_by("key")
        .agg(share=i_t.filter(pl.col("t") <= last).sum() / i_t.sum())
        .filter(pl.col("share").is_finite())
        .sort("key")
        .collect()["share"]
        .to_list()
    )


def spread_evenly(part: Results, last: pl.Expr) -> str:
    """Say what the share of `early_shares` would be of information spread evenly over time, as a clause."""
    steps = part.trials.select(first=last.floor().max(), timesteps=pl.col("timesteps").max())
    first, timesteps = steps.collect().row(0)
    return f"that is t ≤ {first:.0f} of {timesteps}, where {first / timesteps:.2g} would lie if it were spread evenly"


def share_over_seeds(values: Sequence[float], where: str, detail: str) -> Evidence:
    """Return the mean of shares over seeds; its interval ends at 0 and at 1."""
    found = student(values)
    interval = None if found is None else Interval(found.value, max(found.low, 0.0), min(found.high, 1.0))
    missing = "" if interval else too_few(len(values), "seeds")
    return Evidence(interval=interval, n=len(values), where=where, detail=detail, missing=missing)


def over_settings(found: Sequence[Evidence]) -> list[Evidence]:
    """Return evidence as it is, that of a search among many settings of one trial each in one piece."""
    if len(found) <= MANY or any(evidence.n > 1 for evidence in found):
        return list(found)
    missing = f"none of {len(found)} settings has two seeds: an interval needs at least two"
    return [Evidence(interval=None, n=max(evidence.n for evidence in found), missing=missing)]


def too_few(n: int, counted: str) -> str:
    """Say that n observations are too few for an interval."""
    return f"{n or 'no'} {counted if n != 1 else counted.removesuffix('s')}: an interval needs at least two"
