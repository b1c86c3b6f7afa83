"""What studies other than that of the transition show, in a sentence each: from noise and pruning to delays."""

from collections.abc import Callable, Iterator, Sequence

import polars as pl

from analysis.alpha import ALPHA, alpha_contexts, alpha_trials
from analysis.capacity import TOLERANCE, networks, saturation
from analysis.deficits import deficit_curves
from analysis.delays import FIRST, SPARSITY, delay_contexts, delay_effects
from analysis.delays import VARIANT as DELAY_VARIANT
from analysis.fields import label_of, text_of
from analysis.first_trainings import first_trainings
from analysis.pruning import pruning_contexts, pruning_table
from analysis.results import Results
from analysis.robustness import CORRUPTIONS, strength_curves

LISTED = 4
"""Contexts told one by one; of more, as in a search, none is: the tables have them."""


def study_findings(results: Results) -> list[str]:
    """Return a sentence per study that the results hold something for, and per context of it."""
    told: list[str] = []
    for table, find in STUDIES:
        if getattr(results, table).head(1).collect().height:
            found = list(find(results))
            told += found if len(found) <= LISTED else []
    return [f"{text[:1].upper()}{text[1:]}." for text in told]


def noise_costs(results: Results) -> Iterator[str]:
    """Tell, per setting, what noise in the first window costs more than in the last, early and late in training."""
    part = first_trainings(results)
    by = list(part.settings)
    curves = deficit_curves(part.deficits, part.trials, by).filter(pl.col("epoch") > 0).collect()
    earliest = curves.filter(pl.col("first") == pl.col("first").min(), pl.col("relative").is_not_null())
    for where, rows in _parts(earliest, by):
        ends = rows.sort("epoch")[[0, -1]].unique("epoch", maintain_order=True)
        costs = [f"{_signed(-cost)} after epoch {at}" for cost, at in ends.select("relative", "epoch").iter_rows()]
        yield f"{where}noise in the first window costs {' and '.join(costs)} (points, over noise in the last)"


def robustness_costs(results: Results) -> Iterator[str]:
    """Tell, per context, what each corruption costs at the lowest and at the highest α."""
    part, contexts = alpha_trials(results), list(alpha_contexts(results))
    table = strength_curves(part.robustness, part.trials, [*contexts, ALPHA]).filter(pl.col("multiple") == 1).collect()
    for where, rows in _parts(table, contexts):
        low, high = rows[ALPHA].min(), rows[ALPHA].max()
        if low == high:
            continue
        at_low, at_high = (
            dict(rows.filter(pl.col(ALPHA) == alpha).select("corruption", "drop").iter_rows()) for alpha in (low, high)
        )
        costs = [
            f"{words} costs {_signed(-at_low[name])} and {_signed(-at_high[name])}"
            for name, words in CORRUPTIONS.items()
            if name in at_low and name in at_high
        ]
        alphas = f"in points of accuracy at α = {text_of(low)} and at {text_of(high)}"
        yield f"{where}{alphas}, {', '.join(costs)}"


def retraining_costs(results: Results) -> Iterator[str]:
    """Tell, per context, the accuracy after the last cycle by T_retrain, and the training time saved."""
    by = list(pruning_contexts(results))
    table = pruning_table(results)
    last = table.filter(pl.col("cycle") > 0, pl.col("cycle") == pl.col("cycle").max())
    for where, rows in _parts(last.sort("retrain_timesteps", descending=True), by):
        accuracies = [f"{acc:.1%} at {t}" for t, acc in rows.select("retrain_timesteps", "test_acc").iter_rows()]
        clocked = rows.filter(pl.col("retrain_timesteps") < pl.col("timesteps")).drop_nulls("measured")
        saved = [
            f"{share:.0%} at {t}".replace("-", "−")
            for t, share in clocked.select("retrain_timesteps", "measured").iter_rows()
        ]
        yield (
            f"{where}test accuracy by T_retrain with {rows['sparsity'].max():.1%} of the weights pruned is "
            f"{', '.join(accuracies)}" + (f"; training time saved is {', '.join(saved)}" if saved else "")
        )


def timesteps_needed(results: Results) -> Iterator[str]:
    """Tell from which T on each network is within `TOLERANCE` of its best accuracy, where several T were tried."""
    table = saturation(results) if "timesteps" in results.varied else pl.DataFrame()
    names = [path for path in networks(results) if path in table.columns and table[path].n_unique() > 1]
    for row in table.iter_rows(named=True):
        where = f"{label_of({path: row[path] for path in names})}: " if names else ""
        yield (
            f"{where}test accuracy is within {100 * TOLERANCE:g} point of its best over T from T = "
            f"{row['saturation']:.1f} on, mean of {row['n']} seed{'s' * (row['n'] != 1)}"
        )


def structure_and_delays(results: Results) -> Iterator[str]:
    """Tell, per context, what learning the structure and learning the delays adds at each sparsity."""
    effects = delay_effects(results).filter(pl.col("protocol") == FIRST)
    for where, rows in _parts(effects, delay_contexts(results)):
        told = []
        for (effect, delays, structure), own in rows.group_by("effect", *DELAY_VARIANT, maintain_order=True):
            gains = [
                f"{_signed(gain)} at {100 * share:g} %"
                for share, gain in own.select(SPARSITY, "difference").iter_rows()
            ]
            what = f"structure {structure}" if effect == "structure" else f"delays {delays}"
            held = f"delays {delays}" if effect == "structure" else f"structure {structure}"
            told.append(f"{what} with {held} adds {', '.join(gains)}")
        yield f"{where}in points of test accuracy by sparsity, {'; '.join(told)}"


STUDIES: Sequence[tuple[str, Callable[[Results], Iterator[str]]]] = (
    ("deficits", noise_costs),
    ("robustness", robustness_costs),
    ("pruning", retraining_costs),
    ("trials", timesteps_needed),
    ("sequences", structure_and_delays),
)
"""A table of the store, and what to tell if it has rows."""


def _parts(table: pl.DataFrame, by: Sequence[str]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each setting of some columns, in words that a sentence can begin with, and its rows."""
    told = [path for path in by if path != "sweep"]
    if not told:
        yield from [("", table)] if table.height else []
        return
    for values, rows in table.group_by(*told, maintain_order=True):
        yield f"{label_of(dict(zip(told, values, strict=True)))}: ", rows


def _signed(points: float) -> str:
    return f"{round(points, 1) + 0.0:+.1f}".replace("-", "−")
