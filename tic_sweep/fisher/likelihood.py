"""Log-likelihoods at every horizon. Shapes: T timesteps, N samples, K classes; time is axis 0."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from tic_sweep.snn import horizon_logits


def log_likelihood(logits_TNK: Tensor, labels: Tensor) -> Tensor:
    """Return ``log f_θ(y | x_{i≤t})`` [T, N] for labels [N], or [T, N] that differ between horizons."""
    labels_TN = labels.expand(len(logits_TNK), -1)
    return F.log_softmax(logits_TNK, dim=-1).gather(2, labels_TN[..., None])[..., 0]


def drawn_labels(logits_TNK: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return labels [T, N] drawn from the model's prediction at each horizon, by inverting its distribution function.

    What is drawn on the CPU is image after image, so that chunks change no label.
    """
    drawn_NT = torch.rand(logits_TNK.shape[1::-1], dtype=torch.float64, generator=generator)
    below_TNK = logits_TNK.detach().double().softmax(-1).cumsum(-1)[..., :-1]  # whatever rounding leaves is the last's
    return (drawn_NT.T.to(logits_TNK.device)[..., None] >= below_TNK).sum(-1)


def cotangents(outputs_TNK: Tensor, readout: str, labels: Tensor) -> Tensor:
    """Return for each horizon t the gradient of Σ_n log f_θ(y_n | x_{i≤t}) by the outputs of each s: [T, T, N, K].

    Args:
        outputs_TNK: the network's outputs.
        readout: see `horizon_logits`.
        labels: [N], or [T, N] that differ between horizons.
    """
    with torch.enable_grad():
        outputs_TNK = outputs_TNK.detach().requires_grad_()
        likelihood_T = log_likelihood(horizon_logits(outputs_TNK, readout), labels).sum(1)
        each_TT = torch.eye(len(likelihood_T), dtype=likelihood_T.dtype, device=likelihood_T.device)
        return torch.autograd.grad(likelihood_T, outputs_TNK, each_TT, is_grads_batched=True)[0]
