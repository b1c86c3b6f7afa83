"""Cotangents of all horizons at once. Shapes: T timesteps, R rows, N samples; s and t count from 0 here.

At horizon t only timesteps s ≤ t carry gradient. So the cotangents of all horizons are R = T(T + 1)/2 rows (s, t) with
t ≥ s, ordered by s and then by t,

    (0,0) (0,1) … (0,T-1)   (1,1) … (1,T-1)   …   (T-1,T-1)

in which a timestep's horizons lie side by side, and what is to come of them at s + 1 is the next block. Every layer
carries all rows back as one batch: half the work of T whole backward passes, in a T-th of the calls. Before the neurons
of a stem that was shown a static image there is a single timestep, which all horizons share: R = T.
"""

import torch
from torch import Tensor


class Rows:
    """Where the row of timestep s and horizon t is, for tensors [R, ...].

    Args:
        timesteps: T, the number of horizons.
        static: whether all horizons share a single timestep.
    """

    def __init__(self, timesteps: int, *, static: bool = False) -> None:
        self.horizons = timesteps
        self.static = static
        self.steps = 1 if static else timesteps

    def of_step(self, x_RN: Tensor, s: int) -> Tensor:
        """Return the rows of timestep s, horizons s..T-1, as a view."""
        first = s * self.horizons - s * (s - 1) // 2
        return x_RN[first : first + self.horizons - s]

    def of_horizon(self, x_RN: Tensor, t: int) -> Tensor:
        """Return the rows of horizon t [N, s, ...], in the order of timesteps and with samples first, as a copy."""
        if self.static:
            return x_RN[t][:, None].clone()
        return torch.stack([self.of_step(x_RN, s)[t - s] for s in range(t + 1)], dim=1)

    def stacked(self, x_TSN: Tensor) -> Tensor:
        """Return the rows [R, N, ...] of a square of all horizons and timesteps [T, T, N, ...]."""
        return torch.cat([x_TSN[s:, s] for s in range(self.steps)])

    def summed(self, x_RN: Tensor) -> Tensor:
        """Return for each horizon the sum over its timesteps [T, N, ...]: the rows before static neurons."""
        total_TN = self.of_step(x_RN, 0).clone()
        for s in range(1, self.steps):
            total_TN[s:] += self.of_step(x_RN, s)
        return total_TN
