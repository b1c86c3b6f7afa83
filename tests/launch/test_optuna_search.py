"""Search: inclusive integers, no duplicates, a clean end, and nothing left open in the study."""

import dataclasses
import math

import pytest
from launch.launch_fakes import TINY, epoch_row
from optuna.trial import TrialState

from tic_sweep.config import replaced
from tic_sweep.launch.optuna_search import Known, Search
from tic_sweep.plan import PlannedTrial
from tic_sweep.racing import Look
from tic_sweep.records import Report, TrialRow
from tic_sweep.space import Choice, Grid, IntUniform, LogUniform, Uniform, When
from tic_sweep.sweep import Scale

SPACES = {
    "mixed": {
        "optimiser.lr": LogUniform(0.01, 1.0), "timesteps": IntUniform(1, 3), "model.norm": Grid(("batch", "tdbn")),
    },
    "conditional": {
        "optimiser.name": Choice(("sgd", "adamw")),
        "optimiser.momentum": When("optimiser.name", "sgd", Uniform(0.0, 0.9)),
    },
    "bundles": {
        "size": Choice(({"timesteps": 1, "model.width": 0.5}, {"timesteps": 3})), "neuron.tau": Uniform(1.0, 4.0),
    },
}  # fmt: skip


def scale_of(space: dict, samples: int, seeds: tuple[int, ...] = (0,)) -> Scale:
    """Return an adaptive scale."""
    return Scale(base=TINY, space=space, samples=samples, searcher="tpe", seeds=seeds, objective="ic_rel")


def end(search: Search, trial: PlannedTrial, status: str = "finished", value: float | None = 0.5) -> None:
    """Tell a search how a trial ended."""
    row = TrialRow(key=trial.key, sweep="s", scale="laptop", status=status)
    last = None if value is None else dataclasses.replace(epoch_row(trial.key, 2), ic_rel=value)
    search.ended(trial, row, last)


def run_all(search: Search) -> list[PlannedTrial]:
    """Run a search to its end, one trial after the other."""
    trials = []
    for trial in search:
        end(search, trial, value=trial.config.optimiser.lr)
        trials.append(trial)
    return trials


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_proposals_are_valid_new_and_as_many_as_asked(space: dict) -> None:
    """Every proposal is another trial, and the study has no open end."""
    search = Search(scale_of(space, 15), seed=1)
    trials = run_all(search)

    assert 15 == len({trial.key for trial in trials})
    assert TrialState.RUNNING not in {trial.state for trial in search.study.trials}


def test_integers_include_their_top() -> None:
    """A range 1..3 gives 1, 2 and 3; then the space is exhausted and the search ends, not hangs."""
    trials = run_all(Search(scale_of({"timesteps": IntUniform(1, 3)}, 50)))

    assert [1, 2, 3] == sorted(trial.config.timesteps for trial in trials)


def test_an_exhausted_space_ends_with_every_point_visited() -> None:
    """All 2 * 3 * 2 trials of a finite space with two seeds come, each once, though 100 were asked for."""
    space = {"model.norm": Choice(("batch", "tdbn")), "timesteps": IntUniform(1, 3)}
    trials = run_all(Search(scale_of(space, 100, seeds=(0, 1))))

    points = {(t.config.model.norm, t.config.timesteps, t.config.seed) for t in trials}
    assert (12, 12) == (len(trials), len(points))


def test_seeds_come_in_turn() -> None:
    """Each proposal takes the next seed."""
    trials = run_all(Search(scale_of({"optimiser.lr": LogUniform(0.01, 1.0)}, 6, seeds=(7, 8, 9))))

    assert [7, 8, 9, 7, 8, 9] == [trial.config.seed for trial in trials]


def test_a_condition_decides_what_varies() -> None:
    """Where the condition does not hold, the base's value stays."""
    trials = run_all(Search(scale_of(SPACES["conditional"], 20)))

    assert {0.9} == {t.config.optimiser.momentum for t in trials if t.config.optimiser.name == "adamw"}
    assert 2 < len({t.config.optimiser.momentum for t in trials if t.config.optimiser.name == "sgd"})


