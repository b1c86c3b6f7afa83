"""Augmentation of a whole batch at once, on the images' own device.

Shapes: N images, C channels, H x W pixels.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad


def augment(images: Tensor, kind: str, generator: torch.Generator) -> Tensor:
    """Return a randomly shifted, and perhaps mirrored, copy of each image ``[N, C, H, W]``.

    ``"crop"`` cuts a window of the image's size out of the image with a border of zeros, an eighth of its width (at
    least one pixel) on each side; ``"crop_flip"`` then mirrors every other image, on average, left to right; ``"none"``
    returns the images as they are and draws nothing. The draws come from a CPU generator, so that they are the same
    on every device.
    """
    drawn = draw_windows(len(images), images.shape[-1], kind, generator)
    return cut_windows(images, drawn.to(images.device))


def draw_windows(count: int, width: int, kind: str, generator: torch.Generator) -> Tensor:
    """Return what is drawn to augment ``count`` images, on the CPU: [0, N] for ``none``, else [3, N].

    The rows are the first row and column of the window in the padded image, and whether it is mirrored.
    """
    if kind == "none":
        return torch.empty(0, count, dtype=torch.int64)
    shifts_2N = torch.randint(2 * _border(width) + 1, (2, count), generator=generator)
    mirrored_N = torch.zeros(count, dtype=torch.int64)
    if kind == "crop_flip":
        mirrored_N = (torch.rand(count, generator=generator) < 0.5).long()  # noqa: PLR2004 - a fair coin
    return torch.cat([shifts_2N, mirrored_N[None]])


def cut_windows(images: Tensor, drawn: Tensor) -> Tensor:
    """Return the windows that `draw_windows` drew, from images on the same device; the images as they are for none."""
    if not len(drawn):
        return images
    count, channels, height, width = images.shape
    device, (top_N, left_N, mirrored_N) = images.device, drawn
    rows_NH = top_N[:, None] + torch.arange(height, device=device)
    columns_NW = left_N[:, None] + torch.arange(width, device=device)
    columns_NW = torch.where(mirrored_N[:, None] > 0, columns_NW.flip(1), columns_NW)
    return pad(images, [_border(width)] * 4)[
        torch.arange(count, device=device)[:, None, None, None],
        torch.arange(channels, device=device)[None, :, None, None],
        rows_NH[:, None, :, None],
        columns_NW[:, None, None, :],
    ]


def _border(width: int) -> int:
    return max(1, round(width / 8))
