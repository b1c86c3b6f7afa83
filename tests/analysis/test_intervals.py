"""Intervals against published values and hand calculation; the same answer at every call; honest about too few."""

import math

import pytest

from analysis.intervals import bootstrap, equivalence, geometric, least, student, student_reach, wilson

T_975_OF_3 = 4.302653
"""97.5 % quantile of Student's t with 2 degrees of freedom, from printed tables."""
T_950_OF_3 = 2.919986


def test_wilson_interval_is_the_published_one() -> None:
    """Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662, and 0 of 20 gives 0 to 0.1611."""
    assert pytest.approx((81 / 263, 0.2553, 0.3662), abs=5e-5) == wilson(81, 263)[:3]  # type: ignore[index]
    assert pytest.approx((0.0, 0.0, 0.1611), abs=5e-5) == wilson(0, 20)[:3]  # type: ignore[index]
    assert wilson(0, 0) is None


def test_student_interval_by_hand() -> None:
    """1, 2 and 3 have mean 2 and standard error 1/√3."""
    margin = T_975_OF_3 / math.sqrt(3)

    assert pytest.approx((2.0, 2 - margin, 2 + margin)) == student([1.0, 2.0, 3.0])[:3]  # type: ignore[index]
    assert student([1.0]) is None


def test_students_t_from_printed_tables() -> None:
    """97.5 % and 95 % quantiles with 2 degrees of freedom; without any there is no interval."""
    assert pytest.approx((T_975_OF_3, T_950_OF_3)) == (student_reach(2), student_reach(2, 0.9))
    assert math.isnan(student_reach(0))


def test_equal_values_have_a_point_for_an_interval() -> None:
    """Differences that are equal on paper are equal, whatever rounding left in them."""
    assert (0.01, 0.01, 0.01, 0.95) == student([0.81 - 0.8, 0.91 - 0.9, 0.01])


def test_equivalence_by_hand() -> None:
    """0.1, 0.2 and 0.3 have mean 0.2 and standard error 0.1/√3: t = 12.1 from -0.5, and 5.2 to +0.5."""
    tested = equivalence([0.1, 0.2, 0.3], 0.5)
    assert tested is not None
    error = 0.1 / math.sqrt(3)

    margin = T_950_OF_3 * error
    assert pytest.approx((0.2, 0.2 - margin, 0.2 + margin, 0.9)) == tested.interval
    # With 2 degrees of freedom the tail beyond t is (1 - t/√(2 + t²))/2.
    above, below = 0.7 / error, 0.3 / error
    tails = [(1 - t / math.sqrt(2 + t * t)) / 2 for t in (above, below)]
    assert pytest.approx(tails) == [tested.p_above, tested.p_below]
    assert tested.p == tested.p_below


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([0.1, 0.2, 0.3], "equivalent"),
        ([1.1, 1.2, 1.3], "different"),
        ([0.4, 0.5, 0.6], "undecided"),
        ([0.0, 0.0], "equivalent"),
        ([0.5, 0.5], "undecided"),
        ([0.6, 0.6], "different"),
    ],
)
def test_equivalence_says_the_same_by_interval_and_by_p(differences: list[float], verdict: str) -> None:
    """The 90 % interval lies within the margin exactly if p is below 0.05; a bound at the margin decides nothing."""
    tested = equivalence(differences, 0.5)
    assert tested is not None

    assert verdict == tested.verdict(0.5)
    assert (verdict == "equivalent") == (tested.p < 0.05)


def test_bootstrap_repeats_itself_and_agrees_with_theory() -> None:
    """The mean of a hundred coins with 30 heads has standard error √(0.3·0.7/100) = 0.0458."""
    coins = [1.0] * 30 + [0.0] * 70
    interval = bootstrap(coins)
    assert interval is not None

    assert bootstrap(coins) == interval
    assert pytest.approx((0.3, 0.3 - 1.96 * 0.0458, 0.3 + 1.96 * 0.0458), abs=0.011) == interval[:3]
    assert bootstrap([1.0] * 9) is None
    assert (1.0, 1.0, 1.0, 0.95) == bootstrap([1.0] * 10)


def test_geometric_mean_of_ratios() -> None:
    """1/2 and 2 average to 1, with an interval as far above as below."""
    interval = geometric([0.5, 2.0])
    assert interval is not None

    assert pytest.approx(1.0) == interval.value
    assert pytest.approx(1.0) == interval.low * interval.high


def test_least_of_several_means() -> None:
    """The lower end is that of the lowest sample, the upper end is corrected for having looked at two."""
    low, high = [1.0, 2.0, 3.0], [11.0, 12.0, 13.0]
    interval = least([high, low])
    assert interval is not None

    assert pytest.approx((2.0, 2 - T_975_OF_3 / math.sqrt(3))) == interval[:2]
    assert pytest.approx(2 + 6.205347 / math.sqrt(3)) == interval.high  # 98.75 % quantile
    assert least([low, [1.0]]) is None
    assert least([]) is None
