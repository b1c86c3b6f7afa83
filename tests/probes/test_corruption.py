"""Noise and blur against their definitions, image by image and by hand."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from probes.probe_cases import seeded

from tic_sweep.probes import blur, gaussian_noise
from tic_sweep.probes.corruption import drawn_noise, with_noise


def pixels_of(*shape: int) -> torch.Tensor:
    """Return random pixels in 0..1, in float64, some of them exactly 0 and 1."""
    return (torch.rand(shape, generator=seeded(1), dtype=torch.float64) * 1.4 - 0.2).clamp(0, 1)


@pytest.mark.parametrize("strength", [0.1, 0.5, 3.0])
def test_noise_is_its_definition(strength: float):
    """One image after the other: draw, scale to the image's norm, add, clip."""
    pixels, generator = pixels_of(4, 3, 5, 6), seeded()
    expected = []
    for image in pixels:
        noise = torch.randn(3, 5, 6, generator=generator).double()
        noise *= strength * image.square().sum().sqrt() / noise.square().sum().sqrt()
        expected.append((image + noise).clip(0, 1))

    torch.testing.assert_close(gaussian_noise(pixels, strength, seeded()), torch.stack(expected), rtol=0, atol=1e-14)


def test_noise_has_the_norm_asked_for():
    """Where nothing is clipped, each image's noise has ``strength`` times its own image's norm."""
    pixels = 0.4 + 0.2 * pixels_of(5, 1, 8, 8)
    change = gaussian_noise(pixels, 0.05, seeded()) - pixels

    torch.testing.assert_close(change.flatten(1).norm(dim=1), 0.05 * pixels.flatten(1).norm(dim=1))


def test_noise_is_standard_normal():
    """Before it is scaled the noise has mean 0, deviation 1 and a normal's share within one deviation."""
    noise = drawn_noise(torch.zeros(50, 3, 16, 16), seeded())

    assert pytest.approx(0, abs=0.02) == noise.mean().item()
    assert pytest.approx(1, abs=0.02) == noise.std().item()
    assert pytest.approx(0.683, abs=0.01) == (noise.abs() < 1).double().mean().item()


def test_no_strength_changes_nothing():
    """Strength 0 and factor 1 return the very pixels, in either precision."""
    for pixels in (pixels_of(3, 2, 7, 7), pixels_of(3, 2, 7, 7).float()):
        assert torch.equal(pixels, gaussian_noise(pixels, 0, seeded()))
        assert torch.equal(pixels, blur(pixels, 1))


def test_a_black_image_stays_black():
    """An image without a norm gets no noise, not even NaN."""
    assert torch.equal(torch.zeros(2, 1, 4, 4), gaussian_noise(torch.zeros(2, 1, 4, 4), 0.5, seeded()))


def test_noise_does_not_depend_on_chunks_or_precision():
    """All images at once, in two calls, or in float32: each image gets the noise it would get alone."""
    pixels, generator = pixels_of(5, 1, 3, 3), seeded()
    whole = gaussian_noise(pixels, 0.5, seeded())
    parts = [gaussian_noise(part, 0.5, generator) for part in pixels.split(2)]

    assert torch.equal(whole, torch.cat(parts))
    torch.testing.assert_close(whole.float(), gaussian_noise(pixels.float(), 0.5, seeded()))


def test_noise_over_time_is_fresh_and_of_full_norm_at_each_timestep():
    """Every timestep has noise of its own, scaled to the image's norm in that timestep."""
    pixels = 0.4 + 0.2 * pixels_of(5, 1, 8, 8)
    noise_TNCHW = drawn_noise(pixels, seeded(), timesteps=3)
    change_TNCHW = with_noise(pixels, noise_TNCHW, 0.05) - pixels

    assert (3, 5, 1, 8, 8) == change_TNCHW.shape
    for change_NCHW in change_TNCHW:
        torch.testing.assert_close(change_NCHW.flatten(1).norm(dim=1), 0.05 * pixels.flatten(1).norm(dim=1))
    units_TN = noise_TNCHW.flatten(2) / noise_TNCHW.flatten(2).norm(dim=2, keepdim=True)
    assert 0.5 > (units_TN[0] * units_TN[1]).sum(1).abs().max()


@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    strength=st.floats(0, 100),
    factor=st.floats(1, 100),
    seed=st.integers(0, 99),
)
def test_pixels_stay_pixels(size: tuple[int, int], strength: float, factor: float, seed: int):
    """Whatever the size and the strength, what comes out has the shape of what went in and lies in 0..1."""
    pixels = torch.rand(2, 1, *size, generator=seeded(seed)).round(decimals=1)

    for changed in (gaussian_noise(pixels, strength, seeded(seed)), blur(pixels, factor)):
        assert pixels.shape == changed.shape
        assert 0 <= changed.min() <= changed.max() <= 1


def test_blur_by_hand():
    """Four pixels to two by a triangle four pixels wide, weights 3:3:1 at the edge, and back by thirds and quarters."""
    row = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64)[None, None, None]
    shrunk = (3 / 7, 0.0)

    expected = [shrunk[0], 0.75 * shrunk[0], 0.25 * shrunk[0], shrunk[1]]

    torch.testing.assert_close(blur(row, 2).flatten(), torch.tensor(expected, dtype=torch.float64))


def test_blur_destroys_details_and_keeps_the_rest():
    """A chessboard becomes grey, an even image stays as it is, and a blur of any factor leaves one grey."""
    board = (torch.arange(16)[:, None] + torch.arange(16)) % 2
    grey = blur(board[None, None].double(), 2)[0, 0, 3:-3, 3:-3]

    torch.testing.assert_close(grey, torch.full_like(grey, 0.5), rtol=0, atol=1e-12)
    torch.testing.assert_close(blur(torch.full((1, 1, 7, 7), 0.3), 2.3), torch.full((1, 1, 7, 7), 0.3))
    assert pytest.approx(0, abs=1e-12) == blur(pixels_of(1, 1, 7, 7), 100).std().item()


def test_blur_mixes_neither_images_nor_channels():
    """Each channel of each image is blurred as if it were alone."""
    pixels = pixels_of(3, 2, 9, 7)
    alone = [blur(channel[None, None], 1.7)[0, 0] for channel in pixels.flatten(0, 1)]

    torch.testing.assert_close(blur(pixels, 1.7).flatten(0, 1), torch.stack(alone))
