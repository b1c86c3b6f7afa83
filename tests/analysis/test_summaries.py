"""A stored summary stands for a trial's epochs exactly as long as nothing newer is known of the trial."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from store.fabricated import STAYING, TURNING, write_sweep

from analysis import open_results, summaries
from analysis.summaries import per_trial, unsummarised
from analysis.transitions import tic_transitions
from tic_sweep.cli.tidying import tidy
from tic_sweep.config import TrialConfig, replaced, trial_key
from tic_sweep.records import EpochRow, SummaryRow, TrialRow
from tic_sweep.store import ResultsFolder, ResultsWriter

FAST, SLOW, LOST = {"optimiser.lr": 0.3}, {"optimiser.lr": 0.1}, {"optimiser.lr": 1.0}
TRIALS = [(FAST, "finished", TURNING), (SLOW, "running", STAYING), (LOST, "diverged", (4.5, 5.0))]


def key_of(changes: dict[str, Any]) -> str:
    """Return the key of a trial of `TRIALS`."""
    return trial_key(replaced(TrialConfig(timesteps=8), changes))


def assert_same_as_epochs(path: Path) -> None:
    """Hold `per_trial` to what the epochs say."""
    results = open_results(path)
    assert_frame_equal(tic_transitions(results.epochs, results.trials).collect(), per_trial(results).collect())


def without_epochs(path: Path) -> pl.DataFrame:
    """Return `per_trial` of results whose epochs have been taken away: what it says then comes from summaries."""
    folder = ResultsFolder.open(path)
    for segment in folder.segments("epochs"):
        segment.unlink()
    return per_trial(open_results(path)).collect()


def again(path: Path, changes: dict[str, Any], status: str, ic: float) -> None:
    """Start a trial again and report one more epoch of it."""
    config = replaced(TrialConfig(timesteps=8), changes)
    with ResultsWriter(ResultsFolder.open(path)) as writer:
        writer.add(
            EpochRow(
                key=trial_key(config), epoch=7, ic=ic, val_loss=1.0, val_acc=0.5, train_seconds=1.0, eval_seconds=1.0,
                fisher_seconds=1.0,
            )
        )  # fmt: skip
        writer.add(TrialRow(key=trial_key(config), sweep="demo", scale="laptop", status=status), config)


def test_per_trial_is_what_the_epochs_say(tmp_path: Path) -> None:
    """Without summaries, with them, and with some: the same frame, columns and rows in the same order."""
    write_sweep(tmp_path / "r", TRIALS)
    assert_same_as_epochs(tmp_path / "r")
    tidy(ResultsFolder.open(tmp_path / "r"))
    assert_same_as_epochs(tmp_path / "r")
    results = open_results(tmp_path / "r")

    assert tic_transitions(results.epochs, results.trials).collect_schema() == per_trial(results).collect_schema()


def test_summaries_are_of_trials_that_have_ended(tmp_path: Path) -> None:
    """The one at work has none; one that broke off has; values are those of the transition, by hand."""
    write_sweep(tmp_path / "r", TRIALS)
    rows = unsummarised(open_results(tmp_path / "r"))
    fast = rows.filter(key=key_of(FAST)).row(0, named=True)

    assert set(SummaryRow.__dataclass_fields__) == set(rows.columns)
    assert {key_of(FAST), key_of(LOST)} == set(rows["key"])
    assert (3.5, 4, 3, 1.5) == tuple(fast[name] for name in ("interpolated", "epoch", "not_before", "ic_final"))
    assert pytest.approx(0.5 / 7) == fast["ic_rel_final"]


def test_epochs_of_summarised_trials_are_not_read(tmp_path: Path) -> None:
    """Where every trial has ended, what is known of it does not need its epochs."""
    write_sweep(tmp_path / "r", [TRIALS[0], TRIALS[2]])
    tidy(ResultsFolder.open(tmp_path / "r"))

    assert {0.3: 3.5, 1.0: None} == dict(
        without_epochs(tmp_path / "r").select("optimiser.lr", "interpolated").iter_rows()
    )


def test_summary_of_a_trial_that_was_started_again_does_not_hold(tmp_path: Path) -> None:
    """A newer row of the trial makes its summary old, until it is tidied anew."""
    write_sweep(tmp_path / "r", [TRIALS[0], TRIALS[2]])
    tidy(ResultsFolder.open(tmp_path / "r"))
    again(tmp_path / "r", FAST, "running", ic=5.0)
    assert_same_as_epochs(tmp_path / "r")
    assert 0 == unsummarised(open_results(tmp_path / "r")).height
    again(tmp_path / "r", FAST, "finished", ic=5.0)
    assert 1 == unsummarised(open_results(tmp_path / "r")).height
    assert 1 == tidy(ResultsFolder.open(tmp_path / "r")).summaries

    assert_same_as_epochs(tmp_path / "r")
    assert [7] == without_epochs(tmp_path / "r").filter(key=key_of(FAST))["observed"].to_list()


def test_summary_by_another_definition_does_not_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was stored before the definition changed is computed anew."""
    write_sweep(tmp_path / "r", [TRIALS[0]])
    tidy(ResultsFolder.open(tmp_path / "r"))
    monkeypatch.setattr(summaries, "DEFINITION", "of tomorrow")

    assert 1 == unsummarised(open_results(tmp_path / "r")).height
    assert [None] == without_epochs(tmp_path / "r")["interpolated"].to_list()


def test_summaries_of_several_folders(tmp_path: Path) -> None:
    """A trial in two folders has the summary of the one it counts in, tidied or not."""
    write_sweep(tmp_path / "a", [TRIALS[1]])
    write_sweep(tmp_path / "b", [(SLOW, "finished", TURNING), TRIALS[0]])
    tidy(ResultsFolder.open(tmp_path / "b"))
    results = open_results([tmp_path / "a", tmp_path / "b"])

    assert [3.5, 3.5] == per_trial(results).collect()["interpolated"].to_list()
    assert_frame_equal(tic_transitions(results.epochs, results.trials).collect(), per_trial(results).collect())
