"""Adversarial images on the pixel scale 0..1, before normalisation. Shapes: N images, C channels, H, W pixels.

    FGSM    x' = clip(x + eps·sign(dL/dx))                              (Goodfellow et al. 2014)
    PGD     x ← clip(project(x + step·sign(dL/dx))), `steps` times      (Madry et al. 2018)

L is the cross-entropy at horizon T with the data's labels, its gradient that of back-propagation through all timesteps
with the network's surrogate derivatives; `project` returns to |x - x_0| <= eps, `clip` to 0..1. PGD's result is the
last iterate, not the worst on the way. Where the gradient is exactly zero, a pixel is left alone.
"""

import torch
from torch import Tensor

from tic_sweep.probes.classifier import FrozenClassifier


def fgsm(classifier: FrozenClassifier, pixels_NCHW: Tensor, labels_N: Tensor, eps: float) -> Tensor:
    """Return the images one step of size ``eps`` up the loss; 0 returns them unchanged."""
    return _within(_ascended(classifier, pixels_NCHW, labels_N, eps), pixels_NCHW, eps)


def pgd(
    classifier: FrozenClassifier,
    pixels_NCHW: Tensor,
    labels_N: Tensor,
    *,
    eps: float,
    step: float,
    steps: int,
    start_NCHW: Tensor | None = None,
) -> Tensor:
    """Return the images after ``steps`` projected steps of size ``step`` up the loss.

    Args:
        classifier: the network under attack.
        pixels_NCHW: the images attacked.
        labels_N: their labels.
        eps: largest change of a pixel; 0 returns the images unchanged.
        step: size of a step.
        steps: number of steps.
        start_NCHW: where to start from the images, in units of ``eps``, see `random_start`; None starts at the images.
    """
    attacked = pixels_NCHW if start_NCHW is None else _within(pixels_NCHW + eps * start_NCHW, pixels_NCHW, eps)
    for _ in range(steps):
        attacked = _within(_ascended(classifier, attacked, labels_N, step), pixels_NCHW, eps)
    return attacked


def random_start(pixels_NCHW: Tensor, generator: torch.Generator) -> Tensor:
    """Return a uniform draw from [-1, 1] for each pixel, image by image from the (CPU) generator as `drawn_noise`."""
    drawn = [torch.rand(pixels_NCHW.shape[1:], generator=generator) for _ in pixels_NCHW]
    return torch.stack(drawn).mul_(2).sub_(1).to(pixels_NCHW)


def _ascended(classifier: FrozenClassifier, pixels_NCHW: Tensor, labels_N: Tensor, step: float) -> Tensor:
    return pixels_NCHW + step * classifier.gradient(pixels_NCHW, labels_N).sign()


def _within(attacked_NCHW: Tensor, pixels_NCHW: Tensor, eps: float) -> Tensor:
    """Return to at most ``eps`` from the images, and to 0..1."""
    return attacked_NCHW.clamp(pixels_NCHW - eps, pixels_NCHW + eps).clamp(0, 1)
