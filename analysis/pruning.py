"""Pruning and retraining with fewer timesteps (Kim et al. 2023, Fig. 6 and 7): the accuracy kept and the time saved.

``retrain_timesteps`` is T_retrain: what a trial's cycles were trained with, be it told by its config (0 meaning T) or
by its own Fisher trace. A pair are two trials of the same setting and seed of which one retrained with all T timesteps,
the reference; they share their first training. Finished trials only.

A saving is 1 − own / reference. Its mean over seeds is the plain one, with Student's interval: a saving is a share of
the reference's time, which the formula predicts as a number, so that what is averaged is what the claim F7c compares.
A geometric mean is for ratios that spread over orders of magnitude; these lie close below 1.
"""

import polars as pl

from analysis.results import Results
from analysis.seed_means import as_fractions, seed_means
from tic_sweep.saving import compute_saving

RETRAINING = ("pruning.timesteps", "pruning.suggest")
"""The fields that decide T_retrain."""
ACCURACIES = ("test_acc", "test_acc_full")
SAVINGS = ("counted", "measured")
PLAN = ("optimiser.epochs", "timesteps", "pruning.epochs")
ROWS = ("sparsity", *ACCURACIES, "timestep_epochs", "train_seconds", "suggested_timesteps")


def pruned(results: Results) -> Results:
    """Return the finished trials that were pruned and retrained."""
    return results.where(
        (pl.col("task") == "images") & (pl.col("status") == "finished") & (pl.col("pruning.cycles") > 0)
    )


def pruning_contexts(results: Results) -> tuple[str, ...]:
    """Return the columns within whose settings retraining timesteps are compared."""
    return pruned(results).contexts(*RETRAINING)


def retrainings(results: Results) -> pl.LazyFrame:
    """Return one row per trial and cycle, with what its reference had reached by then.

    Columns: key, status, those of `pruning_contexts`, timesteps (T), retrain_timesteps, seed, cycle, last (whether it
    is the trial's last cycle), sparsity, test_acc, test_acc_full, timestep_epochs, train_seconds, suggested_timesteps;
    predicted, the saving of the formula up to this cycle; reference_acc, the reference's test_acc; counted and
    measured, the savings in timestep_epochs and in train_seconds. The last three are null without a reference,
    measured also where the two ran on different devices or machines. A trial that chose a T_retrain which the same
    seed was also given is that trial once more, and counts once.
    """
    part = pruned(results)
    by = list(part.contexts(*RETRAINING))
    pair = list(dict.fromkeys([*by, "timesteps", "seed", "cycle"]))
    rows = (
        part.pruning
        .join(_retrain_timesteps(part), on="key")
        .with_columns(last=pl.col("cycle") == pl.col("cycle").max().over("key"))
        .select("key", "cycle", "retrain_timesteps", "last", *ROWS)
        .join(part.trials.select("key", "status", *by, *PLAN, *RETRAINING, "seed", "device", "host"), on="key")
        .sort("pruning.suggest", "key")
        .unique([*pair, "retrain_timesteps"], keep="first", maintain_order=True)
        .with_columns(
            predicted=pl.struct(*PLAN, "cycle", "retrain_timesteps").map_batches(_savings, return_dtype=pl.Float64)
        )
    )
    reference = rows.filter(pl.col("retrain_timesteps") == pl.col("timesteps")).select(
        *pair, reference_acc="test_acc", reference_cost="timestep_epochs", reference_seconds="train_seconds",
        reference_device="device", reference_host="host",
    )  # fmt: skip
    alike = pl.col("device").eq_missing(pl.col("reference_device")) & pl.col("host").eq_missing(
        pl.col("reference_host")
    )
    seconds = pl.col("reference_seconds")
    return (
        rows
        .join(reference, on=pair, how="left", nulls_equal=True, maintain_order="left")
        .with_columns(
            counted=1 - pl.col("timestep_epochs") / pl.col("reference_cost"),
            measured=pl.when(alike & (seconds > 0)).then(1 - pl.col("train_seconds") / seconds),
        )
        .select(
            "key", "status", *pair[:-2], "retrain_timesteps", "seed", "cycle", "last", *ROWS, "predicted",
            "reference_acc", *SAVINGS,
        )
        .sort(*pair[:-2], "retrain_timesteps", "seed", "cycle")
    )  # fmt: skip


