"""When in time each block or layer of a network holds its information (Kim et al. 2023, Fig. 3)."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import polars as pl

from analysis.results import Results
from analysis.seed_means import at_last_epoch, seed_means

Level: TypeAlias = Literal["block", "layer"]
Normalise: TypeAlias = Literal["part", "timestep"]
_LAST = 10**6
"""Place of the head, behind any block."""


def layer_fisher(
    results: Results, by: Sequence[str], level: Level = "block", *, normalise: Normalise = "part"
) -> pl.LazyFrame:
    """Return, per setting, epoch, part of the network and horizon t, the mean over seeds of I_t normalised.

    Columns: ``by``, epoch, part, depth (1 is the shallowest part, the stem), t, n, then ``share`` and I_t itself
    (``fisher_trace``), each with its _se, _low and _high as in `seed_means`, which also says which trials count.
    Shares are taken per trial, so that no seed counts more because its gradients are larger; where a sum is zero there
    is no row. Epochs are those of the first training.

    The paper's figure shows "normalized Fisher information" for a view "on relative Fisher information across all
    layers", and says of it that shallow blocks hold theirs late and deep blocks early; how it is normalised it does
    not say.

    Args:
        results: where the rows come from.
        by: columns of the trials that make a setting.
        level: the parts; those of either level add up to the whole network.
        normalise: ``part`` divides by the part's sum over t: each row of the figure then says *when* the part's own
            information lies, which is what the paper says of the blocks. ``timestep`` divides by the sum over the
            parts at t: each column then says *which* part holds what there is at t, which is what "relative across all
            layers" says literally.
    """
    group = ("key", "epoch", "part") if normalise == "part" else ("key", "epoch", "t")
    rows = (
        with_depth(first_training(results.fisher.filter(pl.col("level") == level), results.trials))
        .with_columns(share=pl.col("fisher_trace") / pl.col("fisher_trace").sum().over(*group))
    )  # fmt: skip
    within = ("epoch", "part", "depth", "t")
    return seed_means(rows, results.trials, by, within, ("share", "fisher_trace")).sort(*by, "epoch", "depth", "t")


def block_centroids(results: Results, by: Sequence[str], level: Level = "block") -> pl.LazyFrame:
    """Return, per setting, epoch and part, the part's own information centroid (Eq. 7), averaged over seeds.

    Columns: ``by``, epoch, part, depth, n, ic with ic_se, ic_low and ic_high, in timesteps.
    """
    rows = part_centroids(first_training(results.fisher.filter(pl.col("level") == level), results.trials))
    return seed_means(rows, results.trials, by, ("epoch", "part", "depth"), ("ic",)).sort(*by, "epoch", "depth")


def part_centroids(fisher: pl.LazyFrame) -> pl.LazyFrame:
    """Reduce Fisher rows to one per trial, epoch and part: key, epoch, level, part, depth, ic.

    ``ic`` is Σ t·I_t / Σ I_t over the part's own trace, null if that sums to zero or is not finite.
    """
    t, i_t = pl.col("t"), pl.col("fisher_trace")
    ic = (t * i_t).sum() / i_t.sum()
    return (
        with_depth(fisher)
        .group_by("key", "epoch", "level", "part", "depth")
        .agg(ic=ic)
        .with_columns(ic=pl.when(pl.col("ic").is_finite()).then("ic"))
        .sort("key", "epoch", "level", "depth")
    )


def shallow_and_deep(results: Results) -> pl.LazyFrame:
    """Return, per trial, the mean IC of the shallower and of the deeper half of its blocks after its first training.

    Columns: key, epoch (the last one measured), blocks (how many there are), shallow, deep and difference (shallow
    less deep), in timesteps. Stem and head are no blocks, the middle one of an odd number belongs to neither half, and
    a block without information has no IC and does not count; a half without any is null.
    """
    number, blocks = pl.col("number"), pl.col("blocks")
    is_block = (pl.col("level") == "block") & pl.col("part").str.starts_with("blocks.")
    return (
        first_training(results.fisher.filter(is_block), results.trials)
        .pipe(at_last_epoch, ["key"])
        .pipe(part_centroids)
        .with_columns(number=pl.col("depth").cast(pl.Int64), blocks=pl.len().over("key").cast(pl.Int64))
        .group_by("key", "epoch", "blocks")
        .agg(
            shallow=pl.col("ic").filter(2 * number <= blocks).mean(),
            deep=pl.col("ic").filter(2 * number > blocks + 1).mean(),
        )
        .with_columns(difference=pl.col("shallow") - pl.col("deep"))
        .sort("key")
    )


def first_training(rows: pl.LazyFrame, trials: pl.LazyFrame) -> pl.LazyFrame:
    """Return the rows (key, epoch, ...) of the first training, without those of later cycles of pruning."""
    ends = trials.select("key", end=pl.col("optimiser.epochs"))
    return rows.join(ends, on="key", how="inner").filter(pl.col("epoch") <= pl.col("end")).drop("end")


def with_depth(fisher: pl.LazyFrame) -> pl.LazyFrame:
    """Add ``depth`` to Fisher rows: the part's place in the network among those of its level, 1 for the shallowest.

    Blocks go by their number, between stem and head; a residual block's first convolution goes before its others.
    """
    part = pl.col("part")
    number = part.str.extract(r"^blocks\.(\d+)").cast(pl.Int64)
    place = pl.coalesce(number, pl.when(part.str.starts_with("stem")).then(-1).otherwise(_LAST))
    order = pl.struct(place.alias("place"), ~part.str.contains(".first.", literal=True).alias("later"), part)
    return fisher.with_columns(depth=order.rank("dense").cast(pl.Int64).over("key", "epoch", "level"))
