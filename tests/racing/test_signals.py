"""Signals: what was reported up to an epoch, as a merit; what is missing or diverged ranks last."""

import math

import pytest
from racing.races import curve, turning

from tic_sweep.racing.signals import ACCURACY, HYBRID, LAST, LAST_ACCURACY, LOSS, TRANSITION, ByColumn, ByRanks, Course


def course(*args: object, diverged: bool = False, **kwargs: object) -> Course:
    """Return a recorded curve as a course."""
    made = curve(*args, **kwargs)  # type: ignore[arg-type]
    return Course(made.runner, made.looks, diverged=diverged)


def test_the_last_accuracy_up_to_the_epoch() -> None:
    """What comes later is not looked at; a mean over reports is."""
    rising = [course(0.1, acc=lambda e: e / 10)]

    assert [0.3] == LAST_ACCURACY(rising, 3)
    assert [pytest.approx(0.2)] == ACCURACY(rising, 3)


def test_a_loss_counts_downwards() -> None:
    """A column that is missing ranks last."""
    assert [LAST] == LOSS([course(0.1)], 3)
    assert [-2.0] == ByColumn("val_acc", sign=-1)([course(0.1, acc=2.0)], 3)


@pytest.mark.parametrize("acc", [None, math.nan, math.inf])
def test_what_is_no_number_ranks_last(acc: float | None) -> None:
    """NaN never passes for a merit."""
    assert [LAST] == ACCURACY([course(0.1, acc=lambda _: acc)], 3)


@pytest.mark.parametrize("signal", [ACCURACY, TRANSITION, HYBRID])
def test_diverged_ranks_last(signal: ByRanks) -> None:
    """However good it looked before."""
    good, bad = course(0.1, acc=0.9, ic=turning(2), diverged=True), course(0.2, acc=0.1, ic=turning(6))

    merits = signal([good, bad], 8)

    assert LAST == merits[0] < merits[1]


def test_early_turns_rank_first() -> None:
    """At an epoch that one has turned by and the other not, and without a centroid last."""
    early, late, none = course(0.1, ic=turning(2)), course(0.2, ic=turning(6)), course(0.3)

    merits = TRANSITION([early, late, none], 5)

    assert merits[0] > merits[1] > merits[2] == LAST
    assert (ACCURACY.looks_at_ic, TRANSITION.looks_at_ic, HYBRID.looks_at_ic) == (False, True, True)


def test_ranks_by_hand() -> None:
    """Accuracy ranks 1, 1/4, 1/4 (a tie); transition 0, 1, 1/2; half of each."""
    courses = [course(0.1, acc=0.9, ic=turning(6)), course(0.2, ic=turning(2)), course(0.3, ic=turning(4))]

    assert [pytest.approx(x) for x in (1 / 2, (1 / 4 + 1) / 2, (1 / 4 + 1 / 2) / 2)] == HYBRID(courses, 8)


def test_the_transition_counts_once_there_is_one() -> None:
    """While nothing has turned accuracy alone ranks, whatever IC does; then half of each."""
    courses = [course(0.1, acc=0.9, ic=[4.0] * 9), course(0.2, acc=0.1, ic=[5.0] * 4 + [1.5] * 5)]

    assert [1.0, 0.0] == HYBRID(courses, 3)
    assert [0.5, 0.5] == HYBRID(courses, 8)


def test_a_signal_without_weight_is_not_asked_for() -> None:
    """Accuracy alone needs no centroid."""
    assert not ByRanks((ACCURACY, TRANSITION), (1.0, 0.0)).looks_at_ic
