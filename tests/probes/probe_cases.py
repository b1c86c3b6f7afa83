"""Networks, pixels and labels for the probes, in float64."""

import copy
from functools import cache

import torch
from cases import SMALL, Case, lively
from torch import Tensor

from tic_sweep.config import DATASETS, Resources, TrialConfig, replaced
from tic_sweep.data import load_images, prepare
from tic_sweep.probes import FrozenClassifier
from tic_sweep.snn import normalised
from tic_sweep.training import Training

LEARNER = replaced(
    SMALL,
    {
        "data.train_samples": 500, "data.test_samples": 100, "optimiser.epochs": 4, "fisher.every": 0,
    },
)  # fmt: skip
"""A trial that learns the digits in seconds."""


def seeded(seed: int = 0) -> torch.Generator:
    """Return a generator."""
    return torch.Generator().manual_seed(seed)


def present(pixels: Tensor) -> Tensor:
    """Return the digits' normalisation of pixels."""
    mean, std = (torch.tensor(values) for values in (DATASETS["digits"].mean, DATASETS["digits"].std))
    return normalised(pixels, mean, std)


def untrained(samples: int = 7, family: str = "small_conv") -> Case:
    """Return an untrained network whose neurons fire, and random pixels in 0..1, some of them exactly 0 and 1."""
    case = lively(family, samples=samples)
    return Case(case.model, (case.images * 0.5 + 0.5).clamp(0, 1), case.labels, case.config)


def trained() -> Case:
    """Return a network that has learned the digits, and 100 test images."""
    return copy.deepcopy(_trained(LEARNER))


def frozen(case: Case, readout: str = "mean") -> FrozenClassifier:
    """Return the case's network as the probes see it."""
    return FrozenClassifier.of(case.model, present, readout)


@cache
def _trained(config: TrialConfig) -> Case:
    raw = load_images("digits")
    training = Training(config, raw, Resources(device="cpu"))
    for _ in training.reports():
        pass
    test = prepare(raw, config.data, torch.device("cpu")).test
    return Case(training.model.double(), test.images.double(), test.labels, config)
