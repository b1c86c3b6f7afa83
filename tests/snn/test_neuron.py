"""LIF dynamics: the definition by hand, the reference step, and the hand-written recursion against both."""

import copy
from itertools import product

import pytest
import torch
from torch import Tensor

from tic_sweep.config import SURROGATES, NeuronConfig
from tic_sweep.snn import lif, lif_linearised, lif_step, surrogate_derivative

VARIANTS = [
    NeuronConfig(tau=tau, reset=reset, reset_gradient=rho, surrogate=surrogate, v_threshold=0.9, surrogate_width=0.7)
    for tau, reset, rho, surrogate in product((0.75, 2, 4), ("hard", "soft"), (0.0, 0.5, 1.0), SURROGATES)
] + [NeuronConfig(temporal_gradient=False, reset=reset) for reset in ("hard", "soft")]


def currents(timesteps: int = 7) -> Tensor:
    """Return currents that make neurons fire now and then."""
    drawn = torch.Generator().manual_seed(3)
    return torch.randn(timesteps, 4, 5, generator=drawn, dtype=torch.float64) * 2 + 0.8


def stepped(current_TN: Tensor, neuron: NeuronConfig) -> Tensor:
    """Return the spikes of the reference step, one timestep at a time."""
    v_N, spikes = torch.zeros_like(current_TN[0]), []
    for current_N in current_TN:
        s_N, v_N = lif_step(v_N, current_N, neuron)
        spikes.append(s_N)
    return torch.stack(spikes)


def closed_recursion(x_TN: Tensor, grad_s_TN: Tensor, neuron: NeuronConfig) -> Tensor:
    """Return dL/dx by the recursion g[t] = dL/ds[t]·f'(h[t]) + (1 - 1/τ)·g[t+1]·J[t], written out in plain loops."""
    v, h_TN = torch.zeros_like(x_TN[0]), []
    for x in x_TN:
        h = v + (x - v) / neuron.tau
        s = (h >= neuron.v_threshold).to(h.dtype)
        v = h * (1 - s) if neuron.reset == "hard" else h - neuron.v_threshold * s
        h_TN.append(h)
    g, grads = torch.zeros_like(v), []
    for h, grad_s in zip(reversed(h_TN), grad_s_TN.flip(0), strict=True):
        slope, s = surrogate_derivative(h, neuron), (h >= neuron.v_threshold).to(h.dtype)
        rho = neuron.reset_gradient
        jacobian = (1 - s) - rho * h * slope if neuron.reset == "hard" else 1 - rho * neuron.v_threshold * slope
        g = grad_s * slope + (1 - 1 / neuron.tau) * g * jacobian * neuron.temporal_gradient
        grads.append(g / neuron.tau)
    return torch.stack(grads[::-1])


def test_equation_one_by_hand():
    """τ = 2, current 1.5, hard reset: h = 0.75, 1.125 → spike and reset to 0, then the same again."""
    spikes = lif(torch.full((4, 1), 1.5), NeuronConfig())

    assert [0, 1, 0, 1] == spikes[:, 0].tolist()


def test_soft_reset_keeps_the_excess():
    """Soft reset subtracts the threshold: h = 1.0 → v = 0; h = 1.0 again with τ = 1; an excess of 0.5 is kept."""
    spikes = lif(torch.tensor([[3.0], [0.0], [2.0]]), NeuronConfig(tau=2, reset="soft"))

    assert [1, 0, 1] == spikes[:, 0].tolist()  # h = 1.5 → v = 0.5; h = 0.25; h = 1.125


def test_threshold_is_reached_not_passed():
    """A neuron fires at the threshold itself (>=)."""
    assert 1.0 == lif(torch.tensor([[2.0]]), NeuronConfig()).item()


def test_tau_below_one_alternates():
    """τ = 0.75 has retention -1/3: after one pulse the potential changes sign every step."""
    _, v = lif_step(torch.tensor(0.5), torch.tensor(0.0), NeuronConfig(tau=0.75))

    assert pytest.approx(-0.5 / 3) == v.item()


