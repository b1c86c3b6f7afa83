"""Halving by promotion: levels, waves, pooling over seeds, the holdout, and rebuilding a race from its reports."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from racing.races import EPOCHS, curve, runner, turning

from analysis.races import tell
from tic_sweep.errors import ConfigError
from tic_sweep.racing import POLICIES, Look, build_policy, held_out
from tic_sweep.racing.halving import Halving, geometric_levels
from tic_sweep.racing.replay import Curve, replay
from tic_sweep.racing.signals import LAST_ACCURACY

RATES = (0.1, 0.2, 0.4, 0.8)
ACC = dict(zip(RATES, (0.5, 0.9, 0.7, 0.6), strict=True))
ORDER = [curve(rate, seed, acc=acc) for seed in range(2) for rate, acc in ACC.items()]


@pytest.mark.parametrize(
    ("epochs", "first", "eta", "levels"),
    [
        (8, 0.25, 2, (2, 4, 8)),
        (40, 0.125, 2, (5, 10, 20, 40)),
        (25, 0.125, 3, (3, 9, 25)),
        (1, 0.125, 2, (1,)),
        (10, 1, 2, (10,)),
    ],
)
def test_levels(epochs: int, first: float, eta: float, levels: tuple[int, ...]) -> None:
    """Each level is eta times the one before, up to the last."""
    assert levels == geometric_levels(epochs, first, eta)


def test_one_wave_by_hand() -> None:
    """Four rates to epoch 2, two to 4, one to 8: 4 * 2 + 2 * 2 + 4 epochs; then the second seed of each."""
    went = replay(Halving(LAST_ACCURACY, first=0.25), ORDER[:4])

    assert {"a/0.1/0": 2, "a/0.2/0": 8, "a/0.4/0": 4, "a/0.8/0": 2} == went.reached
    assert (16, 0.2) == (went.cost, went.recommendation.rate)
    assert [0.2, 0.4, 0.8, 0.1] == [standing.rate for standing in went.recommendation.standings]


def test_a_trial_that_waited_counts_at_the_very_next_level() -> None:
    """Levels 1 and 2 are one report apart: the best of those that waited at the first is the one that goes on."""
    accuracies = {0.1: 0.5, 0.2: 0.7, 0.4: 0.9, 0.8: 0.6}
    went = replay(Halving(LAST_ACCURACY, first=0.125), [curve(rate, acc=acc) for rate, acc in accuracies.items()])

    assert {"a/0.1/0": 1, "a/0.2/0": 2, "a/0.4/0": 8, "a/0.8/0": 1} == went.reached


def test_the_second_wave_begins_when_the_first_is_through() -> None:
    """With a budget of one wave and one epoch, one trial of the second seed has begun."""
    went = replay(Halving(LAST_ACCURACY, first=0.25), ORDER, budget=17)

    assert 5 == went.started
    assert 8 == went.reached["a/0.2/0"]


def test_a_tie_goes_to_the_first_of_the_plan() -> None:
    """Where nothing tells rates apart, those go on that the plan put first, not the lowest."""
    tied = [curve(rate, acc=0.1) for rate in (0.4, 0.1, 0.8, 0.2)]

    went = replay(Halving(LAST_ACCURACY, first=0.25), tied)

    assert {"a/0.4/0": 8, "a/0.1/0": 4, "a/0.8/0": 2, "a/0.2/0": 2} == went.reached
    assert 0.4 == went.recommendation.rate


def test_other_places_are_kept_busy_by_the_next_wave() -> None:
    """While the last of a level is awaited nobody idles; only the very last trials run alone."""
    alone, both = (replay(Halving(LAST_ACCURACY, first=0.25), ORDER, workers=w) for w in (1, 2))

    assert (32, 32, 32, 18) == (alone.cost, alone.clock, both.cost, both.clock)


def test_seeds_support_each_other() -> None:
    """Rate 0.1 is second with its second seed, and third by the mean over both, 0.695: it is not promoted."""
    second = [curve(rate, 1, acc=0.89 if rate == 0.1 else acc) for rate, acc in ACC.items()]

    went = replay(Halving(LAST_ACCURACY, first=0.25), [*ORDER[:4], *second])

    assert (2, 4) == (went.reached["a/0.1/1"], went.reached["a/0.4/1"])
    assert 0.2 == went.recommendation.rate


def test_narrow_waves_take_in_the_best() -> None:
    """The second wave has two rates, the best two of the first."""
    went = replay(Halving(LAST_ACCURACY, first=0.25, narrow=2), ORDER)

    assert {"a/0.2/1", "a/0.4/1"} == {key for key in went.reached if key.endswith("/1")}


def test_finalists_settle_what_is_close() -> None:
    """From the second wave on, two rates at least run to the end, and take part in every further wave."""
    curves = [*ORDER, *(curve(rate, 2, acc=acc) for rate, acc in ACC.items())]

    went = replay(Halving(LAST_ACCURACY, first=0.25, narrow=4, finalists=2), curves)

    through = {key for key, epoch in went.reached.items() if epoch == EPOCHS}
    assert {"a/0.2/0", "a/0.2/1", "a/0.4/1", "a/0.2/2", "a/0.4/2"} == through
    assert 4 + 2 + 2 == went.started


def test_a_trial_that_fails_is_not_waited_for() -> None:
    """The level is decided without it, and its rate is not promoted."""
    policy = Halving(LAST_ACCURACY, first=0.25)
    for one in ORDER[:4]:
        policy.enter(one.runner)
    for one in ORDER[:3]:
        for look in one.looks[:3]:
            decision = policy.look(one.runner.key, look)
        assert "pause" == decision.verdict
    keys = [one.runner.key for one in ORDER[:3]]
    assert policy.choose(keys) is None

    policy.leave(ORDER[3].runner.key, "failed")

    assert "a/0.2/0" == policy.choose(keys)
    assert policy.passed_over(policy.entrants["a/0.1/0"])
    assert [] == policy.dismissed(keys)  # it may replace one that diverges


def _diverging(went: Curve, epoch: int) -> Curve:
    """Return a record that ends after an epoch, diverged."""
    return Curve(went.runner, went.looks[: epoch + 1], "diverged")


@pytest.mark.parametrize("name", ["accuracy", "hybrid"])
def test_with_one_seed_the_validation_images_say_what_is_as_good(name: str) -> None:
    """Eight rates a tenth of a point apart on 143 images: none is told from another, before anything has turned."""
    curves = [curve(0.1 * k, acc=0.8 + 0.001 * k, ic=[5.0] * 9, validation=143) for k in range(8)]

    found = replay(build_policy(name, holdout=0), curves).recommendation

    assert (7, True) == (len(found.as_good), found.told_apart)


def test_with_one_seed_nothing_tells_whether_a_transition_is_chance() -> None:
    """At epoch 3, as far as 0.4 got, it has turned, and ranks have no error; epoch 1 lies before that."""
    curves = [curve(rate, acc=acc, ic=turning(1), validation=143) for rate, acc in ACC.items()]

    found = replay(build_policy("hybrid", holdout=0), curves).recommendation

    assert (0.2, (0.4,), False) == (found.rate, found.as_good, found.told_apart)


EIGHT = tuple(round(0.1 * k, 1) for k in range(1, 9))
"""Eight rates; each is better than those below it, and the highest leads until it diverges."""


def eight(seed: int = 0, *, until: int | None = None) -> list[Curve]:
    """Return a seed's records of 16 epochs, of which that of the highest rate diverges after an epoch."""
    curves = [curve(rate, seed, acc=rate, epochs=16) for rate in EIGHT]
    return curves if until is None else [*curves[:-1], _diverging(curves[-1], until)]


