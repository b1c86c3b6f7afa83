"""What the gradient's variants do to a network: accuracies compared pair by pair, centroids, firing and gradients.

A *variant* says how gradients pass between timesteps (`analysis.fields.variant_of_trials`); ``detached``, the usual
one, is what the others are compared with.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from analysis.colours import OKABE_ITO, Shade
from analysis.fields import VARIANT, label_of, trains_networks
from analysis.intervals import equivalence
from analysis.results import Results
from analysis.transitions import over_seeds, tic_transitions

REFERENCE = "detached"
LEARNING_RATE = "optimiser.lr"
MARGIN = 0.5
"""Accuracies whose means differ by less are the same, in percentage points (Yang 2020, read as "no gain")."""
ACCURACY = "best_test_acc"
"""The accuracy compared: on test images, of the weights that were best on validation images."""
MEASURES = ("firing_rate", "dead_share", "jacobian", "jacobian_above_one", "gradient_norm")
"""Columns of the dynamics that `dynamics_over_time` sums up."""


def ordered(variants: Iterable[str]) -> list[str]:
    """Return variants in the order in which gradients grow: spatial, detached, shares of the reset's, full."""
    ends = {"spatial": 0, "detached": 1, "full": 3}
    return sorted(variants, key=lambda variant: (ends.get(variant, 2), variant))


def shades_of_variants(variants: Iterable[str]) -> dict[str, Shade]:
    """Return variants in order with their colours, the same for the named ones in every figure."""
    named = {"detached": 0, "full": 1, "spatial": 2}
    listed = ordered(variants)
    free = [i for i in range(len(OKABE_ITO)) if i not in named.values()]
    others = [variant for variant in listed if variant not in named]
    chosen = named | {variant: free[i % len(free)] for i, variant in enumerate(others)}
    return {variant: Shade(*OKABE_ITO[chosen[variant]]) for variant in listed}


