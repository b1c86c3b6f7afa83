"""What training does to receptive fields, over seeds: Moran's I and the grouping of signs, before and after.

*Untrained* is epoch 0 and *trained* the last epoch at which a trial's synapses are stored; trials without both, and
those that have not finished, are left out.
"""

from collections.abc import Sequence

import polars as pl

from analysis.delays import delay_setting, delay_variants
from analysis.receptive_fields import HIDDEN, field_values
from analysis.results import Results
from analysis.seed_means import seed_means
from analysis.sign_grouping import PERMUTATIONS, REACH, sign_grouping

PHASES = ("untrained", "trained")


def field_gains(
    results: Results, *, layers: Sequence[str] = HIDDEN, contiguity: str = "queen", weights: str = "binary"
) -> pl.DataFrame:
    """Return by how much Moran's I of receptive fields rises with training, per variant at a sparsity and layer.

    Columns: those of `delay_contexts`, delays, structure, delays.sparsity, layer, contiguity, weights (the choice), n,
    and with 95 % intervals over seeds (x, x_se, x_low, x_high): untrained and trained, the mean I of a trial's fields
    that have one, and gain, trained less untrained in the same trial.
    """
    values = field_values(results, layers=layers, contiguity=contiguity, weights=weights)
    choice = ["layer", "contiguity", "weights"]
    means = values.drop_nulls("i").group_by("key", *choice, "epoch").agg(pl.col("i").mean())
    rows = both_phases(means, ["key", *choice], ["i"]).with_columns(gain=pl.col("i_trained") - pl.col("i_untrained"))
    named = rows.rename({f"i_{phase}": phase for phase in PHASES})
    return seed_means(
        named.lazy(), delay_variants(results), delay_setting(results), choice, (*PHASES, "gain")
    ).collect()  # fmt: skip


def grouping_gains(
    results: Results, *, layers: Sequence[str] = HIDDEN, reach: int = REACH, permutations: int = PERMUTATIONS
) -> pl.DataFrame:
    """Return how much more often neighbouring synapses agree in sign than shuffled ones, before and after training.

    Columns: those of `delay_contexts`, delays, structure, delays.sparsity, layer, direction (space or time), reach, n,
    and with 95 % intervals over seeds: untrained and trained, the excess of `sign_grouping`, and gain, their difference
    in the same trial; all are fractions of the pairs.
    """
    found = sign_grouping(results, layers=layers, reach=reach, permutations=permutations)
    choice = ["layer", "direction", "reach"]
    rows = both_phases(found.select("key", *choice, "epoch", "excess"), ["key", *choice], ["excess"])
    named = rows.rename({f"excess_{phase}": phase for phase in PHASES}).with_columns(
        gain=pl.col("trained") - pl.col("untrained")
    )
    return seed_means(
        named.lazy(), delay_variants(results), delay_setting(results), choice, (*PHASES, "gain")
    ).collect()  # fmt: skip


def both_phases(rows: pl.DataFrame, by: Sequence[str], columns: Sequence[str]) -> pl.DataFrame:
    """Return, per group, each column x of rows with an epoch at epoch 0 (x_untrained) and at the last (x_trained).

    Groups without epoch 0, or without a later one, are left out.
    """
    before = rows.filter(pl.col("epoch") == 0).select(*by, *(pl.col(x).alias(f"{x}_untrained") for x in columns))
    after = rows.filter(pl.col("epoch") > 0, pl.col("epoch") == pl.col("epoch").max().over(by)).select(
        *by, *(pl.col(x).alias(f"{x}_trained") for x in columns)
    )
    return before.join(after, on=list(by))
