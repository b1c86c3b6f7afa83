"""Dense and sparse networks side by side (Mészáros et al. 2024, Fig. 1B and C): their best fields, and all values of I.

Shapes: H inputs, W delays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analysis.delays import FIXED, SPARSITY, VARIANT, delay_contexts, delay_variants
from analysis.fields import rows_of
from analysis.moran import morans_i, permuted_i
from analysis.receptive_fields import HIDDEN, SHARE, generator_of, stored_fields
from analysis.results import Results

PERMUTATIONS = 199
"""Of each field, for the band."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BestField:
    """The receptive field with the largest I of a trial at an epoch."""

    weights_HW: np.ndarray
    neuron: int
    i: float
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldExample:
    """Fields of one variant at one sparsity: the best before and after training, and I of all, over all seeds."""

    sparsity: float
    seed: int
    """Of the trial whose best fields these are, the first one."""
    before: BestField
    after: BestField
    i_before: Sequence[float]
    i_after: Sequence[float]
    band: float
    """95 % quantile of I with the trained fields' own values shuffled among their synapses, of that trial."""
    seeds: int


def field_examples(results: Results) -> Iterator[tuple[dict[str, Any], list[FieldExample]]]:
    """Yield each context and variant, learnt before fixed, with its densest and its sparsest example, or the only one.

    For learnt structure the dense example is that of fixed structure at sparsity 0, if there is none of its own.
    """
    measured = {
        key: by_epoch
        for key, _, by_epoch in stored_fields(results, layers=HIDDEN)
        if min(by_epoch) == 0 < max(by_epoch)
    }
    context = list(delay_contexts(results))
    trials = delay_variants(results).filter(pl.col("key").is_in(list(measured))).sort(*context, "seed").collect()
    learnt_first = [pl.col(name) == FIXED for name in VARIANT]
    for values in trials.select(*context, *VARIANT).unique().sort(*context, *learnt_first, *VARIANT).rows():
        setting = dict(zip([*context, *VARIANT], values, strict=True))
        own = rows_of(trials, list(setting), values)
        if setting["structure"] != FIXED and not (own[SPARSITY] == 0).any():
            shared = setting | {"structure": FIXED, SPARSITY: 0.0}
            own = pl.concat([own, rows_of(trials, list(shared), list(shared.values()))])
        sparsities = own[SPARSITY].unique().sort().to_list()
        ends = list(dict.fromkeys([sparsities[0], sparsities[-1]]))
        yield setting, [_example(own.filter(pl.col(SPARSITY) == sparsity), measured) for sparsity in ends]


def _example(trials: pl.DataFrame, measured: dict[str, dict[int, np.ndarray]]) -> FieldExample:
    last = {key: max(measured[key]) for key in trials["key"]}
    first, epoch = trials["key"][0], last[trials["key"][0]]
    after_MHW = measured[first][epoch]
    drawn_PM = permuted_i(after_MHW, generator_of(first, epoch, HIDDEN[0]), permutations=PERMUTATIONS)
    known = drawn_PM[~np.isnan(drawn_PM)]
    return FieldExample(
        sparsity=trials[SPARSITY][0],
        seed=trials["seed"][0],
        before=_best(measured[first][0], 0),
        after=_best(after_MHW, epoch),
        i_before=_known([measured[key][0] for key in trials["key"]]),
        i_after=_known([measured[key][last[key]] for key in trials["key"]]),
        band=float(np.quantile(known, SHARE)) if known.size else float("nan"),
        seeds=trials.height,
    )


def _best(fields_MHW: np.ndarray, epoch: int) -> BestField:
    i_M = morans_i(fields_MHW)
    neuron = int(np.nanargmax(i_M)) if (~np.isnan(i_M)).any() else 0
    return BestField(weights_HW=fields_MHW[neuron], neuron=neuron, i=float(i_M[neuron]), epoch=epoch)


def _known(fields: Sequence[np.ndarray]) -> list[float]:
    i_M = np.concatenate([morans_i(own) for own in fields])
    return i_M[~np.isnan(i_M)].tolist()
