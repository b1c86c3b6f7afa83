"""Accuracy when noise disturbs the input for some timesteps only (Kim et al. 2023, Fig. 2).

For every window [t, t + w - 1], t = 1..T - w + 1, the image is shown with Gaussian noise inside the window and as it is
outside. The noise is fresh at each timestep, and an image meets the same noise at t in every window that holds t:
between windows only the time differs. Shapes: T timesteps, N images, C channels, H, W pixels; time is axis 0.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tic_sweep.config import ProbesConfig
from tic_sweep.probes.classifier import FrozenClassifier, Present, Score
from tic_sweep.probes.corruption import drawn_noise, with_noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Deficit:
    """How a network does on images disturbed in timesteps ``first`` to ``last``."""

    first: int
    last: int
    strength: float
    acc: float
    loss: float
    clean_acc: float
    images: int


def measure_deficits(
    model: nn.Module,
    pixels_NCHW: Tensor,
    labels_N: Tensor,
    present: Present,
    probes: ProbesConfig,
    *,
    readout: str = "mean",
    generator: torch.Generator,
    chunk: int = 64,
) -> list[Deficit]:
    """Measure accuracy and loss at horizon T for each window of timesteps; none if the window is longer than T.

    It is measured on a copy in evaluation mode: the model itself keeps its modes, buffers, gradients and hooks.

    Args:
        model: maps its input to outputs per timestep [T, N, K].
        pixels_NCHW: images on the pixel scale 0..1.
        labels_N: their labels.
        present: from pixels, also [T, N, C, H, W], to the model's input.
        probes: length of the window, and strength of the noise as of `with_noise`.
        readout: ``mean`` or ``sum``, see `horizon_logits`.
        generator: (CPU) source of the noise.
        chunk: images per pass; bounds the memory, changes no draw and no number beyond rounding.
    """
    classifier = FrozenClassifier.of(model, present, readout)
    timesteps, window = classifier.timesteps(pixels_NCHW), probes.deficit_window
    clean = Score()
    scores = [Score()] * max(0, timesteps - window + 1)
    for pixels, labels in zip(pixels_NCHW.split(chunk), labels_N.split(chunk), strict=True):
        clean += classifier.score(pixels, labels)
        noisy_TNCHW = with_noise(pixels, drawn_noise(pixels, generator, timesteps), probes.deficit_strength)
        for start in range(len(scores)):
            shown_TNCHW = pixels.repeat(timesteps, 1, 1, 1, 1)
            shown_TNCHW[start : start + window] = noisy_TNCHW[start : start + window]
            scores[start] += classifier.score(shown_TNCHW, labels)
    return [
        Deficit(
            first=first,
            last=first + window - 1,
            strength=probes.deficit_strength,
            acc=score.acc,
            loss=score.loss,
            clean_acc=clean.acc,
            images=score.images,
        )
        for first, score in enumerate(scores, start=1)
    ]
