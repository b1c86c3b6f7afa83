"""Plans: every trial of a scale, once, in a fixed order, before anything runs."""

from typing import Any

import pytest

from tic_sweep.config import DataConfig, TrialConfig, trial_key
from tic_sweep.errors import ConfigError
from tic_sweep.plan import adjusted, likely, plan
from tic_sweep.space import Choice, Grid, LogUniform
from tic_sweep.sweep import Scale

TWO_BY_TWO = Scale(base=TrialConfig(), space={"timesteps": Grid((4, 8))}, seeds=(5, 3))
DRAWN = Scale(base=TrialConfig(), space={"optimiser.lr": LogUniform(0.01, 1)}, seeds=(0, 1), samples=3)


def change(scale: Scale, changes: dict[str, Any] | None = None, **other: Any) -> Scale:
    """Adjust a scale, with what is not given left as it is."""
    return adjusted(scale, changes=changes or {}, **({"seeds": None, "samples": None} | other))


def test_seeds_come_outermost() -> None:
    """All points run with the first seed before any runs with the second, so that a sweep cut short is balanced."""
    configs = [trial.config for trial in plan(TWO_BY_TWO, sweep_name="x")]

    assert [(5, 4), (5, 8), (3, 4), (3, 8)] == [(config.seed, config.timesteps) for config in configs]


def test_trials_are_named_by_their_science() -> None:
    """Each planned trial carries the key of its config."""
    trials = plan(TWO_BY_TWO, sweep_name="x")

    assert [trial_key(trial.config) for trial in trials] == [trial.key for trial in trials]


def test_duplicates_are_planned_once() -> None:
    """Points that are the same trial, however they are written, are one trial, at its first place."""
    scale = Scale(
        base=TrialConfig(), space={"neuron.tau": Grid((2, 4, 2.0, 4.0)), "neuron.reset": Grid(("hard", "hard"))}
    )

    assert [2.0, 4.0] == [trial.config.neuron.tau for trial in plan(scale, sweep_name="x")]


def test_same_scale_same_plan() -> None:
    """A plan depends on its scale and the sweep's name alone; another name draws other points."""
    assert plan(DRAWN, sweep_name="x") == plan(DRAWN, sweep_name="x")
    assert plan(DRAWN, sweep_name="x") != plan(DRAWN, sweep_name="y")


def test_every_seed_runs_the_same_points() -> None:
    """Points are drawn once and run with each seed, so that seeds can be compared."""
    rates = [trial.config.optimiser.lr for trial in plan(DRAWN, sweep_name="x")]

    assert 6 == len(rates)
    assert rates[:3] == rates[3:]


def test_an_adaptive_scale_has_no_plan() -> None:
    """The trials of a searcher that learns are proposed while it runs."""
    scale = Scale(base=TrialConfig(), space=DRAWN.space, samples=3, searcher="tpe")

    assert [] == plan(scale, sweep_name="x")


def test_without_a_space_the_base_runs_once_per_seed() -> None:
    """A scale of nothing but seeds is a plan of its base."""
    assert [4, 2] == [trial.config.seed for trial in plan(Scale(base=TrialConfig(), seeds=(4, 2)), sweep_name="x")]


def test_adjusting_nothing_changes_nothing() -> None:
    """Without changes a scale is itself."""
    assert [TWO_BY_TWO, DRAWN] == [change(TWO_BY_TWO), change(DRAWN)]


def test_a_field_that_is_set_no_longer_varies() -> None:
    """Setting a field changes the base and takes it out of the space."""
    assert Scale(base=TrialConfig(timesteps=6), seeds=(5, 3)) == change(TWO_BY_TWO, {"timesteps": 6})


def test_a_field_that_is_set_leaves_its_bundle() -> None:
    """Setting a data set runs that one, with the settings its bundle gives it, and no other."""
    tasks = Grid(({"data.name": "svhn", "data.image_size": 16}, {"data.name": "digits", "data.image_size": 4}))
    scale = Scale(base=TrialConfig(), space={"images": tasks})

    trials = plan(change(scale, {"data.name": "digits"}), sweep_name="x")

    assert [DataConfig(name="digits", image_size=4)] == [trial.config.data for trial in trials]


@pytest.mark.parametrize("searcher", ["random", "tpe"])
def test_setting_all_that_is_drawn_leaves_nothing_to_sample(searcher: str) -> None:
    """When everything drawn is set, samples and searcher have no meaning left and go."""
    scale = Scale(base=TrialConfig(), space=DRAWN.space, samples=3, searcher=searcher)

    assert 1 == len(plan(change(scale, {"optimiser.lr": 0.2}), sweep_name="x"))


def test_other_seeds_and_samples() -> None:
    """Seeds and the number of samples can be replaced."""
    assert [7, 7] == [trial.config.seed for trial in plan(change(DRAWN, seeds=(7,), samples=2), sweep_name="x")]


@pytest.mark.parametrize(
    ("scale", "changes", "message"),
    [
        (TWO_BY_TWO, {"changes": {"timestep": 4}}, "timestep is not a field of a trial. Did you mean 'timesteps'?"),
        (TWO_BY_TWO, {"changes": {"timesteps": 0}}, "timesteps must be a whole number at least 1 "),
        (TWO_BY_TWO, {"seeds": ()}, "seeds must name at least one seed, got none."),
        (TWO_BY_TWO, {"seeds": (-1,)}, "seed must be a whole number at least 0, got -1."),
        (TWO_BY_TWO, {"samples": 4}, "samples must be 0 when the space is all grids, got 4"),
        (DRAWN, {"samples": 0}, "samples must be at least 1 when the space draws at random, got 0."),
    ],
)
def test_adjustments_refuse_nonsense(scale: Scale, changes: dict[str, Any], message: str) -> None:
    """An unknown field, a refused value, or samples that nothing draws is one line."""
    with pytest.raises(ConfigError) as refused:
        change(scale, **changes)

    assert message in str(refused.value)


def test_choices_of_few_values_are_deduplicated() -> None:
    """Drawing the same point again plans it once."""
    scale = Scale(base=TrialConfig(), space={"neuron.reset": Choice(("hard", "soft"))}, samples=20)

    assert {"hard", "soft"} == {trial.config.neuron.reset for trial in plan(scale, sweep_name="x")}
    assert 2 == len(plan(scale, sweep_name="x"))


def test_what_an_adaptive_scale_may_propose() -> None:
    """As many points as it will propose, from all over its space; the base, where draws contradict each other."""
    adaptive = Scale(base=TrialConfig(), space={"timesteps": Choice((4, 8))}, samples=20, searcher="tpe", seeds=(0, 1))
    contradictory = Scale(
        base=TrialConfig(), samples=5, searcher="tpe",
        space={"loss.alpha": LogUniform(0.01, 1), "loss.name": Choice(("cross_entropy", "cross_entropy"))},
    )  # fmt: skip

    drawn = likely(adaptive, sweep_name="x")

    assert {4, 8} == {config.timesteps for config in drawn}
    assert 20 == len(drawn)
    assert [TrialConfig()] * 5 == likely(contradictory, sweep_name="x")


def test_a_plan_that_no_machine_holds_is_refused() -> None:
    """Before it is made; what is drawn counts as often as it is drawn, and once per seed."""
    space = {"neuron.tau": Grid(tuple(range(1, 1001))), "optimiser.lr": LogUniform(0.01, 1)}
    scale = Scale(base=TrialConfig(), space=space, samples=10, seeds=tuple(range(101)))

    with pytest.raises(ConfigError, match="has up to 1010000 trials, more than 1000000: give smaller grids"):
        plan(scale, sweep_name="x")
