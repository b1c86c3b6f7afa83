"""The toy problems (Yang 2020): how many each variant solves at each learning rate, and over how wide a range of rates.

A block of toy problems meets every learning rate with the same problems and first weights, and so does every variant
with the same seed: variants are compared problem by problem.
"""

from collections.abc import Sequence

import polars as pl

from analysis.fields import VARIANT, trains_networks
from analysis.intervals import Interval, bootstrap, wilson
from analysis.results import Results
from analysis.variants import REFERENCE, in_order
from tic_sweep.config import TrialConfig, flatten

BLOCK = ("toy.lr_low", "toy.lr_high", "toy.lr_count", "toy.problems")
"""Fields that say how a study is cut into blocks, and nothing of its problems."""
WIDTH = "neuron.surrogate_width"
_INTERVAL = ("low", "high")


def toys(results: Results) -> Results:
    """Return the part of the results whose trials are blocks of toy problems."""
    return results.where(~trains_networks())


def toy_contexts(results: Results) -> tuple[str, ...]:
    """Return the columns within whose settings the variants are compared."""
    return toys(results).contexts(*VARIANT, *BLOCK)


def toy_rows(results: Results) -> pl.LazyFrame:
    """Return the rows of `Results.toy` of finished blocks, with context, variant and seed; a problem once per rate."""
    part = toys(results)
    by = toy_contexts(results)
    finished = part.trials.filter(pl.col("status") == "finished").select("key", *by, "variant", "seed")
    return part.toy.join(finished, on="key").unique(
        [*by, "variant", "seed", "lr", "problem"], keep="first", maintain_order=True
    )


def solved_shares(results: Results) -> pl.DataFrame:
    """Return, per context, variant and learning rate: n problems, how many solved, share, low and high (Wilson)."""
    by = [*toy_contexts(results), "variant"]
    counts = (
        toy_rows(results)
        .group_by(*by, "lr")
        .agg(n=pl.len().cast(pl.Int64), solved=pl.col("solved").sum().cast(pl.Int64))
        .sort(*by, "lr")
        .collect()
    )
    found = [wilson(solved, n) for solved, n in counts.select("solved", "n").iter_rows()]
    return counts.with_columns(share=pl.col("solved") / pl.col("n")).with_columns(_ends(found))


def problem_areas(results: Results) -> pl.LazyFrame:
    """Return, per context, variant, seed and problem, the area under solved (0 or 1) over log10 of the rate (decades).

    The mean of these areas is the area under the solved share. It is taken by trapezoids over the rates that every
    variant of the context has met, and of the problems that have met all of them.
    """
    by = toy_contexts(results)
    rows = toy_rows(results)
    variants = pl.col("variant").n_unique()
    shared = (
        rows
        .with_columns(variants=variants.over(*by) if by else variants)
        .group_by(*by, "lr")
        .agg(own=variants, all=pl.col("variants").first())
        .filter(pl.col("own") == pl.col("all"))
        .select(*by, "lr")
    )
    rates = pl.col("lr").n_unique()
    step = pl.col("lr").log10().diff() * (pl.col("solved") + pl.col("solved").shift()) / 2
    return (
        rows
        .join(shared, on=[*by, "lr"], nulls_equal=True)
        .with_columns(pl.col("solved").cast(pl.Float64), rates=rates.over(*by) if by else rates)
        .sort("lr")
        .group_by(*by, "variant", "seed", "problem")
        .agg(area=step.sum(), met=pl.len(), rates=pl.col("rates").first())
        .filter(pl.col("met") == pl.col("rates"), pl.col("rates") > 1)
        .drop("met", "rates")
        .sort(*by, "variant", "seed", "problem")
    )


