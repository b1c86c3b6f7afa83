"""Which synapses go and which come, for one pool of candidates laid out flat. Shapes: S possible synapses."""

import math

import torch
from torch import Tensor

REGROWTHS: tuple[str, ...] = ("random", "neg_grad", "abs_grad")


def regrown(regrow: str, candidate_S: Tensor, grad_S: Tensor | None, count: int, generator: torch.Generator) -> Tensor:
    """Return the indices of the ``count`` candidates that come to exist.

    Args:
        regrow: ``random`` draws them evenly; ``neg_grad`` takes the most negative gradients, those of synapses that
            want to grow where a weight is a magnitude of fixed sign; ``abs_grad`` takes the largest in magnitude.
        candidate_S: true where a synapse may come to exist.
        grad_S: dense gradient of the loss by the weights, not read by ``random``. Of equal ones the first is taken.
        count: how many.
        generator: (CPU) what ``random`` draws from.

    Raises:
        ValueError: for an unknown rule, a missing gradient, or too few candidates.
    """
    place_C = candidate_S.nonzero()[:, 0]
    if count > len(place_C):
        raise ValueError(f"{count} synapses are to grow and only {len(place_C)} can.")
    if regrow == "random":
        return place_C[torch.randperm(len(place_C), generator=generator)[:count].to(place_C.device)]
    if regrow not in REGROWTHS:
        raise ValueError(f"regrow must be one of {', '.join(REGROWTHS)}, got {regrow!r}.")
    if grad_S is None:
        raise ValueError(f"regrow {regrow} needs the gradient of the weights: step after a backward pass.")
    score_C = grad_S[place_C] if regrow == "neg_grad" else -grad_S[place_C].abs()
    return place_C[score_C.sort(stable=True).indices[:count]]


def smallest(weight_S: Tensor, mask_S: Tensor, count: int) -> Tensor:
    """Return the indices of the ``count`` smallest magnitudes among the synapses that exist; of equals the first."""
    place_A = mask_S.nonzero()[:, 0]
    return place_A[weight_S[place_A].abs().sort(stable=True).indices[:count]]


def decayed_share(share: float, step: int, last_step: int) -> float:
    """Return RigL's share of synapses exchanged at a step: share/2·(1 + cos(π·step / last_step)), then 0."""
    if step >= last_step:
        return 0.0
    return share / 2 * (1 + math.cos(math.pi * step / last_step))