@pytest.mark.parametrize("name", ["hybrid", "accuracy", "asha", "median", "full"])
def test_a_leader_that_diverges_is_replaced(name: str) -> None:
    """It does so at epoch 12, alone up there: 0.7 is named, and halving trains it to its end in place of 0.8."""
    went = replay(build_policy(name, holdout=0), eight(until=12))

    assert 0.7 == went.recommendation.rate
    assert (12, 16) == (went.reached["a/0.8/0"], went.reached["a/0.7/0"])
    assert 0.8 == went.recommendation.standings[-1].rate
    if name in {"hybrid", "accuracy"}:  # levels 1, 3, 5, 10, 16; 27 epochs until then, and 11 more for 0.7 from epoch 5
        assert 27 + 11 == went.cost


@pytest.mark.parametrize("name", ["hybrid", "accuracy"])
@pytest.mark.parametrize("share", [0.15, 0.2, 0.25, 1.0])
def test_a_second_seed_that_diverges_takes_its_rate_out(name: str, share: float) -> None:
    """The best that is left is named, at any budget, though the leader had got further with its first seed."""
    went = replay(build_policy(name, holdout=0), [*eight(), *eight(1, until=3)], budget=share * 2 * 8 * 16)

    assert 0.7 == went.recommendation.rate
    assert 3 == went.reached.get("a/0.8/1", 3)


def test_no_diverged_rate_enters_the_next_wave() -> None:
    """Of eight rates four go on to the second seed: the next best in place of the one that diverged."""
    went = replay(build_policy("accuracy", holdout=0), [*eight(until=12), *eight(1)])

    assert {"a/0.4/1", "a/0.5/1", "a/0.6/1", "a/0.7/1"} == {key for key in went.reached if key.endswith("/1")}


