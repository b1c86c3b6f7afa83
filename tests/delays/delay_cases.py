"""Small layers and networks that the tests of delays share."""

from typing import Any

import torch
from torch import Tensor

from tic_sweep.config import NeuronConfig
from tic_sweep.delays import DelayLinear, DelayNetwork

MEMORYLESS = NeuronConfig(tau=1, surrogate="arctan", surrogate_width=0.4)


def drawn(seed: int = 0) -> torch.Generator:
    """Return a fresh generator."""
    return torch.Generator().manual_seed(seed)


def one_synapse(delay: int, max_delay: int = 6, backend: str = "conv") -> DelayLinear:
    """Return a layer of one synapse of weight 1 and a fixed delay."""
    layer = DelayLinear(1, 1, max_delay, backend=backend, learn_delays=False)
    with torch.no_grad():
        layer.weight.fill_(1)
        layer.position.fill_(max_delay / 2 - delay)
    return layer


def sparse_layer(backend: str, *, density: float = 0.3, dtype: torch.dtype = torch.float32) -> DelayLinear:
    """Return a layer of 7 inputs, 5 outputs and whole delays up to 8, of which a share of the synapses exists."""
    layer = DelayLinear(7, 5, 8, backend=backend, learn_delays=False, generator=drawn(1)).to(dtype)
    layer.mask.copy_(torch.rand(5, 7, generator=drawn(2)) < density)
    with torch.no_grad():
        layer.weight.mul_(layer.mask)
    return layer


def sequences(timesteps: int = 20, samples: int = 3, inputs: int = 7, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return random inputs [T, N, I]."""
    return torch.randn(timesteps, samples, inputs, generator=drawn(3)).to(dtype)


def small_network(**options: Any) -> DelayNetwork:
    """Return a network of 4 inputs, 6 hidden neurons, 3 classes and delays up to 4, without dropout unless asked."""
    chosen: dict[str, Any] = {"dropout": 0.0, "generator": drawn()} | options
    return DelayNetwork(4, 6, 3, 4, **chosen)
