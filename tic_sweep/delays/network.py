"""`DelayNetwork`: the published network of delay layers, in any size.

Shapes: T timesteps, N samples, I inputs, H hidden neurons, K classes; time is axis 0 but for the input.

    input → DelayLinear → batch norm over time and batch → LIF → dropout → DelayLinear → leaky integrators
"""

import torch
from torch import Tensor, nn

from tic_sweep.config import NeuronConfig
from tic_sweep.delays.linear import DelayLinear
from tic_sweep.delays.neuron import PUBLISHED_NEURON, LateLIF
from tic_sweep.models import LIF
from tic_sweep.snn import TimeNorm

ORDERS: tuple[str, ...] = ("charge_first", "published")


class DelayNetwork(nn.Module):
    """One hidden layer of spiking neurons between two delay layers: sequences [N, T, I] → outputs [T, N, K].

    The outputs are the potentials of leaky integrators, m[t] = (1 - 1/τ)·m[t-1] + i[t]. Currents are not divided by τ,
    in neither layer. With ``max_delay`` 0, ``order`` charge_first and both τ at 1 the network is memoryless: its output
    at t depends on its input at t alone.
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        classes: int,
        max_delay: int,
        *,
        neuron: NeuronConfig = PUBLISHED_NEURON,
        order: str = "published",
        readout_tau: float | None = None,
        dropout: float = 0.4,
        interpolation: str = "gauss",
        backend: str = "conv",
        learn_delays: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        """Build the network; defaults but for the sizes are the published ones (40, 256, 20, 24 for spoken digits).

        Args:
            inputs: I.
            hidden: H.
            classes: K.
            max_delay: the longest delay of both layers, in timesteps.
            neuron: the hidden neurons.
            order: ``charge_first`` for the LIF of `tic_sweep.snn`, ``published`` for `LateLIF`.
            readout_tau: time constant of the outputs, in timesteps; None is the neurons'.
            dropout: share of hidden neurons left out of a training sample, at all timesteps alike.
            interpolation: see `DelayLinear`.
            backend: see `DelayLinear`.
            learn_delays: see `DelayLinear`.
            generator: what weights and positions are drawn from.

        Raises:
            ValueError: for an unknown order, or a dropout outside [0, 1).
        """
        super().__init__()
        if order not in ORDERS:
            raise ValueError(f"order must be one of {', '.join(ORDERS)}, got {order!r}.")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, got {dropout!r}.")

        def layer(fan_in: int, fan_out: int) -> DelayLinear:
            return DelayLinear(
                fan_in, fan_out, max_delay, interpolation=interpolation, backend=backend, learn_delays=learn_delays,
                generator=generator,
            )  # fmt: skip

        self.hidden = layer(inputs, hidden)
        self.norm = TimeNorm(hidden, kind="tdbn", v_threshold=1.0)  # a gain of 1: plain batch norm over time and batch
        self.lif = LIF(neuron) if order == "charge_first" else LateLIF(neuron)
        self.output = layer(hidden, classes)
        self.dropout = dropout
        # `lif` divides currents by τ, which the published network does not; the published neuron never did.
        self.current_scale = neuron.tau if order == "charge_first" else 1.0
        self.readout_tau = neuron.tau if readout_tau is None else readout_tau

    def forward(self, x_NTI: Tensor, dropped: torch.Generator | None = None) -> Tensor:
        """Return the outputs per timestep [T, N, K].

        Args:
            x_NTI: the sequences.
            dropped: (CPU) source of the dropout, needed in training mode where there is any.

        Raises:
            ValueError: if there is dropout to draw and nothing to draw it from.
        """
        current_TNH = self.norm(self.hidden(x_NTI.transpose(0, 1))[..., None, None])[..., 0, 0]
        spikes_TNH = self.lif((self.current_scale * current_TNH).contiguous())
        if self.training and self.dropout:
            spikes_TNH = spikes_TNH * self._kept(spikes_TNH[0], dropped)
        return leaky_sum(self.output(spikes_TNH), self.readout_tau)

    def layers(self) -> dict[str, DelayLinear]:
        """Return the delay layers by name, first layer first."""
        return {"hidden": self.hidden, "output": self.output}

    def set_sigma(self, sigma: float) -> None:
        """Let both layers spread their delays by ``sigma`` timesteps from now on."""
        for layer in self.layers().values():
            layer.sigma = sigma

    def clamp_(self) -> None:
        """Bring all delays back into range; to be called after every step of an optimiser."""
        for layer in self.layers().values():
            layer.clamp_()

    def _kept(self, like_NH: Tensor, dropped: torch.Generator | None) -> Tensor:
        if dropped is None:
            raise ValueError("a network with dropout needs a generator in training mode, got None.")
        kept_NH = torch.rand(like_NH.shape, generator=dropped) >= self.dropout
        return kept_NH.to(like_NH) / (1 - self.dropout)


def leaky_sum(current_TN: Tensor, tau: float) -> Tensor:
    """Return m[t] = (1 - 1/τ)·m[t-1] + i[t] from m = 0, in the shape of ``current_TN`` [T, N, *]."""
    t_T = torch.arange(len(current_TN), device=current_TN.device)
    lag_TT = t_T[:, None] - t_T
    leak_TT = torch.full_like(lag_TT, 1, dtype=current_TN.dtype).mul_(1 - 1 / tau).pow(lag_TT.clamp(min=0)).tril()
    return torch.tensordot(leak_TT, current_TN, dims=1)
