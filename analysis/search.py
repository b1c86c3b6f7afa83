"""Searches that draw several fields at once: which draws end best, and how each field goes with where IC ends."""

import math
from typing import Any

import polars as pl

from analysis.alpha import ALPHA, LOSS
from analysis.fields import label_of, text_of
from analysis.results import Results
from analysis.settings import trial_measures
from analysis.variants import ACCURACY
from tic_sweep.config import field_rules

IC_REL = "ic_rel_final"


def drawn_fields(results: Results) -> list[str]:
    """Return the fields that a search draws, without those that follow from a name, if they are several."""
    if not any(manifest.samples for manifest in results.manifests):
        return []
    trials = results.trials.select(results.varied).collect()
    rules = field_rules()
    varied = [path for path in results.varied if trials[path].n_unique() > 1]
    names = [path for path in varied if rules[path].type is str]
    follows = {
        path for path in varied for name in names
        if path != name and trials.select(path, name).n_unique() == trials[name].n_unique() and path not in names
    }  # fmt: skip
    fields = [path for path in varied if path not in follows]
    return fields if len(fields) > 1 else []


def draws(results: Results) -> pl.DataFrame:
    """Return the finished trials of a search, those first that the search was looking for.

    Columns: the fields of `drawn_fields`, seed, ic_rel_final ((IC - 1) / (T - 1) at the end), turn and turned as in
    `trial_measures`, best_test_acc. α is null where the loss has none. Where the objective is of IC the lowest
    ic_rel_final comes first, else the highest accuracy; trials without that number are left out.
    """
    fields = drawn_fields(results)
    field, *by = fields
    first = IC_REL if results.manifests[0].objective.startswith(("ic", "tic")) else ACCURACY
    table = trial_measures(results, field, by).drop_nulls(first).collect()
    if set(LOSS) <= set(fields):
        table = table.with_columns(pl.when(pl.col(LOSS[0]) == "alpha").then(ALPHA).alias(ALPHA))
    return table.select(*fields, "seed", IC_REL, "turn", "turned", ACCURACY).sort(
        first, *fields, descending=[first == ACCURACY, *([False] * len(fields))]
    )


def rank_correlation(table: pl.DataFrame, field: str, measure: str) -> tuple[float, int] | None:
    """Return Spearman's rank correlation of a number with a measure, and of how many trials; None below three."""
    known = table.select(field, measure).drop_nulls()
    if known.height < 3 or known[field].n_unique() < 2:  # noqa: PLR2004
        return None
    rho = known.select(pl.corr(field, measure, method="spearman")).item()
    return None if rho is None or math.isnan(rho) else (rho, known.height)


def setting_of(row: dict[str, Any], fields: list[str]) -> str:
    """Return a draw in words, without fields that mean nothing in it."""
    return label_of({path: row[path] for path in fields if row[path] is not None})


def search_finding(results: Results) -> str:
    """Return the best draw as a sentence; empty if nothing has finished."""
    table = draws(results)
    if table.is_empty():
        return ""
    best = table.row(0, named=True)
    place = "" if best[IC_REL] is None else f"(IC − 1) / (T − 1) = {best[IC_REL]:.3f}, "
    accuracy = "unknown" if best[ACCURACY] is None else f"{best[ACCURACY]:.1%}"
    return (
        f"Best of {table.height} finished trials, with {place}test accuracy {accuracy}: "
        f"{setting_of(best, drawn_fields(results))}."
    )


def value_text(value: Any) -> str:
    """Return a drawn value as people read it: numbers to three digits."""
    return "–" if value is None else f"{value:.3g}" if isinstance(value, float) else text_of(value)
