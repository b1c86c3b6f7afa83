"""`Snapshot`: how far a sweep is at one moment, computed from its trials and epochs alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.fields import text_of, variant_of_trials
from analysis.results import Results
from analysis.scores import tic_scores
from analysis.tables import summary
from tic_sweep.config import EPOCH_TASKS, short_path
from tic_sweep.records import BADLY, BEGUN, ENDED, TABLES, columns_of
from tic_sweep.store import Manifest, schema_of
from tic_sweep.sweep import FOLLOWED, OBJECTIVES, TIC_SCORE

PROVENANCE = (
    "version", "git_commit", "packages", "host", "system", "processor", "circumstance", "command",
)  # fmt: skip
"""Columns of a trial that say where its numbers come from, and nothing of its state."""
COLUMNS: dict[str, tuple[str, ...]] = {
    "trials": tuple(name for name in columns_of("trials") if name not in PROVENANCE),
    "epochs": (
        "cycle", "train_timesteps", "ic", "ic_se", *FOLLOWED, "train_seconds", "eval_seconds", "fisher_seconds",
        "probe_seconds",
    ),
}  # fmt: skip
"""The tables, and of each the columns, that a `Snapshot` is made from: nothing that grows with T or layers."""
SETTINGS = 40
"""Settings that are summed up at most; of more, the best by the objective."""
SHOWN = 100
"""Running trials and failures that are kept at most."""


@dataclass(frozen=True, slots=True)
class Running:
    """A trial at work: its last report, null before the first."""

    label: str
    epoch: int | None
    last_epoch: int
    ic: float | None = None
    val_acc: float | None = None


@dataclass(frozen=True, slots=True)
class Best:
    """The trial whose last report is best by the sweep's objective; failed and diverged ones do not count."""

    label: str
    key: str
    objective: str
    value: float
    epoch: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A reason for which trials ended badly, and how many."""

    count: int
    status: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How far a sweep is."""

    sweep: str
    scale: str
    counts: Mapping[str, int]
    """Trials by status."""
    total: int
    """Trials there are or, in an adaptive search, will be."""
    at_work: bool
    """Whether a session is writing the results."""
    epochs: int = 0
    """Epochs trained."""
    planned_epochs: int = 0
    seconds_left: float | None = None
    """About; None where nothing runs, or nothing is known yet."""
    best: Best | None = None
    running: tuple[Running, ...] = ()
    failures: tuple[Failure, ...] = ()
    """Those that came last, first."""
    settings: tuple[str, ...] = ()
    """The columns that tell one setting from another."""
    settings_count: int = 0
    summary: pl.DataFrame | None = None
    """A row per setting as `analysis.tables.summary` has it, and ``rank``, its place by the objective from 0."""

    @property
    def done(self) -> int:
        """Trials that have ended in any way but by an interruption."""
        return sum(self.counts.get(status, 0) for status in ENDED)

    @property
    def complete(self) -> bool:
        """Whether every trial has ended."""
        return 0 < self.total <= self.done

    @property
    def share(self) -> float:
        """Share of the work that is done: of the epochs where there are any, else of the trials."""
        if self.complete:
            return 1.0
        per_trial = self.done / self.total if self.total else 0.0
        return min(self.epochs / self.planned_epochs, 1.0) if self.planned_epochs else per_trial


