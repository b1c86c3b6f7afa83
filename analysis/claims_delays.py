"""Claims of Mészáros, Knight and Nowotny 2024 on learnt delays and learnt structure (Fig. 3), and on fields (Fig. 1).

Accuracies are those of the weights that were best on validation sequences; what the other protocols say is told
beside. The captions name no numbers. Thresholds were written down before any of the trials they are applied to ran.
"""

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from analysis.delays import (
    FIRST,
    FIXED,
    LEARN,
    PROTOCOLS,
    RULE,
    SPARSITY,
    VARIANT,
    delay_contexts,
    delay_setting,
    delay_variants,
    paired_gains,
    variant_text,
)
from analysis.evidence import too_few
from analysis.field_gains import PHASES, both_phases
from analysis.fields import label_of
from analysis.intervals import Interval, equivalence, student
from analysis.receptive_fields import field_values
from analysis.results import Results
from analysis.verdicts import Claim, Evidence

HUGE = 5.0
"""Points of accuracy from which on a difference is "huge" (the caption: it "does not make a huge difference")."""
OBVIOUS = 3.0
"""Points from which on a benefit would be "obvious"."""
SPARSE = 0.75
"""The sparsity from which on networks count as sparse: three in four synapses are gone."""
FIELDS = "structure of fields is measured with the eight cells around each as neighbours, all of the same weight"


def structure_matters_little(results: Results) -> list[Evidence]:
    """Return what learnt structure adds at the least sparse point that has both structures, where it is below 75 %."""
    found = []
    for setting, own in _groups(results, "structure"):
        least = min(own[SPARSITY].to_list())
        if least >= SPARSE:
            missing = (
                f"the least sparse networks with both structures have sparsity {least:g}, none is below {SPARSE:g}"
            )
            found.append(Evidence(interval=None, n=0, where=_where(setting), missing=missing))
        else:
            found.append(_evidence(own.filter(pl.col(SPARSITY) == least), setting | {SPARSITY: least}, _within(HUGE)))
    return found


def structure_helps_when_sparse(results: Results) -> list[Evidence]:
    """Return what learnt structure adds at each sparsity from 75 % on."""
    return _by_sparsity(results, "structure", student, pl.col(SPARSITY) >= SPARSE)


def delays_help_with_fixed_structure(results: Results) -> list[Evidence]:
    """Return what learnt delays add at each sparsity where the structure is fixed."""
    return _by_sparsity(results, "delays", student, pl.col("structure") == FIXED)


def delays_hardly_help_with_learnt_structure(results: Results) -> list[Evidence]:
    """Return what learnt delays add at each sparsity where the structure is learnt; 90 % intervals."""
    return _by_sparsity(results, "delays", _within(OBVIOUS), pl.col("structure") != FIXED)


def fields_gain_structure(results: Results) -> list[Evidence]:
    """Return by how much the mean I of a trial's fields rises with training, per variant and sparsity.

    Where there is a single trial, its neurons are the units: I of each after training less that before.
    """
    values = field_values(results).drop_nulls("i")
    by_neuron = both_phases(values, ["key", "neuron"], ["i"]).with_columns(gain=_GAIN)
    trials, by = delay_variants(results).collect(), delay_setting(results)
    means = values.group_by("key", "epoch").agg(pl.col("i").mean())
    by_trial = both_phases(means, ["key"], ["i"]).with_columns(gain=_GAIN).join(trials, on="key").sort(*by, "seed")
    found = []
    for values_of, own in by_trial.group_by(by, maintain_order=True):
        setting = dict(zip(by, values_of, strict=True))
        before, after = (f"{own[f'i_{phase}'].mean():.4f}".replace("-", "−") for phase in PHASES)
        told = f"mean I {before} before and {after} after; {FIELDS}"
        neurons = by_neuron.filter(pl.col("key") == own["key"][0])
        alone = own.height == 1
        units = neurons if alone else own
        interval = student(units["gain"].to_list())
        counted = "neurons of one trial" if alone else "seeds"
        missing = "" if interval else too_few(units.height, counted)
        found.append(
            Evidence(
                interval=interval, n=units.height, where=_where(setting), counted=counted, detail=told, missing=missing
            )
        )
    return found


_GAIN = pl.col("i_trained") - pl.col("i_untrained")


