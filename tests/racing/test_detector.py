"""The detector: the definition of the transition where nothing is in doubt, and doubt where chance could decide."""

import math
import random
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st
from racing.races import T, looks

from tic_sweep.racing import Look, sight
from tic_sweep.racing.detector import Z
from tic_sweep.transition import DROP, find_transition

FALLEN = [4.5, 5.0, 5.0, 5.0, 4.0, 2.5, 1.5, 1.25, 1.25]  # plateau 5, level 3, turned at 5
CURVES = st.lists(st.one_of(st.floats(1, T), st.none(), st.just(math.nan)), max_size=25)


def test_a_noiseless_turn() -> None:
    """The interval is that of the definition, and so are plateau and share of the way down."""
    found = sight(looks(FALLEN), T)

    assert ("turned", 4, 5, False) == (found.state, found.not_before, found.epoch, found.censored)
    assert (5.0, 1.25, (5 - 1.25) / 4) == (found.plateau, found.ic, found.down)
    assert found.ic_rel == pytest.approx(0.25 / 7)
    assert found.margin is None


def test_not_yet_is_censored_at_the_last_report() -> None:
    """A trial on its plateau has a transition later than its last report, or none."""
    found = sight(looks([4.5, 5, 5, 5, 5, None]), T)

    assert ("not yet", 4, None, True) == (found.state, found.not_before, found.epoch, found.censored)


@pytest.mark.parametrize("nothing", [[], [None], [math.nan], [math.inf]])
def test_nothing_seen(nothing: list[float | None]) -> None:
    """Without a finite centroid it has not turned yet, and nothing is known of it."""
    found = sight(looks(nothing, 0.1), T)

    assert ("not yet", None, None, None, 0.0) == (found.state, found.not_before, found.ic, found.plateau, found.down)


@given(CURVES, st.integers(1, 12))
def test_without_errors_it_is_the_definition(ic: list[float | None], timesteps: int) -> None:
    """On every prefix of every noiseless record the answer is that of `find_transition`."""
    for end in range(len(ic) + 1):
        found = sight(looks(ic[:end]), timesteps)
        defined = find_transition(range(end), ic[:end], timesteps)

        assert ("turned" if defined.turned else "not yet") == found.state
        assert defined.epoch == found.epoch
        assert defined.interpolated == found.interpolated
        assert (defined.ic_max, defined.ic_final) == (found.plateau, found.ic)
        if defined.turned:
            assert defined.not_before == found.not_before


@given(CURVES, st.floats(1e-6, 5), st.floats(0, 3))
def test_doubt_only_withholds(ic: list[float | None], se: float, z: float) -> None:
    """Errors turn an answer into doubt, never into the other answer."""
    sure, doubtful = sight(looks(ic), T), sight(looks(ic, se), T, z=z)

    assert doubtful.state in {sure.state, "unclear"}
    assert (doubtful.epoch is None) == (doubtful.state != "turned") == doubtful.censored
    if doubtful.state == "turned":
        assert (sure.not_before, sure.epoch) == (doubtful.not_before, doubtful.epoch)
    assert 0 <= doubtful.down <= 1


@pytest.mark.parametrize("se", [1e-6, 0.01, 1.0])
def test_an_outlier_that_medians_pass_over_leaves_it_unclear(se: float) -> None:
    """The medians 5, 3, 2 and 1.5 turn at report 1; the mean of 7, 1 and 2 lies above the level of 3."""
    ic = [3.0, 7.0, 1.0, 2.0]
    found = sight(looks(ic, se), T)

    assert "turned" == sight(looks(ic), T).state
    assert ("unclear", None) == (found.state, found.epoch)
    assert found.margin is not None
    assert found.margin < 0


@given(CURVES, st.floats(1e-3, 5))
def test_smaller_errors_never_add_doubt(ic: list[float | None], se: float) -> None:
    """What is clear with a standard error stays as it is with half of it."""
    coarse, fine = sight(looks(ic, se), T), sight(looks(ic, se / 2), T)

    assert coarse.state in {"unclear", fine.state}


@pytest.mark.parametrize(("se", "state"), [(0.1, "turned"), (1.0, "turned"), (2.0, "unclear"), (20.0, "unclear")])
def test_the_level_must_be_cleared(se: float, state: str) -> None:
    """The mean since the turn lies 1.375 below the level of 3; with an error of 2 that may be chance."""
    found = sight(looks(FALLEN, se), T)

    assert state == found.state
    assert found.margin is not None
    assert found.margin > 0


def test_margin_by_hand() -> None:
    """The reports since the turn are 2.5, 1.5, 1.25 and 1.25; the plateau is a median of three."""
    margin = sight(looks(FALLEN, 1.0), T).margin

    plateau_se = math.sqrt(0.4487)
    assert margin == pytest.approx((3 - 1.625) / math.hypot(1 / 2, DROP * plateau_se))


def test_a_plateau_in_doubt() -> None:
    """Near the height that makes a plateau, 1 + (T - 1) / 4 = 2.75, whether there is one is not clear."""
    low = [2.6, 2.6, 2.6, 1.2, 1.2, 1.2]

    assert "not yet" == sight(looks(low), T).state
    assert "unclear" == sight(looks(low, 0.3), T).state
    assert "not yet" == sight(looks(low, 0.01), T).state


def test_chance_is_as_rare_as_it_says() -> None:
    """Of flat curves exactly at the level, far fewer than half are said to have turned."""
    rng, cleared = random.Random(0), 0  # noqa: S311 - not for secrets
    for _ in range(400):
        ic = [5.0, 5.0, 5.0] + [rng.gauss(3.0, 0.3) for _ in range(6)]
        cleared += sight(looks(ic, 0.3), T).state == "turned"

    assert cleared / 400 < 2 * (1 - NormalDist().cdf(Z))


def test_epochs_between_reports() -> None:
    """Epochs without a centroid are passed over, and the interval spans them."""
    sparse = [Look(epoch=e, ic=FALLEN[e // 5] if e % 5 == 0 else None) for e in range(45)]
    found = sight(sparse, T)

    assert (20, 25) == (found.not_before, found.epoch)
