"""`SpikingNetwork`: a stem, blocks and a linear head, and the named networks built from them."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from tic_sweep.config import DATASETS, TrialConfig
from tic_sweep.models.layers import ResidualBlock, SpikingConv, SpikingLinear, over_time
from tic_sweep.streams import stream


class SpikingNetwork(nn.Module):
    """Stem → blocks → spatial mean → linear head, which has no neurons.

    ``model(images)`` takes static images [N, C, H, W], shown at every timestep, or one image per timestep
    [T, N, C, H, W], and returns the head's outputs per timestep [T, N, K]; `horizon_logits` accumulates them.
    """

    def __init__(self, stem: SpikingConv, blocks: Sequence[nn.Module], head: nn.Linear, timesteps: int) -> None:
        super().__init__()
        self.timesteps = timesteps
        self.stem = stem
        self.blocks = nn.ModuleList(blocks)
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs per timestep [T, N, K]."""
        static = images.dim() == 4  # noqa: PLR2004 - [N, C, H, W] against [T, N, C, H, W]
        spikes_TNCHW = self.stem(images, self.timesteps if static else None)
        for block in self.blocks:
            spikes_TNCHW = block(spikes_TNCHW)
        return over_time(self.head, spikes_TNCHW.mean((-2, -1)))


def build_model(config: TrialConfig) -> SpikingNetwork:
    """Return the config's network, on the CPU, with weights drawn from the trial's own "init" stream.

    Convolutions and hidden linear layers are drawn from N(0, 2 / fan_out) (He et al. 2015), the head from
    U(±1/√inputs).
    """
    with torch.random.fork_rng(devices=[]):  # torch's own initialisation would draw from the global generator
        model = _BUILDERS[config.model.name](config)
    drawn = stream(config.seed, "init")
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)) and module is not model.head:
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=drawn)
    bound = model.head.in_features**-0.5
    nn.init.uniform_(model.head.weight, -bound, bound, generator=drawn)
    nn.init.uniform_(model.head.bias, -bound, bound, generator=drawn)
    return model


def _small_conv(config: TrialConfig) -> SpikingNetwork:
    """Stem 8, then 16 (stride 2), 16, 32 (stride 2) channels at width 1: our own net for laptops."""
    return _strided(config, 8, [(16, 2), (16, 1), (32, 2)], SpikingConv)


def _resnet19(config: TrialConfig) -> SpikingNetwork:
    """Stem 128, then 3 blocks of 256, 3 of 512 and 2 of 512 channels, the first of each stage with stride 2.

    As in the TIC paper's code: 26.11 M parameters at width 1 with ten classes. Other ResNet19 of the field are half
    as wide.
    """
    stages = [(256, 2), (256, 1), (256, 1), (512, 2), (512, 1), (512, 1), (512, 2), (512, 1)]
    return _strided(config, 128, stages, ResidualBlock)


def _resnet34(config: TrialConfig) -> SpikingNetwork:
    """Stem 64, then 3 blocks of 64, 4 of 128, 6 of 256 and 3 of 512 channels, with stride 2 where they widen.

    The authors' code has none. This is the layout of He et al. 2016 with the residual blocks of `_resnet19` and, since
    images are small, a 3x3 stem without pooling: 21.28 M parameters at width 1 with ten classes.
    """
    stages = [(64, 1)] * 3 + [(128, 2)] + [(128, 1)] * 3 + [(256, 2)] + [(256, 1)] * 5 + [(512, 2)] + [(512, 1)] * 2
    return _strided(config, 64, stages, ResidualBlock)


def _vgg16(config: TrialConfig) -> SpikingNetwork:
    """Thirteen convolutions: configuration D of Simonyan and Zisserman 2015 without its hidden linear layers.

    As in the lab's lottery-ticket code (Kim et al. 2022), less the biases of its convolutions, which the norm cancels:
    14.72 M parameters at width 1 with ten classes.
    """
    stem, *blocks = _pooled(config, "64 64M 128 128M 256 256 256M 512 512 512M 512 512 512M")
    return _headed(config, stem, blocks, blocks[-1].conv.out_channels)


def _alexnet(config: TrialConfig) -> SpikingNetwork:
    """Five convolutions, pooled where AlexNet pools, and two hidden linear layers of 1024 neurons; no skip connection.

    No code of the lab has one. Channels are those of Krizhevsky 2014. Kernels are 3x3 and pooling 2x2, because the
    original's stem would leave 7x7 pixels of 32x32, and the hidden layers have 1024 neurons in place of 4096, lest they
    hold nearly all weights: 7.51 M parameters at width 1 with ten classes and 32x32 pixels. There is no dropout.

    The hidden layers are normalised like the convolutions. Without it none of their neurons fires at initialisation
    (on the digits at T = 4), and the network stays at chance.
    """
    stem, *blocks = _pooled(config, "64M 192M 384 256 256M")
    side = math.ceil(config.image_size / 2**3)
    sizes = [blocks[-1].conv.out_channels * side**2, *_scaled(config, [1024, 1024])]
    hidden = [SpikingLinear(i, o, norm=config.model.norm, neuron=config.neuron) for i, o in pairwise(sizes)]
    return _headed(config, stem, [*blocks, *hidden], sizes[-1])


def _strided(
    config: TrialConfig, stem: int, plan: list[tuple[int, int]], block: type[SpikingConv | ResidualBlock]
) -> SpikingNetwork:
    """Return a network whose blocks are given as (channels at width 1, stride)."""
    norm, neuron = config.model.norm, config.neuron
    widths = _scaled(config, [stem, *(channels for channels, _ in plan)])
    blocks = [
        block(inputs, outputs, stride=stride, norm=norm, neuron=neuron)
        for (inputs, outputs), (_, stride) in zip(pairwise(widths), plan, strict=True)
    ]
    first = SpikingConv(DATASETS[config.data.name].channels, widths[0], norm=norm, neuron=neuron)
    return _headed(config, first, blocks, widths[-1])


def _pooled(config: TrialConfig, plan: str) -> list[SpikingConv]:
    """Return convolutions, stem first, given by their channels at width 1; an M behind them max-pools the spikes."""
    words = plan.split()
    widths = _scaled(config, [int(word.removesuffix("M")) for word in words])
    return [
        SpikingConv(inputs, outputs, pool=word.endswith("M"), norm=config.model.norm, neuron=config.neuron)
        for (inputs, outputs), word in zip(pairwise([DATASETS[config.data.name].channels, *widths]), words, strict=True)
    ]


def _scaled(config: TrialConfig, sizes: list[int]) -> list[int]:
    """Return numbers of channels or neurons times the config's width, at least 1."""
    return [max(1, round(size * config.model.width)) for size in sizes]


def _headed(config: TrialConfig, stem: SpikingConv, blocks: Sequence[nn.Module], features: int) -> SpikingNetwork:
    head = nn.Linear(features, DATASETS[config.data.name].classes)
    return SpikingNetwork(stem, blocks, head, config.timesteps)


_BUILDERS = {
    "small_conv": _small_conv,
    "resnet19": _resnet19,
    "resnet34": _resnet34,
    "vgg16": _vgg16,
    "alexnet": _alexnet,
}
