"""The information centroid (Eq. 7)."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tic_sweep.centroid import information_centroid, information_end, relative_centroid

TRACES = st.lists(st.floats(0, 1e30), min_size=1, max_size=20).filter(lambda trace: sum(trace) > 1e-30)


@pytest.mark.parametrize(
    ("trace_T", "expected"),
    [((1.0, 0.0, 0.0), 1.0), ((0.0, 0.0, 5.0), 3.0), ((1.0, 0.0, 3.0), 2.5), ((2.0,), 1.0), ((3, 1), 1.25)],
)
def test_by_hand(trace_T: tuple[float, ...], expected: float) -> None:
    """The centroid is the mean of t, weighted by the trace."""
    assert expected == information_centroid(trace_T)


@given(st.integers(1, 100), st.floats(1e-30, 1e30))
def test_a_uniform_trace_is_centred(timesteps: int, height: float) -> None:
    """A trace that is the same at every t has its centroid at (T + 1) / 2."""
    assert information_centroid([height] * timesteps) == pytest.approx((timesteps + 1) / 2, rel=1e-12)


@given(TRACES, st.integers(-60, 60))
def test_scale_does_not_matter(trace_T: list[float], exponent: int) -> None:
    """Multiplying the trace by a power of two leaves the centroid as it is."""
    scaled = [math.ldexp(i_t, exponent) for i_t in trace_T]

    assert information_centroid(trace_T) == pytest.approx(information_centroid(scaled), rel=1e-12)


@given(TRACES)
def test_the_centroid_lies_in_time(trace_T: list[float]) -> None:
    """The centroid is between 1 and T, up to rounding."""
    assert 1 - 1e-12 <= information_centroid(trace_T) <= len(trace_T) * (1 + 1e-12)


@given(TRACES)
def test_time_reversed(trace_T: list[float]) -> None:
    """A trace played backwards has its centroid mirrored about the middle."""
    there, back = information_centroid(trace_T), information_centroid(trace_T[::-1])

    assert len(trace_T) + 1 == pytest.approx(there + back, rel=1e-12)


@pytest.mark.parametrize("trace_T", [(), (0.0, 0.0), (math.nan, 1.0), (math.inf, 1.0), (1.0, math.nan)])
def test_without_information_there_is_no_centroid(trace_T: tuple[float, ...]) -> None:
    """An empty, zero or infinite trace has no centroid."""
    assert math.isnan(information_centroid(trace_T))


@pytest.mark.parametrize(("ic", "timesteps", "expected"), [(1.0, 8, 0.0), (8.0, 8, 1.0), (4.5, 8, 0.5), (2.0, 5, 0.25)])
def test_relative_centroid(ic: float, timesteps: int, expected: float) -> None:
    """The relative centroid runs from 0 at the first timestep to 1 at the last."""
    assert expected == relative_centroid(ic, timesteps)


@pytest.mark.parametrize(("ic", "timesteps"), [(1.0, 1), (math.nan, 8)])
def test_no_relative_centroid(ic: float, timesteps: int) -> None:
    """A single timestep, or no centroid, has no relative centroid."""
    assert math.isnan(relative_centroid(ic, timesteps))


@pytest.mark.parametrize(
    ("trace_T", "end"),
    [
        ((10.0, 5.0, 0.1, 0.2), 2),
        ((10.0, 0.1, 5.0, 0.2), 3),  # a gap is not the end
        ((1.0, 1.0, 1.0), 3),
        ((0.0, 0.0, 1.0), 3),
        ((100.0, 5.0, 5.1), 3),
        ((100.0, 5.0, 5.0), 1),  # at most 5 % is near zero
        ((7.0,), 1),
        ((0.0, 0.0, 0.0), 3),
        ((math.nan, 1.0), 2),
        ((math.inf, 1.0), 2),
    ],
)
def test_the_end_of_information(trace_T: tuple[float, ...], end: int) -> None:
    """The last timestep above 5 % of the largest; T where there is none to see."""
    assert end == information_end(trace_T)


@given(TRACES, st.integers(-60, 60))
def test_the_end_does_not_depend_on_the_scale(trace_T: list[float], exponent: int) -> None:
    """It lies in 1..T, and a power of two changes nothing."""
    scaled = [i_t * 2.0**exponent for i_t in trace_T]

    assert 1 <= information_end(trace_T) <= len(trace_T)
    assert information_end(trace_T, near_zero=0.0) == max(t for t, i_t in enumerate(trace_T, 1) if i_t > 0)
    if all(i_t == 0 or i_t > 1e-280 for i_t in scaled):  # no underflow
        assert information_end(trace_T) == information_end(scaled)