def _by_sparsity(
    results: Results, effect: str, interval: Callable[[list[float]], Interval | None], chosen: pl.Expr
) -> list[Evidence]:
    found = []
    for setting, own in _groups(results, effect):
        for (sparsity,), rows in own.filter(chosen).group_by(SPARSITY, maintain_order=True):
            found.append(_evidence(rows, setting | {SPARSITY: sparsity}, interval))
    return found


def _groups(results: Results, effect: str) -> Iterator[tuple[dict[str, Any], pl.DataFrame]]:
    """Yield each context and variant with its rows of `paired_gains`, all protocols, the densest first."""
    gains = paired_gains(results).filter(pl.col("effect") == effect)
    by = [*delay_contexts(results), *VARIANT]
    for setting, own in gains.group_by(by, maintain_order=True):
        yield dict(zip(by, setting, strict=True)), own.sort(SPARSITY, "seed")


def _evidence(
    rows: pl.DataFrame, setting: dict[str, Any], interval: Callable[[list[float]], Interval | None]
) -> Evidence:
    """Return the evidence of one variant at one sparsity, with what the other protocols give as detail."""
    gains = {protocol: rows.filter(pl.col("protocol") == protocol)["gain"] for protocol in PROTOCOLS}
    others = [f"{protocol} {own.mean():+.1f}" for protocol, own in gains.items() if protocol != FIRST and own.len()]
    own = gains[FIRST]
    tested = interval(own.to_list())
    return Evidence(
        interval=tested, n=own.len(), where=_where(setting), counted="paired seeds",
        detail=f"by other protocols {', '.join(others)} points".replace("-", "−") if others else "",
        missing="" if tested else too_few(own.len(), "paired seeds"),
    )  # fmt: skip


def _within(margin: float) -> Callable[[list[float]], Interval | None]:
    def interval(gains: list[float]) -> Interval | None:
        tested = equivalence(gains, margin)
        return tested and tested.interval

    return interval


def _where(setting: dict[str, Any]) -> str:
    """Return a context, variant and sparsity in words."""
    context = label_of({path: value for path, value in setting.items() if path not in {*VARIANT, SPARSITY}})
    variant = variant_text(setting["delays"], setting["structure"])
    sparsity = label_of({SPARSITY: setting[SPARSITY]}) if SPARSITY in setting else ""
    return ", ".join(filter(None, (context, variant, sparsity)))


DELAY_CLAIMS = (
    Claim(
        id="S1a",
        statement="Where synapses are many, learning the structure does not make a huge difference.",
        reference="Mészáros et al. 2024, Fig. 3; asked at the least sparse point with both structures, below 75 %; "
        "“huge” read as 5 points",
        kind="equivalence",
        quantity="the test accuracy with learnt less that with fixed structure",
        threshold=HUGE,
        unit="points",
        tables=("sequences",),
        varied=(RULE,),
        evidence=structure_matters_little,
    ),
    Claim(
        id="S1b",
        statement="Where synapses are few, learning the structure clearly helps.",
        reference="Mészáros et al. 2024, Fig. 3; sparse read as 75 % and more",
        kind="difference",
        quantity="the test accuracy with learnt less that with fixed structure",
        threshold=0.0,
        unit="points",
        tables=("sequences",),
        varied=(RULE,),
        evidence=structure_helps_when_sparse,
    ),
    Claim(
        id="S2",
        statement="Learning delays helps where the structure is fixed.",
        reference="Mészáros et al. 2024, Fig. 3",
        kind="difference",
        quantity="the test accuracy with learnt less that with fixed delays",
        threshold=0.0,
        unit="points",
        tables=("sequences",),
        varied=(LEARN,),
        evidence=delays_help_with_fixed_structure,
    ),
    Claim(
        id="S3",
        statement="Where the structure is learnt, the benefit of learning delays is not obvious.",
        reference="Mészáros et al. 2024, Fig. 3; “obvious” read as 3 points",
        kind="equivalence",
        quantity="the test accuracy with learnt less that with fixed delays",
        threshold=OBVIOUS,
        unit="points",
        tables=("sequences",),
        varied=(LEARN, RULE),
        evidence=delays_hardly_help_with_learnt_structure,
    ),
    Claim(
        id="M1",
        statement="Training gives receptive fields spatio-temporal structure: Moran's I rises, in dense and in sparse "
        "networks.",
        reference="Mészáros et al. 2024, Fig. 1B and C; the published choice of neighbours is not known",
        kind="difference",
        quantity="the mean Moran's I of the hidden neurons' fields after training less that before",
        threshold=0.0,
        unit="",
        tables=("synapses", "delays"),
        evidence=fields_gain_structure,
    ),
)
