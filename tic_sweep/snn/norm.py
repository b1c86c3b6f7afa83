"""Batch normalisation over spiking time. Shapes: T timesteps, N samples, C channels, H, W pixels; time is axis 0.

``batch`` is the paper's code: an ordinary batch norm called once per timestep, so that each t is normalised by its own
statistics over (N, H, W), and the running statistics, shared by all t, take T updates a training step. ``tdbn``
(Zheng et al. 2021) takes statistics over (T, N, H, W) at once and scales the result by the threshold. In evaluation
both apply the running statistics to every t alike. A static input [N, C, H, W] counts as one timestep.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

EPS = 1e-5
MOMENTUM = 0.1


class TimeNorm(nn.Module):
    """Affine batch norm over [T, N, C, H, W] or [N, C, H, W]; ``weight`` γ and ``bias`` β are [C]."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, *, kind: str, v_threshold: float) -> None:
        super().__init__()
        self.kind = kind
        self.gain = v_threshold if kind == "tdbn" else 1.0
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return γ·gain·(x - μ)/√(σ² + ε) + β, in the shape of ``x``."""
        static = x.dim() == 4  # noqa: PLR2004 - [N, C, H, W] against [T, N, C, H, W]
        if static or not self.training or self.joint:
            return self._normalised(x if static else x.flatten(0, 1)).view(x.shape)
        return torch.stack([self._normalised(x_NCHW) for x_NCHW in x.unbind()])

    def standardised(self, x: Tensor) -> Tensor:
        """Return ∂y/∂γ = gain·(x - μ)/√(σ² + ε) under the running statistics, for gradients in closed form."""
        inverse = (self.running_var + EPS).rsqrt() * self.gain
        return (x - self.running_mean[:, None, None]) * inverse[:, None, None]

    @property
    def gamma(self) -> Tensor:
        """What the standardised input is multiplied by, [C]."""
        return self.weight * self.gain if self.gain != 1 else self.weight

    @property
    def joint(self) -> bool:
        """Whether training takes statistics over all timesteps together."""
        return self.kind == "tdbn"

    def _normalised(self, x_NCHW: Tensor) -> Tensor:
        return F.batch_norm(
            x_NCHW, self.running_mean, self.running_var, self.gamma, self.bias, self.training, MOMENTUM, EPS
        )