def test_one_that_waits_where_a_leader_diverged_takes_its_place_at_once() -> None:
    """0.7 and 0.8 go on from epoch 3; 0.8 diverges at 4, and 0.6, which waits at 3, is the second at epoch 5."""
    went = replay(build_policy("accuracy", holdout=0), eight(until=4))

    assert {"a/0.7/0": 16, "a/0.6/0": 5} == {key: went.reached[key] for key in ("a/0.7/0", "a/0.6/0")}
    assert {"a/0.5/0": 3, "a/0.4/0": 1} == {key: went.reached[key] for key in ("a/0.5/0", "a/0.4/0")}


def test_leaders_that_diverge_one_after_the_other_are_all_replaced() -> None:
    """Down to the last rate, after which there is none to recommend; and it says why."""
    curves = [_diverging(one, 12) for one in eight()]

    last = replay(build_policy("accuracy", holdout=0), [*curves[1:], curve(0.1, acc=0.1, epochs=16)])
    none = replay(build_policy("accuracy", holdout=0), curves)

    assert (0.1, 16) == (last.recommendation.rate, last.reached["a/0.1/0"])
    assert {12} == set(none.reached.values())
    assert (None, "all rates that got far enough to be ranked have diverged") == (
        none.recommendation.rate, none.recommendation.why,
    )  # fmt: skip


def test_strata_do_not_mix() -> None:
    """Each stratum has its own levels and its own winner."""
    policy = Halving(LAST_ACCURACY, first=0.25)
    other = [curve(rate, acc=1 - acc, stratum="b") for rate, acc in ACC.items()]
    for one in [*ORDER[:4], *other]:
        policy.enter(one.runner)
    for one in [*ORDER[:4], *other]:
        for look in one.looks[:3]:
            policy.look(one.runner.key, look)

    assert ("a", "b") == policy.strata
    assert (0.2, 0.1) == tuple(policy.recommend(s).rate for s in policy.strata)


def test_the_holdout_runs_to_its_end_and_ranks_nobody() -> None:
    """With everything held out all trials end, and the ranking is that of a race that stopped them."""
    stopped = replay(Halving(LAST_ACCURACY, first=0.25), ORDER[:4])
    ran_on = replay(Halving(LAST_ACCURACY, first=0.25, holdout=1.0), ORDER[:4])

    assert {EPOCHS} == set(ran_on.reached.values())
    told = [(s.rate, s.epochs, s.merit) for s in stopped.recommendation.standings]
    assert told == [(s.rate, s.epochs, s.merit) for s in ran_on.recommendation.standings]


def test_what_stopping_cost() -> None:
    """Rate 0.4 starts low and ends best: the race stops it, the holdout shows what was missed."""
    late = curve(0.4, acc=lambda epoch: 0.1 if epoch < EPOCHS else 0.95)
    curves = [one for one in ORDER[:4] if one.runner.rate != 0.4] + [late]
    policy, blind = (Halving(LAST_ACCURACY, first=0.25, holdout=share) for share in (1.0, 0.0))

    for one in (policy, blind):
        assert 0.2 == replay(one, curves).recommendation.rate

    cost = policy.stopping_cost("a")
    assert (3, 1, pytest.approx(0.05)) == (cost.trials, cost.better, cost.missed)
    assert (0, 0, None) == (blind.stopping_cost("a").trials, 0, blind.stopping_cost("a").missed)


def test_a_share_is_held_out() -> None:
    """Exactly the trials drawn by their keys reach the end besides the winners."""
    curves = [curve(rate / 100, seed, acc=rate / 100) for seed in range(5) for rate in range(1, 21)]

    free = replay(Halving(LAST_ACCURACY, first=0.25), curves)
    kept = replay(Halving(LAST_ACCURACY, first=0.25, holdout=0.1), curves)

    drawn = {c.runner.key for c in curves if held_out(c.runner.key, 0.1)}
    ended = [{key for key, epoch in went.reached.items() if epoch == EPOCHS} for went in (free, kept)]
    assert ended[0] | drawn == ended[1]
    assert 2 <= len(drawn) <= 20


@pytest.mark.parametrize(
    ("name", "value"), [("eta", 1), ("first", -0.1), ("narrow", 0.5), ("finalists", 0), ("holdout", 2)]
)
def test_constants_out_of_bounds(name: str, value: float) -> None:
    """By name and value."""
    with pytest.raises(ConfigError, match=rf"{name} of a race must be .* got {value}"):
        Halving(LAST_ACCURACY, **{name: value})


