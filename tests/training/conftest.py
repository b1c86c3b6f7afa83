"""What the tests of training share."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from tic_sweep.data import RawImages, load_images
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
    """Let every Fisher trace that a trial measures all but vanish after the first third of the timesteps."""
    _hold_information(monkeypatch, lambda early_T, _: early_T)


@pytest.fixture
def information_turns_at_5(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the Fisher trace lie after the first third of the timesteps up to epoch 4, and within it from then on."""
    _hold_information(monkeypatch, lambda early_T, epoch: early_T == (epoch >= 5))


def _hold_information(monkeypatch: pytest.MonkeyPatch, where: Callable[[torch.Tensor, int], torch.Tensor]) -> None:
    measure, measure_sequences = observation.measure, SequenceObserver._measure

    def held(trace: FisherTrace, epoch: int) -> FisherTrace:
        timesteps = trace.units_NT.shape[1]
        early_T = 3 * torch.arange(1, timesteps + 1) <= timesteps
        return replace(trace, units_NT=trace.units_NT * torch.where(where(early_T, epoch), 1.0, 1e-12))

    monkeypatch.setattr(observation, "measure", lambda *a, epoch, **kw: held(measure(*a, epoch=epoch, **kw), epoch))
    monkeypatch.setattr(
        SequenceObserver, "_measure", lambda self, model, epoch: held(measure_sequences(self, model, epoch), epoch)
    )
