"""`FrozenClassifier`: a network as the probes see it, from pixels to logits at horizon T, and what it scores.

Shapes: T timesteps, N images, K classes; pixels are [N, C, H, W], or [T, N, C, H, W] if they change in time.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tic_sweep.snn import horizon_logits

Present: TypeAlias = Callable[[Tensor], Tensor]
"""From pixels on the scale 0..1 to the model's input, in the same shape: normalisation."""


@dataclass(frozen=True, slots=True)
class FrozenClassifier:
    """A copy of a model in evaluation mode, without gradients of its own; the model itself is never touched."""

    model: nn.Module
    present: Present
    readout: str

    @classmethod
    def of(cls, model: nn.Module, present: Present, readout: str = "mean") -> "FrozenClassifier":
        """Return the frozen copy of a model that maps its input to outputs per timestep [T, N, K]."""
        return cls(copy.deepcopy(model).eval().requires_grad_(requires_grad=False), present, readout)

    def logits(self, pixels: Tensor) -> Tensor:
        """Return the logits [N, K] at horizon T."""
        return horizon_logits(self.model(self.present(pixels)), self.readout)[-1]

    @torch.no_grad()
    def timesteps(self, pixels_NCHW: Tensor) -> int:
        """Return T, the number of timesteps for which the model sees a still image."""
        return len(self.model(self.present(pixels_NCHW[:1])))

    def gradient(self, pixels: Tensor, labels_N: Tensor) -> Tensor:
        """Return dL_n/dx_n of each image's own cross-entropy at horizon T, back through all timesteps.

        Images do not mix in evaluation mode: in the gradient of the sum of losses, each image's slice is its own.
        """
        with torch.enable_grad():
            x = pixels.detach().requires_grad_()
            loss = cross_entropy(self.logits(x), labels_N, reduction="sum")
        return torch.autograd.grad(loss, x)[0]

    @torch.no_grad()
    def score(self, pixels: Tensor, labels_N: Tensor) -> "Score":
        """Return the summed cross-entropy at horizon T, and how many images are classified correctly there."""
        logits_NK = self.logits(pixels)
        loss = cross_entropy(logits_NK, labels_N, reduction="sum")
        return Score(loss.item(), int((logits_NK.argmax(1) == labels_N).sum()), len(labels_N))


@dataclass(frozen=True, slots=True)
class Score:
    """Sums over some images; scores of other images are added to it."""

    loss_sum: float = 0.0
    hits: int = 0
    images: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(self.loss_sum + other.loss_sum, self.hits + other.hits, self.images + other.images)

    @property
    def acc(self) -> float:
        """Share of the images classified correctly."""
        return self.hits / self.images

    @property
    def loss(self) -> float:
        """Mean cross-entropy, in nats."""
        return self.loss_sum / self.images
