"""What the tests of training share."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tic_sweep.data import RawImages, load_images
from tic_sweep.fisher import FisherTrace
from tic_sweep.training import observation


@pytest.fixture(scope="session")
def digits() -> RawImages:
    """Return the embedded digits."""
    return load_images("digits")


@pytest.fixture
def information_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every Fisher trace that a trial measures all but vanish after t = 2.

    Whether that of a network so small does by itself hangs on how its processor rounds.
    """
    measure = observation.measure

    def fading(*given: Any, **named: Any) -> FisherTrace:
        trace = measure(*given, **named)
        left_T = torch.where(torch.arange(trace.units_NT.shape[1]) < 2, 1.0, 1e-12)
        return replace(trace, units_NT=trace.units_NT * left_T)

    monkeypatch.setattr(observation, "measure", fading)
