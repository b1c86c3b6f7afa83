"""Pruning cycles of a trial: sparsity, rows, timesteps, rewinding, and resuming at any epoch bit for bit."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from cases import SMALL
from training.trial_runs import RESOURCES, ending, numbers, rows_of, run

from tic_sweep.centroid import information_end
from tic_sweep.config import TrialConfig, replaced
from tic_sweep.data import RawImages
from tic_sweep.pruning import prunable_weights
from tic_sweep.records import FisherRow, HorizonRow, PruningRow, Report, SparsityRow
from tic_sweep.training import Training, load_checkpoint

PRUNED = replaced(SMALL, {"pruning.cycles": 2, "pruning.epochs": 2, "pruning.timesteps": 2})
"""Epochs 1 and 2 are the first training, 3 and 4 the first cycle, 5 and 6 the second."""
LIVELY = replaced(PRUNED, {"neuron.v_threshold": 0.3, "data.coding": "poisson"})
SUGGESTING = {
    "timesteps": 5, "pruning.cycles": 1, "pruning.epochs": 1, "pruning.timesteps": 0, "pruning.suggest": True,
}  # fmt: skip
"""Two epochs at T = 5, then one for as long as the Fisher trace says."""


def column(reports: list[Report], name: str) -> list[Any]:
    """Return a field of the epochs' rows."""
    return [getattr(report.epoch, name) for report in reports]


def cycles_of(reports: list[Report]) -> list[PruningRow]:
    """Return the pruning rows of all reports."""
    return [row for report in reports for row in rows_of(report, PruningRow)]


def zeros(training: Training) -> int:
    """Return how many prunable weights of a trial's network are zero."""
    return sum(int((weight == 0).sum()) for weight in prunable_weights(training.model).values())


def test_epochs_go_on_through_the_cycles(digits: RawImages):
    """Each report names its cycle, the timesteps trained with, the rate of its schedule and the sparsity."""
    reports, outcome = run(PRUNED, digits)

    assert list(range(7)) == column(reports, "epoch")
    assert [0, 0, 0, 1, 1, 2, 2] == column(reports, "cycle")
    assert [None, 3, 3, 2, 2, 2, 2] == column(reports, "train_timesteps")
    assert pytest.approx([0.3, 0.15] * 3) == column(reports, "lr")[1:]
    assert [0, 0, 0, 0.5, 0.5, 0.75, 0.75] == column(reports, "sparsity")
    assert ("finished", 6) == (outcome.status, outcome.epochs_done)


def test_each_cycle_has_a_row(digits: RawImages):
    """The first training and both cycles are told with the report that ends them, the layers with those that prune."""
    reports, outcome = run(PRUNED, digits)
    rows = cycles_of(reports)

    assert [[], [], [0], [], [1], [], [2]] == [[row.cycle for row in rows_of(r, PruningRow)] for r in reports]
    assert [0, 0, 0, 0, 5, 0, 5] == [len(rows_of(r, SparsityRow)) for r in reports]
    assert [(2, 3, 6), (4, 2, 10), (6, 2, 14)] == [(row.epoch, row.timesteps, row.timestep_epochs) for row in rows]
    assert [8456, 4228, 2114] == [row.remaining for row in rows]
    assert outcome.test_acc == rows[-1].test_acc_full
    for row, report in zip(rows, (reports[2], reports[4], reports[6]), strict=True):
        assert row.val_acc == rows_of(report, HorizonRow)[row.timesteps - 1].val_acc
        assert row.sparsity == report.epoch.sparsity == 1 - row.remaining / row.weights
    assert pytest.approx([sum(column(reports, "train_seconds")[: row.epoch + 1]) for row in rows]) == [
        row.train_seconds for row in rows
    ]


def test_layers_add_up_to_the_network(digits: RawImages):
    """A layer's counts are its own weights, and together they are the cycle's."""
    reports, _ = run(PRUNED, digits)
    layers, (row,) = rows_of(reports[4], SparsityRow), rows_of(reports[4], PruningRow)

    assert ["stem.conv", "blocks.0.conv", "blocks.1.conv", "blocks.2.conv", "head"] == [r.layer for r in layers]
    assert (row.weights, row.remaining) == (sum(r.weights for r in layers), sum(r.remaining for r in layers))
    assert all(r.sparsity == 1 - r.remaining / r.weights for r in layers)


def test_five_halvings_of_the_paper(digits: RawImages):
    """Five cycles of 50 % leave a thirty-second of the weights, and no trace of the others."""
    training = Training(replaced(PRUNED, {"pruning.cycles": 5, "pruning.epochs": 1}), digits, RESOURCES)
    rows = cycles_of(list(training.reports()))

    assert [0, 0.5, 0.75, 0.875, 0.9375, 0.96875] == pytest.approx([row.sparsity for row in rows], abs=1e-4)
    assert [round(8456 / 2**cycle) for cycle in range(6)] == [row.remaining for row in rows]
    assert zeros(training) >= rows[-1].weights - rows[-1].remaining


