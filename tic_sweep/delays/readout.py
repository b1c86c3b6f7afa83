"""Readouts of networks with delays, and the penalty of their published loss. Shapes: T timesteps, N samples, K classes.

    mean, sum       of the outputs 1..t
    softmax_sum     m_t = Σ_{u≤t} softmax(output_u), in 0..t: published

all of which `tic_sweep.snn.horizon_logits` works out, so that the Fisher trace knows them too.

The published loss is the cross-entropy of m_T, that is log-softmax a second time, plus λ·Σ|w| over the delay layers.
"""

import torch
from torch import Tensor, nn

from tic_sweep.delays.linear import DelayLinear
from tic_sweep.snn import horizon_logits

READOUTS: tuple[str, ...] = ("mean", "sum", "softmax_sum")


def delay_logits(outputs_TNK: Tensor, readout: str) -> Tensor:
    """Return the logits [T, N, K] at every horizon t, which use the outputs of timesteps 1..t.

    Raises:
        ValueError: for an unknown readout.
    """
    if readout not in READOUTS:
        raise ValueError(f"readout must be one of {', '.join(READOUTS)}, got {readout!r}.")
    return horizon_logits(outputs_TNK, readout)


def weight_penalty(model: nn.Module, l1: float) -> Tensor:
    """Return ``l1`` times the sum of |w| over all delay layers; its gradient at w = 0 is 0."""
    magnitudes = [module.weight.abs().sum() for module in model.modules() if isinstance(module, DelayLinear)]
    return l1 * torch.stack(magnitudes).sum()