def in_order(frame: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return rows sorted by some columns, then by their variant in the order of `ordered`."""
    ranks = {variant: rank for rank, variant in enumerate(ordered(frame["variant"].unique()))}
    return frame.sort(*by, pl.col("variant").replace_strict(ranks, return_dtype=pl.Int64), maintain_order=True)


def trained(results: Results) -> Results:
    """Return the finished trials of the task ``images``."""
    return results.where((pl.col("task") == "images") & (pl.col("status") == "finished"))


def ranked_rates(trials: pl.LazyFrame) -> pl.DataFrame:
    """Return learning rates, best first: optimiser.lr, accuracy (mean on validation images), n.

    A trial that diverged counts with accuracy 0, so that no rate is best by those of its seeds that survived. Trials
    still at work, and those that ended for reasons that are not the rate's, do not count.
    """
    ended = pl.col("status").is_in(["finished", "diverged"])
    accuracy = pl.coalesce("best_val_acc", "val_acc")
    return (
        trials
        .filter(ended)
        .with_columns(accuracy=pl.when(pl.col("status") == "finished").then(accuracy).otherwise(0.0))
        .drop_nulls("accuracy")
        .group_by(LEARNING_RATE)
        .agg(pl.col("accuracy").mean(), n=pl.len())
        .sort("accuracy", LEARNING_RATE, descending=[True, False])
        .collect()
    )


def at_best_rates(results: Results, *by: str) -> Results:
    """Return, of each setting of some columns, the trials at the learning rate that is best on validation images."""
    keys: list[str] = []
    for _, part in results.parts(by):
        best = ranked_rates(part.trials)[LEARNING_RATE].head(1).to_list()
        keys += part.trials.filter(pl.col(LEARNING_RATE).is_in(best)).select("key").collect()["key"].to_list()
    return results.where(pl.col("key").is_in(keys))


def variant_contexts(results: Results) -> tuple[str, ...]:
    """Return the columns within whose settings variants of trained networks are compared."""
    return trained(results).contexts(*VARIANT, LEARNING_RATE)


def fullest_part(results: Results) -> tuple[str, Results]:
    """Return the trials of networks to draw against epoch, and in words the settings they are limited to.

    Without a comparison of variants that is all of them. With one, lines are variants and panels data sets, and of
    whatever else varies the setting with most trials is drawn, the first in the plan if there are several.
    """
    networks = results.where(trains_networks())
    compared = {"variant", *VARIANT} & set(networks.settings)
    others = [path for path in networks.settings if path not in {*compared, "data.name"}]
    if not compared or not others:
        return "", networks
    sizes = networks.trials.group_by(others, maintain_order=True).len().collect()
    most = sizes.row(sizes["len"].arg_max() or 0)[:-1]
    setting = dict(zip(others, most, strict=True))
    return label_of(setting), networks.where(pl.all_horizontal(pl.col(p).eq_missing(v) for p, v in setting.items()))


def accuracies(results: Results) -> pl.DataFrame:
    """Return one row per context and variant: its test accuracy, and how it compares with the detached one's.

    Columns: those of `variant_contexts`, variant, optimiser.lr (each variant's own best on validation images), n, mean
    and sd of the accuracy; n_pairs, difference, low and high (90 % interval) and p of the equivalence test over pairs
    of seeds, in percentage points, and its verdict (equivalent, different or undecided, by `MARGIN`); null for the
    detached variant and below two pairs.
    """
    by = variant_contexts(results)
    best = at_best_rates(results, *by, "variant")
    finished = (
        trained(best).trials.drop_nulls(ACCURACY).select(*by, "variant", LEARNING_RATE, "seed", ACCURACY).collect()
    )
    rows = []
    for setting, part in _groups(finished, by):
        reference = _by_seed(part, REFERENCE)
        for variant in ordered(part["variant"].unique()):
            own = part.filter(pl.col("variant") == variant)
            accuracy = own[ACCURACY]
            found = {
                "variant": variant, LEARNING_RATE: own[LEARNING_RATE][0], "n": own.height, "mean": accuracy.mean(),
                "sd": accuracy.std(),
            }  # fmt: skip
            rows.append(setting | found | _compared(_by_seed(own, variant), reference, variant))
    context = {path: finished.schema[path] for path in by}
    return pl.DataFrame(rows, schema=context | _ACCURACY_COLUMNS)


def ic_by_variant(results: Results) -> pl.DataFrame:
    """Return `over_seeds` of each context and variant: when IC turned, and where it started, peaked and ended."""
    images = results.where(pl.col("task") == "images")
    by = [*images.contexts(*VARIANT), "variant"]
    return over_seeds(tic_transitions(images.epochs, images.trials), by).collect()


def dynamics_over_time(results: Results) -> pl.DataFrame:
    """Return, per context, variant, epoch, layer and t, the mean of each of `MEASURES` over trials, its sd, and n.

    Columns: the context, variant, epoch, layer, t, n, and per measure x: x and x_sd. Finished trials only.
    """
    part = trained(results)
    by = [*part.contexts(*VARIANT), "variant"]
    return (
        part.dynamics
        .join(part.trials.select("key", *by), on="key")
        .group_by(*by, "epoch", "layer", "t")
        .agg(
            pl.len().alias("n"),
            *(pl.col(name).mean() for name in MEASURES),
            *(pl.col(name).std().alias(f"{name}_sd") for name in MEASURES),
        )
        .sort(*by, "epoch", "layer", "t")
        .collect()
    )


_ACCURACY_COLUMNS: dict[str, Any] = {
    "variant": pl.String, LEARNING_RATE: pl.Float64, "n": pl.Int64, "mean": pl.Float64, "sd": pl.Float64,
    "n_pairs": pl.Int64, "difference": pl.Float64, "low": pl.Float64, "high": pl.Float64, "p": pl.Float64,
    "verdict": pl.String,
}  # fmt: skip


def _compared(own: Mapping[int, float], reference: Mapping[int, float], variant: str) -> dict[str, Any]:
    seeds = sorted(own.keys() & reference.keys())
    tested = equivalence([100 * (own[seed] - reference[seed]) for seed in seeds], MARGIN)
    if variant == REFERENCE or tested is None:
        return {"n_pairs": 0 if variant == REFERENCE else len(seeds)}
    difference, low, high, _ = tested.interval
    verdict = tested.verdict(MARGIN)
    return {
        "n_pairs": len(seeds), "difference": difference, "low": low, "high": high, "p": tested.p, "verdict": verdict,
    }  # fmt: skip


def _by_seed(trials: pl.DataFrame, variant: str) -> dict[int, float]:
    return dict(trials.filter(pl.col("variant") == variant).select("seed", ACCURACY).iter_rows())


def _groups(frame: pl.DataFrame, by: Sequence[str]) -> list[tuple[dict[str, Any], pl.DataFrame]]:
    """Return each setting of some columns with its rows, in order; all rows as one if there are no columns."""
    if not by:
        return [({}, frame)] if frame.height else []
    groups = frame.sort(*by, maintain_order=True).group_by(*by, maintain_order=True)
    return [(dict(zip(by, values, strict=True)), part) for values, part in groups]
