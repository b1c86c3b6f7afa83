"""Transitions per trial, and over seeds without flattering settings in which some have not turned."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store.fabricated import STAYING, TURNING, write_rows, write_sweep

from analysis import open_results
from analysis.transitions import over_seeds, tic_transitions, to_common_horizon
from tic_sweep.config import TrialConfig, replaced, trial_key
from tic_sweep.records import EpochRow

T_975_OF_3 = 4.302653
"""97.5 % quantile of Student's t with 2 degrees of freedom, from printed tables."""


def summed_up(*trials: tuple[str, float | None, float | None], observed: Sequence[int] = ()) -> dict[str, Any]:
    """Return `over_seeds` of one setting of trials (status, transition epoch, test accuracy), seen to epoch 15."""
    frame = pl.LazyFrame(
        {
            "lr": [0.1] * len(trials),
            "status": [status for status, _, _ in trials],
            "timesteps": [8] * len(trials),
            "observed": observed or [15] * len(trials),
            "interpolated": [epoch for _, epoch, _ in trials],
            "turned": [epoch is not None for _, epoch, _ in trials],
            "test_acc": [accuracy for _, _, accuracy in trials],
        },
        schema_overrides={"interpolated": pl.Float64, "test_acc": pl.Float64},
    )
    unseen = [pl.lit(1.0).alias(name) for name in ("ic_start", "ic_max", "ic_final", "best_test_acc")]
    return over_seeds(frame.with_columns(unseen), ["lr"]).collect().row(0, named=True)


def test_transition_of_each_trial(tmp_path: Path) -> None:
    """One trial crosses its level of 3 half way between epochs 3 and 4, the other stays up: none yet at epoch 6."""
    write_sweep(
        tmp_path / "r",
        [({"optimiser.lr": 0.3}, "finished", TURNING), ({"optimiser.lr": 0.1}, "finished", STAYING)],
    )
    results = open_results(tmp_path / "r")
    found = tic_transitions(results.epochs, results.trials).collect()
    turned, stays = found.sort("optimiser.lr", descending=True).to_dicts()

    assert (3.5, 4, 3, True, 6) == tuple(
        turned[n] for n in ("interpolated", "epoch", "not_before", "turned", "observed")
    )
    assert (4.5, 5.0, 1.5) == (turned["ic_start"], turned["ic_max"], turned["ic_final"])
    assert (None, False, 6) == (stays["interpolated"], stays["turned"], stays["observed"])


def test_trial_without_reports_keeps_its_row(tmp_path: Path) -> None:
    """A planned trial has a row of nulls: it was seen at no epoch, so it neither turned nor stayed."""
    write_sweep(tmp_path / "r", [({}, "planned", [])])
    results = open_results(tmp_path / "r")
    row = tic_transitions(results.epochs, results.trials).collect().row(0, named=True)

    assert (None, None, None) == (row["observed"], row["ic_start"], row["turned"])


def test_columns_are_the_setting_and_the_transition(tmp_path: Path) -> None:
    """Of the config only what varies is carried along, with timesteps and seed."""
    trials = [({"optimiser.lr": lr, "seed": seed}, "finished", TURNING) for lr in (0.1, 0.3) for seed in (0, 1)]
    write_sweep(tmp_path / "r", trials)
    results = open_results(tmp_path / "r")

    names = tic_transitions(results.epochs, results.trials).collect_schema().names()
    assert ["key", "sweep", "optimiser.lr", "timesteps", "seed", "status"] == names[:6]
    assert ["ic_final", "observed", "turned"] == names[-3:]


def test_mean_sd_and_interval_over_seeds() -> None:
    """Accuracies 0.4, 0.5 and 0.6 have mean 0.5, sd 0.1 and Student's interval 0.5 ± 4.30·0.1/√3."""
    row = summed_up(("finished", 3.0, 0.4), ("finished", 4.0, 0.5), ("finished", 5.0, 0.6))

    assert pytest.approx((0.5, 0.1)) == (row["test_acc_mean"], row["test_acc_sd"])
    margin = T_975_OF_3 * 0.1 / 3**0.5
    assert pytest.approx((0.5 - margin, 0.5 + margin)) == (row["test_acc_low"], row["test_acc_high"])
    assert (4.0, 1.0, 4.0) == (row["transition_mean"], row["transition_sd"], row["transition_median"])


def test_interval_of_an_accuracy_ends_at_one() -> None:
    """Of 0.8, 0.9 and 1.0 Student's interval would end at 1.15; no accuracy does."""
    row = summed_up(("finished", 3.0, 0.8), ("finished", 4.0, 0.9), ("finished", 5.0, 1.0))

    assert (pytest.approx(0.9 - T_975_OF_3 * 0.1 / 3**0.5), 1.0) == (row["test_acc_low"], row["test_acc_high"])


def test_single_seed_has_a_mean_and_no_spread() -> None:
    """Nothing is known of the spread over seeds from one seed."""
    row = summed_up(("finished", 3.0, 0.8))

    assert (0.8, None, None) == (row["test_acc_mean"], row["test_acc_sd"], row["test_acc_low"])
    assert (3.0, None) == (row["transition_mean"], row["transition_sd"])


