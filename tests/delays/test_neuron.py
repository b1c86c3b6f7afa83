"""The published neuron: its step as published, written out, against the fast recursion."""

import dataclasses

import pytest
import torch
from delays.delay_cases import drawn
from torch import Tensor

from tic_sweep.config import NeuronConfig
from tic_sweep.delays import PUBLISHED_NEURON, LateLIF
from tic_sweep.snn.neuron import _Spike


def as_published(current_TN: Tensor, neuron: NeuronConfig) -> Tensor:
    """Return the spikes of the published step, in its own order: fire, charge and reset, take the current in."""
    mem_N, syn_N, out = torch.zeros_like(current_TN[0]), torch.zeros_like(current_TN[0]), []
    for i_N in current_TN:
        o_N = _Spike.apply(mem_N, neuron)
        mem_N = ((1 - 1 / neuron.tau) * mem_N + syn_N) * (1 - o_N.detach())
        syn_N = i_N
        out.append(o_N)
    return torch.stack(out)


def test_spikes_come_two_timesteps_late_and_what_follows_them_is_lost():
    """τ = 2, current 1.5: h = 1.5 spike, then 0 (lost), 1.5 spike, ...: spikes at timesteps 3 and 5."""
    spikes = LateLIF(dataclasses.replace(PUBLISHED_NEURON, tau=2.0))(torch.full((6, 1), 1.5))

    assert [0, 0, 1, 0, 1, 0] == spikes[:, 0].tolist()


@pytest.mark.parametrize("tau", [1.0, 2.0, 10.05])
@pytest.mark.parametrize("temporal", [True, False])
def test_spikes_and_gradients_are_those_of_the_published_step(tau: float, temporal: bool):  # noqa: FBT001
    """Against autograd through the step as published; without temporal gradient only the last step's path is left."""
    neuron = dataclasses.replace(PUBLISHED_NEURON, tau=tau, temporal_gradient=temporal)
    current = torch.randn(12, 4, 5, generator=drawn(), dtype=torch.float64) * 1.5
    weights = torch.randn(12, 4, 5, generator=drawn(1), dtype=torch.float64)
    grads = []
    for step in (LateLIF(neuron), lambda x: as_published(x, neuron)):
        x = current.clone().requires_grad_()
        spikes = step(x)
        (spikes * weights).sum().backward()
        grads.append((spikes.detach(), x.grad))

    (ours, our_grad), (theirs, their_grad) = grads
    assert 0.05 < float(theirs.mean()) < 0.8
    assert torch.equal(theirs, ours)
    if temporal:
        assert torch.allclose(their_grad, our_grad, atol=1e-12)
    elif tau == 1:
        assert torch.allclose(their_grad, our_grad, atol=1e-12)  # λ = 0: there is no temporal path to leave out
    else:
        assert not torch.allclose(their_grad, our_grad, atol=1e-3)


def test_the_published_surrogate():
    """5/2 / (1 + (5π/2·x)²) at x = 0 and at x = 0.2, where 5π/2·x = π/2."""
    x = torch.tensor([[1.0, 1.2]], dtype=torch.float64).requires_grad_()

    spikes = _Spike.apply(x, PUBLISHED_NEURON)

    assert [2.5, 2.5 / (1 + (torch.pi / 2) ** 2)] == pytest.approx(torch.autograd.grad(spikes.sum(), x)[0][0].tolist())


def test_short_sequences_have_no_spikes():
    """Within the latency there is nothing to see, and a gradient of zero."""
    x = torch.full((2, 1), 5.0, requires_grad=True)

    spikes = LateLIF(PUBLISHED_NEURON)(x)
    (grad,) = torch.autograd.grad(spikes.sum(), x)

    assert [0, 0] == spikes[:, 0].tolist()
    assert 0 == grad.abs().sum()


def test_resets_it_does_not_have_are_refused():
    """The published neuron resets hard, and no gradient flows through it."""
    for change in ({"reset": "soft"}, {"reset_gradient": 1.0}):
        with pytest.raises(ValueError, match="hard reset without gradient"):
            LateLIF(dataclasses.replace(PUBLISHED_NEURON, **change))
