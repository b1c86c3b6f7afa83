"""The spread between seeds, pooled over rates, and that of a share of images."""

import math

import pytest

from tic_sweep.racing.spread import pooled_sd, standard_error


def test_pooled_by_hand() -> None:
    """Squares of 2 and 8 about the means 2 and 12, two degrees of freedom; single and infinite values say nothing."""
    assert math.sqrt((2 + 8) / 2) == pytest.approx(pooled_sd([[1, 3], [10, 14], [7], [5, -math.inf]]))


@pytest.mark.parametrize("groups", [[], [[1.0]], [[1.0], [2.0]], [[1.0, -math.inf]]])
def test_without_replicates_there_is_none(groups: list[list[float]]) -> None:
    """One value a rate has no spread."""
    assert pooled_sd(groups) is None


def test_standard_errors() -> None:
    """By seeds where there are two of any rate; else by images; else unknown."""
    assert 1.0 == standard_error([0.5] * 4, 2.0, 100)
    assert 0.05 == pytest.approx(standard_error([0.5], None, 100))
    assert 0.01 == pytest.approx(standard_error([1.0], None, 100))  # never quite certain
    assert standard_error([0.5], None, 0) is None
    assert standard_error([-3.0], None, 100) is None
