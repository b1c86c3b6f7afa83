"""What a trial comes to, in the numbers that hyperparameters move: one row per trial, one column per outcome."""

from dataclasses import dataclass

import polars as pl

from analysis.fields import trains_networks
from analysis.first_trainings import first_trainings
from analysis.results import Results, once
from analysis.robustness import CORRUPTIONS, drops
from analysis.search import drawn_fields
from analysis.seed_means import at_last_epoch
from analysis.transitions import tic_transitions, to_common_horizon
from analysis.variants import ACCURACY

TRANSITION = "transition"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A number per trial; its column in `outcome_table` is in the unit that people read."""

    words: str
    unit: str
    digits: int
    group: str
    """What the command line calls it: transition, ic, accuracy or robustness."""


OUTCOMES: dict[str, Outcome] = {
    TRANSITION: Outcome("transition epoch", "epochs", 1, TRANSITION),
    "ic": Outcome("(IC − 1) / (T − 1) at the end", "fraction", 3, "ic"),
    "accuracy": Outcome("test accuracy", "points", 1, "accuracy"),
} | {
    f"robustness_{name}": Outcome(f"accuracy lost to {words}", "points", 1, "robustness")
    for name, words in CORRUPTIONS.items()
}
"""By the name of their column."""
GROUPS = tuple(dict.fromkeys(outcome.group for outcome in OUTCOMES.values()))


def effect_part(results: Results) -> tuple[Results, tuple[str, ...]]:
    """Return trials of networks up to the end of their first training, and the fields whose effects can be told apart.

    Fields that follow from others, as an image size does from the data set, are left out; of a search that draws its
    values only those that follow from a name. No field is returned where nothing varies but the seed.
    """
    part = first_trainings(results.where(trains_networks()))
    fields = tuple(drawn_fields(part)) or part.settings
    return part, tuple(path for path in fields if path != "sweep")


@once
def outcomes_of(results: Results) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the `outcome_table` of the `effect_part` of results, and its fields; worked out once per `Results`.

    Figure after figure of the report asks for it, and what `Results` have looked at does not change.
    """
    part, fields = effect_part(results)
    return outcome_table(part, fields), fields


def outcome_table(part: Results, fields: tuple[str, ...]) -> pl.DataFrame:
    """Return one row per trial, whatever its status: key, the fields, seed, turned, the `OUTCOMES`, horizon.

    Rows are in the order of the keys, so that what is drawn from them at random is the same at every call.
    Outcomes are null for trials that have not finished or were not measured:

    - ``transition``, its epoch, and ``turned``: *restricted* to ``horizon``, the last epoch that all finished trials
      were seen at, as `analysis.transitions.to_common_horizon` says; means are then restricted means.
    - ``ic``: (IC − 1) / (T − 1) at the end of the first training, in 0..1; null for T = 1.
    - ``accuracy``: on test images, of the weights that were best on validation images, in percent.
    - ``robustness_x``: accuracy lost to corruption x at the configured strength, in percentage points; positive where
      it costs accuracy.
    """
    finished = part.trials.filter(pl.col("status") == "finished")
    turns = tic_transitions(part.epochs, finished).select("key", "interpolated", "turned", "observed", "ic_final")
    longer = pl.col("timesteps") > 1
    table = (
        part.trials
        .select("key", *(path for path in fields if path not in {"timesteps", "seed"}), "timesteps", "seed")
        .join(finished.select("key", ACCURACY), on="key", how="left")
        .join(turns, on="key", how="left")
        .pipe(to_common_horizon)
        .with_columns(
            ic=pl.when(longer).then((pl.col("ic_final") - 1) / (pl.col("timesteps") - 1)),
            accuracy=100 * pl.col(ACCURACY),
        )
        .join(_losses(part, finished), on="key", how="left")
        .with_columns(pl.col(name).fill_nan(None) for name in OUTCOMES)
        .sort("key")
        .collect()
    )
    return table.select("key", *fields, "seed", "turned", *OUTCOMES, "horizon")


def restricted(table: pl.DataFrame, horizon: int) -> pl.DataFrame:
    """Return an `outcome_table` with its transitions restricted to a horizon no later than its own."""
    epoch = pl.col(TRANSITION)
    return table.with_columns(
        pl.lit(horizon, pl.Int64).alias("horizon"),
        epoch.clip(upper_bound=horizon).alias(TRANSITION),
        turned=pl.col("turned") & (epoch <= horizon),
    )


def measured(table: pl.DataFrame, *groups: str) -> list[str]:
    """Return the outcomes of a table that some trial has, all or those of some groups."""
    return [
        name
        for name, outcome in OUTCOMES.items()
        if (not groups or outcome.group in groups) and table[name].count()
    ]  # fmt: skip


def _losses(part: Results, finished: pl.LazyFrame) -> pl.LazyFrame:
    """Return key and one column per corruption: what it costs at the configured strength after the last epoch."""
    at_strength = part.robustness.filter(pl.col("multiple") == 1).join(finished.select("key"), on="key", how="semi")
    lost = pl.col("drop").neg()
    return (
        drops(at_strength)
        .pipe(at_last_epoch, ["key"])
        .group_by("key")
        .agg(lost.filter(pl.col("corruption") == name).mean().alias(f"robustness_{name}") for name in CORRUPTIONS)
    )