def test_pruned_weights_stay_zero_and_no_other_is_frozen(digits: RawImages):
    """Through all epochs of a cycle the masked weights are zero; of the others, each has moved."""
    config = replaced(LIVELY, {"pruning.cycles": 1, "optimiser.weight_decay": 0.1})
    training = Training(config, digits, RESOURCES)
    states = {
        report.epoch.epoch: {name: weight.detach().clone() for name, weight in prunable_weights(training.model).items()}
        for report in training.reports()
    }
    masks = training._cycles.masks

    assert sum(int(mask.sum()) for mask in masks.values()) == 4228
    for name, mask in masks.items():
        assert not states[3][name][~mask].any()
        assert not states[4][name][~mask].any()
        assert (states[4][name][mask] != states[3][name][mask]).all()


def test_without_cycles_there_are_no_rows_and_no_masks(digits: RawImages):
    """A trial that is never pruned tells nothing of pruning."""
    training = Training(replaced(SMALL, {"fisher.every": 0}), digits, RESOURCES)
    reports = list(training.reports())

    assert [] == [row for report in reports for row in report.rows if not isinstance(row, HorizonRow)]
    assert {} == training._cycles.masks


def test_the_first_training_is_that_of_the_same_trial_without_cycles(digits: RawImages):
    """Cycles only add to a trial: its first epochs, their best weights and those weights' test are as without."""
    plain, expected = run(replaced(LIVELY, {"pruning.cycles": 0}), digits)
    reports, outcome = run(LIVELY, digits)
    first = [[row for row in (r.epoch, *r.rows) if not isinstance(row, PruningRow)] for r in reports[:3]]

    assert numbers(plain) == numbers([Report(epoch=rows[0], rows=tuple(rows[1:])) for rows in first])
    assert (expected.best_epoch, expected.best_val_acc) == (outcome.best_epoch, outcome.best_val_acc)
    assert expected.weights_digest != outcome.weights_digest


@pytest.mark.parametrize("epochs", [0, 2])
def test_pruning_without_retraining(digits: RawImages, epochs: int):
    """All cycles are told in the report that ends the first training; the outcome is the pruned network's."""
    config = replaced(PRUNED, {"pruning.epochs": 0, "optimiser.epochs": epochs, "data.coding": "poisson"})
    training = Training(config, digits, RESOURCES)
    reports = list(training.reports())
    rows = cycles_of(reports)

    assert list(range(epochs + 1)) == column(reports, "epoch")
    assert [0] * (epochs + 1) == column(reports, "sparsity")
    assert [(0, 0), (1, 0.5), (2, 0.75)] == [(row.cycle, row.sparsity) for row in rows_of(reports[-1], PruningRow)]
    assert [True, False, False] == [row.suggested_timesteps is not None for row in rows]
    assert {3 * epochs} == {row.timestep_epochs for row in rows}
    assert zeros(training) >= 6342
    assert training.outcome.test_acc == rows[-1].test_acc_full


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_rewinding_returns_to_an_earlier_epoch(digits: RawImages, epoch: int):
    """Without retraining, what remains after the cycles is the network of that epoch, to the bit."""
    config = replaced(PRUNED, {"pruning.weights": "rewind", "pruning.rewind_epoch": epoch, "pruning.epochs": 0})
    training = Training(config, digits, RESOURCES)
    states = []
    for report in training.reports():
        states.append({name: tensor.clone() for name, tensor in training.model.state_dict().items()})
        assert len(states) == report.epoch.epoch + 1
    last, masks = training.model.state_dict(), training._cycles.masks
    early = states[epoch] if epoch < 2 else _trained(replaced(SMALL, {"fisher.every": 0}), digits)

    for name, tensor in last.items():
        mask = masks.get(name.removesuffix(".weight"), torch.ones_like(tensor, dtype=torch.bool))
        assert torch.equal(torch.where(mask, early[name], 0.0), tensor)


def _trained(config: TrialConfig, digits: RawImages) -> dict[str, torch.Tensor]:
    training = Training(config, digits, RESOURCES)
    list(training.reports())
    return training.model.state_dict()


def test_every_cycle_begins_with_a_fresh_update_rule(digits: RawImages):
    """Momentum of the phase before does not act on a retraining."""
    training = Training(LIVELY, digits, RESOURCES)
    optimisers = [training._optimiser for _ in training.reports()]
    changes = [epoch for epoch, (one, two) in enumerate(pairwise(optimisers), start=1) if one is not two]

    assert [3, 5] == changes


