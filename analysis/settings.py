"""What a setting changes: measures of its trials against those of a reference, paired by seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.fields import determining
from analysis.intervals import student
from analysis.results import Results
from analysis.transitions import tic_transitions, to_common_horizon
from analysis.variants import ACCURACY, REFERENCE, trained
from tic_sweep.config import TrialConfig, flatten


@dataclass(frozen=True, slots=True)
class Measure:
    """A number per trial that settings are compared in; ``scale`` takes it to the unit that people read."""

    words: str
    unit: str
    scale: float = 1.0
    digits: int = 2


MEASURES: dict[str, Measure] = {
    "turn": Measure("transition epoch", "epochs", digits=1),
    "ic_final": Measure("IC at the end", "timesteps"),
    "ic_rel_final": Measure("(IC − 1) / (T − 1) at the end", "", digits=3),
    ACCURACY: Measure("test accuracy (%)", "points", scale=100.0, digits=1),
}
"""Columns of `trial_measures` that `paired_differences` compares."""


def contexts_of(results: Results, *fields: str) -> tuple[str, ...]:
    """Return the columns within whose settings fields are compared: what varies besides and does not follow from them.

    Where each data set has its own image size, the size is no context of a comparison of data sets.
    """
    others = [path for path in results.varied if path not in fields]
    return tuple(path for path in determining(results.trials, [*fields, *others]) if path not in fields)


def trial_measures(results: Results, field: str, by: Sequence[str] = ()) -> pl.LazyFrame:
    """Return one row per finished trial of task ``images``, for comparisons of a field's values within contexts.

    Columns: ``by``, the field, seed, timesteps, then: ``turn``, the epoch of the transition, ``turned`` and
    ``horizon``, *restricted* within each context of ``by`` as `analysis.transitions.to_common_horizon` says; depth,
    ic_max, ic_final; ic_rel_final, (ic_final - 1) / (T - 1), null for T = 1; best_test_acc. Without any IC all but the
    accuracy are null.
    """
    finished = trained(results)
    columns = dict.fromkeys(["key", *by, field, "seed", "timesteps", ACCURACY])
    measured = tic_transitions(finished.epochs, finished.trials).select(
        "key", "interpolated", "turned", "observed", "depth", "ic_max", "ic_final"
    )
    steps = pl.col("timesteps") - 1
    return (
        finished.trials
        .select(*columns)
        .join(measured, on="key", how="left")
        .pipe(to_common_horizon, by)
        .with_columns(ic_rel_final=pl.when(steps > 0).then((pl.col("ic_final") - 1) / steps))
        .rename({"transition": "turn"})
        .drop("key", "interpolated", "observed")
        .sort(*by, field, "seed")
    )


def differences(rows: pl.DataFrame, field: str, value: Any, reference: Any, measure: str) -> list[float]:
    """Return, of one context's `trial_measures`, a value's measure less the reference's, one per seed of both."""
    own, other = (by_seed(rows, field, one, measure) for one in (value, reference))
    return [own[seed] - other[seed] for seed in sorted(own.keys() & other.keys())]


def by_seed(rows: pl.DataFrame, field: str, value: Any, measure: str) -> dict[int, float]:
    """Return a value's measure by seed, from one context's `trial_measures`."""
    return dict(rows.filter(pl.col(field) == value).drop_nulls(measure).select("seed", measure).iter_rows())


def reference_of(field: str, values: Sequence[Any]) -> Any:
    """Return the value that others are compared with: the paper's, the number closest to it, else the first.

    The paper's settings are the defaults of `TrialConfig`.
    """
    usual = REFERENCE if field == "variant" else flatten(TrialConfig()).get(field)
    if usual in values:
        return usual
    if isinstance(usual, (int, float)) and not isinstance(usual, bool):
        return min(values, key=lambda value: (abs(value - usual), value))
    return values[0]


def paired_differences(results: Results, field: str, measure: str, reference: Any = None) -> pl.DataFrame:
    """Return one row per context and value of a field: a measure, and its difference to that at the reference.

    Columns: those of `contexts_of`, the field, n, mean and sd over the finished trials that have the measure, n_turned
    of them; n_pairs, difference, low and high (95 % Student-t interval over seeds that finished at both values); null
    for the reference itself and below two pairs. All in the measure's own unit, accuracies as fractions.

    Args:
        results: what to compare.
        field: a column of the trials.
        measure: one of `MEASURES`.
        reference: a value of the field; by default that of `reference_of`.
    """
    by = contexts_of(results, field)
    rows = trial_measures(results, field, by).collect()
    values = rows[field].drop_nulls().unique().sort().to_list()
    if reference is None and values:
        reference = reference_of(field, values)
    found = []
    for setting, part in rows.group_by(*by, maintain_order=True) if by else [((), rows)]:
        for value in [value for value in values if value in part[field]]:
            own = part.filter(pl.col(field) == value).drop_nulls(measure)
            paired = differences(part, field, value, reference, measure) if value != reference else []
            interval = student(paired)
            found.append((
                *setting, value, own.height, own[measure].mean(), own[measure].std(), own["turned"].sum(),
                len(paired), *(interval[:3] if interval else (None,) * 3),
            ))  # fmt: skip
    return pl.DataFrame(found, schema={path: rows.schema[path] for path in (*by, field)} | _COLUMNS, orient="row")


_COLUMNS: dict[str, Any] = {
    "n": pl.Int64, "mean": pl.Float64, "sd": pl.Float64, "n_turned": pl.Int64, "n_pairs": pl.Int64,
    "difference": pl.Float64, "low": pl.Float64, "high": pl.Float64,
}  # fmt: skip
