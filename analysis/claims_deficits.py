"""Claims of the main paper (Kim et al. 2023, Fig. 2) on noise in early and late timesteps."""

from collections.abc import Sequence

import polars as pl

from analysis.deficits import relative_accuracies
from analysis.evidence import over_settings, too_few
from analysis.fields import label_of
from analysis.first_trainings import first_trainings
from analysis.intervals import equivalence, student
from analysis.results import Results
from analysis.variants import LEARNING_RATE, REFERENCE, at_best_rates, trained
from analysis.verdicts import Claim, Evidence

COST = 1.0
"""Points that early noise must cost more than late noise to be said to cost more."""
ALIKE = 2.0
"""Points within which early and late noise cost the same; a network that has only begun to learn is a noisy one."""


def mean_evidence(
    values: Sequence[float],
    where: str,
    *,
    counted: str = "seeds",
    margin: float | None = None,
    detail: str = "",
    missing: str = "",
) -> Evidence:
    """Return the mean of some numbers as evidence: with the 90 % interval of an equivalence test if there is a margin.

    Args:
        values: a number per seed or pair of seeds.
        where: the setting in words.
        counted: what the numbers are of.
        margin: of the equivalence; None for a difference.
        detail: what a reader should know besides.
        missing: why there is no interval, if it is not that the numbers are too few.
    """
    n = len(values)
    tested = None if margin is None else equivalence(values, margin)
    interval = student(values) if margin is None else tested and tested.interval
    return Evidence(
        interval=None if missing else interval, n=n, where=where, counted=counted, detail=detail,
        missing=missing or ("" if interval else too_few(n, counted)),
    )  # fmt: skip


def early_noise_costs_more(results: Results) -> list[Evidence]:
    """Return, per context, what noise in the first window costs more than in the last, at the last epoch measured."""
    return _costs(results, after_training=True)


def early_noise_costs_the_same_at_first(results: Results) -> list[Evidence]:
    """Return, per context, what noise in the first window costs more than in the last, at the first epoch measured.

    The untrained network counts if nothing later was measured before the end.
    """
    return _costs(results, after_training=False)


def _costs(results: Results, *, after_training: bool) -> list[Evidence]:
    loss = pl.col("loss.name").fill_null("cross_entropy")  # null in results from before there were others
    paper = first_trainings(
        results.where((pl.col("task") == "images") & (pl.col("variant") == REFERENCE) & (loss == "cross_entropy"))
    )
    found = []
    for setting, part in paper.parts(paper.contexts(LEARNING_RATE)):
        best = trained(at_best_rates(part))
        rows = _first_windows(best.deficits, after_training=after_training).collect()
        if best.deficits.head(1).collect().is_empty():
            continue
        rates = best.trials.select(LEARNING_RATE).head(1).collect()[LEARNING_RATE].to_list()
        where = label_of(setting | ({LEARNING_RATE: rates[0]} if LEARNING_RATE in results.varied else {}))
        epochs = "–".join(dict.fromkeys(str(end) for end in (rows["epoch"].min(), rows["epoch"].max())))
        detail = (
            f"after epoch {epochs}, at a clean accuracy of {rows['clean_accuracy'].mean():.1%}" if rows.height else ""
        )
        if detail and not after_training:
            detail += " (at chance there would be nothing to lose)"
        needs = "after training" if after_training else "before the last epoch measured"
        missing = "" if rows.height else f"accuracy with noise in two windows is not known {needs}"
        margin = None if after_training else ALIKE
        found.append(mean_evidence(rows["value"].to_list(), where, margin=margin, detail=detail, missing=missing))
    return over_settings(found)


def _first_windows(deficits: pl.LazyFrame, *, after_training: bool) -> pl.LazyFrame:
    """Return, per trial, key, epoch, clean_accuracy and value: accuracy of the last window less that of the first.

    The epoch is the last one measured, if it is after any training; or the first with training before that one, else
    epoch 0. Trials with a single window, or without such an epoch, have no row.
    """
    epoch, last = pl.col("epoch"), pl.col("last_epoch")
    early = epoch.filter(epoch > 0, epoch < last).min().over("key").fill_null(0)
    chosen = epoch == (last if after_training else early)
    return (
        relative_accuracies(deficits)
        .filter(pl.len().over("key", "epoch") > 1)
        .with_columns(last_epoch=epoch.max().over("key"))
        .filter(chosen, last > 0)
        .filter(pl.col("first") == pl.col("first").min().over("key"))
        .select("key", "epoch", "clean_accuracy", value=-pl.col("relative"))
        .sort("key")
    )


DEFICIT_CLAIMS = (
    Claim(
        id="F2a",
        statement="After training, noise in the first window of timesteps costs more accuracy than noise in the last.",
        reference="Kim et al. 2023, Fig. 2",
        kind="difference",
        quantity="the accuracy with noise in the last window, less that with noise in the first, after training",
        threshold=COST,
        unit="points",
        tables=("deficits",),
        evidence=early_noise_costs_more,
    ),
    Claim(
        id="F2b",
        statement="Before training has got far, noise in the first window costs as much as noise in the last.",
        reference="Kim et al. 2023, Fig. 2",
        kind="equivalence",
        quantity="the accuracy with noise in the last window, less that with noise in the first, early in training",
        threshold=ALIKE,
        unit="points",
        tables=("deficits",),
        evidence=early_noise_costs_the_same_at_first,
    ),
)
