"""Tables of the report: robustness with the paper's Table 1 beside it, and the timesteps that a readout needs."""

from collections.abc import Mapping
from typing import Any

from analysis.comparison import comparison_of
from analysis.fields import name_of, rows_of, text_of
from analysis.horizons import TOLERANCE, needed_around
from analysis.intervals import Interval
from analysis.paper_table1 import beside_paper
from analysis.results import Results
from analysis.robustness import CORRUPTIONS
from analysis.sections import Cell, Texts
from analysis.verdicts import ends_of

ROBUSTNESS_HEADS = ("seeds", "epoch", "clean", *CORRUPTIONS.values())
HORIZON_HEADS = ("seeds turned", "needed before", "needed after", "accuracy before", "accuracy after")
NOTE = "Small: the 95 % interval over seeds of the number in brackets"
PAPER_NOTE = (
    "and what the paper has for the data set and the rank of α (Kim et al. 2023, Table 1; ResNet19 on whole images)"
)


def robustness_texts(results: Results) -> Texts | None:
    """Return Table 1: a row per setting, its accuracy clean and corrupted, each with the paper's beside it."""
    compared = comparison_of(results)
    table = beside_paper(results).collect()
    rows = []
    for setting in table.select(*compared.columns).unique(maintain_order=True).rows():
        own = {row["corruption"]: row for row in rows_of(table, compared.columns, setting).iter_rows(named=True)}
        first, (context, line) = next(iter(own.values())), compared.split(setting)
        counts = first["n"], first["epoch"]
        rows.append([
            *map(text_of, context), Cell(text=compared.names[line], small=_rank(first)), *map(str, counts),
            Cell(text=f"{100 * first['clean_accuracy']:.1f}", small=_of_paper(first, "clean")),
            *(_cell(own[corruption]) if corruption in own else "–" for corruption in CORRUPTIONS),
        ])  # fmt: skip
    if not rows:
        return None
    return Texts(
        caption="Test accuracy in %, and in brackets its distance from the clean one in points",
        heads=[*map(name_of, compared.contexts), compared.title or "setting", *ROBUSTNESS_HEADS],
        rows=rows,
        numbers=len(compared.contexts) + 1,
        note=f"{NOTE}." if table["rank"].is_null().all() else f"{NOTE}, {PAPER_NOTE}.",
    )


def _cell(row: Mapping[str, Any]) -> Cell:
    low, high = row["drop_low"], row["drop_high"]
    interval = "" if low is None else ends_of(Interval(row["drop"], low, high))
    text = f"{100 * row['accuracy']:.1f} ({row['drop']:+.1f})".replace("-", "−")
    return Cell(text=text, small="\n".join(filter(None, (interval, _of_paper(row, "accuracy")))))


def _of_paper(row: Mapping[str, Any], column: str) -> str:
    value = row[f"paper_{column}"]
    if value is None:
        return ""
    drop = f" ({row['paper_drop']:+.2f})".replace("-", "−") if column == "accuracy" else ""
    return f"paper {value:.2f}{drop}"


def _rank(row: Mapping[str, Any]) -> str:
    return "" if row["rank"] is None else f"{row['rank']} α"


def horizon_texts(results: Results) -> Texts | None:
    """Return the timesteps needed before and after the transition of IC, a row per setting that has turned."""
    compared = comparison_of(results)
    by = compared.columns
    table = needed_around(results, by).collect()
    rows = []
    for setting in table.select(*by).unique(maintain_order=True).rows():
        phases = {row["phase"]: row for row in rows_of(table, by, setting).iter_rows(named=True)}
        n = str(next(iter(phases.values()))["n"])
        cells = [_needed(phases.get(phase)) for phase in ("before", "after")]
        accuracies = [f"{phases[p]['accuracy']:.3f}" if p in phases else "–" for p in ("before", "after")]
        context, line = compared.split(setting)
        rows.append([*map(text_of, context), compared.names[line], n, *cells, *accuracies])
    if not rows:
        return None
    return Texts(
        caption="Timesteps that a readout needs before and after the transition of IC",
        heads=[*map(name_of, compared.contexts), compared.title or "setting", *HORIZON_HEADS],
        rows=rows,
        numbers=len(by),
        note="Needed is the first t from which on the validation accuracy lies at most "
        f"{100 * TOLERANCE:g} point below that at T; near chance one timestep is as good as all. Means over the epochs "
        "of the phase, then over the seeds that have turned, with the 95 % interval.",
    )


def _needed(row: Mapping[str, Any] | None) -> str | Cell:
    if row is None:
        return "–"
    low, high = row["needed_low"], row["needed_high"]
    small = "" if low is None else ends_of(Interval(row["needed"], low, high))
    return Cell(text=f"{row['needed']:.1f}", small=small)
