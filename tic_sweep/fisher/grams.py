"""What a layer's inputs tell about all gradients of its weight, laid out once for all horizons.

Shapes: T timesteps, N samples, C input channels, H, W pixels, P output pixels, L = T·P, K weights per output channel.
The gradient of sample n is G = gᵀa with g [L, D] from behind the layer and a [L, K] the inputs that meet at each output
pixel ("columns"). It is wanted squared and summed, at every horizon; a is the same at all of them:

    direct      ‖gᵀa‖²                                 columns
    Gram        ⟨ggᵀ, aaᵀ⟩ = Σ_s ⟨g_s, Σ_s' M_ss' g_s'⟩    M = aaᵀ with the blocks s' < s doubled, those s' > s left out
    projected   ‖gᵀ(aq)‖², q random signs                its expectation, see `tic_sweep.fisher.estimated`

For a 3x3 convolution of stride 1 aaᵀ needs no columns: it is the sum over the nine offsets o of the Gram matrix of the
pixels, taken at (p + o, p' + o). On a grid with one zero column and a zero row above and below that is a shift along
the matrix's memory.
"""

from torch import Tensor, nn
from torch.nn.functional import pad

BLOCK = {"cpu": 128, "cuda": 1024}
"""Pixels of a block of timesteps, about: blocks of one timestep save half the products, larger ones save calls."""


def columns(module: nn.Conv2d | nn.Linear, a_TN: Tensor) -> Tensor:
    """Lay inputs [T, N, C, H, W] or [T, N, K] out as [N, L, K], K in the order (kh, kw, C)."""
    if not isinstance(module, nn.Conv2d):
        return a_TN.transpose(0, 1)
    (kh, kw), (sh, sw), (dh, dw) = module.kernel_size, module.stride, module.dilation
    ph, pw = (int(p) for p in module.padding)
    a_NTHWC = pad(a_TN, (pw, pw, ph, ph)).permute(1, 0, 3, 4, 2).contiguous()
    windows = a_NTHWC.unfold(2, dh * (kh - 1) + 1, sh).unfold(3, dw * (kw - 1) + 1, sw)[..., ::dh, ::dw]
    return windows.permute(0, 1, 2, 3, 5, 6, 4).flatten(4).flatten(1, 3)


def channels_last(weight: Tensor) -> Tensor:
    """Lay a weight [D, C, kh, kw] or [D, K] out as [D, K], in the order of K that `columns` has."""
    return weight.permute(0, 2, 3, 1).flatten(1) if weight.dim() == 4 else weight  # noqa: PLR2004 - a convolution's


def has_shifts(module: nn.Module) -> bool:
    """Tell whether a module's Gram matrix is a sum of shifts of its pixels' one."""
    return isinstance(module, nn.Conv2d) and (
        module.kernel_size == (3, 3) and module.stride == module.dilation == module.padding == (1, 1)
    )


def gram(module: nn.Conv2d | nn.Linear, a_TN: Tensor, pixels: int) -> list[Tensor]:
    """Return M, a few timesteps at a time: rows [N, L - start, L] of those that start at pixel ``start`` and end at L.

    Timesteps of few pixels are joined to blocks of about `BLOCK` on their device, so that products are worth a call.

    Args:
        module: the layer.
        a_TN: its input.
        pixels: P.
    """
    steps = min(max(1, BLOCK["cpu" if a_TN.is_cpu else "cuda"] // pixels), len(a_TN))
    rows = _shifted_rows(a_TN, steps) if has_shifts(module) else _plain_rows(columns(module, a_TN), steps * pixels)
    for row_NBL in rows:
        row_NBL[:, :, : row_NBL.shape[2] - row_NBL.shape[1]] *= 2
    return rows


def _plain_rows(a_NLK: Tensor, block: int) -> list[Tensor]:
    length = a_NLK.shape[1]
    cuts = [(start, min(start + block, length)) for start in range(0, length, block)]
    return [a_NLK[:, start:end] @ a_NLK[:, :end].mT for start, end in cuts]


def _shifted_rows(a_TN: Tensor, steps: int) -> list[Tensor]:
    """Return them for a 3x3 convolution of stride and padding 1, from inputs [T, N, C, H, W]."""
    timesteps, samples, _, height, width = a_TN.shape
    grid_NTXC = pad(a_TN, (0, 1, 1, 1)).permute(1, 0, 3, 4, 2).contiguous()  # zeros right, above and below
    rows = []
    for start in range(0, timesteps, steps):
        end = min(start + steps, timesteps)
        products_NXX = grid_NTXC[:, start:end].flatten(1, 3) @ grid_NTXC[:, :end].flatten(1, 3).mT
        for step in (1, width + 1):  # over the offsets within a line of pixels, then over lines
            products_NXX = _three(products_NXX, step)
        row = products_NXX.view(samples, end - start, height + 2, width + 1, end, height + 2, width + 1)
        row = row[:, :, 1:-1, :-1, :, 1:-1, :-1]
        rows.append(row.reshape(samples, (end - start) * height * width, end * height * width))
    return rows


def _three(x_NXY: Tensor, step: int) -> Tensor:
    """Return x[i, j] + x[i + step, j + step] + x[i - step, j - step], wrong where that leaves the matrix."""
    along = step * (x_NXY.shape[2] + 1)
    flat = x_NXY.flatten(1)
    total = flat.clone()
    total[:, along:] += flat[:, :-along]
    total[:, :-along] += flat[:, along:]
    return total.view_as(x_NXY)
