"""How much of what settings differ by is each field's own doing: fields ranked by what they move."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from analysis.grids import Array, Grid, between_settings, complete, grid_of, jackknife, main_effect, shared_square
from analysis.outcomes import measured, outcomes_of
from analysis.regressions import partial_shares
from analysis.results import Results

INTERACTIONS = "interactions"
"""In place of a field: what fields do together and not one by one."""


def variance_shares(results: Results, *outcomes: str) -> pl.DataFrame:
    """Return how much of what settings differ by is each field's own doing, the largest share of an outcome first.

    Columns: outcome, field (``interactions`` for what is left to fields together), share, low, high, n_seeds, method.

    On a grid of whole seeds the share is the first-order Sobol index over its levels: the variance of the field's
    level means over the variance of all settings' means, both without what seeds add by chance (`shared_square`), so
    that a field that does nothing has 0 on average; ended at 0 and 1. Its interval is a jackknife over seeds, null
    below three. Elsewhere it is the variance over trials that only the field explains in a regression, without an
    interval. Outcomes in which settings differ by no more than chance are left out.
    """
    table, fields = outcomes_of(results)
    return shares_of(table, fields, *outcomes)


def shares_of(table: pl.DataFrame, fields: Sequence[str], *outcomes: str) -> pl.DataFrame:
    """Return `variance_shares` of an `outcome_table`."""
    rows = []
    for outcome in [name for name in measured(table) if not outcomes or name in outcomes]:
        sparse = grid_of(table, tuple(fields), outcome)
        grid = complete(sparse) if sparse else None
        found = _grid_shares(grid) if grid else _trial_shares(table, fields, outcome)
        rows += [{"outcome": outcome} | row for row in sorted(found, key=lambda row: -row["share"])]
    return pl.DataFrame(rows, schema=SHARES)


def _grid_shares(grid: Grid) -> list[dict[str, Any]]:
    axes = {grid.fields[axis - 1]: (axis,) for axis in grid.varied}
    if not between_settings(grid.values) > 0:
        return []

    def share(values: Array, own: tuple[int, ...]) -> float:
        whole = between_settings(values)
        return shared_square(main_effect(values, own)) / whole if whole > 0 else float("nan")

    def rest(values: Array) -> float:
        return 1 - sum(share(values, own) for own in axes.values())

    method = "variance of level means" if len(grid.seeds) > 1 else "variance of level means, one seed with its noise"
    found = []
    for field, own in axes.items():
        ends = jackknife(grid.values, lambda values, own=own: share(values, own))
        found.append((field, share(grid.values, own), *ends))
    if len(axes) > 1:
        found.append((INTERACTIONS, rest(grid.values), *jackknife(grid.values, rest)))
    return [
        {
            "field": field, "share": _fraction(value), "low": _fraction(low), "high": _fraction(high),
            "n_seeds": len(grid.seeds), "method": method,
        }
        for field, value, low, high in found
    ]  # fmt: skip


def _trial_shares(table: pl.DataFrame, fields: Sequence[str], outcome: str) -> list[dict[str, Any]]:
    seeds = table.drop_nulls(outcome)["seed"].n_unique()
    return [
        {"field": field, "share": share, "low": None, "high": None, "n_seeds": seeds, "method": "regression"}
        for field, share in partial_shares(table, fields, outcome).items()
    ]


def _fraction(value: float | None) -> float | None:
    return None if value is None else min(max(value, 0.0), 1.0)


SHARES: dict[str, Any] = {
    "outcome": pl.String, "field": pl.String, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "n_seeds": pl.Int64, "method": pl.String,
}  # fmt: skip