def test_an_epoch_reported_again_changes_nothing() -> None:
    """A resumed trial may repeat its last epoch."""
    policy = Halving(LAST_ACCURACY, first=0.25)
    policy.enter(runner(0.1))
    for epoch in (0, 1, 1, 0, 1, 2):
        policy.look("a/0.1/0", Look(epoch=epoch, val_acc=0.5))

    assert [0, 1, 2] == [look.epoch for look in policy.entrants["a/0.1/0"].looks]


RECORDS = st.lists(st.floats(0, 1), min_size=12, max_size=12).map(
    lambda acc: [
        Curve(c.runner, tuple(Look(epoch=e, val_acc=a * (e + 1) / 9) for e in range(9)))
        for a, c in zip(acc, [curve(r, s) for s in range(3) for r in RATES], strict=True)
    ]
)
CENTROIDS = st.lists(st.one_of(st.none(), st.floats(1, 8)), min_size=9, max_size=9)
ENDS = st.lists(st.one_of(st.just(EPOCHS), st.integers(0, EPOCHS)), min_size=12, max_size=12)
"""The last epoch of each trial: one before the end is where it diverged."""


@st.composite
def any_records(draw: st.DrawFn) -> list[Curve]:
    """Return records with and without centroids, some of which diverge."""
    curves, ends = draw(RECORDS), draw(ENDS)
    ic, error = draw(st.lists(CENTROIDS, min_size=3, max_size=3)), draw(st.one_of(st.none(), st.floats(0.01, 1)))
    return [
        Curve(
            one.runner,
            tuple(replace(k, ic=ic[i % 3][k.epoch], ic_se=error) for k in one.looks[: end + 1]),
            "finished" if end == EPOCHS else "diverged",
        )
        for i, (one, end) in enumerate(zip(curves, ends, strict=True))
    ]


@settings(deadline=None, max_examples=50)
@given(any_records(), st.integers(1, 4), st.integers(0, 90), st.sampled_from([*POLICIES]))
def test_a_race_is_rebuilt_from_its_reports(curves: list[Curve], workers: int, budget: int, name: str) -> None:
    """Told everything again in its order, a new policy says what the old one would: who runs, and who is best."""
    told: list[tuple[str, Look | str]] = []
    policy = build_policy(name)
    look, leave = policy.look, policy.leave
    policy.look = lambda key, report: (told.append((key, report)), look(key, report))[1]  # type: ignore[method-assign]
    policy.leave = lambda key, status: (told.append((key, status)), leave(key, status))[1]  # type: ignore[method-assign]
    replay(policy, curves, workers=workers, budget=budget)

    rebuilt = build_policy(name)
    for one in curves:
        rebuilt.enter(one.runner)
    tell(rebuilt, told)

    assert policy.recommend("a") == rebuilt.recommend("a")
    keys = [one.runner.key for one in curves]
    assert policy.choose(keys) == rebuilt.choose(keys)
    assert policy.dismissed(keys) == rebuilt.dismissed(keys)


@settings(deadline=None, max_examples=50)
@given(any_records(), st.integers(1, 4), st.sampled_from(["hybrid", "accuracy"]))
def test_races_in_which_some_diverge_come_to_an_end(curves: list[Curve], workers: int, name: str) -> None:
    """Nobody waits in vain, and unless all rates have diverged one is named that has not."""
    policy = build_policy(name, holdout=0)

    went = replay(policy, curves, workers=workers)

    ended = {c.runner.key: c.looks[-1].epoch == went.reached.get(c.runner.key) for c in curves}
    bad = {c.runner.rate for c in curves if c.status == "diverged" and ended[c.runner.key]}
    left = [key for key, has_ended in ended.items() if not has_ended]
    assert left == policy.dismissed(left)
    assert (went.recommendation.rate is None) == (bad == set(RATES))
    assert went.recommendation.rate not in bad


@settings(deadline=None)
@given(RECORDS, st.integers(1, 5), st.floats(1.5, 4), st.sampled_from([1.0, 2.0]))
def test_what_holds_of_every_race(curves: list[Curve], workers: int, eta: float, narrow: float) -> None:
    """It ends, trains some trial to the end, ends all others at a level, and names a rate trained to its end."""
    policy = Halving(LAST_ACCURACY, first=0.25, eta=eta, narrow=narrow)

    went = replay(policy, curves, workers=workers)

    assert set(went.reached.values()) <= set(policy.levels(EPOCHS))
    through = {c.runner.rate for c in curves if went.reached.get(c.runner.key) == EPOCHS}
    assert went.recommendation.rate in through
    left = [c.runner.key for c in curves if went.reached.get(c.runner.key) != EPOCHS]
    assert left == policy.dismissed(left)
    merits = [(s.epochs, s.merit) for s in went.recommendation.standings]
    assert all(one >= other for one, other in itertools.pairwise(merits) if one[0] == other[0])
