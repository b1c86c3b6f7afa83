"""The score: the epoch of the transition, or something later that still tells trials apart."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from racing.races import T, looks, turning

from tic_sweep.racing import sight, tic_score

E = 8
CURVES = st.lists(st.one_of(st.floats(1, T), st.none(), st.just(math.nan)), max_size=E + 1)


def score(ic: list[float | None], se: float | None = None) -> float:
    """Return the score of a record."""
    return tic_score(sight(looks(ic, se), T), E)


def test_turned_scores_its_epoch() -> None:
    """The level of 3 is crossed 4/7 of the way from report 3 at 5 to report 4 at 1.5."""
    assert 3 + 4 / 7 == pytest.approx(score(turning(4)))


def test_order() -> None:
    """Early before late, late before nearly, nearly before never, never before nothing known."""
    nearly = [5.0, 5.0, 5.0, 4.5, 4.0, 3.6, 3.2, 3.1, 3.1]
    flat = [4.5] * 9
    early, late = turning(2), turning(6)

    scores = [score(list(ic)) for ic in (early, late, nearly, flat, [])]

    assert sorted(scores) == scores
    assert len(set(scores)) == len(scores)
    assert scores[1] <= E < scores[2]
    assert 2 * E == scores[-1]


@given(CURVES, st.one_of(st.none(), st.floats(0, 3)))
def test_never_nan_and_bounded(ic: list[float | None], se: float | None) -> None:
    """A turned trial scores at most the horizon, any other more, at most twice as much."""
    found = sight(looks(ic, se), T)

    value = tic_score(found, E)

    assert (0 <= value <= E) if found.state == "turned" else (E <= value <= 2 * E)


@given(st.floats(1.1, T), st.floats(1.1, T))
def test_those_on_their_plateau_are_told_apart(one: float, other: float) -> None:
    """The higher plateau scores better, where the two differ at all: IC rises while a network begins to learn."""
    a, b = (score([height] * 5) for height in (one, other))

    if abs(one - other) > 1e-6:
        assert (a < b) == (one > other)


def test_by_hand() -> None:
    """From a plateau of 5 a quarter of the way down: half way to the level; 8 * (2 - 1/4 * 1/2 - 3/4 * 4/7)."""
    assert 8 * (2 - 1 / 8 - 3 / 7) == pytest.approx(score([5.0, 5.0, 5.0, 4.0, 4.0]))
