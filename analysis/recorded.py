"""Trainings recorded in a results folder, as curves that races are replayed over (`tic_sweep.racing.replay`).

A *task* is a stratum whose rates and seeds make a full grid: every rate trained to its end with every seed. Seeds that
not all rates have ended with are left out, so that a running sweep can be looked at.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import polars as pl

from analysis.results import Results
from tic_sweep.config import DATASETS
from tic_sweep.racing import Look, Runner, runner_of
from tic_sweep.racing.replay import Curve
from tic_sweep.records import ENDED
from tic_sweep.store import stored_config

LOOK = ("epoch", "ic", "ic_se", "val_acc", "val_loss", "train_loss")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A full grid of rates and seeds."""

    name: str
    """Data set, architecture and T."""
    curves: Mapping[tuple[float, int], Curve]
    """The record of each rate and seed."""
    test_acc: Mapping[tuple[float, int], float]
    """Test accuracy at the end; chance for a training that diverged."""
    fisher_cost: float
    """Median seconds of a Fisher measurement over median seconds of a training epoch."""

    @property
    def rates(self) -> tuple[float, ...]:
        """The learning rates, increasing."""
        return tuple(sorted({rate for rate, _ in self.curves}))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, increasing."""
        return tuple(sorted({seed for _, seed in self.curves}))

    @property
    def means(self) -> dict[float, float]:
        """Test accuracy of each rate, its mean over the seeds."""
        return {rate: fmean(self.test_acc[rate, seed] for seed in self.seeds) for rate in self.rates}

    def at(self, seeds: Collection[int] | None) -> "Task":
        """Return the part of the task with some of the seeds; None is all."""
        if seeds is None:
            return self
        kept = {place: curve for place, curve in self.curves.items() if place[1] in seeds}
        return replace(self, curves=kept, test_acc={place: self.test_acc[place] for place in kept})


def recorded_tasks(results: Results) -> list[Task]:
    """Return every task of the results that has a seed with which all rates have ended, by name."""
    looks, seconds = looks_of(results.epochs), _fisher_costs(results)
    strata: dict[str, list[tuple[Runner, dict[str, Any]]]] = {}
    for row in results.trials.sort("key").collect().iter_rows(named=True):
        runner = runner_of(stored_config(row))
        strata.setdefault(runner.stratum, []).append((runner, row))
    tasks = [_task(own, looks, seconds) for own in strata.values()]
    return sorted((task for task in tasks if task is not None), key=lambda task: task.name)


def _task(
    planned: list[tuple[Runner, dict[str, Any]]],
    looks: Mapping[str, tuple[Look, ...]],
    seconds: Mapping[str, tuple[float, float]],
) -> Task | None:
    rates = {runner.rate for runner, _ in planned}
    own = [(runner, row) for runner, row in planned if row["status"] in ENDED]
    ended = {seed: {r.rate for r, _ in own if r.seed == seed} for seed in {r.seed for r, _ in own}}
    whole = [(runner, row) for runner, row in own if ended[runner.seed] == rates]
    if not whole:
        return None
    row = whole[0][1]
    return Task(
        name=f"{row['data.name']}, {row['model.name']}, T = {row['timesteps']}",
        curves={(r.rate, r.seed): Curve(r, looks.get(r.key, ()), row["status"]) for r, row in whole},
        test_acc={(r.rate, r.seed): _accuracy(row) for r, row in whole},
        fisher_cost=_ratio([seconds[r.key] for r, _ in whole if r.key in seconds]),
    )


def _accuracy(row: Mapping[str, Any]) -> float:
    accuracy = row["test_acc"] if row["status"] == "finished" else None
    return 1 / DATASETS[row["data.name"]].classes if accuracy is None or math.isnan(accuracy) else accuracy


def looks_of(epochs: pl.LazyFrame, columns: Sequence[str] = LOOK) -> dict[str, tuple[Look, ...]]:
    """Return the reports of every trial's first training, by increasing epoch, with some of their columns."""
    first_training = pl.col("cycle").fill_null(0) == 0
    looks: dict[str, list[Look]] = {}
    for key, *values in (
        epochs.filter(first_training).sort("key", "epoch").select("key", *columns).collect().iter_rows()
    ):
        looks.setdefault(key, []).append(Look(**dict(zip(columns, values, strict=True))))
    return {key: tuple(own) for key, own in looks.items()}


def _fisher_costs(results: Results) -> dict[str, tuple[float, float]]:
    """Return the median seconds of a Fisher measurement and of a training epoch, by trial."""
    measured, trained = pl.col("fisher_seconds") > 0, pl.col("epoch") > 0
    medians = results.epochs.group_by("key").agg(
        pl.col("fisher_seconds").filter(measured & trained).median(), pl.col("train_seconds").filter(trained).median()
    )
    return {key: (f or 0.0, t or 0.0) for key, f, t in medians.collect().iter_rows()}


def _ratio(seconds: Sequence[tuple[float, float]]) -> float:
    ratios = sorted(fisher / train for fisher, train in seconds if train > 0)
    return ratios[len(ratios) // 2] if ratios else 0.0