@pytest.mark.parametrize(
    ("epochs", "median"),
    [
        ((3.0, 5.0, None), 5.0),  # the third turns later than any, if ever: the middle one is 5
        ((3.0, None, None), None),  # the middle one has not turned
        ((3.0, 5.0, None, None), None),  # the middle lies between 5 and "not yet"
        ((3.0, 5.0, 6.0, None), 5.5),
        ((None, None), None),
    ],
)
def test_seeds_that_have_not_turned_are_censored(epochs: tuple[float | None, ...], median: float | None) -> None:
    """Where some seeds have not turned there is no mean, and a median only if more than half have."""
    row = summed_up(*(("finished", epoch, 0.9) for epoch in epochs))

    assert (None, None) == (row["transition_mean"], row["transition_sd"])
    assert median == row["transition_median"]
    assert sum(epoch is not None for epoch in epochs) == row["n_turned"]


def test_other_statuses_are_counted_and_left_out_of_means() -> None:
    """A diverged and a running trial do not enter the means, and do not drop out of sight."""
    row = summed_up(("finished", 3.0, 0.8), ("diverged", None, None), ("running", 9.0, 0.1))

    assert (3, 1, 1, 1) == (row["n_seeds"], row["n_finished"], row["n_diverged"], row["n_running"])
    assert (1, 1) == (row["n_measured"], row["n_turned"])
    assert (3.0, 0.8) == (row["transition_mean"], row["test_acc_mean"])


def test_a_trial_stopped_early_is_followed_and_has_not_finished() -> None:
    """It is no finished trial in any mean of an outcome; its transition, if it came, is one."""
    row = summed_up(("finished", 3.0, 0.8), ("stopped", 5.0, 0.1), observed=(15, 8))

    assert (2, 1, 1) == (row["n_seeds"], row["n_finished"], row["n_stopped"])
    assert (2, 2, 8) == (row["n_measured"], row["n_turned"], row["observed"])
    assert (4.0, 0.8) == (row["transition_mean"], row["test_acc_mean"])


@pytest.mark.parametrize(("stopped_at", "median"), [(4, None), (6, 5.0)])
def test_a_trial_stopped_before_it_turned_is_censored_there(stopped_at: int, median: float | None) -> None:
    """Of transitions at 3, 5 and later than the stop the median is 5 only if the stop is not before 5."""
    row = summed_up(
        ("finished", 3.0, 0.8), ("finished", 5.0, 0.8), ("stopped", None, None), observed=(15, 15, stopped_at)
    )

    assert (3, 2, stopped_at) == (row["n_measured"], row["n_turned"], row["observed"])
    assert (None, median) == (row["transition_mean"], row["transition_median"])


def test_retraining_after_pruning_is_no_part_of_the_transition(tmp_path: Path) -> None:
    """A centroid that climbs again in a pruning cycle takes nothing back: the transition is the first training's."""
    config = replaced(TrialConfig(timesteps=8), {"optimiser.epochs": 6, "pruning.cycles": 1, "pruning.epochs": 3})
    rows = [
        EpochRow(
            key=trial_key(config), epoch=epoch, cycle=int(epoch > 6), ic=ic, val_loss=1.0, val_acc=0.5,
            train_seconds=1.0, eval_seconds=0.1, fisher_seconds=0.1,
        )
        for epoch, ic in enumerate((*TURNING, 6.0, 6.0, 6.0))
    ]  # fmt: skip
    write_rows(tmp_path / "r", [(config, {}, rows)])
    results = open_results(tmp_path / "r")
    row = tic_transitions(results.epochs, results.trials).collect().row(0, named=True)

    assert (3.5, 1.5, 6) == (row["interpolated"], row["ic_final"], row["observed"])


def test_timesteps_can_tell_settings_apart(tmp_path: Path) -> None:
    """A sweep over T is summed up per T."""
    write_sweep(
        tmp_path / "r", [({"timesteps": t}, "finished", (2.0, 2.5, 1.2)) for t in (4, 8)], varied=("timesteps",)
    )
    results = open_results(tmp_path / "r")
    table = over_seeds(tic_transitions(results.epochs, results.trials), ["timesteps"]).collect()

    assert [4, 8] == table["timesteps"].to_list()


def test_two_reports_are_too_few_to_tell(tmp_path: Path) -> None:
    """Before and after training: whether it turned is not known, and the two are not averaged."""
    write_sweep(tmp_path / "r", [({"timesteps": 8}, "finished", (4.5, 1.5))])
    results = open_results(tmp_path / "r")
    transitions = tic_transitions(results.epochs, results.trials)
    row = transitions.collect().row(0, named=True)
    table = over_seeds(transitions, ["timesteps"]).collect().row(0, named=True)

    assert (None, 4.5, 1.5, 3 / 3.5) == (row["turned"], row["ic_max"], row["ic_final"], row["depth"])
    assert (1, 0, 0, None) == (table["n_measured"], table["n_followed"], table["n_turned"], table["transition_mean"])


def test_transitions_are_restricted_to_what_all_were_followed_for() -> None:
    """Of a context seen to epoch 6 at least, one at 8 counts as 6 and as not come; T = 1 sets no horizon."""
    turns = pl.DataFrame(
        {
            "where": ["a", "a", "a", "a", "b"], "timesteps": [8, 8, 1, 8, 8],
            "turned": [True, False, False, None, True], "interpolated": [8.0, None, None, None, 8.0],
            "observed": [9, 6, 2, 3, 9],
        },
        schema_overrides={"interpolated": pl.Float64},
    ).lazy()  # fmt: skip
    found = to_common_horizon(turns, ["where"]).collect()

    assert [6.0, 6.0, None, None, 8.0] == found["transition"].to_list()
    assert [False, False, None, None, True] == found["turned"].to_list()
    assert [6, 6, 6, 6, 9] == found["horizon"].to_list()
    assert [6] * 5 == to_common_horizon(turns).collect()["horizon"].to_list()
