"""What the tests of training share."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from tic_sweep.data import RawImages, load_images
from tic_sweep.delays import DelayNetwork
from tic_sweep.fisher import FisherTrace
from tic_sweep.training import observation
from tic_sweep.training.sequence_observation import SequenceObserver


@pytest.fixture(scope="session")
def digits() -> RawImages:
    """Return the embedded digits."""
    return load_images("digits")


# Where a network so small holds its information hangs on how its processor rounds; these tell it where instead.


@pytest.fixture
def information_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every Fisher trace that a trial measures all but vanish after t = 2."""
    _hold_information(monkeypatch, lambda t_T, _: t_T <= 2)


@pytest.fixture
def information_turns_at_5(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the Fisher trace lie after t = 2 up to epoch 4, and up to t = 2 from then on."""
    _hold_information(monkeypatch, lambda t_T, epoch: (t_T > 2) == (epoch < 5))


def _hold_information(monkeypatch: pytest.MonkeyPatch, where: Callable[[torch.Tensor, int], torch.Tensor]) -> None:
    measure, measure_sequences = observation.measure, SequenceObserver._measure

    def held(trace: FisherTrace, epoch: int) -> FisherTrace:
        t_T = torch.arange(1, trace.units_NT.shape[1] + 1)
        return replace(trace, units_NT=(trace.units_NT + 1) * torch.where(where(t_T, epoch), 1.0, 1e-12))

    def measured(*given: Any, epoch: int, **named: Any) -> FisherTrace:
        return held(measure(*given, epoch=epoch, **named), epoch)

    def measured_sequences(self: SequenceObserver, model: DelayNetwork, epoch: int) -> FisherTrace:
        return held(measure_sequences(self, model, epoch), epoch)

    monkeypatch.setattr(observation, "measure", measured)
    monkeypatch.setattr(SequenceObserver, "_measure", measured_sequences)