@pytest.mark.parametrize("neuron", VARIANTS, ids=str)
def test_spikes_equal_the_reference_step_bit_for_bit(neuron: NeuronConfig):
    """All timesteps at once and one at a time give the same spikes, and some but not all neurons fire."""
    spikes = lif(currents(), neuron)

    assert torch.equal(stepped(currents(), neuron), spikes)
    assert 0.05 < spikes.mean() < 0.95


@pytest.mark.parametrize("neuron", VARIANTS, ids=str)
def test_gradients_equal_autograd_and_the_closed_recursion(neuron: NeuronConfig):
    """Three ways to one gradient: by hand in `lif`, by autograd through `lif_step`, by the recursion in plain loops."""
    grad_s = torch.randn(currents().shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    x, y = currents().requires_grad_(), currents().requires_grad_()
    lif(x, neuron).backward(grad_s)
    stepped(y, neuron).backward(grad_s)

    torch.testing.assert_close(x.grad, y.grad, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(x.grad, closed_recursion(currents(), grad_s, neuron), rtol=1e-12, atol=1e-12)


def test_a_spatial_gradient_never_crosses_time():
    """Without a temporal gradient, a loss on the last step gives no gradient to earlier currents."""
    x = currents().requires_grad_()
    lif(x, NeuronConfig(temporal_gradient=False))[-1].sum().backward()

    assert 0 == x.grad[:-1].abs().max()
    assert x.grad[-1].abs().max() > 0


def test_static_currents_may_be_an_expanded_view():
    """A current shared by all timesteps gives the same spikes, and its gradient is the sum over time."""
    x = currents()[0].requires_grad_()
    y = currents()[0].expand(6, 4, 5).clone().requires_grad_()
    lif(x.expand(6, 4, 5), NeuronConfig()).sum().backward()
    lif(y, NeuronConfig()).sum().backward()

    torch.testing.assert_close(x.grad, y.grad.sum(0))


def test_backward_may_be_repeated():
    """Several horizons share one forward pass: a second backward gives the same gradient as the first."""
    x = currents().requires_grad_()
    spikes = lif(x, NeuronConfig())
    first, second = (torch.autograd.grad(spikes[:3].sum(), x, retain_graph=True)[0] for _ in range(2))

    assert torch.equal(first, second)
    assert 0 == first[3:].abs().max()


@pytest.mark.parametrize("neuron", VARIANTS, ids=str)
def test_slope_and_carry_are_the_gradient(neuron: NeuronConfig):
    """Any gradient goes back through `lif` by the recursion of `lif_linearised`."""
    x_TN = currents().requires_grad_()
    grad_s_TN = torch.randn(x_TN.shape, generator=torch.Generator().manual_seed(1), dtype=x_TN.dtype)
    (expected,) = torch.autograd.grad(lif(x_TN, neuron), x_TN, grad_s_TN)
    slope_TN, carry_TN = lif_linearised(x_TN, neuron)
    got_TN = slope_TN * grad_s_TN
    for t in range(len(x_TN) - 2, -1, -1):
        got_TN[t] += 0 if carry_TN is None else carry_TN[t] * got_TN[t + 1]

    assert (carry_TN is None) == (not neuron.temporal_gradient)
    torch.testing.assert_close(got_TN, expected)


def test_half_precision_is_charged_in_float32():
    """bfloat16 currents give float32 spikes, equal to those of the same currents in float32."""
    x = currents().bfloat16()

    assert torch.equal(lif(x.float(), NeuronConfig()), lif(x, NeuronConfig()))


def test_nothing_is_kept_between_calls():
    """Two calls with one input agree, whatever came between."""
    before = lif(currents(), NeuronConfig())
    lif(currents() * 3, NeuronConfig())

    assert torch.equal(before, lif(copy.deepcopy(currents()), NeuronConfig()))
