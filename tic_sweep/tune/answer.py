"""`Tuned`: the learning rate that a race recommends, how sure that is, and what it cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import analysis
from analysis.figures.catalogue import chosen_figures
from analysis.figures.writing import write_figures
from analysis.races import answers, as_good_range
from analysis.report import write_report

FIGURE = "race"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """What `tune_learning_rate` found."""

    rate: float | None
    """The recommended learning rate; None if no trial got far enough to tell."""
    as_good: tuple[float, ...]
    """Other rates that got at least half as far and cannot be told from it, increasing."""
    told_apart: bool
    """Whether the data say how far chance goes. Where not, as with one seed a rate, the others are called as good."""
    edge: str
    """``lowest`` or ``highest`` if it is that of the grid's rates: one beyond it may be better; else empty."""
    low: float | None
    """Lowest rate around the recommended one up to which every rate tried is as good."""
    high: float | None
    why: str
    epochs: int
    """Epochs trained."""
    fisher_epochs: float
    """Time of the Fisher measurements, in epochs."""
    grid_epochs: int
    """Epochs of the full grid: all the trials that were asked for, each trained to its end."""
    statuses: Mapping[str, int]
    """Trials by status."""
    complete: bool
    """Whether the race is over."""
    results: Path
    report: Path
    figure: Path | None
    """The evidence as a picture; None if nothing was reported."""

    @property
    def share(self) -> float:
        """Share of the full grid's epochs that was spent, Fisher measurements included."""
        return (self.epochs + self.fisher_epochs) / self.grid_epochs if self.grid_epochs else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain data."""
        return {
            "learning_rate": self.rate, "as_good": list(self.as_good), "told_apart": self.told_apart,
            "edge": self.edge, "low": self.low, "high": self.high, "why": self.why, "epochs": self.epochs,
            "fisher_epochs": round(self.fisher_epochs, 2), "grid_epochs": self.grid_epochs,
            "share": round(self.share, 4), "statuses": dict(self.statuses), "complete": self.complete,
            "results": str(self.results), "report": str(self.report),
            "figure": str(self.figure) if self.figure else None,
        }  # fmt: skip


def answer_of(folder: Path, *, complete: bool) -> Tuned:
    """Return the answer that a results folder holds, and write its evidence: the report and the figure.

    Raises:
        StoreError: if the folder cannot be read or written.
    """
    results = analysis.open_results(folder)
    (answer,) = answers(results)
    found, spent = answer.recommendation, answer.spent
    low, high = (None, None) if found.rate is None else as_good_range(answer)
    drawn = list(write_figures(results, folder / "figures", chosen_figures([FIGURE]), formats=("png",), dpi=200))
    counts = results.trials.collect()["status"].value_counts()
    return Tuned(
        rate=found.rate, as_good=answer.as_good, told_apart=found.told_apart, edge=answer.edge, low=low, high=high,
        why=found.why, epochs=spent.epochs, fisher_epochs=spent.fisher, grid_epochs=spent.grid,
        statuses=dict(counts.sort("status").iter_rows()), complete=complete, results=folder,
        report=write_report(folder), figure=drawn[0].files[0] if drawn else None,
    )  # fmt: skip
