"""How important each drawn field is to an outcome, by Optuna's evaluators; the one module of the analysis that asks it.

Effects say by how much a level moves an outcome; importances rank the fields of a search, whose draws share no
settings, without assuming that a field acts along a line.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import DECADES
from analysis.outcomes import measured, outcomes_of
from analysis.regressions import is_number
from analysis.results import Results

if TYPE_CHECKING:
    import optuna

REPEATS = 8
"""Resamples of the trials, each with its own seed of the evaluator."""
TREES, FEWER = 16, 8
"""Trees of the forest: for the importance itself, and for each resample."""
MOST = 400
"""Trials beyond which a random part of them is evaluated: a forest takes its time."""
ENOUGH = 20
"""Trials below which importances are not to be trusted."""
EVALUATORS = ("fanova", "ped_anova")
LOWER_IS_BETTER = ("transition", "ic", "robustness")


def importances(results: Results, *outcomes: str) -> pl.DataFrame:
    """Return how important each field that a search draws is to each outcome, the most important first.

    Columns: outcome, evaluator, field, importance, low, high, n, note. ``fanova`` is the share of a random forest's
    variance (Hutter et al. 2014), over the whole space; ``ped_anova`` is about what tells the best tenth from the rest
    (Watanabe et al. 2023), high accuracy or early information being best. Importances of an evaluator sum to 1. ``low
    .. high`` are the lowest and the highest over `REPEATS` bootstrap samples of the trials, the forest's seed changing
    with them: a spread, not a 95 % interval. ``n`` counts the trials evaluated, of which more than `MOST` are drawn
    from at random; ``note`` says so, and where they are fewer than `ENOUGH`. No rows of results that no search drew,
    or with fewer than two fields.
    """
    table, fields = outcomes_of(results)
    if not any(manifest.samples for manifest in results.manifests) or len(fields) < 2:  # noqa: PLR2004
        return pl.DataFrame(schema=SCHEMA)
    return importances_of(table, fields, *outcomes)


def importances_of(table: pl.DataFrame, fields: Sequence[str], *outcomes: str) -> pl.DataFrame:
    """Return `importances` of an `outcome_table`, whatever drew it."""
    rows = []
    for outcome in [name for name in measured(table) if not outcomes or name in outcomes]:
        finished = table.drop_nulls([outcome, *fields])
        known = finished.sample(min(finished.height, MOST), seed=0)
        told = [path for path in fields if known[path].n_unique() > 1]
        if known.height < 4 or len(told) < 2 or known[outcome].n_unique() < 2:  # noqa: PLR2004
            continue
        for evaluator, found in _with_spread(known, told, outcome).items():
            for path, (value, low, high) in found.items():
                rows.append({
                    "outcome": outcome, "evaluator": evaluator, "field": path, "importance": value, "low": low,
                    "high": high, "n": known.height, "note": _note(known.height, finished.height),
                })  # fmt: skip
    return pl.DataFrame(rows, schema=SCHEMA)


def study_of(table: pl.DataFrame, fields: Sequence[str], outcome: str) -> "optuna.Study":
    """Return finished trials as a study in memory, whose distributions span the values that occur."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    lower = outcome.startswith(LOWER_IS_BETTER)
    study = optuna.create_study(direction="minimize" if lower else "maximize")
    distributions = {path: _distribution(table[path].to_list()) for path in fields}
    study.add_trials([
        optuna.trial.create_trial(
            params={path: row[path] for path in fields}, distributions=distributions, value=row[outcome]
        )
        for row in table.select(*fields, outcome).iter_rows(named=True)
    ])
    return study


def _with_spread(
    known: pl.DataFrame, fields: Sequence[str], outcome: str
) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Return, by evaluator, importance, lowest and highest over resamples of each field, the most important first."""
    whole = _evaluated(known, fields, outcome, 0)
    resamples = [known.sample(fraction=1.0, with_replacement=True, seed=repeat) for repeat in range(1, REPEATS + 1)]
    drawn = [_evaluated(part, fields, outcome, seed) for seed, part in enumerate(resamples, start=1)]
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    for evaluator in EVALUATORS:
        value = whole[evaluator]
        over = {path: [one[evaluator][path] for one in drawn] for path in fields}
        ranked = sorted(fields, key=lambda path, value=value: -value[path])
        found[evaluator] = {path: (value[path], min(over[path]), max(over[path])) for path in ranked}
    return found


def _evaluated(table: pl.DataFrame, fields: Sequence[str], outcome: str, seed: int) -> dict[str, dict[str, float]]:
    """Return, by evaluator, the importances of one sample of trials; seed 0 is the whole.

    They are 0 for all fields where nothing differs in the sample. The evaluators share a study, which takes its time.
    """
    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances

    told = [path for path in fields if table[path].n_unique() > 1]
    if table[outcome].n_unique() < 2 or not told:  # noqa: PLR2004
        return {evaluator: dict.fromkeys(fields, 0.0) for evaluator in EVALUATORS}
    study, results = study_of(table, told, outcome), {}
    forest = FanovaImportanceEvaluator(seed=seed, n_trees=FEWER if seed else TREES)
    for name, chosen in zip(EVALUATORS, (forest, PedAnovaImportanceEvaluator()), strict=True):
        found = get_param_importances(study, evaluator=chosen, params=told)
        finite = {path: float(value) for path, value in found.items() if math.isfinite(value)}
        results[name] = dict.fromkeys(fields, 0.0) | finite
    return results


def _note(n: int, finished: int) -> str:
    if n < ENOUGH:
        return f"{n} trials: not to be trusted"
    return f"{n} of {finished} trials, drawn at random" if n < finished else ""


def _distribution(values: Sequence[Any]) -> Any:
    """Return the distribution of a field's values: a range of numbers, logarithmic over decades, else its names."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not is_number(values):
        return CategoricalDistribution(sorted(set(values)))
    low, high = min(values), max(values)
    log = low > 0 and high / low >= DECADES
    if all(isinstance(value, int) for value in values):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(low, high, log=log)


SCHEMA: dict[str, Any] = {
    "outcome": pl.String, "evaluator": pl.String, "field": pl.String, "importance": pl.Float64, "low": pl.Float64,
    "high": pl.Float64, "n": pl.Int64, "note": pl.String,
}  # fmt: skip
