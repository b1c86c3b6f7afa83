"""Backends: the same causal sum of delayed inputs, whichever way it is worked out, and the cheapest of them chosen."""

import pytest
import torch
from delays.delay_cases import one_synapse, sequences, sparse_layer
from torch import Tensor

from tic_sweep.delays import BACKENDS, DelayLinear, choose_backend, costs, linear


def summed_by_definition(layer: DelayLinear, x_TNI: Tensor) -> Tensor:
    """Return y[t, n, o] = Σ_i w_oi·x[t - d_oi, n, i] by plain loops."""
    outputs, inputs = layer.weight.shape
    y_TNO = x_TNI.new_zeros(*x_TNI.shape[:2], outputs)
    for o in range(outputs):
        for i in range(inputs):
            delay = int(layer.delays(hard=True)[o, i])
            y_TNO[delay:, :, o] += layer.effective_weight()[o, i].detach() * x_TNI[: max(0, len(x_TNI) - delay), :, i]
    return y_TNO


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("delay", [0, 1, 6])
def test_an_impulse_comes_out_after_the_delay(backend: str, delay: int):
    """An impulse at timestep 3 through a weight of 1 appears at 3 + d and nowhere else."""
    x_TNI = torch.zeros(12, 1, 1)
    x_TNI[3] = 1

    y_T = one_synapse(delay, backend=backend)(x_TNI)[:, 0, 0]

    assert [float(t == 3 + delay) for t in range(12)] == pytest.approx(y_T.tolist(), abs=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_is_the_sum_of_its_definition(backend: str):
    """Against plain loops, in float64, with synapses missing and an output that has none."""
    layer = sparse_layer(backend, dtype=torch.float64)
    layer.mask[2] = False
    with torch.no_grad():
        layer.weight.mul_(layer.mask)
    x_TNI = sequences(dtype=torch.float64)

    assert torch.allclose(summed_by_definition(layer, x_TNI), layer(x_TNI), atol=1e-12)


@pytest.mark.parametrize("backend", ["fft", "gather"])
def test_backends_agree_in_single_precision(backend: str):
    """Values and gradients are within 1e-5 of the reference's, at weights and inputs of order one."""
    results = {}
    for name in ("conv", backend):
        layer, x_TNI = sparse_layer(name), sequences(timesteps=40, samples=6).requires_grad_()
        y_TNO = layer(x_TNI)
        y_TNO.square().mean().backward()
        assert layer.weight.grad is not None
        results[name] = (y_TNO.detach(), x_TNI.grad, layer.weight.grad * layer.mask)

    for reference, other in zip(results["conv"], results[backend], strict=True):
        assert (reference - other).abs().max() <= 1e-5


def test_fft_agrees_with_conv_where_delays_are_learnt():
    """The gradients of weights and of positions are the same too."""
    grads = {}
    for backend in ("conv", "fft"):
        layer = DelayLinear(7, 5, 8, backend=backend, generator=torch.Generator().manual_seed(0))
        layer(sequences(timesteps=30)).square().mean().backward()
        grads[backend] = (layer.weight.grad, layer.position.grad)

    for reference, other in zip(grads["conv"], grads["fft"], strict=True):
        assert reference.abs().max() > 1e-3
        assert (reference - other).abs().max() <= 1e-5


@pytest.mark.parametrize("backend", BACKENDS)
def test_outputs_know_nothing_of_the_future(backend: str):
    """Other inputs after timestep 11 leave outputs up to it as they were, and change later ones."""
    layer, x_TNI = sparse_layer(backend), sequences()
    other_TNI = x_TNI.clone()
    other_TNI[11:] += 5

    before, after = layer(x_TNI), layer(other_TNI)

    assert (before[:11] - after[:11]).abs().max() <= 1e-5
    assert (before[11:] - after[11:]).abs().max() > 0.1


@pytest.mark.parametrize("backend", BACKENDS)
def test_sequences_shorter_than_the_kernel_are_no_trouble(backend: str):
    """Three timesteps through delays up to 8."""
    layer, x_TNI = sparse_layer(backend, dtype=torch.float64), sequences(timesteps=3, dtype=torch.float64)

    assert torch.allclose(summed_by_definition(layer, x_TNI), layer(x_TNI), atol=1e-12)


def test_the_choice_follows_the_costs():
    """The published shapes take fft, and gather where delays are whole; a single tap takes conv."""
    published = (256, 40, 25, 80, 256)

    assert "fft" == choose_backend(*published)
    assert "fft" == choose_backend(20, 256, 25, 80, 256)
    assert "gather" == choose_backend(*published, hard=True)
    assert "conv" == choose_backend(256, 40, 1, 80, 256)
    assert "conv" == choose_backend(256, 40, 1, 80, 256, hard=True)
    assert "gather" == choose_backend(256, 40, 1, 80, 256, density=2**-7, hard=True)
    assert {"conv", "fft"} == costs(*published).keys()


def test_auto_never_depends_on_the_batch(monkeypatch: pytest.MonkeyPatch):
    """A layer chooses the same for one sample and for a thousand, lest the cut of a batch flip a spike."""
    asked = []
    monkeypatch.setattr(linear, "choose_backend", lambda *shape, **_: asked.append(shape) or "conv")
    layer = DelayLinear(2, 3, 4, backend="auto")

    for samples in (1, 1000):
        layer(sequences(timesteps=5, samples=samples, inputs=2))

    assert [(3, 2, 5, 5, linear.NOMINAL_SAMPLES)] * 2 == asked


@pytest.mark.parametrize("dense", [True, False])
def test_gather_works_out_the_gradients_that_are_asked_for(dense: bool):  # noqa: FBT001
    """Rewiring by gradient needs those of synapses that do not exist; otherwise they are left out, and no others."""
    grads = {}
    for backend in ("conv", "gather"):
        layer = sparse_layer(backend).train()
        layer.dense_gradient = dense
        layer(sequences()).square().mean().backward()
        grads[backend] = layer.weight.grad
    absent = ~layer.mask

    assert grads["conv"][absent].abs().max() > 1e-3
    assert torch.allclose(grads["conv"] * (1 if dense else layer.mask), grads["gather"], atol=1e-5)


def test_auto_gathers_only_whole_delays():
    """A learnt layer gathers in evaluation, where its delays are whole, and not in training."""
    layer = DelayLinear(40, 256, 24, backend="auto")
    x_TNI = torch.zeros(80, 1, 40)

    assert "fft" == layer._backend_for(x_TNI, hard=False)
    assert "gather" == layer._backend_for(x_TNI, hard=True)
