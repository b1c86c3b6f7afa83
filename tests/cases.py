"""Small networks that fire, on random images: the table of cases for the estimators."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tic_sweep.config import DATASETS, TrialConfig, replaced
from tic_sweep.models import build_model
from tic_sweep.snn import TimeNorm

SMALL = replaced(
    TrialConfig(),
    {
        "data.name": "digits",
        "data.augmentation": "none",
        "data.train_samples": 80,
        "data.validation_samples": 40,
        "data.test_samples": 40,
        "model.name": "small_conv",
        "optimiser.batch_size": 16,
        "optimiser.epochs": 2,
        "fisher.samples": 12,
        "timesteps": 3,
    },
)
"""A trial of a second or less."""

FAMILIES = {
    "small_conv": {"model.name": "small_conv", "data.name": "digits"},
    "small_conv tdbn soft": {
        "model.name": "small_conv", "data.name": "digits", "model.norm": "tdbn", "neuron.reset": "soft",
        "neuron.v_threshold": 0.8,
    },
    "resnet19": {"model.name": "resnet19", "model.width": 1 / 32, "data.name": "cifar10", "data.image_size": 12},
    "resnet19 wide and short": {
        "model.name": "resnet19", "model.width": 1 / 8, "data.name": "cifar10", "data.image_size": 8,
        "neuron.reset_gradient": 0.5,
    },
    "resnet34": {"model.name": "resnet34", "model.width": 1 / 32, "data.name": "cifar10", "data.image_size": 8},
    "vgg16": {"model.name": "vgg16", "model.width": 1 / 16, "data.name": "digits"},
    "alexnet": {"model.name": "alexnet", "model.width": 1 / 32, "data.name": "cifar10", "data.image_size": 9},
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A model with running statistics as after training, some images of its data set's shape, and labels."""

    model: nn.Module
    images: Tensor
    labels: Tensor
    config: TrialConfig


def lively(family: str, *, samples: int = 5, timesteps: int = 4, dtype: torch.dtype = torch.float64) -> Case:
    """Return a case of one model family whose neurons fire in every layer."""
    config = replaced(TrialConfig(), {**FAMILIES[family], "timesteps": timesteps})
    drawn = torch.Generator().manual_seed(7)
    model = build_model(config).to(dtype)
    spec, size = DATASETS[config.data.name], config.image_size
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, TimeNorm):
                module.weight.mul_(1.5 + 0.2 * torch.randn(module.weight.shape, generator=drawn, dtype=dtype))
                module.bias.add_(0.3 + 0.2 * torch.randn(module.bias.shape, generator=drawn, dtype=dtype))
        model.train()
        for _ in range(20):
            model(torch.randn(16, spec.channels, size, size, generator=drawn, dtype=dtype))
    model.eval()
    images = torch.randn(samples, spec.channels, size, size, generator=drawn, dtype=dtype)
    return Case(model, images, torch.randint(spec.classes, (samples,), generator=drawn), config)
