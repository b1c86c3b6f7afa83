"""Learning rates over epochs."""

import pytest
import torch

from tic_sweep.training.rates import cosine, one_cycle, rate_at


@pytest.mark.parametrize("epochs", [1, 2, 10, 20, 150])
def test_one_cycle_is_torchs(epochs: int):
    """Stepped once an epoch, as published."""
    optimiser = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, total_steps=epochs)
    rates = []
    for _ in range(epochs):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if len(rates) < epochs:
            schedule.step()

    assert rates == pytest.approx([one_cycle(e, epochs, 5e-3) for e in range(1, epochs + 1)], rel=1e-9)


def test_cosine_starts_at_its_rate_and_is_halfway_in_the_middle():
    """Epochs 1 and 6 of ten: cos 0 and cos π/2."""
    assert [0.1, 0.05] == pytest.approx([cosine(1, 10, 0.1), cosine(6, 10, 0.1)])


def test_schedules_by_name():
    """Constant is the rate itself, and the others are their functions."""
    rates = [rate_at(schedule, 3, 10, 0.2) for schedule in ("constant", "cosine", "one_cycle")]

    assert [0.2, cosine(3, 10, 0.2), one_cycle(3, 10, 0.2)] == rates
