"""The networks of `tic_sweep` from the layers of other libraries, for `training.py`: SpikingJelly, snnTorch, Norse.

Same convolutions, same neuron as far as each library has it: τ = 2, threshold 1, hard reset without gradient, arctan
(Norse has none; its SuperSpike stands in). ``steps`` runs timestep by timestep, with a batch norm per timestep, as the
paper's code does; ``at once`` convolves all timesteps together, with one batch norm over them, as SpikingJelly advises.
snnTorch does not divide the current by τ; its threshold is τ times as high instead, which is the same neuron.
"""

import importlib.util
from collections.abc import Callable

import torch
from torch import Tensor, nn

from tic_sweep.models import SpikingConv, SpikingNetwork

TAU = 2.0


class JellyNeurons(nn.Module):
    """SpikingJelly's LIFNode.

    Given half-precision currents it begins with a half-precision membrane, which its fused kernels do not take: it then
    runs on plain torch. ``whole`` gives it float32 currents, which they do take.
    """

    def __init__(self, mode: str, *, whole: bool = False) -> None:
        super().__init__()
        from spikingjelly.activation_based import neuron, surrogate

        self.node = neuron.LIFNode(tau=TAU, surrogate_function=surrogate.ATan(), detach_reset=True, step_mode=mode)
        self._whole = whole

    def forward(self, x: Tensor) -> Tensor:
        """Return the spikes of [T, N, *] or of one timestep."""
        return self.node(x.float() if self._whole else x)

    def reset(self) -> None:
        """Forget the membrane."""
        self.node.reset()


class WholeMembrane(JellyNeurons):
    """SpikingJelly's LIFNode with a float32 membrane, so that its fused kernels take half-precision currents."""

    def __init__(self) -> None:
        super().__init__("m")

    def forward(self, x: Tensor) -> Tensor:
        """Return the spikes of [T, N, *]."""
        self.node.v = torch.zeros(x.shape[1:], device=x.device)
        return self.node(x)


class TorchNeurons(nn.Module):
    """snnTorch's Leaky."""

    def __init__(self) -> None:
        super().__init__()
        import snntorch

        self.node = snntorch.Leaky(
            beta=1 - 1 / TAU, threshold=TAU, spike_grad=snntorch.surrogate.atan(), reset_mechanism="zero"
        )
        self.reset()

    def forward(self, x: Tensor) -> Tensor:
        """Return the spikes of one timestep."""
        s, self.v = self.node(x, torch.zeros_like(x) if self.v is None else self.v)
        return s

    def reset(self) -> None:
        """Forget the membrane."""
        self.v = None


class NorseNeurons(nn.Module):
    """Norse's LIFBoxCell."""

    def __init__(self) -> None:
        super().__init__()
        from norse.torch import LIFBoxCell, LIFBoxParameters

        self.node = LIFBoxCell(p=LIFBoxParameters(tau_mem_inv=torch.tensor(1 / TAU / 0.001)), dt=0.001)
        self.reset()

    def forward(self, x: Tensor) -> Tensor:
        """Return the spikes of one timestep."""
        s, self.state = self.node(x, self.state)
        return s

    def reset(self) -> None:
        """Forget the membrane."""
        self.state = None


PEERS: dict[str, tuple[str, Callable[[], nn.Module], bool]] = {
    "SpikingJelly, at once": ("spikingjelly", lambda: JellyNeurons("m"), True),
    "SpikingJelly, at once, float32 neurons": ("spikingjelly", lambda: JellyNeurons("m", whole=True), True),
    "SpikingJelly, at once, float32 membrane": ("spikingjelly", WholeMembrane, True),
    "SpikingJelly, steps": ("spikingjelly", lambda: JellyNeurons("s"), False),
    "snnTorch, steps": ("snntorch", TorchNeurons, False),
    "Norse, steps": ("norse", NorseNeurons, False),
}
"""By name: the package, its neurons, and whether they take all timesteps at once."""


def available() -> list[str]:
    """Return the names of the peers whose packages can be imported."""
    found = []
    for name, (package, neurons, _) in PEERS.items():
        if importlib.util.find_spec(package) is None:
            continue
        try:
            neurons()
        except ImportError as error:
            print(f"{name} is left out: {error}")
            continue
        found.append(name)
    return found


class PeerLayer(nn.Module):
    """Neurons over time: [T, N, *] → spikes [T, N, *]."""

    def __init__(self, name: str) -> None:
        super().__init__()
        _, neurons, self.at_once = PEERS[name]
        self.neurons = neurons()

    def forward(self, x_TN: Tensor) -> Tensor:
        """Return the spikes, from rest."""
        self.neurons.reset()
        return self.neurons(x_TN) if self.at_once else torch.stack([self.neurons(x) for x in x_TN.unbind()])


class PeerNetwork(nn.Module):
    """A small convolutional or residual network of `tic_sweep.models` with a peer's neurons and torch's batch norms."""

    def __init__(self, like: SpikingNetwork, name: str) -> None:
        super().__init__()
        _, self._neurons, self.at_once = PEERS[name]
        self.timesteps = like.timesteps
        self.stem = self._layer(like.stem)
        self.blocks = nn.ModuleList(self._block(block) for block in like.blocks)
        self.head = nn.Linear(like.head.in_features, like.head.out_features)

    def _layer(self, like: nn.Module) -> nn.ModuleDict:
        conv = nn.Conv2d(
            like.conv.in_channels, like.conv.out_channels, 3, stride=like.conv.stride, padding=1, bias=False
        )
        return nn.ModuleDict({
            "conv": conv, "norm": nn.BatchNorm2d(conv.out_channels), "neurons": self._neurons()
        })  # fmt: skip

    def _block(self, like: nn.Module) -> nn.ModuleDict:
        if isinstance(like, SpikingConv):
            return self._layer(like)
        block = nn.ModuleDict({"first": self._layer(like.first), **self._layer(like)})
        if like.shortcut is not None:
            shortcut = like.shortcut
            block["shortcut"] = nn.Conv2d(
                shortcut.in_channels, shortcut.out_channels, 1, stride=shortcut.stride, bias=False
            )
            block["shortcut_norm"] = nn.BatchNorm2d(shortcut.out_channels)
        return block

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs per timestep [T, N, K] for static images; the stem is computed once."""
        for module in self.modules():
            if isinstance(module, (JellyNeurons, TorchNeurons, NorseNeurons)):
                module.reset()
        current = self.stem["norm"](self.stem["conv"](images))
        if self.at_once:
            spikes = self.stem["neurons"](current.expand(self.timesteps, *current.shape))
            return self._after_stem(spikes)
        return torch.stack([self._after_stem(self.stem["neurons"](current)) for _ in range(self.timesteps)])

    def _after_stem(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = self._residual(block, x) if "first" in block else self._spikes(block, x)
        return self._apply_to(self.head, x.mean((-2, -1)))

    def _spikes(self, layer: nn.ModuleDict, x: Tensor) -> Tensor:
        return layer["neurons"](self._apply_to(layer["norm"], self._apply_to(layer["conv"], x)))

    def _residual(self, block: nn.ModuleDict, x: Tensor) -> Tensor:
        y = self._apply_to(block["norm"], self._apply_to(block["conv"], self._spikes(block["first"], x)))
        if "shortcut" in block:
            x = self._apply_to(block["shortcut_norm"], self._apply_to(block["shortcut"], x))
        return block["neurons"](y + x)

    def _apply_to(self, layer: nn.Module, x: Tensor) -> Tensor:
        return layer(x.flatten(0, 1)).unflatten(0, x.shape[:2]) if self.at_once else layer(x)