@pytest.mark.parametrize(
    ("status", "value", "state"),
    [
        ("finished", 0.5, TrialState.COMPLETE),
        ("finished", math.nan, TrialState.FAIL),
        ("finished", None, TrialState.FAIL),
        ("diverged", 0.5, TrialState.PRUNED),
        ("failed", None, TrialState.FAIL),
        ("out_of_memory", None, TrialState.FAIL),
        ("interrupted", None, TrialState.FAIL),
    ],
)
def test_every_end_closes_the_optuna_trial(status: str, value: float | None, state: TrialState) -> None:
    """NaN and failures are told as such: an open trial would count as running for ever."""
    search = Search(scale_of(SPACES["mixed"], 3))
    end(search, next(search), status, value)

    assert [state] == [trial.state for trial in search.study.trials]


def test_a_search_goes_on_from_the_store() -> None:
    """It learns from the trials there, proposes none of them again, and asks only for what is missing."""
    first = run_all(Search(scale_of(SPACES["mixed"], 8), seed=1))
    known = [Known(trial.config, "finished", trial.config.optimiser.lr) for trial in first[:6]]
    waiting = Known(first[6].config, "interrupted", None)
    search = Search(scale_of(SPACES["mixed"], 8), [*known, waiting], seed=1)
    (rest,) = list(search)

    assert rest.key not in {trial.key for trial in first[:7]}
    assert [k.value for k in known] == [t.value for t in search.study.trials if t.state is TrialState.COMPLETE]
    end(search, first[6], value=0.25)
    assert 7 == sum(t.state is TrialState.COMPLETE for t in search.study.trials)


def test_it_learns_to_propose_what_is_good() -> None:
    """After some trials most proposals lie in the better half of the range."""
    search = Search(scale_of({"optimiser.lr": LogUniform(1e-3, 1.0)}, 40), seed=3)
    rates = [trial.config.optimiser.lr for trial in run_all(search)]

    assert sum(rate < 10**-1.5 for rate in rates[20:]) > 14


def test_values_that_contradict_each_other_are_no_points() -> None:
    """A crossing that the config refuses is passed over, not an end of the sweep."""
    space = {"neuron.temporal_gradient": Choice((True, False)), "neuron.reset_gradient": Choice((0.0, 1.0))}
    trials = run_all(Search(scale_of(space, 10)))

    assert 3 == len(trials)
    assert all(replaced(t.config, {}) == t.config for t in trials)


def test_the_transition_score_follows_from_all_reports() -> None:
    """A trial that turned tells its epoch; one that was resumed is told from what was stored and what came after."""
    scale = dataclasses.replace(
        scale_of({"optimiser.lr": LogUniform(0.01, 1.0)}, 2),
        objective="tic_score",
        base=replaced(TINY, {"timesteps": 8}),
    )
    ic = (4.5, 5.0, 5.0, 4.0, 2.0, 1.5, 1.5)
    first = Search(scale)
    trial = next(first)
    told = [dataclasses.replace(epoch_row(trial.key, epoch), ic=c, ic_se=0.0) for epoch, c in enumerate(ic)]
    for row in told:
        first.report(trial, Report(epoch=row))
    end(first, trial)
    stored = tuple(Look(epoch=row.epoch, ic=row.ic, ic_se=row.ic_se) for row in told[:4])
    resumed = Search(scale, [Known(trial.config, "interrupted", None, stored)])
    for row in told[3:]:
        resumed.report(trial, Report(epoch=row))
    end(resumed, trial)

    epochs = max(scale.base.optimiser.epochs, 1)
    assert [min(3.5, epochs)] == [one.value for one in first.study.trials if one.state == TrialState.COMPLETE]
    assert [min(3.5, epochs)] == [one.value for one in resumed.study.trials if one.state == TrialState.COMPLETE]
