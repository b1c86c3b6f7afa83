"""The summary of a sweep: one row per setting, and its finding in a sentence; likewise of its toy problems."""

from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from analysis.curves import mean_curves
from analysis.fields import trains_networks
from analysis.finding import finding_of, toy_finding_of
from analysis.first_trainings import first_trainings
from analysis.race_texts import race_finding
from analysis.races import is_raced
from analysis.results import Results, once
from analysis.search import drawn_fields, search_finding
from analysis.study_findings import study_findings
from analysis.toys import areas, solved_shares, toy_contexts, toys, usual
from analysis.transitions import over_seeds, tic_transitions
from analysis.variants import in_order
from tic_sweep.records import STATUSES

BLOCKS = "▁▂▃▄▅▆▇█"
SPARK_WIDTH = 24


@once
def summary(results: Results, settings: Sequence[str] | None = None) -> pl.DataFrame:
    """Return one row per setting: its columns (`Results.settings`, or those given), those of `over_seeds`, `ic_spark`.

    ``ic_spark`` draws the mean IC over epochs in characters, from 1 at the bottom to T at the top. Blocks of toy
    problems have no epochs and no row here; see `toy_summary`.
    """
    by = list(results.settings if settings is None else settings)
    own = results.trials.filter(trains_networks())
    transitions = tic_transitions(results.epochs, results.trials).drop(by, strict=False)
    table = over_seeds(transitions.join(own.select("key", *by), on="key", how="inner"), by)
    curves = mean_curves(results.epochs, own, by, "ic").group_by(*by).agg(ic=pl.col("mean"))
    joined = table.join(curves, on=by, how="left", nulls_equal=True, maintain_order="left").collect()
    sparks = [sparkline(ic or (), timesteps) for ic, timesteps in joined.select("ic", "timesteps").iter_rows()]
    return joined.drop("ic").with_columns(ic_spark=pl.Series(sparks, dtype=pl.String))


def toy_summary(results: Results) -> pl.DataFrame:
    """Return one row per context and variant of the toy problems, the usual context first; empty if there are none.

    Columns: those of `toy_contexts`, and of `areas` (variant, n, area, low, high, n_pairs, difference,
    difference_low, difference_high; the areas null if only one rate was tried); best_lr, the rate at which most
    problems are solved, and best_share of them; ``spark``, which draws the solved share over the rates from 0 to 1.
    """
    by = [*toy_contexts(results), "variant"]
    per_rate = solved_shares(results).sort(*by, "lr").group_by(*by, maintain_order=True)
    best = pl.col("share").arg_max()
    rates = per_rate.agg(
        pl.col("n").max(), pl.col("share"), best_lr=pl.col("lr").get(best), best_share=pl.col("share").max()
    )
    table = areas(results).drop("n")
    joined = rates.join(table, on=by, how="left", nulls_equal=True)
    sparks = [sparkline([1 + share for share in shares], 2) for shares in joined["share"]]
    first = pl.all_horizontal(pl.lit(True), *(pl.col(path) == value for path, value in usual(results).items()))
    return (
        joined
        .with_columns(spark=pl.Series(sparks, dtype=pl.String), first=first)
        .pipe(in_order, by[:-1])
        .sort("first", descending=True, maintain_order=True)
        .select(*by, "n", *table.columns[len(by) :], "best_lr", "best_share", "spark")
    )


@once
def finding(results: Results) -> str:
    """Return what the sweep shows so far, in a few sentences computed from the data.

    Of a raced sweep that is which learning rate to take. When IC turned is left out where it is another study's results
    and IC was not followed.
    """
    tasks = results.trials.select(toy=~trains_networks()).collect()["toy"]
    told = []
    if tasks.is_empty() or not tasks.all():
        own = first_trainings(results)
        table, others = summary(own), study_findings(results)
        if is_raced(results):
            told.append(race_finding(results))
        elif drawn_fields(own) and (best := search_finding(own)):
            told.append(best)
        elif not others or table["n_followed"].sum():
            told.append(finding_of(table, own.settings))
        told += others
    if tasks.any():
        told.append(toy_finding_of(toy_summary(results), toy_contexts(results), count_by_status(toys(results))))
    return "\n".join(told)


def count_by_status(results: Results) -> dict[str, int]:
    """Return the number of trials of every status."""
    counts = dict(results.trials.group_by("status").len().collect().iter_rows())
    return {status: counts.get(status, 0) for status in STATUSES}


def sparkline(ic: Sequence[float], timesteps: int) -> str:
    """Return a curve of centroids as characters between 1 and T; long curves are thinned by averaging."""
    width = min(len(ic), SPARK_WIDTH)
    bounds = [round(i * len(ic) / width) for i in range(width + 1)] if width else []
    means = [sum(ic[a:b]) / (b - a) for a, b in pairwise(bounds)]
    return "".join(BLOCKS[_level((mean - 1) / max(timesteps - 1, 1))] for mean in means)


def _level(share: float) -> int:
    return min(max(int(share * len(BLOCKS)), 0), len(BLOCKS) - 1)
