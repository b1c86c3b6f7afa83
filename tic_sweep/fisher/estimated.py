"""Two estimators of squared gradient norms by random signs, unbiased, in place of the exact ones.

Shapes: N samples, Q draws, T timesteps, P output pixels, L = P pixels of each timestep up to the horizon, D output
channels, K weights per output channel, C a layer's channels.

    projections   E ‖G_n q‖² = ‖G_n‖² for q of K independent signs, drawn for each sample and layer. G_n q = gᵀ(aq), and
                  aq [L, Q] is the same at all horizons: a horizon costs one pass over g, not a product with K columns.
    signs         E ‖Σ_n ε_n G_n‖² = Σ_n ‖G_n‖² over a group of 16 samples, with a sign ε_n for each: one gradient of a
                  batch in place of 16 of samples. A group is the unit, and its standard error over groups holds the
                  noise of the signs.

Both share their signs between horizons, so that much of the noise leaves the information centroid alone. Projections
take the exact way where it costs next to nothing or knows no shortcut: norms, biases, linear layers, weights with a
mask, and convolutions of few pixels.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from tic_sweep.config import PUBLISHED_BATCH
from tic_sweep.fisher.exact import Exact, WeightRule, accumulated, exact_share, output_sides, squared

GROUP = PUBLISHED_BATCH
"""Samples that estimator ``signs`` adds up: as many as the published code's batches hold."""

NEXT_TO_NOTHING = 1 / 16
"""Share of the multiplications of the direct way below which a layer is measured exactly all the same."""


class Projections(Exact):
    """Squared norms of the weights' gradients by Q projections each; everything else exactly.

    Args:
        model: whose layers are measured.
        samples: N.
        draws: Q.
        generator: (CPU) source of the signs; image after image, so that chunks change nothing.
    """

    def __init__(self, model: nn.Module, samples: int, draws: int, generator: torch.Generator | None) -> None:
        self._draws = draws
        self._words: dict[nn.Module, slice] = {}
        first = 0
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                last = first + math.ceil(draws * module.weight[0].numel() / 32)
                self._words[module], first = slice(first, last), last
        self._words_NW = torch.randint(2**32, (samples, first), generator=generator)

    def of_weight(
        self, module: nn.Conv2d | nn.Linear, a_TN: Tensor, horizons: int, mask: Tensor | None, samples: slice
    ) -> WeightRule:
        """Return `Projected` where that pays."""
        if mask is not None or isinstance(module, nn.Linear) or exact_share(module, a_TN, horizons) < NEXT_TO_NOTHING:
            return super().of_weight(module, a_TN, horizons, mask, samples)
        return Projected(projected(module, a_TN, self._signs(module, a_TN, samples)))

    def _signs(self, conv: nn.Conv2d, a_TN: Tensor, samples: slice) -> Tensor:
        """Return independent signs [N, Q, C, kh, kw]."""
        words_NW = self._words_NW[samples, self._words[conv]].to(a_TN.device)
        bits = (words_NW[..., None] >> torch.arange(32, device=a_TN.device)) & 1
        shape = (self._draws, *conv.weight.shape[1:])
        signs = bits.flatten(1)[:, : math.prod(shape)].unflatten(1, shape)
        return signs.to(a_TN.dtype).mul_(2).sub_(1)


class Projected(WeightRule):
    """‖gᵀ(aq)‖², the mean over draws."""

    def __init__(self, projected_NLQ: Tensor) -> None:
        self._projected_NQL = projected_NLQ.mT.contiguous()

    def __call__(self, g_NLD: Tensor, scale_D: Tensor) -> Tensor:
        """Return the estimates [N]."""
        met_NQD = self._projected_NQL[:, :, : g_NLD.shape[1]] @ g_NLD
        return squared(met_NQD * scale_D) / met_NQD.shape[1]


