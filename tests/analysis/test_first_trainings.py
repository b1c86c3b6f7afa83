"""Trials that differ in pruning alone share their first training, and count once where it is the question."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store.fabricated import write_rows
from store.fabricated_layers import EARLY, ic_trial

from analysis import Results, open_results
from analysis.claims import check_claims
from analysis.first_trainings import first_trainings
from analysis.setting_texts import difference_texts
from analysis.tables import finding

PRUNED = {"optimiser.epochs": 6, "pruning.cycles": 1, "pruning.epochs": 2}
CURVE = (*EARLY, 5.0, 5.0)
"""IC over six epochs of training, then over two of a cycle."""


def retrained(t: int, seed: int, **values: Any) -> Any:
    """Return a trial that was retrained with t timesteps."""
    return ic_trial(PRUNED | {"pruning.timesteps": t, "seed": seed}, CURVE, **values)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Return two seeds, each retrained with 2 and with 3 timesteps; one of the first has not finished."""
    trials = [retrained(2, 0, status="running"), retrained(2, 1), retrained(3, 0), retrained(3, 1)]
    write_rows(tmp_path / "r", trials, varied=("pruning.timesteps",))
    return open_results(tmp_path / "r")


def test_a_first_training_is_one_trial_of_one_setting(results: Results) -> None:
    """Of each seed one trial is left, a finished one, without the rows of its cycle."""
    part = first_trainings(results)
    trials = part.trials.collect()

    assert ([0, 1], {"finished"}, ("sweep",)) == (trials["seed"].sort().to_list(), set(trials["status"]), part.settings)
    assert (6, 6) == (part.epochs.collect()["epoch"].max(), part.fisher.collect()["epoch"].max())


def test_results_without_pruning_stay_as_they_are(tmp_path: Path) -> None:
    """There is nothing to leave out."""
    write_rows(tmp_path / "r", [ic_trial({}, EARLY)])
    results = open_results(tmp_path / "r")

    assert results is first_trainings(results)


def test_claims_count_a_first_training_once(results: Results) -> None:
    """Two seeds in one setting, not two in each of two."""
    rows = check_claims(results).filter(pl.col("claim") == "F1a").select("where", "n").rows()

    assert [("", 2)] == rows


def test_what_pruning_cannot_change_is_not_compared(results: Results) -> None:
    """No retraining turned before another; nothing differs in its transition or in its best accuracy."""
    assert "The information centroid turned at epoch 2.5 ± 0.0 (2 of 2 seeds)." == finding(results)
    assert difference_texts(results) is None