def areas(results: Results) -> pl.DataFrame:
    """Return, per context and variant, the area under the solved share over log10 of the learning rate, in decades.

    Columns: the context, variant, n problems, area with its 95 % bootstrap interval low .. high; n_pairs, and the
    difference to the detached variant over the same problems with its paired interval difference_low .. _high; null
    for the detached variant, and below ten problems.
    """
    by = toy_contexts(results)
    per_problem = problem_areas(results).collect()
    paired = area_differences(per_problem, by, REFERENCE)
    found, compared = [], []
    table = per_problem.group_by(*by, "variant", maintain_order=True).agg("area", n=pl.len().cast(pl.Int64))
    table = table.join(paired, on=[*by, "variant"], how="left", nulls_equal=True, maintain_order="left")
    for values, differences in table.select("area", "differences").iter_rows():
        found.append(bootstrap(values))
        compared.append(bootstrap(differences or []))
    reference = pl.col("variant") == REFERENCE
    return (
        table
        .with_columns(
            area=pl.col("area").list.mean(), n_pairs=pl.col("differences").list.len().fill_null(0).cast(pl.Int64)
        )
        .with_columns(*_ends(found), *_ends(compared, "difference_", "difference"))
        .with_columns(pl.when(~reference).then(name).alias(name) for name in _DIFFERENCE)
        .with_columns(n_pairs=pl.when(reference).then(0).otherwise("n_pairs"))
        .select(*by, "variant", "n", "area", *_INTERVAL, "n_pairs", *_DIFFERENCE)
        .pipe(in_order, by)
    )


def area_differences(per_problem: pl.DataFrame, by: Sequence[str], reference: str) -> pl.DataFrame:
    """Return, per context and variant, the list of differences in area to another variant, problem by problem."""
    pair = [*by, "seed", "problem"]
    other = per_problem.filter(pl.col("variant") == reference).select(*pair, other="area")
    return (
        per_problem
        .join(other, on=pair, nulls_equal=True)
        .group_by(*by, "variant", maintain_order=True)
        .agg(differences=pl.col("area") - pl.col("other"))
    )


def losses(results: Results) -> pl.DataFrame:
    """Return, per context, variant and learning rate, the quartiles low, median and high of the final loss, and first.

    ``first`` is the median loss before training. A loss that is not a number counts as infinite, hence as the worst.
    """
    by = [*toy_contexts(results), "variant"]
    loss = pl.col("final_loss").fill_nan(float("inf"))
    quartiles = {"low": 0.25, "median": 0.5, "high": 0.75}
    return (
        toy_rows(results)
        .group_by(*by, "lr")
        .agg(
            first=pl.col("first_loss").median(),
            **{name: loss.quantile(share, "nearest") for name, share in quartiles.items()},
        )
        .sort(*by, "lr")
        .collect()
    )


def area_map(results: Results) -> pl.DataFrame:
    """Return the areas over reset_gradient and surrogate_width, gradients passing through the membrane.

    Columns: the rest of the context, neuron.reset_gradient, neuron.surrogate_width, n, area, low, high. Empty unless
    both fields vary.
    """
    through = toys(results).where(pl.col("neuron.temporal_gradient"))
    varied = through.trials.select(pl.col(VARIANT[0], WIDTH).n_unique()).collect().row(0)
    table = areas(through)
    share = through.trials.select("variant", VARIANT[0]).unique().collect()
    rest = [path for path in toy_contexts(through) if path != WIDTH]
    columns = [*rest, VARIANT[0], WIDTH, "n", "area", *_INTERVAL]
    if min(varied) < 2:  # noqa: PLR2004
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.Float64))
    return table.join(share, on="variant").select(columns).sort(*columns[:-4])


def usual(results: Results) -> dict[str, object]:
    """Return the toy context to show first: most fields at their defaults, then first in the plan."""
    by = toy_contexts(results)
    if not by:
        return {}
    defaults = flatten(TrialConfig())
    finished = toys(results).trials.filter(pl.col("status") == "finished")
    settings = finished.select(*by).unique(maintain_order=True).collect().to_dicts()
    return max(settings, key=lambda s: sum(s[path] == defaults[path] for path in by), default={})


_DIFFERENCE = ("difference", "difference_low", "difference_high")


def _ends(found: Sequence[Interval | None], prefix: str = "", value: str = "") -> list[pl.Series]:
    """Return the ends of intervals as columns, after the values if they are to be named."""
    columns = {value: [end and end.value for end in found]} if value else {}
    columns |= {f"{prefix}{name}": [end and getattr(end, name) for end in found] for name in _INTERVAL}
    return [pl.Series(name, values, dtype=pl.Float64) for name, values in columns.items()]