def projected(conv: nn.Conv2d, a_TN: Tensor, signs_NQCkk: Tensor) -> Tensor:
    """Return aq [N, L, Q]: a convolution of each sample with signs of its own.

    As products over channels at every offset of the kernel, added up where the offsets meet.
    """
    timesteps, samples, _, height, width = a_TN.shape
    (kh, kw), (sh, sw), (dh, dw) = conv.kernel_size, conv.stride, conv.dilation
    ph, pw = (int(p) for p in conv.padding)
    high, wide = output_sides(conv, a_TN)
    by_offset_NFC = signs_NQCkk.permute(0, 3, 4, 1, 2).flatten(1, 3)
    products = by_offset_NFC.expand(timesteps, *by_offset_NFC.shape) @ a_TN.flatten(3)
    products = pad(products.view(timesteps, samples, kh, kw, -1, height, width), (pw, pw, ph, ph))
    total = products.new_zeros(timesteps, samples, products.shape[4], high, wide)
    for i in range(kh):
        lines = slice(i * dh, i * dh + (high - 1) * sh + 1, sh)
        for j in range(kw):
            total += products[:, :, i, j, :, lines, j * dw : j * dw + (wide - 1) * sw + 1 : sw]
    return total.flatten(3).permute(1, 0, 3, 2).flatten(1, 2)


class Signs(Exact):
    """Squared norms of a group's signed sum of gradients, over its number of samples; the group is one unit.

    Args:
        samples: N, the group.
        draws: Q sets of signs, whose mean is taken.
        generator: (CPU) source of the signs.
    """

    def __init__(self, samples: int, draws: int, generator: torch.Generator | None) -> None:
        self._signs_QN = torch.randint(2, (samples, draws), generator=generator).T * 2 - 1

    def units(self, samples: int) -> int:
        """Return 1: the group."""
        return min(samples, 1)

    def of_vectors(self, grad_NC: Tensor) -> Tensor:
        """Return (1/N)·‖Σ_n ε_n grad_n‖² [1]."""
        signed_QC = self._signs_QN.to(grad_NC) @ grad_NC
        return signed_QC.square().sum().div(signed_QC.shape[0] * len(grad_NC))[None]

    def of_weight(
        self,
        module: nn.Conv2d | nn.Linear,
        a_TN: Tensor,
        horizons: int,  # noqa: ARG002 - all cost the same
        mask: Tensor | None,
        samples: slice,  # noqa: ARG002 - always the whole group
    ) -> WeightRule:
        """Return the rule of a batch's gradient."""
        return Signed(module, a_TN, mask, self._signs_QN.to(a_TN))

    def bytes_per_sample(self, module: nn.Conv2d | nn.Linear, a_TN: Tensor) -> int:  # noqa: ARG002 - of any layer
        """Return next to nothing: a group is never split."""
        return 1


class Signed(WeightRule):
    """(1/N)·‖Σ_n ε_n g_nᵀa_n‖², the mean over draws."""

    def __init__(self, module: nn.Conv2d | nn.Linear, a_TN: Tensor, mask: Tensor | None, signs_QN: Tensor) -> None:
        self._module, self._a_TN, self._mask, self._signs_QN = module, a_TN, mask, signs_QN

    def __call__(self, g_NLD: Tensor, scale_D: Tensor) -> Tensor:
        """Return the estimate [1]."""
        total = torch.zeros(1, dtype=accumulated(g_NLD), device=g_NLD.device)
        for signs_N in self._signs_QN:
            grad = self._gradient((g_NLD * signs_N[:, None, None]).mul_(scale_D))
            total += squared((grad if self._mask is None else grad * self._mask)[None])
        return total / (len(self._signs_QN) * len(g_NLD))

    def _gradient(self, g_NLD: Tensor) -> Tensor:
        """Return the weight's gradient, summed over samples."""
        conv = self._module
        if not isinstance(conv, nn.Conv2d):
            return torch.einsum("nld,lnk->dk", g_NLD, self._a_TN[: g_NLD.shape[1]])
        high, wide = output_sides(conv, self._a_TN)
        grad_NTHWD = g_NLD.unflatten(1, (-1, high, wide))
        grad = grad_NTHWD.permute(1, 0, 4, 2, 3).flatten(0, 1)
        a = self._a_TN[: grad_NTHWD.shape[1]].flatten(0, 1)
        like = conv.weight.detach().to(a.dtype)  # only its shape is read
        stride, padding, dilation = conv.stride, [int(p) for p in conv.padding], conv.dilation
        return torch.ops.aten.convolution_backward(
            grad, a, like, None, stride, padding, dilation, False, [0, 0], 1, [False, True, False]
        )[1]
