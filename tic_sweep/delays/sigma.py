"""How wide a learnt delay is spread while training goes on: from half the kernel down to less than a timestep."""

from dataclasses import dataclass

FINAL_SIGMA = 0.23
"""Width at the end, in timesteps; with the 0.27 of ``gauss`` it is half a timestep."""


@dataclass(frozen=True, slots=True)
class SigmaSchedule:
    """σ falls geometrically over the first ``epochs`` epochs from ``start`` to ``final``, and stays there.

    σ(e) = start·(final / start)^(e / epochs) after e epochs, and exactly ``final`` from e = ``epochs`` on. Widths are
    in timesteps. A start that is not above ``final`` (very short kernels), or no epochs, mean ``final`` throughout.
    """

    start: float
    epochs: int
    final: float = FINAL_SIGMA

    def after(self, epochs_done: int) -> float:
        """Return σ once so many epochs have been trained; the e-th epoch is trained with ``after(e - 1)``."""
        if epochs_done >= self.epochs or self.start <= self.final:
            return self.final
        return self.start * (self.final / self.start) ** (epochs_done / self.epochs)


def published_schedule(max_delay: int, epochs: int) -> SigmaSchedule:
    """Return the published schedule of a training: from half the kernel, over a quarter of its epochs."""
    return SigmaSchedule(start=(max_delay + 1) // 2, epochs=epochs // 4)