def snapshot(
    manifest: Manifest, trials: pl.DataFrame, epochs: pl.DataFrame, *, at_work: bool, at_once: int = 0
) -> Snapshot:
    """Return how far a sweep is.

    Args:
        manifest: what the sweep is about.
        trials: rows of the trials, the columns of `COLUMNS` among them, in the order they were written.
        epochs: rows of the epochs, likewise.
        at_work: whether a session is writing the results.
        at_once: how many trials ran at once earlier; where one has ended and the next not begun, more than run now.
    """
    counts = dict(trials.group_by("status").len().iter_rows())
    total = max(trials.height, manifest.samples if manifest.searcher != "random" else 0)
    if trials.is_empty():
        return Snapshot(sweep=manifest.sweep, scale=manifest.scale, counts={}, total=total, at_work=at_work)
    trials = trials.with_columns(variant_of_trials())
    settings = _results(manifest, trials, epochs).settings
    table = _with_reports(trials, epochs)
    if manifest.objective == TIC_SCORE:
        scores = tic_scores(epochs.lazy(), trials.lazy()).collect()
        table = table.join(scores, on="key", how="left", maintain_order="left")
    chosen, count = _ranked(table, settings, manifest.objective)
    by_epochs = table.filter(pl.col("task").is_in(EPOCH_TASKS))
    planned = int(by_epochs["last_epoch"].sum())
    return Snapshot(
        sweep=manifest.sweep,
        scale=manifest.scale,
        counts=counts,
        total=total,
        at_work=at_work,
        epochs=int(by_epochs["reported"].sum()),
        planned_epochs=planned * total // trials.height,
        seconds_left=_seconds_left(table, epochs, total, at_once) if at_work else None,
        best=_best(table, settings, manifest.objective),
        running=tuple(
            Running(_label(row, settings), row["epoch"], row["last_epoch"], row["ic"], row["val_acc"])
            for row in table.filter(pl.col("status") == "running").head(SHOWN).iter_rows(named=True)
        ),
        failures=_failures(trials),
        settings=settings,
        settings_count=count,
        summary=_summary(manifest, trials, epochs, settings, chosen),
    )


def _results(manifest: Manifest, trials: pl.DataFrame, epochs: pl.DataFrame) -> Results:
    """Return frames as results; the tables that nobody has read are empty."""
    tables: dict[str, Any] = {name: pl.LazyFrame(schema=schema_of(name)) for name in TABLES}
    tables["trials"], tables["epochs"] = trials.lazy(), epochs.lazy()
    return Results((manifest,), **tables)


def _with_reports(trials: pl.DataFrame, epochs: pl.DataFrame) -> pl.DataFrame:
    """Return the trials with their last report, ``last_epoch`` of their config, and ``work`` left, in epochs times T.

    The last epoch of a trial that was stopped early is the one where it was stopped. As in `Progress`, the report
    before training counts as an epoch, and where a trial will choose its own T_retrain, no more is known than that it
    is at most T.
    """
    planned = pl.col("optimiser.epochs") + pl.col("pruning.cycles") * pl.col("pruning.epochs")
    last = pl.when(pl.col("status") == "stopped").then(pl.col("epoch").fill_null(0)).otherwise(planned)
    reported = pl.when(pl.col("status") == "planned").then(-1).otherwise(pl.col("epoch").fill_null(-1))
    retraining = pl.when(pl.col("pruning.timesteps") > 0).then("pruning.timesteps").otherwise("timesteps")
    first = (pl.col("optimiser.epochs") - reported).clip(0) * pl.col("timesteps")
    again = (planned - pl.max_horizontal(reported, "optimiser.epochs")) * retraining
    own = epochs.group_by("key").agg(pl.col("epoch", "ic", *FOLLOWED).last())
    return trials.drop("val_acc").join(own, on="key", how="left", maintain_order="left").with_columns(
        last_epoch=last, reported=reported.clip(0), work=first + again
    )  # fmt: skip


