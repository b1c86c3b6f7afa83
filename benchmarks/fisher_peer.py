"""The published procedure in plain SpikingJelly: the same network, one timestep at a time, as the TIC paper's code.

A network of ours is taken over layer by layer: its convolutions and weights as they are, `torch.nn.BatchNorm2d` for its
norms, SpikingJelly's `LIFNode` for its neurons. The stem's convolution and norm see a static image once. SpikingJelly
is installed for this benchmark only.
"""

import torch
from spikingjelly.activation_based import functional, neuron, surrogate
from torch import Tensor, nn

from tic_sweep.config import NeuronConfig
from tic_sweep.models import ResidualBlock, SpikingConv, SpikingNetwork
from tic_sweep.snn import TimeNorm
from tic_sweep.snn.norm import EPS


class PeerNetwork(nn.Module):
    """A network of convolutions and residual blocks that returns the outputs [T, N, K] of T timesteps in turn."""

    def __init__(self, model: SpikingNetwork, config: NeuronConfig) -> None:
        super().__init__()
        self.timesteps = model.timesteps
        self.stem = nn.Sequential(model.stem.conv, _norm(model.stem.norm))
        self.stem_lif = _lif(config)
        self.blocks = nn.ModuleList(
            _Residual(block, config) if isinstance(block, ResidualBlock) else _plain(block, config)
            for block in model.blocks
        )
        self.head = model.head

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Return the outputs per timestep."""
        functional.reset_net(self)
        current_NCHW = self.stem(images_NCHW)
        outputs = []
        for _ in range(self.timesteps):
            spikes_NCHW = self.stem_lif(current_NCHW)
            for block in self.blocks:
                spikes_NCHW = block(spikes_NCHW)
            outputs.append(self.head(spikes_NCHW.mean((-2, -1))))
        return torch.stack(outputs)


class _Residual(nn.Module):
    def __init__(self, block: ResidualBlock, config: NeuronConfig) -> None:
        super().__init__()
        self.first = _plain(block.first, config)
        self.second = nn.Sequential(block.conv, _norm(block.norm))
        self.shortcut = nn.Identity() if block.shortcut is None else nn.Sequential(
            block.shortcut, _norm(block.shortcut_norm)
        )  # fmt: skip
        self.lif = _lif(config)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return self.lif(self.second(self.first(x_NCHW)) + self.shortcut(x_NCHW))


def _plain(layer: SpikingConv, config: NeuronConfig) -> nn.Sequential:
    return nn.Sequential(layer.conv, _norm(layer.norm), _lif(config))


def _lif(config: NeuronConfig) -> nn.Module:
    return neuron.LIFNode(
        tau=float(config.tau), v_threshold=config.v_threshold, surrogate_function=surrogate.ATan(), detach_reset=True
    )


def _norm(norm: TimeNorm) -> nn.BatchNorm2d:
    peer = nn.BatchNorm2d(len(norm.weight), eps=EPS)
    peer.weight, peer.bias = norm.weight, norm.bias
    peer.running_mean, peer.running_var = norm.running_mean, norm.running_var
    return peer
