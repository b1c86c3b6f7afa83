"""What training minimises. Shapes: T horizons, N samples, K classes; time is axis 0.

    cross_entropy   CE_T
    alpha           (1/T) Σ_t |CE_t - α|        (Kim et al. 2023, Eq. 10)

with CE_t the mean cross-entropy of a batch at horizon t, and T the timesteps trained with.
"""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tic_sweep.config import LossConfig


def horizon_losses(logits_TNK: Tensor, labels_N: Tensor) -> Tensor:
    """Return CE_t [T] in nats, computed in float32."""
    return torch.stack([cross_entropy(logits_NK.float(), labels_N) for logits_NK in logits_TNK])


def objective(logits_TNK: Tensor, labels_N: Tensor, config: LossConfig) -> tuple[Tensor, Tensor]:
    """Return what is minimised, and CE_t [T] beside it without gradient."""
    if config.name == "cross_entropy":
        # The other horizons are only told: no gradient passes through them, not even one of zero.
        with torch.no_grad():
            losses_T = horizon_losses(logits_TNK, labels_N)
        return cross_entropy(logits_TNK[-1].float(), labels_N), losses_T
    losses_T = horizon_losses(logits_TNK, labels_N)
    return (losses_T - config.alpha).abs().mean(), losses_T.detach()
