"""Races for the learning rate, told again from the store: what the policy has seen, and what it recommends.

A policy is a function of what it was told, in order (`tic_sweep.racing.protocol`), and the order of a folder's rows is
that of their session and number. So the launcher that resumes a race and the report that explains one make the same
policy, from the same rows, and neither keeps anything else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import polars as pl

from analysis.recorded import LOOK
from analysis.results import Results
from tic_sweep.racing import Look, Recommendation, runner_of, sight, stratum_of
from tic_sweep.racing.entrants import Race
from tic_sweep.records import BADLY
from tic_sweep.store import Manifest, stored_config
from tic_sweep.sweep import RATE, build_race

COMPARED = 0.5
"""Share of the recommended rate's epochs that another must have got to for being called as good."""
Told: TypeAlias = tuple[str, Look | str]
"""A trial's key, and its report or the status with which it ended badly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a race has cost, and what the full grid would."""

    epochs: int
    """Epochs trained."""
    fisher: float
    """Time of the Fisher measurements, in epochs: at the mean time of those trained."""
    grid: int
    """Epochs of all the trials there are to be, each trained to its end."""

    @property
    def share(self) -> float:
        """Share of the grid's epochs that was spent, Fisher measurements included."""
        return (self.epochs + self.fisher) / self.grid if self.grid else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the race of one stratum comes to."""

    setting: dict[str, Any]
    """The fields in which its trials differ from those of other strata."""
    part: Results
    """Its trials."""
    recommendation: Recommendation
    spent: Spent

    @property
    def as_good(self) -> tuple[float, ...]:
        """Rates that cannot be told from the recommended one, increasing, of those that got at least half as far.

        Rates that were given up earlier were like it when it was young, which says little of how they would have ended.
        """
        found = self.recommendation
        far = {standing.rate: standing.epochs for standing in found.standings}
        return tuple(sorted(rate for rate in found.as_good if far[rate] >= COMPARED * far[found.rate or rate]))

    @property
    def edge(self) -> str:
        """Whether the recommended rate is the ``lowest`` or ``highest`` of those that ran; empty if it is neither.

        Rates that a search has drawn have no edges: its range goes on beyond them.
        """
        if any(manifest.searcher != "random" for manifest in self.part.manifests):
            return ""
        rates = sorted(standing.rate for standing in self.recommendation.standings)
        if len(rates) < 2 or self.recommendation.rate not in {rates[0], rates[-1]}:  # noqa: PLR2004 - one has no edges
            return ""
        return "lowest" if self.recommendation.rate == rates[0] else "highest"


def told(epochs: pl.LazyFrame, trials: pl.LazyFrame) -> Iterator[Told]:
    """Yield what a policy hears of stored trials, in the order in which it came.

    Reports of pruning cycles are not the race's: it is over the first training.
    """
    first_training = epochs.filter(pl.col("cycle").fill_null(0) == 0)
    badly = trials.filter(pl.col("status").is_in(BADLY)).select("key", "status", "session", "seq")
    rows = pl.concat([first_training.select("key", *LOOK, "session", "seq"), badly], how="diagonal")
    for row in rows.sort("session", "seq").collect().iter_rows(named=True):
        if row["status"] is not None:
            yield row["key"], row["status"]
        else:
            yield row["key"], Look(**{name: row[name] for name in LOOK})


def tell(race: Race, events: Iterable[Told]) -> None:
    """Let a policy hear what was stored of the trials that have entered it."""
    for key, event in events:
        if key not in race.entrants:
            continue
        if isinstance(event, Look):
            race.look(key, event)
        else:
            race.leave(key, event)


def policy_of(manifest: Manifest) -> Race:
    """Return the policy of a raced sweep, unused."""
    race = manifest.race
    return build_race(manifest.scheduler, holdout=race.get("holdout", 0.0), grace=race.get("grace", 0.0))


def is_raced(results: Results) -> bool:
    """Tell whether a single sweep was opened, and its rates were raced."""
    return len(results.manifests) == 1 and results.manifests[0].scheduler != "none"


def race_of(results: Results) -> Race:
    """Return the policy of a raced sweep as it is now: its trials entered as planned, everything stored told."""
    (manifest,) = results.manifests
    race = policy_of(manifest)
    rows = {row["key"]: row for row in results.trials.collect().iter_rows(named=True)}
    order = [key for key in manifest.race.get("order", ()) if key in rows]
    for key in dict.fromkeys([*order, *rows]):
        race.enter(runner_of(stored_config(rows[key])))
    tell(race, told(results.epochs, results.trials))
    return race


def answers(results: Results) -> list[Answer]:
    """Return what the race comes to in each stratum, in the order of the plan."""
    race = race_of(results)
    strata = {row["key"]: stratum_of(stored_config(row)) for row in results.trials.collect().iter_rows(named=True)}
    expected = results.manifests[0].samples / max(len(strata), 1)
    found = {}
    for setting, part in results.parts(results.contexts(RATE)):
        key = part.trials.select("key").collect()["key"][0]
        answer = Answer(
            setting=setting, part=part, recommendation=race.recommend(strata[key]),
            spent=spent_on(part, times=max(expected, 1.0)),
        )  # fmt: skip
        found[strata[key]] = answer
    return [found[stratum] for stratum in race.strata if stratum in found]


def spent_on(results: Results, *, times: float = 1.0) -> Spent:
    """Return what the trials of some results have cost.

    Args:
        results: some trials.
        times: how many times as many there are to be, if a search has more to propose.
    """
    row = results.epochs.select(
        trained=(pl.col("epoch") > 0).sum(), train=pl.col("train_seconds").sum(), fisher=pl.col("fisher_seconds").sum()
    ).collect().row(0, named=True)  # fmt: skip
    grid = results.trials.select(pl.col("optimiser.epochs").sum()).collect().item()
    each = row["train"] / row["trained"] if row["trained"] else 0.0
    return Spent(epochs=row["trained"], fisher=row["fisher"] / each if each else 0.0, grid=round(times * grid))


def race_trials(results: Results) -> pl.DataFrame:
    """Return one row per trial of a raced sweep, best known first: how far it got, and why no further.

    Columns: key, optimiser.lr, seed, status, reason, epochs (trained), planned, turned (epoch of the transition, where
    the detector is sure of it), ic and val_acc of the last report; the last three null where there is nothing to tell.
    """
    race = race_of(results)
    columns = ("key", RATE, "seed", "status", "reason", "optimiser.epochs")
    rows = []
    for row in results.trials.select(*columns).collect().iter_rows(named=True):
        looks = race.entrants[row["key"]].looks
        seen = sight(looks, race.entrants[row["key"]].runner.timesteps)
        rows.append(
            {name: row[name] for name in columns[:-1]}
            | {
                "epochs": max((look.epoch for look in looks), default=0), "planned": row["optimiser.epochs"],
                "turned": seen.interpolated, "ic": seen.ic, "val_acc": looks[-1].val_acc if looks else None,
            }
        )  # fmt: skip
    kinds = {"turned": pl.Float64, "ic": pl.Float64, "val_acc": pl.Float64}
    return pl.DataFrame(rows, schema_overrides=kinds, infer_schema_length=None).sort(
        "epochs", "val_acc", descending=True, nulls_last=True, maintain_order=True
    )


def as_good_range(answer: Answer) -> tuple[float, float]:
    """Return the lowest and the highest rate around the recommended one up to which every rate tried is as good."""
    found = answer.recommendation
    assert found.rate is not None  # noqa: S101 - asked of answers that recommend one
    rates = sorted(standing.rate for standing in found.standings)
    good = {found.rate, *answer.as_good}
    place = rates.index(found.rate)
    low = high = place
    while low > 0 and rates[low - 1] in good:
        low -= 1
    while high + 1 < len(rates) and rates[high + 1] in good:
        high += 1
    return rates[low], rates[high]


def race_curves(epochs: pl.LazyFrame, trials: pl.LazyFrame) -> pl.LazyFrame:
    """Return what trials have reported, one row per trial and epoch of its first training.

    Columns: key, optimiser.lr, seed, status, epoch, ic, val_acc; in order of rate, seed and epoch.
    """
    return (
        epochs
        .filter(pl.col("cycle").fill_null(0) == 0)
        .select("key", "epoch", "ic", "val_acc")
        .join(trials.select("key", RATE, "seed", "status"), on="key", how="inner")
        .select("key", RATE, "seed", "status", "epoch", "ic", "val_acc")
        .sort(RATE, "seed", "key", "epoch")
    )
