"""Images made noisy or blurred, on the pixel scale 0..1. Shapes: T timesteps, N images, C channels, H, W pixels.

    noise   x' = clip(x + ε·s·‖x‖/‖ε‖),  ε ~ N(0, 1), norms ‖·‖₂ over the pixels of one image, s the strength
    blur    shrink to round(H/f) x round(W/f) pixels and enlarge to H x W again, bilinearly, f the factor

Clipping takes some of the noise away where pixels are near 0 or 1: s is the relative norm before it.
"""

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def gaussian_noise(pixels_NCHW: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Return the images with Gaussian noise of ``strength`` times each image's own norm; 0 returns them unchanged."""
    return with_noise(pixels_NCHW, drawn_noise(pixels_NCHW, generator), strength)


def drawn_noise(pixels_NCHW: Tensor, generator: torch.Generator, timesteps: int | None = None) -> Tensor:
    """Return standard normal noise of the images' shape, or [T, N, C, H, W] for ``timesteps``.

    Drawn by the (CPU) generator in float32, image by image, so that neither the device nor the images of a call change
    what an image gets: a call for all draws what several calls for some draw in turn.
    """
    shape = pixels_NCHW.shape[1:] if timesteps is None else (timesteps, *pixels_NCHW.shape[1:])
    drawn = [torch.randn(shape, generator=generator) for _ in pixels_NCHW]
    return torch.stack(drawn, dim=-4).to(pixels_NCHW)


def with_noise(pixels_NCHW: Tensor, noise: Tensor, strength: float) -> Tensor:
    """Return clip(x + ε·s·‖x‖/‖ε‖), in the shape of ``noise``, which may have a leading time axis."""
    scale = strength * _norms(pixels_NCHW) / _norms(noise)
    return (pixels_NCHW + noise * scale).clamp(0, 1)


def blur(pixels_NCHW: Tensor, factor: float) -> Tensor:
    """Return the images shrunk by ``factor``, to a pixel at least, and enlarged to their size again; 1 is the identity.

    Shrinking weighs pixels by a triangle as wide as ``factor`` asks (antialiasing), as image libraries do; bilinear
    sampling without it would read four pixels for each new one, leave out the others, and alias.
    """
    size = pixels_NCHW.shape[-2:]
    smaller = [max(1, round(length / factor)) for length in size]
    shrunk = interpolate(pixels_NCHW, smaller, mode="bilinear", antialias=True)
    return interpolate(shrunk, size, mode="bilinear").clamp(0, 1)


def _norms(images: Tensor) -> Tensor:
    return images.flatten(-3).norm(dim=-1)[..., None, None, None]
