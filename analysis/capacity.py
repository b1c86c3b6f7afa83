"""How many timesteps a network needs (Kim et al. 2023, Discussion): accuracy against T, and where it saturates.

A network is the setting of the model's fields; whatever else varies is context. Accuracies are those on test images of
the weights that were best on validation images, at the learning rate that is best there. Finished trials only, without
those that were pruned.
"""

import polars as pl

from analysis.fields import determining
from analysis.intervals import DIGITS, student
from analysis.results import Results
from analysis.seed_means import as_fractions, seed_means
from analysis.variants import ACCURACY, LEARNING_RATE, at_best_rates, trained

NETWORK = ("model.name", "model.width")
TOLERANCE = 0.01
"""A network has saturated where its accuracy is within a point of its best."""


def networks(results: Results) -> tuple[str, ...]:
    """Return the columns that tell networks and their contexts apart, the name if there is one network only.

    What follows from a network, such as a batch size of its own, is left out.
    """
    others = [path for path in results.varied if path not in {*NETWORK, "timesteps", LEARNING_RATE}]
    return determining(trained(unpruned(results)).trials, [*NETWORK, *others]) or NETWORK[:1]


def unpruned(results: Results) -> Results:
    """Return the image trials that end with their first training."""
    cycles = pl.col("pruning.cycles").fill_null(0)  # null in results from before there were cycles
    return results.where((pl.col("task") == "images") & (cycles == 0))


def capacity_curves(results: Results) -> pl.DataFrame:
    """Return the test accuracy of each network at each T, for networks tried at two or more.

    Columns: those of `networks`, timesteps, n, test_acc (mean over seeds) and its 95 % interval test_acc_low ..
    test_acc_high, null for a single seed.
    """
    by = list(networks(results))
    rows = _accuracies(results, by)
    means = seed_means(
        rows.select("key", "test_acc"), rows.select("key", "status", *by, "timesteps"), [*by, "timesteps"], (),
        ["test_acc"],
    )  # fmt: skip
    return (
        means
        .pipe(as_fractions, "test_acc")
        .drop("test_acc_se")
        .filter(pl.col("timesteps").n_unique().over(by) > 1)
        .sort(*by, "timesteps")
        .collect()
    )


def saturations(results: Results, tolerance: float = TOLERANCE) -> pl.DataFrame:
    """Return, per network and seed, the smallest T whose accuracy is within ``tolerance`` of that seed's best over T.

    Columns: those of `networks`, seed, parameters, saturation (timesteps), smallest and largest (T tried: a saturation
    at the largest may be none). A seed counts if it has finished at every T that its network was tried at; otherwise
    the T that it lacks might be the one.
    """
    by = list(networks(results))
    tried = (
        unpruned(results)
        .trials.group_by(by)
        .agg(
            tried=pl.col("timesteps").n_unique(),
            smallest=pl.col("timesteps").min(),
            largest=pl.col("timesteps").max(),
        )
    )
    short = (pl.col("test_acc").max().over(*by, "seed") - pl.col("test_acc")).round(DIGITS)
    return (
        _accuracies(results, by)
        .join(tried, on=by, how="left", nulls_equal=True)
        .filter(pl.col("tried") > 1, pl.col("timesteps").n_unique().over(*by, "seed") == pl.col("tried"))
        .filter(short <= tolerance)
        .group_by(*by, "seed")
        .agg(pl.col("parameters", "smallest", "largest").max(), saturation=pl.col("timesteps").min())
        .select(*by, "seed", "parameters", "saturation", "smallest", "largest")
        .sort(*by, "seed")
        .collect()
    )


def saturation(results: Results, tolerance: float = TOLERANCE) -> pl.DataFrame:
    """Return where each network saturates: the mean over seeds of `saturations`, with its 95 % interval.

    The interval ends at the smallest and the largest T tried.
    Columns: those of `networks`, parameters, n, saturation, saturation_low and saturation_high (null for a single
    seed), n_largest (seeds that come within ``tolerance`` of their best only at the largest T tried).
    """
    table = saturations(results, tolerance)
    by = table.columns[: table.columns.index("seed")]
    known = table.group_by(by).agg(
        pl.col("parameters", "smallest", "largest").max(), n=pl.len().cast(pl.Int64), values=pl.col("saturation"),
        n_largest=(pl.col("saturation") == pl.col("largest")).sum().cast(pl.Int64),
    )  # fmt: skip
    ends = [student(values) for values in known["values"]]
    bounds = {f"saturation_{x}": [end and getattr(end, x) for end in ends] for x in ("low", "high")}
    return (
        known
        .with_columns(pl.Series(name, values, dtype=pl.Float64) for name, values in bounds.items())
        .with_columns(pl.col(name).clip("smallest", "largest") for name in bounds)
        .select(*by, "parameters", "n", pl.col("values").list.mean().alias("saturation"), *bounds, "n_largest")
        .sort(by)
    )


def _accuracies(results: Results, by: list[str]) -> pl.LazyFrame:
    """Return the trials at each network's best learning rate at each T, with test_acc."""
    images = unpruned(results)
    chosen = at_best_rates(images, *by, "timesteps") if LEARNING_RATE in images.varied else images
    return (
        trained(chosen)
        .trials.select("key", "status", *by, "timesteps", "seed", "parameters", test_acc=pl.col(ACCURACY))
        .drop_nulls("test_acc")
    )
