"""The report's sections on pruning: accuracy by sparsity, the time saved, and which layers are pruned."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from analysis.fields import name_of, rows_of, text_of
from analysis.plot_pruning import accuracy_by_sparsity, layer_map, percent_text, savings
from analysis.pruning import pruning_contexts, pruning_table
from analysis.report_texts import mean_cell, spread
from analysis.results import Results
from analysis.sections import Cell, Section, Texts

CYCLES = 8
"""Cycles that the table shows; of more, a spread that holds the first and the last."""


def pruning_texts(results: Results) -> Texts | None:
    """Return the table of `pruning_table`: a row per context and T_retrain, a column per sparsity."""
    table, by = pruning_table(results), pruning_contexts(results)
    if table.is_empty():
        return None
    shown = spread(list(dict.fromkeys(map(percent_text, table["sparsity"].sort()))), CYCLES)
    setting = [*by, "retrain_timesteps"]
    rows = [
        _row(rows_of(table, setting, values), by, shown)
        for values in table.select(setting).unique().sort(setting).rows()
    ]
    return Texts(
        caption="Test accuracy by sparsity, and the training time saved, predicted and measured",
        heads=[
            *(name_of(path) for path in by), "T_retrain", "seeds", *(f"{text} %" for text in shown), "predicted",
            "measured",
        ],
        rows=rows,
        numbers=len(by) + 1,
        note="Columns in percent are sparsities. Accuracy is that at the horizon trained with, T at sparsity 0 %; "
        "small numbers are 95\u00a0% Student-t intervals over seeds. Suggested is where the Fisher trace comes near "
        "zero when the first training ends (Fig. 6b), by the median over seeds. Savings are over the whole run: "
        "predicted by N_retrain R (T − T_retrain) / (N T + N_retrain R T), counted in timesteps × "
        "epochs, and measured in seconds of training against the trial with the same seed that retrained with T.",
    )  # fmt: skip


def _row(own: pl.DataFrame, by: Sequence[str], shown: Sequence[str]) -> list[str | Cell]:
    accuracies = {percent_text(row["sparsity"]): row for row in own.iter_rows(named=True)}
    last = own.row(-1, named=True)
    retrained, suggested = last["retrain_timesteps"], last["suggested_timesteps"]
    whole = retrained == last["timesteps"]
    saved = ("–", "–") if whole else (_predicted(last), mean_cell(last, "measured", 1, scale=100, unit=" %"))
    return [
        *(text_of(last[path]) for path in by),
        Cell(
            text=f"{retrained} (T)" if whole else str(retrained),
            small="suggested" if suggested is not None and math.ceil(suggested) == retrained else "",
        ),
        str(last["n"]),
        *(mean_cell(accuracies.get(text), "test_acc", 3) for text in shown),
        *saved,
    ]


def _predicted(row: Mapping[str, Any]) -> Cell:
    counted = "" if row["counted"] is None else f"counted {100 * row['counted']:.1f} %"
    return Cell(text=f"{100 * row['predicted']:.1f} %", small=counted)


PRUNING_SECTIONS = (
    Section(
        id="pruning",
        title="How few timesteps does retraining after pruning need?",
        tables=("pruning",),
        figure=accuracy_by_sparsity,
        caption="Test accuracy, at the horizon trained with, against the share of weights pruned, after each cycle of "
        "pruning and retraining with T_retrain timesteps (Kim et al. 2023, Fig. 7): mean over the finished seeds, bars "
        "are 95\u00a0% intervals. Lines are set a little aside so that their bars do not hide each other. The dotted "
        "line is the network before pruning.",
        table=pruning_texts,
    ),
    Section(
        id="savings",
        title="What does retraining with fewer timesteps save?",
        tables=("pruning",),
        figure=savings,
        caption="Share of the training time saved over the whole run against retraining with all T timesteps: measured "
        "in seconds, mean of pairs of trials with the same seed and its 95\u00a0% interval; dashes are the formula's "
        "prediction.",
    ),
    Section(
        id="pruned-layers",
        title="Which layers are pruned?",
        tables=("pruning", "sparsity"),
        figure=layer_map,
        caption="Share of each layer's weights that is pruned after each cycle, mean over the finished seeds; layers "
        "from the input at the top to the output. The smallest weights of the whole network go, wherever they are.",
    ),
)
