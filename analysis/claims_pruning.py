"""Claims of the main paper on pruning (Kim et al. 2023, Fig. 7): retraining with T_retrain < T, and what it saves."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import polars as pl

from analysis.evidence import too_few
from analysis.fields import label_of, rows_of
from analysis.intervals import Interval, equivalence, student
from analysis.pruning import information_ends, pruning_contexts, retrainings
from analysis.results import Results
from analysis.verdicts import Claim, Evidence

KEPT = 1.0
"""Points of accuracy that "similar pruning performance" may differ by."""
LOST = 1.0
"""Points of accuracy of which less is no "huge performance degradation"."""
CLOSE = 5.0
"""Points of percent by which the time saved may miss the formula's."""
CLOCK = "pairs ran on the same device and machine, where other trials may have disturbed their clock"
UNMEASURED = "the Fisher trace was not measured when the first training ended"


class Setting(NamedTuple):
    """The trials of one context after their last cycle, and where the information ended before the first."""

    where: str
    timesteps: int
    end: float | None
    rows: pl.DataFrame

    @property
    def retrained(self) -> list[int]:
        """Values of T_retrain below T."""
        values = self.rows["retrain_timesteps"].unique().sort().to_list()
        return [value for value in values if value < self.timesteps]

    def at(self, retrain_timesteps: int) -> pl.DataFrame:
        """Return the rows of one T_retrain."""
        return self.rows.filter(pl.col("retrain_timesteps") == retrain_timesteps)


def keeps_accuracy(results: Results) -> list[Evidence]:
    """Return the accuracy of each T_retrain from the information's end on, less that of T_retrain = T, in points."""
    return _by_end(results, lambda t, end: t >= end, "at or above", sign=1, interval=_within)


def loses_accuracy(results: Results) -> list[Evidence]:
    """Return the accuracy of T_retrain = T less that of each T_retrain below the information's end, in points."""
    return _by_end(results, lambda t, end: t < end, "below", sign=-1, interval=student)


def saves_as_predicted(results: Results) -> list[Evidence]:
    """Return, per T_retrain < T, the share of training seconds saved less the formula's, in points of percent."""
    found = []
    for setting in _settings(results):
        for timesteps in setting.retrained:
            rows = setting.at(timesteps).drop_nulls("measured")
            saved: dict[str, Any] = {name: rows[name].mean() for name in ("measured", "counted", "predicted")}
            told = ", ".join(f"{name} {100 * share:.1f} %" for name, share in saved.items() if share is not None)
            differences = (100 * (rows["measured"] - rows["predicted"])).to_list()
            tested = equivalence(differences, CLOSE)
            found.append(
                _evidence(
                    tested and tested.interval, rows.height, _where(setting, timesteps), f"{told}; {CLOCK}", "pairs"
                )
            )
    return found


def _by_end(
    results: Results,
    chosen: Callable[[int, float], bool],
    words: str,
    *,
    sign: int,
    interval: Callable[[list[float]], Interval | None],
) -> list[Evidence]:
    """Return the differences in accuracy of the T_retrain on one side of the information's end."""
    found = []
    for setting in _settings(results):
        if setting.end is None:
            found.append(Evidence(interval=None, n=0, where=setting.where, missing=UNMEASURED))
            continue
        own = [timesteps for timesteps in setting.retrained if chosen(timesteps, setting.end)]
        if not own:
            missing = f"no T_retrain < {setting.timesteps} lies {words} the information's end, {setting.end:g}"
            found.append(Evidence(interval=None, n=0, where=setting.where, missing=missing))
        for timesteps in own:
            rows = setting.at(timesteps).drop_nulls("reference_acc")
            differences = (sign * 100 * (rows["test_acc"] - rows["reference_acc"])).to_list()
            detail = _told(rows, setting) if rows.height else ""
            found.append(_evidence(interval(differences), rows.height, _where(setting, timesteps), detail))
    return found


def _within(differences: list[float]) -> Interval | None:
    tested = equivalence(differences, KEPT)
    return tested and tested.interval


def _told(rows: pl.DataFrame, setting: Setting) -> str:
    accuracy, reference, sparsity = (rows[name].mean() for name in ("test_acc", "reference_acc", "sparsity"))
    return (
        f"{accuracy:.1%} against {reference:.1%} at sparsity {sparsity:.1%}; the information ends at "
        f"{setting.end:g} of T = {setting.timesteps}"
    )


def _evidence(interval: Interval | None, n: int, where: str, detail: str, counted: str = "paired seeds") -> Evidence:
    missing = "" if interval else too_few(n, counted)
    return Evidence(interval=interval, n=n, where=where, counted=counted, detail=detail, missing=missing)


def _where(setting: Setting, timesteps: int) -> str:
    return ", ".join(filter(None, (setting.where, f"T_retrain {timesteps}")))


def _settings(results: Results) -> Iterator[Setting]:
    """Yield the contexts in which some trial retrained with fewer timesteps than T."""
    by = list(pruning_contexts(results))
    last = retrainings(results).filter("last").collect()
    ends = information_ends(results).collect()
    for values in last.select(*by).unique().sort(*by).rows() if by else [()] * (last.height > 0):
        own = rows_of(last, by, values)
        timesteps, end = own["timesteps"][0], rows_of(ends, by, values)["suggested_timesteps"][0]
        setting = Setting(label_of(dict(zip(by, values, strict=True))), timesteps, end, own)
        if setting.retrained:
            yield setting


PRUNING_CLAIMS = (
    Claim(
        id="F7a",
        statement="Pruned networks keep their accuracy when they are retrained with fewer timesteps, as long as "
        "T_retrain is not below the information's end.",
        reference="Kim et al. 2023, Fig. 7, T_retrain = 3 and 4; “similar” read as within a point",
        kind="equivalence",
        quantity="the test accuracy after the last cycle less that of retraining with all timesteps",
        threshold=KEPT,
        unit="points",
        tables=("pruning",),
        evidence=keeps_accuracy,
    ),
    Claim(
        id="F7b",
        statement="Retraining with fewer timesteps than the information lasts costs more than a point of accuracy.",
        reference="Kim et al. 2023, Fig. 7, T_retrain = 2",
        kind="difference",
        quantity="the test accuracy after the last cycle that is lost against retraining with all timesteps",
        threshold=LOST,
        unit="points",
        tables=("pruning",),
        evidence=loses_accuracy,
    ),
    Claim(
        id="F7c",
        statement="Retraining with fewer timesteps saves the share of training time that the formula says.",
        reference="Kim et al. 2023, “Efficient SNN Pruning Using TIC”: 20 % at T_retrain = 3",
        kind="equivalence",
        quantity="the training time saved less the saving predicted",
        threshold=CLOSE,
        unit="points",
        tables=("pruning",),
        evidence=saves_as_predicted,
    ),
)
