"""Settings every test shares."""

import os

import pytest
import torch

os.environ["TIC_SWEEP_WANDB"] = "off"
"""Sweeps under test mirror nothing to W&B, whose client takes seconds to start; tests of the mirror say otherwise."""


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Tests run on one thread, so that sums come in one order and cores are left to Ray's workers."""
    torch.set_num_threads(1)
