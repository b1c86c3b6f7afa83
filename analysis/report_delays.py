"""The report's sections on learnt delays and learnt structure (Mészáros et al. 2024)."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from analysis.crossovers import structure_crossovers
from analysis.delays import (
    PROTOCOLS,
    SPARSITY,
    VARIANT,
    delay_contexts,
    delay_effects,
    delay_setting,
    delay_variants,
    variant_text,
)
from analysis.field_gains import field_gains, grouping_gains
from analysis.fields import name_of, rows_of, text_of
from analysis.plot_delays import accuracy_by_density, drifts_by_epoch, gap_by_epoch
from analysis.plot_fields import best_fields
from analysis.plot_pruning import percent_text
from analysis.receptive_fields import field_structures
from analysis.report_texts import mean_cell, spread
from analysis.results import Results
from analysis.rewiring import delay_costs
from analysis.sections import Cell, Section, Texts

SPARSITIES = 8
"""Sparsities that the table shows; of more, a spread that holds the first and the last."""
INTERVALS = "Small numbers are 95\u00a0% Student-t intervals over seeds."


def effect_texts(results: Results) -> Texts | None:
    """Return the table of `delay_effects`: a row per effect, variant and protocol, a column per sparsity."""
    table, by = delay_effects(results), list(delay_contexts(results))
    if table.is_empty():
        return None
    shown = spread(table[SPARSITY].unique().sort().to_list(), SPARSITIES)
    setting = [*by, "effect", *VARIANT, "protocol"]
    order = pl.col("protocol").replace_strict({name: i for i, name in enumerate(PROTOCOLS)}, return_dtype=pl.Int64)
    listed = table.select(setting).unique().sort(*by, pl.col("effect") == "delays", *VARIANT, order)
    rows = []
    for values in listed.rows():
        at = {row[SPARSITY]: row for row in rows_of(table, setting, values).iter_rows(named=True)}
        *context, effect, delays, structure, protocol = values
        learnt, held = f"structure {structure}", f"delays {delays}"
        rows.append([
            *map(text_of, context), *((learnt, held) if effect == "structure" else (held, learnt)), protocol,
            str(max(row["n_pairs"] for row in at.values())),
            *(mean_cell(at.get(sparsity), "difference", 1) for sparsity in shown),
        ])  # fmt: skip
    return Texts(
        caption="What learning the structure and learning the delays adds to the test accuracy, in points",
        heads=[*map(name_of, by), "learnt", "with", "protocol", "pairs", *(f"{percent_text(s)} %" for s in shown)],
        rows=rows,
        numbers=len(by) + 3,
        note="Columns in percent are sparsities. Each row is something learnt less the same fixed, over pairs of "
        "trials with the same seed. Protocols: accuracy of the weights that were best on validation sequences, of the "
        "last weights, and, as published, the best over all epochs, which chooses on the test set and is optimistic. "
        f"{INTERVALS}",
    )


def crossover_texts(results: Results) -> Texts | None:
    """Return the table of `structure_crossovers`."""
    table, by = structure_crossovers(results), list(delay_contexts(results))
    if table.is_empty():
        return None
    rows = [
        [
            *(text_of(row[path]) for path in by),
            variant_text(row["delays"], row["structure"]),
            row["protocol"],
            str(row["n"]),
            _crossover(row),
            "–" if row["share"] is None else f"{row['share']:.0%}",
        ]
        for row in table.iter_rows(named=True)
    ]
    return Texts(
        caption="The sparsity from which learning the structure is ahead",
        heads=[*map(name_of, by), "variant", "protocol", "seeds", "ahead from", "ahead in"],
        rows=rows,
        numbers=len(by) + 2,
        note="Where the mean gain over seeds crosses zero on its way to its largest value, along straight lines on the "
        "axis of halvings. Small numbers are the 95\u00a0% percentile interval over 2,000 resamples of the seeds, "
        "which with fewer than ten seeds is narrower than it should be; the last column is the share of them in which "
        "learnt structure is ahead anywhere. An open end lies beyond what was tried.",
    )


def cost_texts(results: Results) -> Texts | None:
    """Return the table of `delay_costs`: operations in theory beside seconds on the clock."""
    table, by = delay_costs(results), list(delay_contexts(results))
    if table.is_empty():
        return None
    rows = [
        [
            *(text_of(row[path]) for path in by),
            variant_text(row["delays"], row["structure"]),
            f"{percent_text(row[SPARSITY])} %",
            str(row["n"]),
            f"{row['operations']:,.0f}",
            mean_cell(row, "epoch_seconds", 2),
            mean_cell(row, "wall_seconds", 1),
            str(row["devices"]),
        ]
        for row in table.iter_rows(named=True)
    ]
    return Texts(
        caption="Operations in theory, and seconds on the clock",
        heads=[
            *map(name_of, by), "variant", "sparsity", "seeds", "operations (in theory)", "s per epoch", "s in all",
            "machines",
        ],
        rows=rows,
        numbers=len(by) + 1,
        note="Operations are multiply-adds of one sample, as many as synapses times timesteps: what sparse hardware "
        "would do. Training computes with dense matrices at any sparsity, and its seconds do not fall with them. "
        f"Seconds of different machines, or beside other work, do not compare. {INTERVALS}",
    )  # fmt: skip


def field_texts(results: Results) -> Texts | None:
    """Return the table of `field_gains`, with the counts of `field_structures` after training."""
    gains, by = field_gains(results), list(delay_contexts(results))
    if gains.is_empty():
        return None
    counts = _trained_counts(results)
    setting = [*by, *VARIANT, SPARSITY]
    rows = []
    for row in gains.iter_rows(named=True):
        own = rows_of(counts, setting, [row[name] for name in setting]).row(0, named=True)
        rows.append([
            *(text_of(row[path]) for path in by), variant_text(row["delays"], row["structure"]),
            f"{percent_text(row[SPARSITY])} %", str(row["n"]), mean_cell(row, "untrained", 3),
            mean_cell(row, "trained", 3), mean_cell(row, "gain", 3),
            Cell(
                text=" / ".join(f"{own[name]:.1f}" for name in ("n_untrained", "n_values", "n_grid")),
                small=f"of {own['neurons']}, {own['n_empty']:.1f} of them empty",
            ),
            "–" if own["p_trained"] is None else f"{own['p_trained']:.2g}",
        ])  # fmt: skip
    choice = f"{gains['contiguity'][0]} contiguity, {gains['weights'][0]} weights"
    return Texts(
        caption="Moran's I of the hidden neurons' receptive fields before and after training",
        heads=[
            *map(name_of, by), "variant", "sparsity", "seeds", "untrained", "trained", "gain",
            "stand out", "p",
        ],
        rows=rows,
        numbers=len(by) + 1,
        note=f"I with {choice}; the published choice is not known. Mean I over the neurons with a synapse, then over "
        "seeds. Neurons that stand out after training, mean per trial, at a false discovery rate of 5\u00a0%: from "
        "the fields before training, from their own weights shuffled among their synapses, and from all cells "
        "shuffled; empty ones have no synapse left and no I. "
        "p: the largest over the trials of the one-sided signed-rank test that neurons gained. "
        f"{INTERVALS}",
    )  # fmt: skip


def grouping_texts(results: Results) -> Texts | None:
    """Return the table of `grouping_gains`: how often neighbouring synapses agree in sign beyond chance."""
    table, by = grouping_gains(results), list(delay_contexts(results))
    if table.is_empty():
        return None
    where = {"space": "adjacent inputs", "time": "adjacent delays"}
    rows = [
        [
            *(text_of(row[path]) for path in by),
            variant_text(row["delays"], row["structure"]),
            f"{percent_text(row[SPARSITY])} %",
            f"{row['direction']}: {where[row['direction']]}",
            str(row["n"]),
            *(mean_cell(row, name, 1, scale=100) for name in ("untrained", "trained", "gain")),
        ]
        for row in table.iter_rows(named=True)
    ]
    return Texts(
        caption="Neighbouring synapses with the same sign, beyond shuffled signs, in points of percent",
        heads=[
            *map(name_of, by), "variant", "sparsity", "neighbours in", "seeds", "untrained", "trained", "gain",
        ],
        rows=rows,
        numbers=len(by) + 3,
        note=f"Neighbours in space lie on adjacent inputs with delays at most {table['reach'][0]} timesteps apart, "
        f"neighbours in time have adjacent delays on inputs at most {table['reach'][0]} apart. What is told is the "
        "share of such pairs of a neuron's synapses that agree in sign, less that with the neuron's signs shuffled. "
        f"{INTERVALS}",
    )  # fmt: skip


def _trained_counts(results: Results) -> pl.DataFrame:
    """Return, per variant at a sparsity, means over trials of the counts after training, and the largest p."""
    by = delay_setting(results)
    counts = ("n_untrained", "n_values", "n_grid", "n_empty")
    return (
        field_structures(results)
        .filter(pl.col("epoch") == pl.col("epoch").max().over("key"), pl.col("epoch") > 0)
        .join(delay_variants(results).collect(), on="key")
        .group_by(by)
        .agg(pl.col("neurons").first(), *(pl.col(name).mean() for name in counts), pl.col("p_trained").max())
    )


def _crossover(row: Mapping[str, Any]) -> str | Cell:
    if row["found"] is None:
        return "–"
    first = f"{percent_text(row['densest'])} %"
    text = {"none": "none", "throughout": f"{first}, the densest"}.get(row["found"], "")
    ends = ["…" if row[end] is None else f"{percent_text(row[end])} %" for end in ("low", "high")]
    return Cell(
        text=text or f"{percent_text(row['crossover'])} %",
        small="" if row["low"] is None and row["high"] is None else " to ".join(ends),
    )


DELAY_SECTIONS = (
    Section(
        id="delays",
        title="What does learning the structure add, and what learning the delays?",
        tables=("sequences",),
        figure=accuracy_by_density,
        caption="Test accuracy against sparsity, where each step to the right halves the synapses (Mészáros et al. "
        "2024, Fig. 3): colours tell the structure, dashes the delays. Lines are means over the finished seeds, bands "
        "95\u00a0% intervals. The menu has three protocols: the weights that were best on validation sequences, the "
        "last ones, and the best over all epochs, which is how it was published and is optimistic. At sparsity 0 there "
        "is no structure to learn, and one network stands for both.",
        table=effect_texts,
    ),
    Section(
        id="crossover",
        title="From which sparsity is learnt structure ahead?",
        tables=("sequences",),
        varied=("delays.rule",),
        table=crossover_texts,
    ),
    Section(
        id="fields",
        title="Do receptive fields gain spatio-temporal structure?",
        tables=("synapses", "delays"),
        figure=best_fields,
        caption="The receptive field with the largest Moran's I before training and after it, in the densest network "
        "(above) and the sparsest (below), and I of all hidden neurons over all seeds (Mészáros et al. 2024, Fig. 1). "
        "A cell is the weight of the synapse with that input and that delay, orange excites, blue inhibits. The dotted "
        "line is the 95\u00a0% quantile of I when a neuron's weights are shuffled among its synapses. The menu has the "
        "variants.",
        table=field_texts,
    ),
    Section(
        id="grouping",
        title="Do excitation and inhibition group together?",
        tables=("synapses",),
        table=grouping_texts,
    ),
    Section(
        id="drifts",
        title="How do synapses and delays move in training?",
        tables=("delays",),
        figure=drifts_by_epoch,
        caption="The hidden layer's synapses against epoch: mean over the finished seeds, bands ± standard error. "
        "Synapses grown in an epoch are counted as often as they come, so that their share may exceed 1. The menu has "
        "the sparsities.",
    ),
    Section(
        id="rounding",
        title="How much does rounding learnt delays cost?",
        tables=("sequences",),
        varied=(),
        figure=gap_by_epoch,
        caption="Validation accuracy with delays spread over timesteps as in training, less that with whole delays, "
        "with which networks are evaluated: mean over the finished seeds, bands ± standard error. What "
        "remains once the spread has fallen is the price of whole delays: training still sees some of the neighbouring "
        "timesteps, and a network may come to need them.",
    ),
    Section(
        id="delay-costs",
        title="What do sparse networks save?",
        tables=("sequences", "delays"),
        table=cost_texts,
    ),
)
