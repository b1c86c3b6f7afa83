"""What noise in one window of timesteps costs, after how much training (Kim et al. 2023, Fig. 2)."""

from collections.abc import Sequence

import polars as pl

from analysis.seed_means import as_fractions, seed_means


def relative_accuracies(deficits: pl.LazyFrame) -> pl.LazyFrame:
    """Return, per trial, epoch and window, the accuracy and by how much it exceeds that of the last window.

    Columns: key, epoch, first and last (timestep of the window), accuracy and clean_accuracy (fractions), relative
    (percentage points; 0 at the last window, negative where noise hurts more than it does there).
    """
    at_end = pl.col("acc").sort_by("first").last().over("key", "epoch")
    return deficits.select(
        "key", "epoch", "first", "last", accuracy="acc", clean_accuracy="clean_acc",
        relative=100 * (pl.col("acc") - at_end),
    )  # fmt: skip


def deficit_curves(deficits: pl.LazyFrame, trials: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Return, per setting, epoch and window, the mean accuracy over seeds, and that relative to the last window.

    Columns: ``by``, epoch, first, last, n; accuracy and clean_accuracy (fractions) and relative (percentage points),
    each with _se, _low and _high as in `seed_means`, which chooses trials and epochs.
    """
    measures = ("accuracy", "clean_accuracy", "relative")
    means = seed_means(relative_accuracies(deficits), trials, by, ("epoch", "first", "last"), measures)
    return as_fractions(means, "accuracy", "clean_accuracy")
