"""The sparsity from which learning the structure is ahead (Mészáros et al. 2024, Fig. 3).

At each sparsity s there is a mean gain over seeds, learnt less fixed structure. From the sparsity of the largest gain
one goes towards denser networks as long as the gain is positive; the crossover lies where the line between the last
positive and the first other gain is zero, on the axis -log2(1 - s), the halvings of the synapses. Beyond the largest
gain nothing is asked: where hardly a synapse is left, both are at chance.

Shapes: S seeds that finished at every sparsity, K sparsities, the densest first, R resamples of the seeds.
"""

import math
from collections.abc import Sequence

import numpy as np
import polars as pl

from analysis.delays import SPARSITY, paired_gains
from analysis.results import Results

RESAMPLES = 2000
TAILS = (0.025, 0.975)
NONE, THROUGHOUT = math.inf, -math.inf
"""What stands for a place where structure learning is nowhere ahead, and for one below the densest point tried."""


def structure_crossovers(results: Results) -> pl.DataFrame:
    """Return the sparsity from which learnt structure is ahead of fixed structure, per protocol, context and variant.

    Columns: protocol, those of `delay_contexts`, delays, structure (the learnt one), n (seeds that finished at every
    sparsity), densest and sparsest (sparsities tried with both structures), found: ``crossover``, ``throughout``
    (ahead at the densest already) or ``none``; crossover, the sparsity, null unless one is found; low and high, its
    95 % percentile interval over resamples of the seeds, the ends being null where they lie below the densest
    sparsity tried or where there is no crossover; share, of the resamples in which structure learning is ahead
    anywhere, and share_throughout. Without two seeds all but n, densest and sparsest are null. Few seeds have few
    resamples: with fewer than ten an interval is narrower than it should be.
    """
    gains = paired_gains(results).filter(pl.col("effect") == "structure")
    by = [name for name in gains.columns[:-2] if name not in {"effect", SPARSITY}]
    schema = pl.Schema({
        **{name: gains.schema[name] for name in by}, "n": pl.Int64, "densest": pl.Float64, "sparsest": pl.Float64,
        "found": pl.String, "crossover": pl.Float64, "low": pl.Float64, "high": pl.Float64, "share": pl.Float64,
        "share_throughout": pl.Float64,
    })  # fmt: skip
    rows = [(*setting, *_summed(own)) for setting, own in gains.group_by(by, maintain_order=True)]
    return pl.DataFrame(rows, schema=schema, orient="row")


def crossover_place(gains_K: Sequence[float] | np.ndarray, places_K: Sequence[float] | np.ndarray) -> float:
    """Return the place from which gains are positive up to the largest; `NONE` or `THROUGHOUT` where there is none."""
    top = int(np.argmax(gains_K))
    if not gains_K[top] > 0:
        return NONE
    for right in range(top, 0, -1):
        left = right - 1
        if gains_K[left] <= 0:
            share = -gains_K[left] / (gains_K[right] - gains_K[left])
            return float(places_K[left] + share * (places_K[right] - places_K[left]))
    return THROUGHOUT


def _summed(own: pl.DataFrame) -> tuple[int | float | str | None, ...]:
    wide = own.pivot(on=SPARSITY, index="seed", values="gain", sort_columns=False).drop_nulls().sort("seed")
    sparsities = sorted(own[SPARSITY].unique())
    ends = (sparsities[0], sparsities[-1])
    if wide.height < 2:  # noqa: PLR2004 - seeds to resample
        return (wide.height, *ends, *(None,) * 6)
    gains_SK = wide.select(str(sparsity) for sparsity in sparsities).to_numpy()
    places_K = -np.log2(1 - np.array(sparsities))
    place = crossover_place(gains_SK.mean(0), places_K)
    chosen_RS = np.random.default_rng(0).integers(wide.height, size=(RESAMPLES, wide.height))
    drawn_R = np.array([crossover_place(gains_K, places_K) for gains_K in gains_SK[chosen_RS].mean(1)])
    low, high = np.quantile(drawn_R, TAILS, method="inverted_cdf")
    found = {NONE: "none", THROUGHOUT: "throughout"}.get(place, "crossover")
    return (
        wide.height, *ends, found, _sparsity(place), _sparsity(low), _sparsity(high),
        float((drawn_R < NONE).mean()), float((drawn_R == THROUGHOUT).mean()),
    )  # fmt: skip


def _sparsity(place: float) -> float | None:
    """Return the sparsity at a place, 1 - 2^-place; None of none."""
    return 1 - 2.0**-place if math.isfinite(place) else None