def pruning_table(results: Results) -> pl.DataFrame:
    """Return one row per context, T_retrain and cycle: accuracy, sparsity, suggestion and savings, over seeds.

    Columns: those of `pruning_contexts`, timesteps, retrain_timesteps, cycle, n, sparsity; test_acc (at the horizon
    trained with) and test_acc_full (at T), suggested_timesteps (at the end of the first training, median over the
    context's seeds); predicted, the formula's saving up to this cycle, n_pairs, counted and n_clocked, measured (see
    `retrainings`). Each x of test_acc, test_acc_full, counted and measured has its 95 % interval, x_low and x_high.
    """
    found = retrainings(results)
    by = list(dict.fromkeys([*pruning_contexts(results), "timesteps"]))
    setting, within = [*by, "retrain_timesteps"], ("cycle", "predicted")
    trials = found.select("key", "status", *setting).unique()
    on = [*setting, "cycle"]
    accuracy, counted, measured = (
        seed_means(
            found.filter(pl.col(columns[-1]).is_not_null()).select("key", *within, *columns),
            trials,
            setting,
            within,
            columns,
        )
        for columns in (("sparsity", *ACCURACIES), SAVINGS[:1], SAVINGS[1:])
    )
    table = accuracy.pipe(as_fractions, *ACCURACIES)
    for means, n in ((counted, "n_pairs"), (measured, "n_clocked")):
        table = table.join(means.drop("predicted").rename({"n": n}), on=on, how="left", nulls_equal=True)
    intervals = [f"{x}{part}" for x in (*ACCURACIES, *SAVINGS) for part in ("", "_low", "_high")]
    return (
        table
        .join(information_ends(results), on=by, how="left", nulls_equal=True)
        .with_columns(pl.col("n_pairs", "n_clocked").fill_null(0))
        .select(
            *on, "n", "sparsity", *intervals[:6], "suggested_timesteps", "predicted", "n_pairs", *intervals[6:9],
            "n_clocked", *intervals[9:],
        )
        .sort(*on)
        .collect()
    )  # fmt: skip


def information_ends(results: Results) -> pl.LazyFrame:
    """Return, per context, where the information ends after the first training: T_retrain as the Fisher trace suggests.

    Columns: those of `pruning_contexts`, timesteps, and suggested_timesteps, the median over seeds (a seed's trials
    share their first training); null where it was not measured.
    """
    by = list(dict.fromkeys([*pruning_contexts(results), "timesteps"]))
    suggested = pl.col("suggested_timesteps").cast(pl.Float64).median()
    first = retrainings(results).filter(pl.col("cycle") == 0)
    return first.group_by(*by, "seed").agg(suggested).group_by(*by).agg(suggested).sort(*by)


def layer_sparsities(results: Results) -> pl.DataFrame:
    """Return, per context, T_retrain, cycle and layer, the mean over seeds of the share pruned.

    Columns: those of `pruning_contexts`, timesteps, retrain_timesteps, cycle, layer, sparsity (fraction), n; layers are
    in the network's order.
    """
    by = list(dict.fromkeys([*pruning_contexts(results), "timesteps", "retrain_timesteps"]))
    trials = retrainings(results).select("key", *by).unique()
    return (
        pruned(results)
        .sparsity.with_row_index("place")
        .join(trials, on="key")
        .group_by(*by, "cycle", "layer")
        .agg(pl.col("sparsity").mean(), n=pl.len(), place=pl.col("place").min())
        .sort(*by, "cycle", "place")
        .drop("place")
        .collect()
    )


def _retrain_timesteps(part: Results) -> pl.LazyFrame:
    """Return key and retrain_timesteps of the trials with a cycle."""
    cycles = part.pruning.filter(pl.col("cycle") > 0)
    return cycles.group_by("key").agg(retrain_timesteps=pl.col("timesteps").max())


def _savings(plans: pl.Series) -> pl.Series:
    found = [
        compute_saving(
            plan["optimiser.epochs"], plan["timesteps"], plan["cycle"], plan["pruning.epochs"],
            plan["retrain_timesteps"],
        )
        for plan in plans
    ]  # fmt: skip
    return pl.Series(plans.name, found, dtype=pl.Float64)
