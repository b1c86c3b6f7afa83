"""Convolutions, backwards: the gradient by a layer's input. Shapes: R rows, H, W pixels, C inputs, D outputs.

Gradients lie as [R, H, W, D], channels last. At stride 1 the gradient is itself a convolution, with the kernel turned
round, and libraries are quicker at those: GPUs by a factor of 2 to 3. On the CPU a wide 3x3 convolution of stride 1
goes by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2016): tiles of 6x6 gradients, which overlap by 2,
become

    Y = Aᵀ[(G w Gᵀ) ⊙ (Bᵀ d B)]A          4x4 results by 36 multiplications in place of 144

It is the same sum in another order, less exact by a factor of about ten (3e-6 of the norm in float32): enough for a
gradient that is to be squared and added up, and never used where a spike could flip.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, pad

TILE, STRIDE = 6, 4
CACHED = 8192
"""Numbers per position of a tile that are taken at a time, so that they stay in a core's cache."""

_B = ((4, 0, -5, 0, 1, 0), (0, -4, -4, 1, 1, 0), (0, 4, -4, -1, 1, 0), (0, -2, -1, 2, 1, 0), (0, 2, -1, -2, 1, 0),
      (0, 4, 0, -5, 0, 1))  # fmt: skip
_G = ((1 / 4, 0, 0), (-1 / 6, -1 / 6, -1 / 6), (-1 / 6, 1 / 6, -1 / 6), (1 / 24, 1 / 12, 1 / 6),
      (1 / 24, -1 / 12, 1 / 6), (0, 0, 1))  # fmt: skip
_A = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))

WIDE = 96
"""Channels from which fewer multiplications outweigh the passes over memory that tiles cost."""


def input_gradient(conv: nn.Conv2d, grad_RHWD: Tensor, scale_D: Tensor, input_size: torch.Size) -> Tensor:
    """Return the gradient by the input [R, H, W, C].

    Args:
        conv: the convolution; its groups are 1.
        grad_RHWD: gradient of what came of its output multiplied by ``scale_D``, with any leading axes for R.
        scale_D: what the output is multiplied by.
        input_size: (C, H, W) of the input.
    """
    leading, (channels, height, width) = grad_RHWD.shape[:-3], input_size
    grad_RHWD = grad_RHWD.flatten(0, -4)
    weight = (conv.weight.detach() * scale_D[:, None, None, None]).to(grad_RHWD.dtype)
    if _by_tiles(conv, grad_RHWD):
        return _tiled(grad_RHWD, weight).unflatten(0, leading)
    if _meets_single_pixels(conv):
        (down, right), turned_DC = conv.stride, weight[:, :, 0, 0]
        if (down, right) == (1, 1):
            return (grad_RHWD @ turned_DC).unflatten(0, leading)
        out = grad_RHWD.new_zeros(len(grad_RHWD), height, width, channels)
        out[:, ::down, ::right] = grad_RHWD @ turned_DC
        return out.unflatten(0, leading)
    grad_RDHW = grad_RHWD.permute(0, 3, 1, 2)
    dilation, padding = conv.dilation, [int(p) for p in conv.padding]
    reach = [d * (k - 1) - p for d, k, p in zip(dilation, conv.kernel_size, padding, strict=True)]
    if conv.stride == (1, 1) and min(reach) >= 0:
        turned = weight.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last)
        out = conv2d(grad_RDHW, turned, padding=reach, dilation=dilation)
    else:
        sizes = zip((height, width), grad_RHWD.shape[1:3], conv.stride, padding, reach, strict=True)
        unmet = [size - ((g - 1) * stride - p + r + 1) for size, g, stride, p, r in sizes]
        weight = weight.contiguous(memory_format=torch.channels_last)
        out = conv_transpose2d(grad_RDHW, weight, None, conv.stride, padding, unmet, 1, dilation)
    return out.permute(0, 2, 3, 1).contiguous().unflatten(0, leading)


def _meets_single_pixels(conv: nn.Conv2d) -> bool:
    """Tell whether each output pixel is made of one input pixel: then what goes back is a product."""
    return conv.kernel_size == (1, 1) and all(int(p) == 0 for p in conv.padding)


def _by_tiles(conv: nn.Conv2d, grad: Tensor) -> bool:
    """Tell whether tiles are possible and quicker; GPUs have their own ways, and products of half precision."""
    plain = conv.kernel_size == (3, 3) and conv.stride == conv.dilation == conv.padding == (1, 1)
    wide = min(conv.in_channels, conv.out_channels) >= WIDE
    return plain and wide and grad.device.type == "cpu" and grad.dtype in {torch.float32, torch.float64}


def _tiled(grad_RHWD: Tensor, weight_DCkk: Tensor) -> Tensor:
    """Return [R, H, W, C] of a 3x3 convolution of stride and padding 1, by tiles."""
    rows, height, width, channels = grad_RHWD.shape
    high, wide = -(-height // STRIDE), -(-width // STRIDE)
    b, g, a = (torch.kron(m, m) for m in (torch.tensor(m, dtype=grad_RHWD.dtype) for m in (_B, _G, _A)))
    turned_9M = weight_DCkk.flip(2, 3).permute(2, 3, 0, 1).reshape(9, -1)
    filters_KDC = (g @ turned_9M).view(TILE**2, *weight_DCkk.shape[:2])
    padded = pad(grad_RHWD, (0, 0, 1, STRIDE * wide - width + 1, 1, STRIDE * high - height + 1))
    tiles = padded.unfold(1, TILE, STRIDE).unfold(2, TILE, STRIDE).permute(4, 5, 0, 1, 2, 3)
    spread_KMD = grad_RHWD.new_empty(TILE**2, rows * high * wide, channels)
    each = max(1, CACHED // (high * wide * channels))
    for first in range(0, rows, each):
        some = tiles[:, :, first : first + each].reshape(TILE**2, -1)
        spread_KMD[:, first * high * wide : (first + each) * high * wide] = (b @ some).view(TILE**2, -1, channels)
    products_KMC = torch.bmm(spread_KMD, filters_KDC)
    gathered = a @ products_KMC.flatten(1)
    out = gathered.view(STRIDE, STRIDE, rows, high, wide, -1).permute(2, 3, 0, 4, 1, 5)
    return out.reshape(rows, STRIDE * high, STRIDE * wide, -1)[:, :height, :width].contiguous()
