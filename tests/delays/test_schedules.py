"""σ over epochs, and which parameters are delays."""

import pytest
from delays.delay_cases import small_network

from tic_sweep.delays import FINAL_SIGMA, SigmaSchedule, positions_and_others, published_schedule


def test_sigma_halves_evenly_and_arrives_exactly():
    """From 8 to 0.5 in four epochs it halves each time; from then on it is the final width itself."""
    schedule = SigmaSchedule(start=8, epochs=4, final=0.5)

    assert [8, 4, 2, 1, 0.5, 0.5] == pytest.approx([schedule.after(e) for e in range(6)])
    assert 0.5 == schedule.after(4)


def test_the_published_schedule():
    """Kernel 25, 150 epochs: from 12 to 0.23, which is reached exactly after 37 epochs and not before."""
    schedule = published_schedule(24, 150)

    assert 12 == schedule.after(0)
    assert schedule.after(36) > 0.23
    assert 0.23 == schedule.after(37) == schedule.after(150) == FINAL_SIGMA


def test_each_published_step_multiplies_by_the_same_factor():
    """The rule as published: σ times (0.23 / 12)^(1 / 37) after each epoch."""
    schedule, sigma = published_schedule(24, 150), 12.0
    for epoch in range(37):
        assert sigma == pytest.approx(schedule.after(epoch))
        sigma *= (0.23 / 12) ** (1 / 37)


@pytest.mark.parametrize("max_delay", [0, 1])
def test_kernels_too_short_to_spread_are_narrow_from_the_start_to_the_end(max_delay: int):
    """Without delays there is nothing to spread, and with few epochs nothing to wait for."""
    assert 0.23 == published_schedule(max_delay, 3).after(0)


def test_positions_and_other_parameters_are_told_apart():
    """Two delay layers have positions; weights, γ and β are the rest; what is fixed is in neither."""
    positions, others = positions_and_others(small_network())
    fixed, _ = positions_and_others(small_network(learn_delays=False))

    assert [(6, 4), (3, 6)] == [tuple(p.shape) for p in positions]
    assert 4 == len(others)
    assert [] == fixed
