"""The phases of a trial: cycles, learning rates and what is due, from the config and the epoch alone."""

import pytest

from tic_sweep.config import OptimiserConfig, PruningConfig, TrialConfig
from tic_sweep.training.phases import Phase, ending_with, is_due, learning_rate, phase_of, phases


def trial(first: int, cycles: int = 0, epochs: int = 3, schedule: str = "cosine") -> TrialConfig:
    """Return a trial at rate 0.4, halved in retraining."""
    optimiser = OptimiserConfig(lr=0.4, epochs=first, schedule=schedule)
    return TrialConfig(optimiser=optimiser, pruning=PruningConfig(cycles=cycles, epochs=epochs, lr_factor=0.5))


PRUNED = trial(4, cycles=2)


def test_a_trial_is_a_first_training_and_its_cycles():
    """Four epochs, then two cycles of three: epochs 5 to 7 and 8 to 10, the last of the trial."""
    assert (Phase(0, 0, 4), Phase(1, 4, 3), Phase(2, 7, 3)) == phases(PRUNED)
    assert [0] * 5 + [1] * 3 + [2] * 3 == [phase_of(PRUNED, epoch).cycle for epoch in range(11)]
    assert 10 == PRUNED.last_epoch == phases(PRUNED)[-1].end


def test_a_phase_ends_with_one_epoch():
    """Only the last epoch of a phase ends it."""
    ending = {epoch: [phase.cycle for phase in ending_with(PRUNED, epoch)] for epoch in range(11)}

    assert {4: [0], 7: [1], 10: [2]} == {epoch: cycles for epoch, cycles in ending.items() if cycles}


@pytest.mark.parametrize("epochs", [0, 4])
def test_cycles_without_epochs_end_with_the_first_training(epochs: int):
    """Pruning without retraining adds no epoch; all cycles are over when the first training is, in their order."""
    pruned = trial(epochs, cycles=3, epochs=0)

    assert epochs == pruned.last_epoch
    assert [0, 1, 2, 3] == [phase.cycle for phase in ending_with(pruned, epochs)]
    assert 0 == phase_of(pruned, epochs).cycle


def test_cosine_starts_at_lr_and_nears_zero():
    """Epoch 1 of 4 has lr, epoch 3 half of it, epoch 4 cos² of three eighths of a turn."""
    assert pytest.approx([0.4, 0.2, 0.4 * 0.1464466]) == [learning_rate(trial(4), epoch) for epoch in (1, 3, 4)]


def test_each_retraining_starts_its_schedule_anew():
    """The rates of a cycle are those of a training of its length, from lr times the factor."""
    first, second = ([learning_rate(PRUNED, epoch) for epoch in epochs] for epochs in (range(5, 8), range(8, 11)))

    assert pytest.approx([0.2, 0.15, 0.05]) == first
    assert first == second


def test_constant_stays():
    """Without a schedule every epoch of a phase has the same rate."""
    rates = [learning_rate(trial(2, cycles=1, epochs=2, schedule="constant"), e) for e in range(1, 5)]

    assert [0.4, 0.4, 0.2, 0.2] == rates


def test_what_is_measured_every_few_epochs_is_measured_at_the_ends_too():
    """Every third epoch, and after the first training and the last; 0 is never."""
    assert [0, 3, 4, 6, 9, 10] == [epoch for epoch in range(11) if is_due(PRUNED, 3, epoch)]
    assert not any(is_due(PRUNED, 0, epoch) for epoch in range(11))
