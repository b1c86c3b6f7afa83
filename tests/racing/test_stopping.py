"""Policies that stop: by hand on a few curves, seeds of a rate never against each other."""

import pytest
from racing.races import curve, turning

from tic_sweep.errors import ConfigError
from tic_sweep.racing import build_policy
from tic_sweep.racing.replay import replay
from tic_sweep.racing.signals import LAST_ACCURACY
from tic_sweep.racing.stopping import AshaStopping, MedianStopping, TransitionRace

ACC = {0.1: 0.5, 0.2: 0.9, 0.4: 0.7, 0.8: 0.6}
CURVES = [curve(rate, acc=acc) for rate, acc in ACC.items()]


def test_asha_by_hand() -> None:
    """Of one the best half is one, of two one, of three two with the median, of four two."""
    went = replay(AshaStopping(LAST_ACCURACY, eta=2, first=0.25), CURVES)

    assert {"a/0.1/0": 8, "a/0.2/0": 8, "a/0.4/0": 8, "a/0.8/0": 2} == went.reached
    assert 0.2 == went.recommendation.rate


def test_median_by_hand() -> None:
    """From two others on, what is below their median stops at once after the first epochs."""
    went = replay(MedianStopping(LAST_ACCURACY, first=0.25), CURVES)

    assert {"a/0.1/0": 8, "a/0.2/0": 8, "a/0.4/0": 8, "a/0.8/0": 2} == went.reached


@pytest.mark.parametrize(
    "policy", [AshaStopping(LAST_ACCURACY, eta=2, first=0.25), MedianStopping(LAST_ACCURACY, first=0.25)]
)
def test_seeds_of_a_rate_do_not_race(policy: AshaStopping) -> None:
    """With a single rate nothing is ever stopped, whatever its seeds do."""
    went = replay(policy, [curve(0.1, seed, acc=1 / (seed + 1)) for seed in range(5)])

    assert {8} == set(went.reached.values())


def test_first_turn_stops_what_has_its_answer() -> None:
    """Turned at 3 and confirmed at 4; at most 1.25 times as long for the others, which is until epoch 4."""
    curves = [curve(0.1, ic=turning(3)), curve(0.2, ic=turning(7)), curve(0.4, ic=turning(2))]

    went = replay(TransitionRace(slack=1.25), curves)

    assert {"a/0.1/0": 4, "a/0.2/0": 4, "a/0.4/0": 3} == went.reached
    assert 0.4 == went.recommendation.rate
    assert [0.4, 0.1, 0.2] == [standing.rate for standing in went.recommendation.standings]
    assert [False, False, True] == [standing.turned is None for standing in went.recommendation.standings]


def test_one_seed_that_has_not_turned_makes_no_earliest_rate() -> None:
    """What is not known to be early gives nobody up."""
    curves = [curve(0.1, 0, ic=turning(2)), curve(0.1, 1, ic=turning(99)), curve(0.2, ic=turning(99))]

    went = replay(TransitionRace(), curves)

    assert 8 == went.reached["a/0.2/0"]


def test_a_policy_by_name() -> None:
    """An unknown name is refused with those there are, and a near miss is pointed out."""
    with pytest.raises(ConfigError, match=r"got 'hybird'\. Did you mean 'hybrid'"):
        build_policy("hybird")
