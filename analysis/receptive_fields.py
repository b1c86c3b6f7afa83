"""Spatio-temporal receptive fields (Mészáros et al. 2024, Fig. 1): fields from stored synapses, and their Moran's I.

The field of a neuron is a matrix, inputs x delays, that holds each synapse's weight at its input and its whole delay,
and zeros elsewhere. Shapes: M neurons, H inputs, W delays (the longest delay and one).

What is measured is I over all cells (`analysis.moran`), with the choice of neighbours and weights written into every
table. The published choice is not known, so that values of I from elsewhere are no reference; what can be compared is
trained with untrained, and either with the nulls. The inputs of the output layer are hidden neurons, in no order: its
fields have neighbours in time alone, and are measured only if asked for.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import wilcoxon

from analysis.moran import FieldStructure, discovered, field_structure, morans_i, p_above
from analysis.results import Results

HIDDEN = ("hidden",)
"""Layers whose inputs have an order."""
PERMUTATIONS = 999
"""Of each null."""
RATE = 0.05
"""False discovery rate among the neurons of a layer."""
SHARE = 0.95
"""Quantile of a null up to which its band reaches."""
FEWEST = 2
"""Pairs of neurons of which a rank test says something."""
_STRUCTURES = pl.Schema({
    "key": pl.String, "epoch": pl.Int64, "layer": pl.String, "neurons": pl.Int64, "n_empty": pl.Int64,
    "mean": pl.Float64, "max": pl.Float64, "best": pl.Int64, "band_values": pl.Float64, "band_grid": pl.Float64,
    "band_untrained": pl.Float64, "n_values": pl.Int64, "n_grid": pl.Int64, "n_untrained": pl.Int64,
    "p_trained": pl.Float64, "contiguity": pl.String, "weights": pl.String, "permutations": pl.Int64,
})  # fmt: skip
_VALUES = pl.Schema({
    "key": pl.String, "epoch": pl.Int64, "layer": pl.String, "neuron": pl.Int64, "synapses": pl.Int64, "i": pl.Float64,
    "contiguity": pl.String, "weights": pl.String,
})  # fmt: skip


def fields_of(synapses: pl.DataFrame, shape: tuple[int, int, int]) -> np.ndarray:
    """Return the fields [M, H, W] of one trial, epoch and layer, float64, from rows (neuron, input, delay, weight)."""
    fields_MHW = np.zeros(shape)
    place = tuple(synapses[name].to_numpy() for name in ("neuron", "input", "delay"))
    np.add.at(fields_MHW, place, synapses["weight"].to_numpy())
    return fields_MHW


def stored_fields(
    results: Results, *, layers: Sequence[str] = HIDDEN
) -> Iterator[tuple[str, str, dict[int, np.ndarray]]]:
    """Yield, per trial and layer with synapses stored: key, layer, and its fields by epoch, in the order of keys."""
    shapes = _shapes(results, layers)
    stored = results.synapses.filter(pl.col("layer").is_in(layers)).collect()
    groups = stored.partition_by("key", "layer", "epoch", as_dict=True)
    epochs: dict[tuple[str, str], list[int]] = {}
    for key, layer, epoch in sorted(groups):
        if (key, layer) in shapes:
            epochs.setdefault((key, layer), []).append(epoch)
    for (key, layer), measured in epochs.items():
        shape = shapes[key, layer]
        yield key, layer, {epoch: fields_of(groups[key, layer, epoch], shape) for epoch in measured}


def field_values(
    results: Results, *, layers: Sequence[str] = HIDDEN, contiguity: str = "queen", weights: str = "binary"
) -> pl.DataFrame:
    """Return Moran's I of every stored receptive field.

    Columns: key, epoch, layer, neuron, synapses (of the neuron), i (null for a field of one value, such as one without
    a synapse), contiguity and weights (the choice).
    """
    rows = [pl.DataFrame(schema=_VALUES)]
    for key, layer, by_epoch in stored_fields(results, layers=layers):
        for epoch, fields_MHW in by_epoch.items():
            i_M = morans_i(fields_MHW, contiguity=contiguity, weights=weights)
            measured = {
                "neuron": np.arange(len(i_M)), "synapses": (fields_MHW != 0).sum((-2, -1)),
                "i": pl.Series(i_M).fill_nan(None),
            }  # fmt: skip
            fixed = {"key": key, "epoch": epoch, "layer": layer, "contiguity": contiguity, "weights": weights}
            rows.append(
                pl
                .DataFrame(measured)
                .with_columns(pl.lit(value).alias(name) for name, value in fixed.items())
                .select(pl.col(name).cast(dtype) for name, dtype in _VALUES.items())
            )
    return pl.concat(rows)


def field_structures(
    results: Results,
    *,
    layers: Sequence[str] = HIDDEN,
    contiguity: str = "queen",
    weights: str = "binary",
    permutations: int = PERMUTATIONS,
) -> pl.DataFrame:
    """Return how much spatio-temporal structure a layer's fields have, per trial, epoch and layer, against three nulls.

    Columns: key, epoch, layer, neurons; n_empty (neurons without a synapse, which have no I and enter nothing else);
    mean and max of I, best (the neuron of the largest); band_values, band_grid and band_untrained, the 95 % quantile of
    I under each null: the field's own values shuffled among its cells, all cells shuffled, and the fields before
    training (epoch 0); n_values, n_grid and n_untrained, the neurons that stand out from each at a false discovery
    rate of 5 % (Benjamini and Hochberg 1995), n_untrained null at epoch 0 and without it; p_trained, the one-sided
    signed-rank test that the neurons of this trial have a larger I than the same neurons before training; contiguity,
    weights and permutations, the choice. Permutations are drawn from the trial's key, so that a table is the same each
    time.
    """
    rows = []
    for key, layer, by_epoch in stored_fields(results, layers=layers):
        before_MHW = by_epoch.get(0)
        before_M = None if before_MHW is None else morans_i(before_MHW, contiguity=contiguity, weights=weights)
        for epoch, fields_MHW in by_epoch.items():
            found = field_structure(
                fields_MHW, generator_of(key, epoch, layer), permutations=permutations, contiguity=contiguity,
                weights=weights,
            )  # fmt: skip
            rows.append((
                key, epoch, layer, len(found.i), found.empty, found.mean, _largest(found), found.best,
                found.band("values", SHARE), found.band("grid", SHARE), _quantile(before_M),
                int(discovered(found.p_values, RATE).sum()), int(discovered(found.p_grid, RATE).sum()),
                *(_against(found.i, before_M) if epoch else (None, None)), contiguity, weights, permutations,
            ))  # fmt: skip
    return pl.DataFrame(rows, schema=_STRUCTURES, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))


def generator_of(key: str, epoch: int, layer: str) -> np.random.Generator:
    """Return what a layer's permutations are drawn from, the same at every call."""
    digest = hashlib.blake2b(f"{key}/{epoch}/{layer}".encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def _shapes(results: Results, layers: Sequence[str]) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Return (neurons, inputs, delays) of each trial's layers; one of the first two follows from their product."""
    hidden = pl.col("delays.hidden")
    table = (
        results.delays
        .filter(pl.col("layer").is_in(layers))
        .group_by("key", "layer")
        .agg(pl.col("possible").max())
        .join(results.trials.select("key", hidden, "delays.max_delay"), on="key")
        .with_columns(other=pl.col("possible") // hidden, delays=pl.col("delays.max_delay") + 1)
        .with_columns(
            neurons=pl.when(pl.col("layer") == "output").then(pl.col("other")).otherwise(hidden),
            inputs=pl.when(pl.col("layer") == "output").then(hidden).otherwise(pl.col("other")),
        )
        .select("key", "layer", "neurons", "inputs", "delays")
        .collect()
    )
    return {(key, layer): (neurons, inputs, delays) for key, layer, neurons, inputs, delays in table.iter_rows()}


def _largest(found: FieldStructure) -> float | None:
    return None if found.best is None else float(found.i[found.best])


def _quantile(i_M: np.ndarray | None) -> float | None:
    known = np.array([]) if i_M is None else i_M[~np.isnan(i_M)]
    return float(np.quantile(known, SHARE)) if known.size else None


def _against(i_M: np.ndarray, before_M: np.ndarray | None) -> tuple[int | None, float | None]:
    """Return how many stand out from the fields before training, and p of a rise over the same neurons."""
    if before_M is None:
        return None, None
    gains = (i_M - before_M)[~np.isnan(i_M) & ~np.isnan(before_M)]
    tested: Any = wilcoxon(gains[gains != 0], alternative="greater") if (gains != 0).sum() >= FEWEST else None
    return int(discovered(p_above(i_M, before_M), RATE).sum()), None if tested is None else float(tested.pvalue)
