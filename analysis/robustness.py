"""Accuracy on corrupted and attacked images, at the strengths of the paper's Table 1 and at multiples of them."""

from collections.abc import Sequence

import polars as pl

from analysis.results import Results
from analysis.seed_means import as_fractions, at_last_epoch, seed_means

CORRUPTIONS = {"gaussian": "Gaussian noise", "blur": "blur", "fgsm": "FGSM", "pgd": "PGD"}
"""In words, in the order of the paper's Table 1."""
MEASURES = ("clean_accuracy", "accuracy", "drop")


def drops(robustness: pl.LazyFrame) -> pl.LazyFrame:
    """Return the robustness rows with accuracy and clean_accuracy (fractions) and drop.

    ``drop`` is accuracy less clean accuracy in percentage points, negative where the corruption costs accuracy, as the
    paper prints it.
    """
    return robustness.with_columns(
        accuracy="acc", clean_accuracy="clean_acc", drop=100 * (pl.col("acc") - pl.col("clean_acc"))
    )


def strength_curves(robustness: pl.LazyFrame, trials: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Return, per setting, corruption and strength, the accuracies at the last epoch measured, over seeds.

    Columns: ``by``, epoch, corruption (in the paper's order), multiple, strength, images, n; clean_accuracy, accuracy
    (fractions) and drop (percentage points), each with _se, _low and _high as in `seed_means`, which chooses trials.
    """
    ranks = {name: rank for rank, name in enumerate(CORRUPTIONS)}
    order = pl.col("corruption").replace_strict(ranks, default=len(ranks), return_dtype=pl.Int64)
    points = ("epoch", "corruption", "multiple", "strength", "images")
    return (
        seed_means(drops(robustness), trials, by, points, MEASURES)
        .pipe(at_last_epoch, by)
        .pipe(as_fractions, "clean_accuracy", "accuracy")
        .sort(*by, order, "multiple")
    )


def robustness_table(results: Results) -> pl.LazyFrame:
    """Return `strength_curves` of each setting (`Results.settings`) at the configured strengths, as in Table 1."""
    curves = strength_curves(results.robustness, results.trials, results.settings)
    return curves.filter(pl.col("multiple") == 1)
