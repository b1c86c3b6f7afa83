"""Do excitation and inhibition group together in space and in time (Mészáros et al. 2024, abstract)?

Two synapses of a neuron are neighbours

    in space    on adjacent inputs, with delays at most ``reach`` timesteps apart
    in time     with adjacent delays, on inputs at most ``reach`` apart

(those that are adjacent in both are neighbours in both: a neuron has one synapse with an input). What is measured is
the share of neighbouring pairs whose weights have the same sign, against the same synapses with the signs of each
neuron shuffled among them: where a neuron's synapses lie, and how many of them excite, is kept. With all of a neuron's
signs equal there is nothing to shuffle, and its pairs agree under the null too.

Shapes: P permutations, S synapses in order of their neuron, Q pairs of them.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from analysis.receptive_fields import HIDDEN, generator_of
from analysis.results import Results

DIRECTIONS = ("space", "time")
REACH = 2
PERMUTATIONS = 199
TAILS = (0.025, 0.975)
_COLUMNS = pl.Schema({
    "key": pl.String, "epoch": pl.Int64, "layer": pl.String, "direction": pl.String, "pairs": pl.Int64,
    "same": pl.Float64, "shuffled": pl.Float64, "excess": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "p": pl.Float64, "reach": pl.Int64, "permutations": pl.Int64,
})  # fmt: skip


def sign_grouping(
    results: Results, *, layers: Sequence[str] = HIDDEN, reach: int = REACH, permutations: int = PERMUTATIONS
) -> pl.DataFrame:
    """Return the share of neighbouring synapses with the same sign, per trial, epoch, layer and direction.

    Columns: key, epoch, layer, direction (space or time), pairs (neighbouring synapses), same (share of them whose
    signs agree), shuffled (mean share with signs shuffled within neurons), excess (same - shuffled), low and high (the
    shuffles' 95 % range), p (one-sided: as large a share by shuffling), reach, permutations. Layers without a pair are
    left out. Shuffles are drawn from the trial's key.
    """
    stored = results.synapses.filter(pl.col("layer").is_in(layers), pl.col("weight") != 0).collect()
    rows = []
    for (key, epoch, layer), synapses in sorted(stored.partition_by("key", "epoch", "layer", as_dict=True).items()):
        ordered = synapses.sort("neuron", "input")
        neuron_S, sign_S = ordered["neuron"].to_numpy(), np.sign(ordered["weight"].to_numpy())
        drawn_PS = _shuffled(neuron_S, sign_S, permutations, generator_of(key, epoch, layer))
        for direction, (one_Q, other_Q) in neighbours(ordered, reach).items():
            if not len(one_Q):
                continue
            same = float((sign_S[one_Q] == sign_S[other_Q]).mean())
            null_P = (drawn_PS[:, one_Q] == drawn_PS[:, other_Q]).mean(1)
            low, high = np.quantile(null_P, TAILS)
            p = (1 + int((null_P >= same - 1e-12).sum())) / (1 + permutations)  # equal shares may differ in rounding
            mean = float(null_P.mean())
            rows.append((
                key, epoch, layer, direction, len(one_Q), same, mean, same - mean, low, high, p, reach, permutations
            ))  # fmt: skip
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row")


def neighbours(synapses: pl.DataFrame, reach: int = REACH) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return, per direction, the row numbers [Q], [Q] of neighbouring pairs of synapses (neuron, input, delay)."""
    numbered = synapses.select("neuron", "input", "delay").with_row_index("row")
    found = pl.concat([
        numbered
        .join(numbered.with_columns(pl.col("input") - offset), on=["neuron", "input"], suffix="_other")
        .select(
            "row", "row_other", offset=pl.lit(offset), apart=(pl.col("delay") - pl.col("delay_other")).abs()
        )
        for offset in range(1, reach + 1)
    ]).sort("row", "row_other")  # fmt: skip
    chosen = {
        "space": found.filter(pl.col("offset") == 1, pl.col("apart") <= reach),
        "time": found.filter(pl.col("apart") == 1),
    }
    return {name: (pairs["row"].to_numpy(), pairs["row_other"].to_numpy()) for name, pairs in chosen.items()}


def _shuffled(neuron_S: np.ndarray, sign_S: np.ndarray, permutations: int, drawn: np.random.Generator) -> np.ndarray:
    """Return signs [P, S] in random order within each neuron; synapses lie in order of their neurons."""
    _, place_S = np.unique(neuron_S, return_inverse=True)
    order_PS = np.argsort(place_S + drawn.random((permutations, len(sign_S))), axis=1)
    return sign_S[order_PS]
