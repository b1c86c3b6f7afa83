"""What α, the value that training holds the loss at, does to the Fisher trace (Kim et al. 2023, Eq. 10, Fig. 5)."""

from collections.abc import Sequence

import polars as pl

from analysis.results import Results
from analysis.seed_means import at_last_epoch, seed_means

ALPHA = "loss.alpha"
LOSS = ("loss.name", ALPHA)
"""The fields that say what training minimises; α means nothing unless the loss is ``alpha``."""


def alpha_trials(results: Results) -> Results:
    """Return the part of the results whose loss has an α: cross-entropy has none, though its column says 0."""
    return results.where((pl.col("task") == "images") & (pl.col("loss.name") == "alpha"))


def alpha_contexts(results: Results) -> tuple[str, ...]:
    """Return the columns within whose settings values of α are compared."""
    return alpha_trials(results).contexts(*LOSS)


def alphas_of(results: Results) -> list[float]:
    """Return the values of α of the trials that have one, finished or not, the lowest first."""
    return alpha_trials(results).trials.select(pl.col(ALPHA).unique()).collect()[ALPHA].sort().to_list()


def ranks_of(alphas: Sequence[float]) -> dict[float, str]:
    """Return the paper's names of ascending α: low and high for the ends, intermediate for a single one between."""
    if len(alphas) < 2:  # noqa: PLR2004
        return {}
    between = {alphas[1]: "intermediate"} if len(alphas) == 3 else {}  # noqa: PLR2004
    return {alphas[0]: "low"} | between | {alphas[-1]: "high"}


def final_traces(fisher: pl.LazyFrame) -> pl.LazyFrame:
    """Return the Fisher rows of the whole model after the last epoch that each trial was measured at."""
    return fisher.filter(pl.col("level") == "model").pipe(at_last_epoch, ["key"])


def fisher_over_t(fisher: pl.LazyFrame, trials: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Return, per setting and horizon t, the Fisher trace after the last epoch measured, averaged over seeds.

    Columns: ``by``, epoch, t, n, fisher_trace, and its _low and _high (mean ± standard error). Mean and error are
    those of log I_t, since traces of different seeds differ by factors. Trials are chosen by `seed_means`; where the
    trace of one of them is 0 there is no row.
    """
    ends = {"fisher_trace": pl.col("log"), "fisher_trace_low": pl.col("log") - pl.col("log_se"),
            "fisher_trace_high": pl.col("log") + pl.col("log_se")}  # fmt: skip
    return (
        seed_means(
            fisher.filter(pl.col("level") == "model").with_columns(log=pl.col("fisher_trace").log10()),
            trials, by, ("epoch", "t"), ("log",),
        )
        .pipe(at_last_epoch, by)
        .select(*by, "epoch", "t", "n", *((10.0**end).alias(name) for name, end in ends.items()))
    )  # fmt: skip
