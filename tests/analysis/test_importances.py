"""Optuna's importances of what a search drew."""

import dataclasses
import random
from pathlib import Path

import pytest
from store.fabricated import write_rows
from store.fabricated_effects import LR, TAU
from store.fabricated_layers import EARLY, ic_trial

from analysis import Results, open_results
from analysis.importances import ENOUGH, EVALUATORS, importances, study_of
from tic_sweep.store import Manifest

NETWORK = "model.name"


def searched(path: Path, count: int, *, samples: int) -> Results:
    """Return a search whose accuracy hangs on the rate alone."""
    rng = random.Random(0)  # noqa: S311 - no secret
    trials = []
    for _ in range(count):
        lr, tau, network = 10 ** rng.uniform(-2, 0), rng.uniform(1.5, 4.0), rng.choice(["alexnet", "resnet19"])
        trials.append(ic_trial({LR: lr, TAU: tau, NETWORK: network}, EARLY[:1], accuracy=0.5 + 0.4 * lr))
    folder = write_rows(path, trials, varied=(LR, TAU, NETWORK))
    dataclasses.replace(Manifest.load(folder.manifest), samples=samples).save(folder.manifest)
    return open_results(path)


def test_the_field_that_decides_is_the_most_important(tmp_path: Path) -> None:
    """By the forest nearly alone; importances sum to 1, the spread over resamples holds them."""
    found = importances(searched(tmp_path / "r", 24, samples=24), "accuracy")
    forest = found.filter(evaluator="fanova").to_dicts()

    assert list(EVALUATORS) == found["evaluator"].unique(maintain_order=True).to_list()
    assert LR == forest[0]["field"]
    assert forest[0]["importance"] > 0.8
    assert pytest.approx(1.0) == sum(row["importance"] for row in forest)
    assert all(0 <= row["low"] <= row["high"] <= 1 for row in forest)
    assert (24, "") == (forest[0]["n"], forest[0]["note"])


def test_few_trials_say_that_they_are_few(tmp_path: Path) -> None:
    """Below twenty nothing is to be trusted; below four nothing is said."""
    few = importances(searched(tmp_path / "a", 8, samples=8), "accuracy")

    assert {"8 trials: not to be trusted"} == set(few["note"])
    assert ENOUGH > 8
    assert importances(searched(tmp_path / "b", 3, samples=3), "accuracy").is_empty()


def test_a_grid_has_no_study(tmp_path: Path) -> None:
    """Nothing was drawn."""
    assert importances(searched(tmp_path / "r", 8, samples=0)).is_empty()


def test_study_spans_what_was_drawn(tmp_path: Path) -> None:
    """Rates over decades are logarithmic, names are categories, and IC is best low."""
    table = searched(tmp_path / "r", 12, samples=12).trials.with_columns(accuracy=1.0, ic=0.5).collect()
    study = study_of(table, [LR, TAU, NETWORK], "accuracy")
    rate, tau, network = (study.trials[0].distributions[path] for path in (LR, TAU, NETWORK))

    assert (True, False) == (rate.log, tau.log)  # type: ignore[attr-defined]
    assert ("alexnet", "resnet19") == network.choices  # type: ignore[attr-defined]
    assert ("MAXIMIZE", "MINIMIZE") == (study.direction.name, study_of(table, [LR], "ic").direction.name)
