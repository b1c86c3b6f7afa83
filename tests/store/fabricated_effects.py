"""Outcome tables and sweeps whose effects are known by construction, for tests of what moves what."""

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
from store.fabricated import write_rows
from store.fabricated_layers import EARLY
from store.fabricated_probes import probed_trial

from analysis import Results, open_results
from analysis.outcomes import OUTCOMES

TAU, T, LR = "neuron.tau", "timesteps", "optimiser.lr"
MARGIN = 4.302653 / 3**0.5
"""How far the 95 % interval of three seeds with standard deviation 1 reaches: Student's t with 2 degrees of freedom."""


def outcome_rows(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Return rows of fields, seed and some outcomes as `outcome_table` would, the other outcomes null."""
    table = pl.DataFrame(list(rows))
    rest: dict[str, Any] = {"horizon": pl.Int64, "turned": pl.Boolean} | dict.fromkeys(OUTCOMES, pl.Float64)
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in rest.items() if name not in table.columns]
    return table.with_columns(absent).with_columns(key=pl.int_range(pl.len()).cast(pl.String))


def crossed(value: Callable[..., float | None], levels: Mapping[str, Iterable[Any]], *, seeds: int = 3) -> pl.DataFrame:
    """Return an outcome table of every setting and seed, its accuracy being ``value(*levels, seed)``."""
    rows = []
    for *setting, seed in product(*levels.values(), range(seeds)):
        rows.append(dict(zip(levels, setting, strict=True)) | {"seed": seed, "accuracy": value(*setting, seed)})
    return outcome_rows(rows)


def swept(
    path: Path,
    value: Callable[[float, float, int], float],
    base: Mapping[str, Any] | None = None,
    *,
    seeds: Iterable[int] = range(3),
    taus: Iterable[float] = (2.0, 4.0),
    rates: Iterable[float] = (0.1, 0.3),
) -> Results:
    """Write and open a sweep of τ and learning rates whose test accuracies are ``value(tau, lr, seed)`` per cent."""
    trials = [
        probed_trial(
            {T: 8, TAU: tau, LR: lr, "seed": seed, **(base or {})},
            epochs={epoch: {"ic": ic} for epoch, ic in enumerate(EARLY)}, best_test_acc=value(tau, lr, seed) / 100,
        )
        for tau, lr, seed in product(taus, rates, seeds)
    ]  # fmt: skip
    write_rows(path, trials, varied=(TAU, LR))
    return open_results(path)