@pytest.mark.usefixtures("information_ends_early")
@pytest.mark.parametrize(("suggest", "timesteps"), [(True, None), (False, 5)])
def test_the_trial_may_choose_its_timesteps(digits: RawImages, *, suggest: bool, timesteps: int | None):
    """T_retrain is where the trial's own Fisher trace ends after the first training; it is told in any case."""
    reports, _ = run(replaced(PRUNED, SUGGESTING | {"pruning.suggest": suggest}), digits)
    end = information_end([row.fisher_trace for row in rows_of(reports[2], FisherRow)])
    rows = cycles_of(reports)

    assert 1 <= end < 5
    assert end == rows[0].suggested_timesteps
    assert (5, timesteps or end) == tuple(row.timesteps for row in rows)
    assert rows[1].timesteps == reports[3].epoch.train_timesteps


def test_fisher_is_measured_when_the_first_training_ends(digits: RawImages):
    """Every 5 epochs, at the end of the first training, and at the last epoch."""
    reports, _ = run(replaced(PRUNED, {"fisher.every": 5}), digits)

    assert [0, 2, 5, 6] == [report.epoch.epoch for report in reports if report.epoch.ic is not None]
    assert [True, False, True] == [row.suggested_timesteps is not None for row in cycles_of(reports)]


@pytest.fixture(
    scope="module",
    params=[{"data.coding": "poisson"}, {"pruning.weights": "rewind", "pruning.rewind_epoch": 1}],
    ids=["continue", "rewind"],
)
def undisturbed(digits: RawImages, request: pytest.FixtureRequest) -> tuple[Training, list[Report]]:
    """Return a trial that nothing stopped, and its reports."""
    training = Training(replaced(LIVELY, {"optimiser.lr": 0.01, **request.param}), digits, RESOURCES)
    return training, list(training.reports())


@pytest.mark.parametrize("stop", [2, 3, 4, 5, 6])
def test_a_trial_stopped_anywhere_ends_as_if_never_stopped(
    digits: RawImages, tmp_path: Path, undisturbed: tuple[Training, list[Report]], stop: int
):
    """Stopped before, between or inside cycles, a resumed trial has the same rows, masks and weights to the bit."""
    whole, expected = undisturbed
    ongoing = Training(whole.config, digits, RESOURCES, tmp_path / "trial.pt").reports()
    before = [next(ongoing) for _ in range(stop)]
    next(ongoing)  # the next epoch was trained and its checkpoint not yet written when the process died

    resumed = Training(whole.config, digits, RESOURCES, tmp_path / "trial.pt")
    after = list(resumed.reports())

    assert stop == after[0].epoch.epoch
    assert numbers(expected) == numbers(before + after)
    assert ending(whole.outcome) == ending(resumed.outcome)
    assert whole._cycles.masks.keys() == resumed._cycles.masks.keys()
    assert all(torch.equal(mask, resumed._cycles.masks[name]) for name, mask in whole._cycles.masks.items())


@pytest.mark.usefixtures("information_ends_early")
def test_the_time_and_the_timesteps_chosen_survive_a_stop(digits: RawImages, tmp_path: Path):
    """Seconds of the attempts add up, and a T_retrain once chosen is not chosen again."""
    config = replaced(PRUNED, SUGGESTING | {"pruning.epochs": 2})
    stopped = Training(config, digits, RESOURCES, tmp_path / "trial.pt")
    ongoing = stopped.reports()
    before = [next(ongoing) for _ in range(4)]
    next(ongoing)
    resumed = Training(config, digits, RESOURCES, tmp_path / "trial.pt")
    after = list(resumed.reports())

    chosen = cycles_of(before)[0].suggested_timesteps
    assert {chosen} == {report.epoch.train_timesteps for report in after} == {cycles_of(after)[0].timesteps}
    assert chosen < 5
    assert pytest.approx(sum(column(before, "train_seconds") + column(after, "train_seconds"))) == (
        cycles_of(after)[0].train_seconds
    )


def test_a_checkpoint_from_before_there_were_cycles_is_continued(digits: RawImages, tmp_path: Path):
    """What an older version left behind goes on as it would have."""
    undisturbed, expected = run(SMALL, digits)
    path = tmp_path / "trial.pt"
    stopped = Training(SMALL, digits, RESOURCES, path)
    ongoing = stopped.reports()
    before = [next(ongoing), next(ongoing)]
    next(ongoing)
    state = load_checkpoint(path)
    torch.save({name: value for name, value in state.items() if name not in {"cycles", "train_seconds"}}, path)

    after, outcome = run(SMALL, digits, checkpoint=path)

    assert numbers(undisturbed) == numbers(before + after)
    assert ending(expected) == ending(outcome)
