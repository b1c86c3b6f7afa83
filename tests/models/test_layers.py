"""The parts of the networks against their definitions."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from tic_sweep.config import NeuronConfig
from tic_sweep.models import LIF, ResidualBlock, SpikingConv, SpikingLinear
from tic_sweep.models.layers import convolved
from tic_sweep.snn import TimeNorm, as_spikes, choose, lif, running


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    """Weights and inputs are drawn from a fixed seed, and the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.mark.parametrize(("side", "pooled_side"), [(1, 1), (2, 1), (3, 2), (7, 4), (8, 4)])
def test_pooling_gives_a_spike_where_any_of_four_neurons_fired(side: int, pooled_side: int):
    """Each timestep and channel is pooled by itself; odd sides are rounded up, and one pixel stays one."""
    layer = SpikingConv(2, 3, pool=True, norm="batch", neuron=NeuronConfig(v_threshold=0.05)).eval()
    x_TNCHW = torch.randn(4, 2, 2, side, side)
    fired = []
    layer.lif.register_forward_hook(lambda _module, _args, spikes: fired.append(spikes))
    pooled = layer(x_TNCHW)

    expected = torch.zeros(4, 2, 3, pooled_side, pooled_side)
    for i in range(side):
        for j in range(side):
            expected[..., i // 2, j // 2] = expected[..., i // 2, j // 2].maximum(fired[0][..., i, j])
    assert torch.equal(expected, pooled)
    assert 0 < pooled.mean() < 1


def test_a_pooled_stem_is_computed_once_for_a_static_image():
    """A static image gives the spikes of the same image at every timestep."""
    layer = SpikingConv(1, 2, pool=True, norm="batch", neuron=NeuronConfig(v_threshold=0.2)).eval()
    image_NCHW = torch.rand(2, 1, 5, 5)

    torch.testing.assert_close(layer(image_NCHW, 3), layer(image_NCHW.expand(3, *image_NCHW.shape)))


@pytest.mark.parametrize("timesteps", [1, 4])
def test_a_spiking_linear_layer_is_a_convolution_over_the_whole_image(timesteps: int):
    """All channels and pixels meet in each neuron, at each timestep by themselves."""
    layer = SpikingLinear(3 * 2 * 2, 5, norm="batch", neuron=NeuronConfig(v_threshold=0.2)).double().eval()
    x_TNCHW = torch.rand(timesteps, 2, 3, 2, 2, dtype=torch.float64)
    layer.norm.running_mean.normal_().mul_(0.1)
    kernel = layer.linear.weight.view(5, 3, 2, 2)
    current = torch.stack([layer.norm(nn.functional.conv2d(x_NCHW, kernel)) for x_NCHW in x_TNCHW])

    assert (timesteps, 2, 5, 1, 1) == layer(x_TNCHW).shape
    torch.testing.assert_close(layer(x_TNCHW), lif(current, NeuronConfig(v_threshold=0.2)))


@pytest.mark.parametrize("kind", ["batch", "tdbn"])
def test_a_spiking_linear_layers_currents_are_normalised(kind: str):
    """In training each neuron's current has mean 0 and variance 1 over the images, or over images and time."""
    layer = SpikingLinear(12, 5, norm=kind, neuron=NeuronConfig())
    currents = []
    layer.lif.register_forward_hook(lambda _module, args, _spikes: currents.append(args[0][..., 0, 0]))
    layer(torch.rand(4, 64, 3, 2, 2))
    axes = (1,) if kind == "batch" else (0, 1)

    mean, var = currents[0].mean(axes), currents[0].var(axes, correction=0)
    torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-5, rtol=0)
    torch.testing.assert_close(var, torch.ones_like(var), atol=1e-2, rtol=0)


@pytest.mark.parametrize("inputs", [3, 4])
def test_who_hooks_into_joined_layers_sees_them_apart(inputs: int):
    """In training with kernels, layers that are watched are run one by one: same spikes, and every hook is called."""
    block = ResidualBlock(inputs, 4, stride=1, norm="batch", neuron=NeuronConfig())
    x_TNCHW = as_spikes((torch.randn(4, 2, inputs, 6, 6) > 0).float().requires_grad_())
    with running(choose("auto", torch.device("cpu"))):
        joined = block(x_TNCHW)
        seen = []
        watched = [m for m in block.modules() if isinstance(m, (LIF, TimeNorm, nn.Conv2d))]
        for module in watched:
            module.register_forward_hook(lambda module, _args, _output: seen.append(module))
        apart = block(x_TNCHW)

    assert torch.equal(joined, apart)
    assert set(watched) == set(seen)


@pytest.mark.parametrize(
    "options", [{"bias": True}, {"padding_mode": "circular"}, {"groups": 3}, {"padding": "same"}], ids=str
)
def test_convolutions_of_another_kind_run_as_torch_runs_them(options: dict):
    """A network of one's own may have a bias, groups or other borders: kernels leave its numbers as they are."""
    conv = nn.Conv2d(3, 3, 3, **{"padding": 1, "bias": False} | options)
    spikes = as_spikes((torch.randn(4, 2, 3, 6, 6) > 0).float())
    told = []
    for kernels in ("plain", choose("auto", torch.device("cpu"))):
        conv.zero_grad()
        with running(kernels):
            y = convolved(conv, spikes)
        y.square().sum().backward()
        told.append([y, *(p.grad for p in conv.parameters())])

    assert all(torch.equal(a, b) for a, b in zip(*told, strict=True))


def test_only_spikes_are_kept_as_bits():
    """A stem shown other numbers at every timestep, and a block that adds them, have the plain path's gradients."""
    x_TNCHW = torch.randn(4, 2, 3, 6, 6)
    for layer in (
        SpikingConv(3, 4, norm="batch", neuron=NeuronConfig()),
        ResidualBlock(3, 3, stride=1, norm="batch", neuron=NeuronConfig()),
    ):
        gradients = []
        for kernels in ("plain", choose("auto", torch.device("cpu"))):
            layer.zero_grad()
            with running(kernels):
                layer(x_TNCHW).sum().backward()
            gradients.append([p.grad for p in layer.parameters()])

        assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))
