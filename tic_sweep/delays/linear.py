"""`DelayLinear`: a linear layer whose synapses each have a delay of their own, learnt like a weight.

Shapes: T timesteps, N samples, O outputs, I inputs, K = max_delay + 1 taps; time is axis 0.
"""

import torch
from torch import Tensor, nn

from tic_sweep.delays.backends import BACKENDS, choose_backend, conv, fft, gather
from tic_sweep.delays.kernel import INTERPOLATIONS, hard_kernel, integer_delays, soft_kernel

NOMINAL_SAMPLES = 128
"""Samples for which ``auto`` chooses, whatever a batch holds: no number may depend on how samples are cut up."""


class DelayLinear(nn.Module):
    """y[t, n, o] = Σ_i w_oi·x[t - d_oi, n, i], without bias: [T, N, I] → [T, N, O].

    In training mode delays are real numbers, spread over neighbouring timesteps by the interpolation; in evaluation
    mode, and where delays are not learnt, they are whole. Neither mode touches the parameters.

    A weight is ``weight`` times ``sign``, a buffer of ones unless a rule of rewiring fixes the signs; ``mask`` says
    which synapses exist, and it is up to that rule to hold the weights of the others at zero. Gradients reach these
    too, lest no rule could tell which of them would help.
    """

    sign: Tensor
    mask: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        max_delay: int,
        *,
        interpolation: str = "gauss",
        backend: str = "conv",
        learn_delays: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        """Draw weights from U(±√(6 / I)) and positions from U(±(c + ½)), clamped to ±c, c = max_delay / 2.

        So every whole delay is as likely as any other, unlike in the published code, whose range is one short at an
        end. Weights are not rescaled where synapses are left out later, as there.

        Args:
            inputs: I.
            outputs: O.
            max_delay: the longest delay, in timesteps; 0 is none.
            interpolation: one of `INTERPOLATIONS`.
            backend: one of `BACKENDS`, or ``auto`` for what `choose_backend` says on a CPU, and conv elsewhere.
            learn_delays: whether positions are trained; if not, they are whole from the start.
            generator: what is drawn from.

        Raises:
            ValueError: for a negative delay, an unknown name, or gather where delays are learnt.
        """
        super().__init__()
        _refuse(inputs, outputs, max_delay, interpolation, backend, learn_delays=learn_delays)
        self.max_delay, self.interpolation = max_delay, interpolation
        self.backend, self.learn_delays = backend, learn_delays
        self.sigma = max_delay / 2
        self.dense_gradient = True
        """Whether gather works out the gradient of synapses that do not exist, as conv and fft always do."""
        bound, reach = (6 / inputs) ** 0.5, max_delay / 2
        weight_OI, place_OI = torch.rand((2, outputs, inputs), generator=generator).mul_(2).sub_(1)
        position_OI = (place_OI * (reach + 0.5)).clamp_(-reach, reach)
        if not learn_delays:
            position_OI = reach - integer_delays(position_OI, max_delay).to(position_OI.dtype)
        self.weight = nn.Parameter(weight_OI * bound)
        self.position = nn.Parameter(position_OI, requires_grad=learn_delays)
        self.register_buffer("sign", torch.ones(outputs, inputs))
        self.register_buffer("mask", torch.ones(outputs, inputs, dtype=torch.bool))

    def forward(self, x_TNI: Tensor) -> Tensor:
        """Return the delayed, weighted sums [T, N, O]."""
        hard = not (self.training and self.learn_delays)
        backend = self._backend_for(x_TNI, hard=hard)
        if backend == "gather":
            asked_OI = torch.ones_like(self.mask) if self._dense_wanted() else self.mask
            weight_S, delay_S = self.effective_weight()[asked_OI], self.delays(hard=True)[asked_OI]
            return gather(x_TNI, weight_S, delay_S, asked_OI.nonzero(), len(self.weight))
        return (fft if backend == "fft" else conv)(x_TNI, self.kernel(hard=hard))

    def effective_weight(self) -> Tensor:
        """Return the signed weights [O, I]."""
        return self.weight * self.sign

    def kernel(self, *, hard: bool = False) -> Tensor:
        """Return the kernel [O, I, K], tap i being delay K - 1 - i; ``hard`` rounds the delays."""
        if hard:
            return hard_kernel(self.effective_weight(), self.position, self.max_delay)
        return soft_kernel(self.effective_weight(), self.position, self.max_delay, self.interpolation, self.sigma)

    @torch.no_grad()
    def delays(self, *, hard: bool = False) -> Tensor:
        """Return every synapse's delay [O, I] in timesteps: real numbers, or with ``hard`` whole ones (int64)."""
        return integer_delays(self.position, self.max_delay) if hard else self.max_delay / 2 - self.position

    @torch.no_grad()
    def receptive_fields(self) -> Tensor:
        """Return [O, I, K]: the signed weight from input i at (whole) delay 0..max_delay, and zero elsewhere."""
        return (self.kernel(hard=True) * self.mask[..., None]).flip(-1)

    @torch.no_grad()
    def clamp_(self) -> None:
        """Bring delays back to 0..max_delay; to be called after every step of an optimiser."""
        self.position.clamp_(-self.max_delay / 2, self.max_delay / 2)

    def extra_repr(self) -> str:
        """Describe the layer's shape and options."""
        return (
            f"inputs={self.weight.shape[1]}, outputs={self.weight.shape[0]}, max_delay={self.max_delay}, "
            f"interpolation={self.interpolation}, backend={self.backend}, learn_delays={self.learn_delays}"
        )

    def _dense_wanted(self) -> bool:
        return self.dense_gradient and self.training and torch.is_grad_enabled()

    def _backend_for(self, x_TNI: Tensor, *, hard: bool) -> str:
        if self.backend != "auto":
            return self.backend
        if x_TNI.device.type != "cpu":
            return "conv"
        outputs, inputs = self.weight.shape
        density = 1.0 if self._dense_wanted() else float(self.mask.sum()) / self.mask.numel()
        return choose_backend(
            outputs, inputs, self.max_delay + 1, len(x_TNI), NOMINAL_SAMPLES, density=density, hard=hard
        )


def _refuse(inputs: int, outputs: int, max_delay: int, interpolation: str, backend: str, *, learn_delays: bool) -> None:
    if inputs < 1 or outputs < 1 or max_delay < 0:
        raise ValueError(
            f"inputs and outputs must be positive and max_delay not negative, got {inputs}, {outputs}, {max_delay}."
        )
    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, got {interpolation!r}.")
    if backend not in {*BACKENDS, "auto"}:
        raise ValueError(f"backend must be auto or one of {', '.join(BACKENDS)}, got {backend!r}.")
    if backend == "gather" and learn_delays:
        raise ValueError("backend gather knows whole delays only: use auto, conv or fft where delays are learnt.")
