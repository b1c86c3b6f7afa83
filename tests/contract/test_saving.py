"""What retraining with fewer timesteps saves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tic_sweep.saving import compute_cost, compute_saving

COUNTS = st.integers(0, 500)


def test_the_papers_example() -> None:
    """N = 300 at T = 5, five cycles of 60 epochs at T_retrain = 3: a fifth, exactly."""
    assert 0.2 == compute_saving(300, 5, 5, 60, 3)


@pytest.mark.parametrize(("retrain_timesteps", "cost"), [(5, 3000), (3, 2400), (2, 2100)])
def test_cost_by_hand(retrain_timesteps: int, cost: int) -> None:
    """300 * 5 + 60 * 5 * T_retrain timestep-epochs."""
    assert cost == compute_cost(300, 5, 5, 60, retrain_timesteps)


def test_nothing_to_compute_saves_nothing() -> None:
    """A trial without epochs has no share to save."""
    assert 0.0 == compute_saving(0, 5, 0, 60, 3)


@given(COUNTS, st.integers(1, 20), COUNTS, COUNTS, st.integers(1, 20))
def test_the_saving_is_the_cost_not_paid(epochs: int, timesteps: int, cycles: int, retrain: int, fewer: int) -> None:
    """The share is that of the cost with T throughout; retraining as long as before saves nothing."""
    whole, paid = (compute_cost(epochs, timesteps, cycles, retrain, t) for t in (timesteps, fewer))

    assert pytest.approx(whole - paid) == compute_saving(epochs, timesteps, cycles, retrain, fewer) * whole
    assert 0.0 == compute_saving(epochs, timesteps, cycles, retrain, timesteps)
