"""Slow, plain estimators written from the definitions, against which the fast ones are checked."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy


def logits_oracle(outputs_TNK: Tensor, readout: str) -> Tensor:
    """Return the logits of outputs 1..t at horizon t, as a readout is defined."""
    if readout == "softmax_sum":
        return outputs_TNK.softmax(-1).sum(0)
    return outputs_TNK.mean(0) if readout == "mean" else outputs_TNK.sum(0)


def fisher_units_oracle(model: nn.Module, images: Tensor, labels: Tensor, readout: str = "mean") -> Tensor:
    """Return ``‖∇_θ log f_θ(y_n | x_{i≤t})‖²`` [N, T] (Eq. 6), one forward and backward pass for each.

    Images are [N, C, H, W] or [T, N, C, H, W], or sequences [N, T, I].
    """
    model.eval()
    parameters = [p for p in model.parameters() if p.requires_grad]
    rows = []
    for n, y in enumerate(labels):
        image = images[n : n + 1] if images.dim() < 5 else images[:, n : n + 1]
        timesteps = len(model(image))
        row = []
        for t in range(1, timesteps + 1):
            logits = logits_oracle(model(image)[:t], readout)
            grads = torch.autograd.grad(cross_entropy(logits, y[None]), parameters, allow_unused=True)
            row.append(sum(g.double().square().sum().item() for g in grads if g is not None))
        rows.append(row)
    return torch.tensor(rows, dtype=torch.float64)


def masked_fisher_units_oracle(
    model: nn.Module, images: Tensor, labels: Tensor, masks: Mapping[str, Tensor], readout: str = "mean"
) -> Tensor:
    """Return `fisher_units_oracle` over the parameters that are left: gradients of pruned weights do not count."""
    model.eval()
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}
    rows = []
    for n, y in enumerate(labels):
        row = []
        for t in range(1, len(model(images[n : n + 1])) + 1):
            loss = cross_entropy(logits_oracle(model(images[n : n + 1])[:t], readout), y[None])
            grads = dict(zip(named, torch.autograd.grad(loss, list(named.values()), allow_unused=True), strict=True))
            left = [
                grad[masks[layer]] if (layer := name.removesuffix(".weight")) in masks else grad
                for name, grad in grads.items()
                if grad is not None
            ]
            row.append(sum(grad.double().square().sum().item() for grad in left))
        rows.append(row)
    return torch.tensor(rows, dtype=torch.float64)
