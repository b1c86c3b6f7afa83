"""The transition score of every trial, from rows small enough to check by hand."""

from pathlib import Path

import pytest
from store.fabricated import STAYING, TURNING, write_rows
from store.fabricated_layers import ic_trial

from analysis import open_results
from analysis.scores import tic_scores
from tic_sweep.config import trial_key


def test_scores_by_hand(tmp_path: Path) -> None:
    """One crosses its level at epoch 3.5; one stays on its plateau of 5 of 8: 10 * (2 - 3/4 * 4/7); one has no IC."""
    base = {"optimiser.epochs": 10}
    trials = [ic_trial(base | {"seed": seed}, ic) for seed, ic in enumerate((TURNING, STAYING, ()))]
    results = open_results(write_rows(tmp_path / "r", trials).root)

    scores = dict(tic_scores(results.epochs, results.trials).collect().iter_rows())

    turned, staying = (trial_key(config) for config, _, _ in trials[:2])
    assert {turned: pytest.approx(3.5), staying: pytest.approx(10 * (2 - 3 / 7))} == scores


def test_retraining_does_not_count(tmp_path: Path) -> None:
    """What IC does after pruning is another question."""
    trials = [ic_trial({"optimiser.epochs": 3, "pruning.cycles": 1, "pruning.epochs": 4}, TURNING)]
    results = open_results(write_rows(tmp_path / "r", trials).root)

    assert 3 < tic_scores(results.epochs, results.trials).collect()["tic_score"].item()
