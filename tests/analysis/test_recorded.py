"""Recorded grids as tasks: which trials make one, what their curves say, and what Fisher costs."""

from pathlib import Path
from typing import Any

import pytest
from store.fabricated import write_rows
from store.fabricated_layers import ic_trial

from analysis import open_results
from analysis.recorded import Task, recorded_tasks
from tic_sweep.config import replaced
from tic_sweep.racing.replay import replay
from tic_sweep.racing.stopping import TransitionRace

RATES = {0.1: 0.7, 0.3: 0.9}
IC = (4.5, 5.0, 5.0, 1.5, 1.5)


def trial(rate: float, seed: int, accuracy: float = 0.5, **changes: Any) -> Any:
    """Return a trial of four epochs on digits."""
    own = {"data.name": "digits", "model.name": "small_conv", "optimiser.epochs": 4, "optimiser.lr": rate, "seed": seed}
    return ic_trial({**own, **changes}, IC, accuracy=accuracy)


def tasks(path: Path, *trials: Any) -> list[Task]:
    """Write trials and return the tasks they make."""
    write_rows(path, trials)
    return recorded_tasks(open_results(path))


def test_a_grid_is_a_task(tmp_path: Path) -> None:
    """Name, curves and accuracies; the Fisher measurement takes a tenth of the training epoch."""
    (task,) = tasks(tmp_path / "r", *(trial(rate, seed, acc) for rate, acc in RATES.items() for seed in (0, 1)))

    assert ("digits, small_conv, T = 8", (0.1, 0.3), (0, 1)) == (task.name, task.rates, task.seeds)
    assert {0.1: pytest.approx(0.7), 0.3: pytest.approx(0.9)} == task.means
    assert 0.1 == pytest.approx(task.fisher_cost)
    looks = task.curves[0.3, 1].looks
    assert (*enumerate(IC),) == tuple((look.epoch, look.ic) for look in looks)
    assert (0.1, 0.9) == (looks[2].ic_se, looks[2].val_acc)


def test_other_settings_are_other_tasks(tmp_path: Path) -> None:
    """What differs in T is never compared."""
    made = tasks(tmp_path / "r", *(trial(rate, 0, timesteps=t) for rate in RATES for t in (4, 8)))

    assert ["digits, small_conv, T = 4", "digits, small_conv, T = 8"] == [task.name for task in made]


def test_a_seed_that_not_all_rates_have_ended_with_is_left_out(tmp_path: Path) -> None:
    """Of a running sweep the part is taken that is whole; a task without a whole seed is none."""
    config, values, rows = trial(0.3, 1)
    running = (config, values | {"status": "running"}, rows)
    alone = trial(0.1, 0, timesteps=4), (replaced(config, {"timesteps": 4}), {"status": "planned"}, [])

    (task,) = tasks(tmp_path / "r", trial(0.1, 0), trial(0.3, 0), trial(0.1, 1), running, *alone)

    assert ("digits, small_conv, T = 8", (0,)) == (task.name, task.seeds)


def test_a_diverged_training_is_worth_chance(tmp_path: Path) -> None:
    """One of ten classes, whatever accuracy its row may hold; its curve says how it ended."""
    config, values, rows = trial(0.3, 0)
    (task,) = tasks(tmp_path / "r", trial(0.1, 0), (config, values | {"status": "diverged"}, rows[:2]))

    assert 0.1 == task.test_acc[0.3, 0]
    assert "diverged" == task.curves[0.3, 0].status


def test_part_of_a_task(tmp_path: Path) -> None:
    """Some of its seeds, to choose by, and the others to report on."""
    (task,) = tasks(tmp_path / "r", *(trial(rate, seed) for rate in RATES for seed in (0, 1, 2)))

    assert (1, 2) == task.at((1, 2)).seeds
    assert {1, 2} == {seed for _, seed in task.at((1, 2)).test_acc}
    assert task is task.at(None)


def test_a_race_over_the_record(tmp_path: Path) -> None:
    """What was written is what a policy sees, to the end."""
    (task,) = tasks(tmp_path / "r", *(trial(rate, 0) for rate in RATES))

    went = replay(TransitionRace(), [task.curves[rate, 0] for rate in task.rates], fisher_cost=task.fisher_cost)

    assert {4} == set(went.reached.values())
    assert pytest.approx(8 + 10 * 0.1) == went.cost
