"""The Fisher trace of networks with delays against its definition: readouts, orders, backends, masks and signs."""

from typing import Any

import pytest
import torch
from oracles import fisher_units_oracle, masked_fisher_units_oracle
from torch import Tensor

from tic_sweep.config import NeuronConfig
from tic_sweep.delays import DelayNetwork, Rewirer, Rewiring
from tic_sweep.fisher import fisher_trace


def drawn(seed: int) -> torch.Generator:
    """Return a fresh generator."""
    return torch.Generator().manual_seed(seed)


def lively(**options: Any) -> tuple[DelayNetwork, Tensor, Tensor]:
    """Return a network in float64 with statistics of its own whose neurons fire, and sequences with labels."""
    chosen: dict[str, Any] = {"neuron": NeuronConfig(tau=3, surrogate_width=0.4), "generator": drawn(0)} | options
    model = DelayNetwork(4, 5, 3, 4, **chosen).double()
    with torch.no_grad():
        model.norm.running_mean.copy_(torch.randn(5, generator=drawn(1)) * 0.1)
        model.norm.running_var.copy_(torch.rand(5, generator=drawn(2)) + 0.2)
        model.norm.weight.copy_(torch.rand(5, generator=drawn(3)) + 0.5)
        model.norm.bias.copy_(torch.rand(5, generator=drawn(4)))
    x_NTI = torch.randn(6, 9, 4, generator=drawn(5), dtype=torch.float64)
    spikes = []
    handle = model.lif.register_forward_hook(
        lambda _module, _args, output: spikes.append(float(output.detach().mean()))
    )
    model.eval()(x_NTI)
    handle.remove()
    assert 0.05 < spikes[0] < 0.8
    return model, x_NTI, torch.tensor([0, 1, 2, 0, 1, 2])


def rewired(model: DelayNetwork, **rewiring: Any) -> dict[str, Tensor]:
    """Let half of the synapses be missing, and return the masks."""
    options: dict[str, Any] = {"density": 0.5} | rewiring
    Rewirer(model.layers(), Rewiring(**options), drawn(6))
    return {name: layer.mask for name, layer in model.layers().items()}


@pytest.mark.parametrize("readout", ["mean", "sum", "softmax_sum"])
@pytest.mark.parametrize(
    "options", [{}, {"order": "charge_first"}, {"learn_delays": False}, {"readout_tau": 1.5}], ids=str
)
def test_equals_the_oracle_per_sample_and_horizon(options: dict[str, Any], readout: str):
    """In float64 every sample's squared gradient norm at every t equals one autograd pass of its own."""
    model, x_NTI, labels = lively(**options)
    measured = fisher_trace(model, x_NTI, labels, readout=readout, layers=True, chunk=4)

    expected = fisher_units_oracle(model, x_NTI, labels, readout)

    torch.testing.assert_close(measured.units_NT, expected, rtol=1e-9, atol=1e-30)
    assert {"hidden", "norm", "output"} == set(measured.layers)
    assert all(units.sum() > 0 for units in measured.layers.values())


@pytest.mark.parametrize(
    "rewiring", [{"rule": "static"}, {"rule": "deepr"}, {"rule": "deepr", "signs": "synapse"}], ids=str
)
@pytest.mark.parametrize("backend", ["conv", "fft", "auto"])
def test_missing_synapses_are_no_parameters_and_signs_change_nothing(
    rewiring: dict[str, Any], backend: str, monkeypatch: pytest.MonkeyPatch
):
    """Of a sparse network every sample's trace is that over the synapses that exist, in whole or in parts."""
    model, x_NTI, labels = lively(backend=backend)
    masks = rewired(model, **rewiring)
    expected = masked_fisher_units_oracle(model, x_NTI, labels, masks, "softmax_sum")
    measured = fisher_trace(model, x_NTI, labels, readout="softmax_sum", masks=masks)
    monkeypatch.setattr("tic_sweep.fisher.delayed.BYTES_KEPT", 3000)
    in_parts = fisher_trace(model, x_NTI, labels, readout="softmax_sum", masks=masks)

    torch.testing.assert_close(measured.units_NT, expected, rtol=1e-9, atol=1e-30)
    torch.testing.assert_close(in_parts.units_NT, expected, rtol=1e-9, atol=1e-30)
    assert (fisher_units_oracle(model, x_NTI, labels, "softmax_sum")[:, -1] > measured.units_NT[:, -1]).all()


def test_the_published_kind_leaves_missing_synapses_out():
    """Kind batch is the squared norm of the mean gradient of 16 sequences, over the synapses that exist."""
    model, x_NTI, labels = lively()
    masks = rewired(model, rule="deepr")
    x_NTI, labels = torch.cat([x_NTI, x_NTI.flip(0), x_NTI.roll(1, 1)])[:16], labels.repeat(3)[:16]
    measured = fisher_trace(model, x_NTI, labels, kind="batch", readout="sum", masks=masks)

    likelihood = torch.nn.functional.log_softmax(model(x_NTI).sum(0), -1)[torch.arange(16), labels].mean()
    trained = {name: p for name, p in model.named_parameters() if "position" not in name}
    grads = dict(zip(trained, torch.autograd.grad(likelihood, list(trained.values())), strict=True))
    left = [g[masks[layer]] if (layer := name.removesuffix(".weight")) in masks else g for name, g in grads.items()]

    assert pytest.approx(float(sum(g.square().sum() for g in left)), rel=1e-9) == float(measured.trace_T[-1])


def test_whole_delays_have_no_gradient_of_their_own():
    """The trace is that of the network which is evaluated, whether or not its delays are trained."""
    learnt, x_NTI, labels = lively()
    fixed, _, _ = lively(learn_delays=False)

    torch.testing.assert_close(
        fisher_trace(learnt, x_NTI, labels).units_NT, fisher_trace(fixed, x_NTI, labels).units_NT, rtol=1e-12, atol=0
    )


def test_a_synapse_by_hand():
    """One weight at delay 2: its gradient at horizon t is that of the likelihood by inputs two timesteps earlier."""
    model = DelayNetwork(1, 1, 2, 3, order="charge_first", neuron=NeuronConfig(tau=1), dropout=0.0).double()
    with torch.no_grad():
        model.output.position.fill_(1.5 - 2)
        model.norm.bias.fill_(10)  # the hidden neuron fires at every timestep
    x_NTI, labels = torch.zeros(1, 4, 1, dtype=torch.float64), torch.tensor([0])
    measured = fisher_trace(model, x_NTI, labels, readout="sum", layers=True)
    weight = model.output.weight.detach()[:, 0]

    # m[t] = w at t = 3 and 4: the sum at t has been reached by t - 2 spikes, so dL/dw_k = (t - 2)·(y_k - p_k).
    expected = [0.0, 0.0]
    for spikes in (1, 2):
        left = torch.tensor([1.0, 0.0]) - (spikes * weight).softmax(0)
        expected.append(float((spikes * left).square().sum()))

    assert pytest.approx(expected) == measured.layers["output"][0].tolist()
