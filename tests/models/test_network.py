"""The networks: sizes, layouts, inputs with and without time, and seeds."""

from collections.abc import Callable
from typing import TypeVar

import pytest
import torch
from cases import FAMILIES, lively
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tic_sweep.config import DATASETS, MODELS, TrialConfig, replaced
from tic_sweep.data import load_images
from tic_sweep.models import LIF, ResidualBlock, SpikingConv, SpikingLinear, SpikingNetwork, build_model
from tic_sweep.models.network import _BUILDERS
from tic_sweep.streams import stream

Module = TypeVar("Module", bound=nn.Module)

DEEP = ("resnet19", "resnet34", "vgg16", "alexnet")
"""The networks of the papers."""


def bare(name: str, **values: object) -> SpikingNetwork:
    """Return a network without numbers: sizes alone, at no cost."""
    with torch.device("meta"):
        return _BUILDERS[name](replaced(TrialConfig(), {"model.name": name, **values}))


def found(model: nn.Module, kind: type[Module]) -> list[Module]:
    """Return the model's modules of one kind, in its order."""
    return [module for module in model.modules() if isinstance(module, kind)]


def weights_of(model: nn.Module) -> list[Tensor]:
    """Return the weights of convolutions and linear layers, [outputs, inputs, ...]."""
    return [module.weight for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]


def firing_rates(model: nn.Module, images: Tensor) -> dict[str, float]:
    """Return the mean of the spikes of each layer of neurons."""
    rates: dict[str, float] = {}

    def recorder(name: str) -> Callable[[nn.Module, tuple, Tensor], None]:
        return lambda _module, _args, spikes: rates.update({name: spikes.mean().item()})

    for name, module in model.named_modules():
        if isinstance(module, LIF):
            module.register_forward_hook(recorder(name))
    model(images)
    return rates


def test_every_declared_model_can_be_built():
    """The config's options and the builders are the same."""
    assert set(MODELS) == set(_BUILDERS)


@pytest.mark.parametrize(
    ("name", "parameters", "neuron_layers", "weight_layers"),
    [
        ("resnet19", 26_108_042, 17, 21),
        ("resnet34", 21_282_122, 33, 37),
        ("vgg16", 14_724_042, 13, 14),
        ("alexnet", 7_509_962, 7, 8),
    ],
)
def test_networks_have_their_size(name: str, parameters: int, neuron_layers: int, weight_layers: int):
    """Width 1, ten classes, 32x32 colour images; each ResNet has three 1x1 shortcuts besides the layers of its name."""
    model = bare(name)

    assert parameters == sum(p.numel() for p in model.parameters())
    assert neuron_layers == len(found(model, LIF))
    assert weight_layers == len(weights_of(model))


def test_resnet19_is_laid_out_as_in_the_papers_code():
    """Stem, then stages of 3, 3 and 2 blocks; stride 2 and a 1x1 shortcut at the start of each."""
    model = bare("resnet19")
    blocks = found(model, ResidualBlock)
    strided = [block.first.conv.stride == (2, 2) for block in blocks]

    assert [True, False, False, True, False, False, True, False] == strided
    assert strided == [block.shortcut is not None for block in blocks]
    assert list(model.blocks) == blocks


def test_resnet34_is_laid_out_as_he_et_al_say():
    """Stages of 3, 4, 6 and 3 blocks; the first keeps the stem's size and needs no shortcut, the others open by one."""
    blocks = found(bare("resnet34"), ResidualBlock)
    strided = [block.first.conv.stride == (2, 2) for block in blocks]

    assert [64] * 3 + [128] * 4 + [256] * 6 + [512] * 3 == [block.conv.out_channels for block in blocks]
    assert [3, 7, 13] == [i for i, opens in enumerate(strided) if opens]
    assert strided == [block.shortcut is not None for block in blocks]


