"""What a trial comes to: restricted transitions, where IC ends, accuracy, and what corruptions cost."""

from pathlib import Path
from typing import Any

import pytest
from store.fabricated import write_rows
from store.fabricated_effects import LR, TAU, T
from store.fabricated_layers import EARLY, HIGH, LATE, ic_trial
from store.fabricated_probes import probed_trial

from analysis import Results, open_results
from analysis.outcomes import effect_part, measured, outcome_table, outcomes_of, restricted


def opened(path: Path, *trials: Any, varied: tuple[str, ...] = (TAU,)) -> Results:
    """Write trials and open them."""
    write_rows(path, trials, varied=varied)
    return open_results(path)


def test_outcomes_of_each_trial(tmp_path: Path) -> None:
    """What has not turned counts as turning at the horizon, 6; of T = 8 an IC of 1.5 is 0.5 / 7 of the way."""
    part, fields = effect_part(
        opened(tmp_path / "r", ic_trial({TAU: 2.0}, EARLY, accuracy=0.8), ic_trial({TAU: 4.0}, HIGH))
    )
    turning, high = outcome_table(part, fields).sort(TAU).to_dicts()

    assert (TAU,) == fields
    assert (2.5, True, 6, pytest.approx(80.0)) == tuple(
        turning[x] for x in ("transition", "turned", "horizon", "accuracy")
    )
    assert (6.0, False) == (high["transition"], high["turned"])
    assert (pytest.approx(0.5 / 7), pytest.approx(4 / 7)) == (turning["ic"], high["ic"])


def test_transitions_can_be_restricted_further(tmp_path: Path) -> None:
    """By epoch 4 a turn at 4.5 has not come; what was not measured stays unknown."""
    part, fields = effect_part(opened(tmp_path / "r", ic_trial({TAU: 2.0}, EARLY), ic_trial({TAU: 4.0}, LATE)))
    table = restricted(outcome_table(part, fields), 4).sort(TAU)
    unknown = restricted(table.clear(3), 4)

    assert [2.5, 4.0] == table["transition"].to_list()
    assert [True, False] == table["turned"].to_list()
    assert [4, 4] == table["horizon"].to_list()
    assert ([None] * 3, [None] * 3) == (unknown["transition"].to_list(), unknown["turned"].to_list())


def test_a_single_timestep_has_no_transition_and_no_place(tmp_path: Path) -> None:
    """Information at T = 1 cannot move: such a trial is not one that turned late, and its record sets no horizon."""
    part, fields = effect_part(
        opened(
            tmp_path / "r", ic_trial({T: 1}, (1.0,) * 4, accuracy=0.5), ic_trial({T: 8}, EARLY), varied=(T,)
        )
    )  # fmt: skip
    single, eight = outcome_table(part, fields).sort(T).to_dicts()

    assert (None, None, None, 50.0) == tuple(single[x] for x in ("transition", "turned", "ic", "accuracy"))
    assert (2.5, 6) == (eight["transition"], eight["horizon"])


def test_outcomes_are_worked_out_once_per_look(tmp_path: Path) -> None:
    """The same frame for the same results; another look looks again."""
    results = opened(tmp_path / "r", ic_trial({TAU: 2.0}, EARLY), ic_trial({TAU: 4.0}, HIGH))
    first, again, other = outcomes_of(results), outcomes_of(results), outcomes_of(open_results(tmp_path / "r"))

    assert first[0] is again[0]
    assert other[0] is not first[0]
    assert other[0].equals(first[0])  # row by row in the same order


def test_trials_that_have_not_finished_stay_without_outcomes(tmp_path: Path) -> None:
    """They are rows, so that they can be counted."""
    part, fields = effect_part(
        opened(tmp_path / "r", ic_trial({TAU: 2.0}, EARLY), ic_trial({TAU: 4.0}, EARLY, status="diverged"))
    )
    table = outcome_table(part, fields).sort(TAU)

    assert [False, True] == table["accuracy"].is_null().to_list()
    assert [False, True] == table["transition"].is_null().to_list()
    assert ["transition", "ic", "accuracy"] == measured(table)


def test_ic_measured_too_rarely_has_no_transition(tmp_path: Path) -> None:
    """Of two reports neither can confirm a turn: not even that none has come is known."""
    part, fields = effect_part(opened(tmp_path / "r", ic_trial({TAU: 2.0}, (5.0, 1.5)), ic_trial({TAU: 4.0}, HIGH[:2])))
    table = outcome_table(part, fields)

    assert [None, None] == table["turned"].to_list()
    assert ["ic", "accuracy"] == measured(table)


def test_robustness_is_what_corruptions_cost_at_the_last_epoch(tmp_path: Path) -> None:
    """Of a clean accuracy of 0.9, noise leaves 0.6: 30 points; other strengths and epochs do not count."""
    trials = [
        probed_trial(
            {TAU: tau}, robustness={1: {"gaussian": {1.0: 0.1}}, 2: {"gaussian": {0.5: 0.8, 1.0: left}}},
            best_test_acc=0.9,
        )
        for tau, left in ((2.0, 0.6), (4.0, 0.7))
    ]  # fmt: skip
    part, fields = effect_part(opened(tmp_path / "r", *trials))
    table = outcome_table(part, fields).sort(TAU)

    assert pytest.approx([30.0, 20.0]) == table["robustness_gaussian"].to_list()
    assert ["robustness_gaussian"] == measured(table, "robustness")


def test_fields_are_those_that_tell_settings_apart(tmp_path: Path) -> None:
    """An image size follows from its data set; without anything varied there is no field."""
    trials = [
        ic_trial({"data.name": name, "data.image_size": size, LR: lr}, EARLY)
        for name, size in (("cifar10", 16), ("fashion_mnist", 14))
        for lr in (0.1, 0.3)
    ]
    varied = ("data.image_size", "data.name", LR)
    _, fields = effect_part(opened(tmp_path / "a", *trials, varied=varied))
    _, none = effect_part(opened(tmp_path / "b", ic_trial({}, EARLY), varied=()))

    assert 2 == len(fields)
    assert LR in fields
    assert () == none