def _seconds_left(table: pl.DataFrame, epochs: pl.DataFrame, total: int, at_once: int) -> float | None:
    """Return the time left at the mean pace of the epochs trained so far, by as many trials at once as run or ran.

    It is no less than what the trial that has most to do still needs. A block of toy problems, which reports
    no epochs, takes as long as those before it.
    """
    left = table.filter(~pl.col("status").is_in(ENDED))
    slots = min(max(at_once, left.filter(pl.col("status") == "running").height), left.height)
    if not slots:
        return None
    seconds = pl.sum_horizontal("train_seconds", "eval_seconds", "fisher_seconds", "probe_seconds")
    trained = epochs.filter(pl.col("epoch") > 0).join(table.select("key", "timesteps", "packed"), on="key")
    by_the_clock = seconds * pl.col("packed").fill_null(1)  # in a pack a trial's seconds are its share
    pace = trained.select(by_the_clock.sum() / pl.col("train_timesteps").fill_null(pl.col("timesteps")).sum()).item()
    toy = table.filter(~pl.col("task").is_in(EPOCH_TASKS), pl.col("status").is_in(ENDED))["wall_seconds"].mean()
    each = pl.when(pl.col("task").is_in(EPOCH_TASKS)).then(pl.col("work") * pl.lit(pace, pl.Float64)).otherwise(
        pl.lit(toy, pl.Float64)
    )  # fmt: skip
    known = left.with_columns(seconds=each).filter(pl.col("seconds").is_not_nan())
    if known.height < left.height:
        return None
    seconds_of = known["seconds"].to_list()
    unseen = max(total - table.height, 0) * sum(seconds_of) / len(seconds_of)
    return max((sum(seconds_of) + unseen) / slots, *seconds_of)


def _eligible(objective: str) -> pl.Expr:
    """Return which trials may be the best: trained, not ended badly, with a value of the objective."""
    value = pl.col(objective)
    return pl.col("status").is_in([*BEGUN, "stopped", "finished"]) & (pl.col("epoch") > 0) & value.is_finite()


def _best(table: pl.DataFrame, settings: Sequence[str], objective: str) -> Best | None:
    descending = OBJECTIVES[objective] == "max"
    ranked = table.filter(_eligible(objective)).sort(objective, descending=descending, maintain_order=True)
    for row in ranked.head(1).iter_rows(named=True):
        return Best(_label(row, settings), row["key"], objective, row[objective], row["epoch"])
    return None


def _ranked(table: pl.DataFrame, settings: Sequence[str], objective: str) -> tuple[pl.DataFrame, int]:
    """Return the best settings by the mean of the objective, each with its rank, and how many settings there are."""
    value = pl.col(objective).filter(_eligible(objective)).mean()
    per_setting = (
        table
        .filter(pl.col("task").is_in(EPOCH_TASKS))
        .group_by(*settings, maintain_order=True)
        .agg(value=value)
        .sort("value", descending=OBJECTIVES[objective] == "max", nulls_last=True, maintain_order=True)
    )
    return per_setting.head(SETTINGS).drop("value").with_row_index("rank"), per_setting.height


def _summary(
    manifest: Manifest, trials: pl.DataFrame, epochs: pl.DataFrame, settings: Sequence[str], chosen: pl.DataFrame
) -> pl.DataFrame:
    """Return the summary of the chosen settings: no more trials are looked at than theirs."""
    own = trials.join(chosen.select(settings), on=settings, how="semi", nulls_equal=True)
    seen = epochs.join(own.select("key"), on="key", how="semi")
    table = summary(_results(manifest, own, seen), settings)
    return table.join(chosen, on=settings, how="left", nulls_equal=True, maintain_order="left")


def _failures(trials: pl.DataFrame) -> tuple[Failure, ...]:
    bad = trials.filter(pl.col("reason") != "", pl.col("status").is_in(BADLY))
    grouped = bad.reverse().group_by("status", "reason", maintain_order=True).len().head(SHOWN)
    return tuple(Failure(count, status, reason) for status, reason, count in grouped.iter_rows())


def _label(row: Mapping[str, Any], settings: Sequence[str]) -> str:
    """Name a trial by its setting and seed: ``lr 0.3, seed 1``."""
    paths = [path for path in settings if path != "sweep"]
    return ", ".join(f"{short_path(path)} {text_of(row[path])}" for path in [*paths, "seed"])