def test_vgg16_is_configuration_d():
    """Thirteen convolutions, pooled after the 2nd, 4th, 7th, 10th and 13th."""
    convolutions = found(bare("vgg16"), SpikingConv)

    assert [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6 == [layer.conv.out_channels for layer in convolutions]
    assert [2, 4, 7, 10, 13] == [i for i, layer in enumerate(convolutions, start=1) if layer.pool is not None]


@pytest.mark.parametrize(("size", "pixels"), [(32, 16), (28, 16), (14, 4), (9, 4), (8, 1)])
def test_alexnet_flattens_what_three_poolings_leave(size: int, pixels: int):
    """Five convolutions, pooled after the 1st, 2nd and 5th, and two hidden linear layers, the first on all pixels."""
    model = bare("alexnet", **{"data.image_size": size})
    convolutions = found(model, SpikingConv)

    assert [64, 192, 384, 256, 256] == [layer.conv.out_channels for layer in convolutions]
    assert [1, 2, 5] == [i for i, layer in enumerate(convolutions, start=1) if layer.pool is not None]
    assert [(1024, 256 * pixels), (1024, 1024)] == [m.linear.weight.shape for m in found(model, SpikingLinear)]


@pytest.mark.parametrize("timesteps", [1, 3])
@pytest.mark.parametrize(
    ("data", "size"), [("fashion_mnist", 28), ("cifar10", 32), ("fashion_mnist", 14), ("digits", 8)]
)
@pytest.mark.parametrize("name", DEEP)
def test_images_of_any_size_pass(name: str, data: str, size: int, timesteps: int):
    """Grey and colour images, large and pooled, give outputs per timestep, in training mode too."""
    values = {"model.name": name, "model.width": 1 / 32, "data.name": data, "data.image_size": size}
    model = build_model(replaced(TrialConfig(), {**values, "timesteps": timesteps}))
    images = torch.randn(2, DATASETS[data].channels, size, size)

    assert (timesteps, 2, 10) == model.train()(images).shape


@pytest.mark.parametrize("name", DEEP)
def test_untrained_networks_fire_and_learn_in_every_layer(name: str):
    """On digits, no layer of neurons is silent at initialisation, and a gradient reaches every parameter."""
    digits, spec = load_images("digits"), DATASETS["digits"]
    model = build_model(
        replaced(TrialConfig(), {"model.name": name, "model.width": 1 / 8, "data.name": "digits", "timesteps": 4})
    )
    images = (torch.as_tensor(digits.train_images[:32]) / 255 - spec.mean[0]) / spec.std[0]
    rates = firing_rates(model.train(), images)
    cross_entropy(model(images).mean(0), torch.as_tensor(digits.train_labels[:32]).long()).backward()

    assert all(0.01 < rate < 0.5 for rate in rates.values())
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


@pytest.mark.parametrize("family", FAMILIES)
def test_outputs_come_per_timestep(family: str):
    """[N, C, H, W] in, [T, N, K] out."""
    case = lively(family, samples=3, timesteps=5)

    assert (5, 3, 10) == case.model(case.images).shape


@pytest.mark.parametrize("family", FAMILIES)
def test_a_static_image_equals_the_same_image_at_every_timestep(family: str):
    """Computing the stem once is exact in evaluation mode."""
    case = lively(family)

    torch.testing.assert_close(case.model(case.images), case.model(case.images.expand(4, *case.images.shape)))


@pytest.mark.parametrize("family", FAMILIES)
def test_samples_do_not_mix_in_evaluation_mode(family: str):
    """A sample's outputs are the same alone and in a batch: what the per-sample Fisher trace rests on."""
    case = lively(family)

    torch.testing.assert_close(case.model(case.images)[:, 2:3], case.model(case.images[2:3]))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_has_a_gradient_in_evaluation_mode(family: str):
    """No surrogate gradient is lost in eval(): Fisher traces and attacks depend on it."""
    case = lively(family)
    case.model(case.images).square().sum().backward()

    assert all(p.grad is not None and p.grad.any() for p in case.model.parameters())


def test_weights_depend_on_the_seed_alone():
    """Same seed, same weights, whatever the global generator; another seed, other weights; global state untouched."""
    config = replaced(TrialConfig(), {"model.name": "small_conv"})
    first = build_model(config).head.weight
    state = torch.random.get_rng_state()
    second, other = build_model(config), build_model(replaced(config, {"seed": 1}))

    assert torch.equal(first, second.head.weight)
    assert not torch.equal(first, other.head.weight)
    assert torch.equal(state, torch.random.get_rng_state())


def test_hidden_layers_are_drawn_as_he_et_al_say():
    """Weights of convolutions and hidden linear layers have variance 2 / fan_out."""
    conv = found(build_model(replaced(TrialConfig(), {"model.width": 0.25})), ResidualBlock)[4].conv
    alexnet = build_model(replaced(TrialConfig(), {"model.width": 0.25, "model.name": "alexnet"}))
    linear = found(alexnet, SpikingLinear)[0].linear

    assert pytest.approx(2 / (128 * 9), rel=0.02) == conv.weight.var().item()
    assert pytest.approx(2 / 256, rel=0.02) == linear.weight.var().item()
    assert stream(0, "init").initial_seed() != stream(1, "init").initial_seed()


@pytest.mark.parametrize("name", MODELS)
def test_width_scales_every_hidden_layer(name: str):
    """At width 2 each hidden layer has twice the channels or neurons; input and classes stay."""
    plain, wide = weights_of(bare(name)), weights_of(bare(name, **{"model.width": 2.0}))

    assert [2 * len(weight) for weight in plain[:-1]] == [len(weight) for weight in wide[:-1]]
    assert (3, 10) == (wide[0].shape[1], len(wide[-1]))
