"""What happens to synapses and their delays in training: turnover, drift, the gap of rounding, and what it costs.

Shares of a layer's synapses: grown and pruned of those that exist, in one epoch; survived, those that have existed
without a break from the start, of as many as there were. Means over the finished seeds, with 95 % intervals.
"""

import polars as pl

from analysis.delays import delay_setting, delay_variants, delayed
from analysis.results import Results
from analysis.seed_means import at_last_epoch, seed_means

DRIFTS = (
    "grown", "pruned", "survived", "overlap", "shift", "delay_mean", "delay_entropy", "excitatory", "empty",
)  # fmt: skip
"""Columns of `synapse_drifts`, the first three as shares."""
COSTS = ("operations", "epoch_seconds", "wall_seconds")


def synapse_drifts(results: Results) -> pl.LazyFrame:
    """Return, per variant at a sparsity, layer and epoch, how its synapses and delays move.

    Columns: those of `delay_contexts`, delays, structure, delays.sparsity, layer, epoch, n; and of each x x, x_se,
    x_low and x_high: grown and pruned (shares of the synapses, in the epoch), survived (share of the first ones),
    overlap (Jaccard index with the first mask), shift (mean |delay - first delay|, timesteps), delay_mean (timesteps),
    delay_entropy (bits), excitatory (share), empty (share of the neurons without a synapse).
    """
    trials, by = delay_variants(results), delay_setting(results)
    active = pl.when(pl.col("active") > 0).then(pl.col("active"))
    neurons = pl.when(pl.col("layer") == "hidden").then(pl.col("delays.hidden")).otherwise(
        pl.col("possible") // pl.col("delays.hidden")
    )  # fmt: skip
    first = pl.col("survived").filter(pl.col("epoch") == pl.col("epoch").min()).first().over("key", "layer")
    rows = (
        delayed(results)
        .delays.join(results.trials.select("key", "delays.hidden"), on="key")
        .with_columns(
            pl.col("grown", "pruned") / active, survived=pl.col("survived") / first, empty=pl.col("empty") / neurons
        )
    )
    return seed_means(rows.select("key", "layer", "epoch", *DRIFTS), trials, by, ("layer", "epoch"), DRIFTS)


def rounding_gaps(results: Results) -> pl.LazyFrame:
    """Return how much accuracy on validation sequences is lost when learnt delays are rounded to whole timesteps.

    Columns: those of `delay_contexts`, delays, structure, delays.sparsity, epoch, n; and, each with _se, _low and
    _high, gap (accuracy with delays spread as in training less that with whole delays, in points) and sigma (the
    spread, in timesteps).
    """
    part = delayed(results)
    rows = part.sequences.join(part.epochs.select("key", "epoch", "val_acc"), on=["key", "epoch"]).select(
        "key", "epoch", "sigma", gap=100 * (pl.col("soft_val_acc") - pl.col("val_acc"))
    )
    trials = delay_variants(results)
    return seed_means(rows, trials, delay_setting(results), ("epoch",), ("gap", "sigma"))


def delay_costs(results: Results) -> pl.DataFrame:
    """Return what each variant at each sparsity costs, in theory and on the clock, which are two things.

    Columns: those of `delay_contexts`, delays, structure, delays.sparsity, n; operations (multiply-adds of a sample
    after the last epoch, as many as synapses and timesteps: counted, not measured), epoch_seconds (median time to train
    an epoch) and wall_seconds (of the whole trial), means over seeds with 95 % intervals x_low, x_high; devices, how
    many devices and machines the seeds ran on, since seconds of different ones do not compare.
    """
    part, by = delayed(results), delay_setting(results)
    counted = part.delays.pipe(at_last_epoch, ["key"]).group_by("key").agg(pl.col("operations").sum())
    seconds = (
        part.epochs.filter(pl.col("epoch") > 0).group_by("key").agg(epoch_seconds=pl.col("train_seconds").median())
    )
    clocked = part.trials.select("key", pl.col("wall_seconds"), place=pl.format("{} {}", "device", "host"))
    rows = counted.join(seconds, on="key").join(clocked, on="key").with_columns(pl.col("operations").cast(pl.Float64))
    trials = delay_variants(results)
    devices = trials.join(clocked, on="key").group_by(by).agg(devices=pl.col("place").n_unique().cast(pl.Int64))
    means = seed_means(rows, trials, by, (), COSTS).drop(f"{x}_se" for x in COSTS)
    return means.join(devices, on=by, how="left", nulls_equal=True).sort(*by).collect()
