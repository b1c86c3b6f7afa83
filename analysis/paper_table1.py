"""Table 1 of Kim et al. 2023 as data, and results beside it.

The numbers are the paper's, ResNet19 at native size; results of other networks and sizes stand beside them for the
order of things, not to reproduce the values. Of the 36 drops printed, one is not the difference of the accuracies
printed (SVHN, intermediate α, blur: 95.56 less 96.01 is −0.45, not −0.56) and two differ by rounding.
"""

import polars as pl

from analysis.alpha import ALPHA, LOSS, alpha_contexts, alpha_trials, alphas_of, ranks_of
from analysis.results import Results
from analysis.robustness import CORRUPTIONS, strength_curves

DATA = "data.name"
# Data set, rank and value of α, clean accuracy in %, then accuracy in % and drop in points of each corruption.
_PRINTED = (
    ("svhn", "low", 1e-4, 96.03, (93.48, -2.55), (95.56, -0.47), (91.69, -4.34), (90.87, -5.16)),
    ("svhn", "intermediate", 1e-2, 96.01, (93.24, -2.77), (95.56, -0.56), (77.93, -18.08), (49.84, -46.17)),
    ("svhn", "high", 7e-2, 95.91, (92.85, -3.06), (95.12, -0.79), (55.39, -40.52), (4.46, -91.45)),
    ("cifar10", "low", 1e-3, 92.04, (69.01, -23.03), (58.11, -33.93), (77.22, -14.82), (74.63, -17.41)),
    ("cifar10", "intermediate", 1e-2, 91.89, (68.09, -23.80), (56.88, -35.01), (69.29, -22.60), (58.65, -33.24)),
    ("cifar10", "high", 7e-2, 91.87, (61.01, -30.86), (54.55, -37.32), (53.50, -38.37), (32.58, -59.29)),
    ("cifar100", "low", 1e-4, 68.17, (37.60, -30.57), (51.18, -16.99), (44.62, -23.55), (38.64, -29.52)),
    ("cifar100", "intermediate", 1e-3, 68.47, (36.98, -31.49), (51.02, -17.45), (43.39, -25.08), (35.03, -33.43)),
    ("cifar100", "high", 1e-2, 67.95, (35.56, -32.39), (49.09, -18.86), (38.36, -29.59), (30.33, -37.62)),
)


def paper_table1() -> pl.DataFrame:
    """Return the paper's Table 1, a row per data set, rank of α and corruption.

    Columns: data.name, rank (low, intermediate or high), paper_alpha (nats), corruption; paper_clean and
    paper_accuracy (%) and paper_drop (percentage points), all as printed.
    """
    return pl.DataFrame(
        [
            (data, rank, alpha, corruption, clean, *found)
            for data, rank, alpha, clean, *corrupted in _PRINTED
            for corruption, found in zip(CORRUPTIONS, corrupted, strict=True)
        ],
        schema=[DATA, "rank", "paper_alpha", "corruption", "paper_clean", "paper_accuracy", "paper_drop"],
        orient="row",
    )


def beside_paper(results: Results) -> pl.LazyFrame:
    """Return the results at the configured strengths beside the paper's, matched by data set, rank of α and corruption.

    Columns: those of `strength_curves` by `Results.settings`, data.name, loss.name and loss.alpha; rank (null for
    cross-entropy, for a lone α, and between the ends if there is more than one), and the paper's columns of
    `paper_table1`, null where it has no such row.
    """
    by = list(dict.fromkeys([*results.settings, DATA, *LOSS]))
    own = strength_curves(results.robustness, results.trials, by).filter(pl.col("multiple") == 1)
    return own.join(_ranks(results, by), on=by, how="left", nulls_equal=True, maintain_order="left").join(
        paper_table1().lazy(), on=[DATA, "rank", "corruption"], how="left", maintain_order="left"
    )


def _ranks(results: Results, by: list[str]) -> pl.LazyFrame:
    """Return by and rank, a row per setting that has an α."""
    frames = [results.trials.select(*by).clear().with_columns(rank=pl.lit(None, pl.String))]
    for _, part in alpha_trials(results).parts(alpha_contexts(results)):
        names = ranks_of(alphas_of(part))
        rank = pl.col(ALPHA).replace_strict(names, default=None, return_dtype=pl.String)
        frames.append(part.trials.select(*by).unique().with_columns(rank=rank))
    return pl.concat(frames)
