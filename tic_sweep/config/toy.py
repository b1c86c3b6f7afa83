"""The toy problems of the tasks ``spike_train`` and ``xor``."""

from dataclasses import dataclass
from typing import ClassVar

from tic_sweep.config.fields import Section, integer, real
from tic_sweep.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class ToyConfig(Section):
    """A block of small problems, each trained at each learning rate, for the tasks ``spike_train`` and ``xor``.

    Defaults are the toy of Yang 2020: 100 inputs, 200 updates of plain gradient descent.
    """

    section: ClassVar[str] = "toy"

    tau_synapse: float = real(2.0, "time constant of the synaptic current", unit="timesteps", at_least=1)
    inputs: int = integer(100, "input spike trains of task spike_train", at_least=1)
    input_rate: float = real(0.1, "probability of an input spike", unit="per timestep", at_least=0, at_most=1)
    target_rate: float = real(0.05, "probability of a target spike", unit="per timestep", at_least=0, at_most=1)
    width: float = real(1.0, "factor on the hidden layers of task xor (64, 128 and 256 neurons)", above=0, at_most=8)
    samples: int = integer(64, "points of task xor trained on; as many are tested on", at_least=4)
    problems: int = integer(40, "random problems of the block, each with weights of its own", at_least=1)
    updates: int = integer(200, "gradient steps", at_least=1)
    lr_low: float = real(1e-3, "lowest learning rate of the block", above=0)
    lr_high: float = real(1e-1, "highest learning rate of the block", above=0)
    lr_count: int = integer(17, "learning rates of the block, evenly spaced on a log scale", at_least=1)

    def __post_init__(self) -> None:
        """Check each field, and that the rates make a range.

        Raises:
            ConfigError: naming the field, its value and what is accepted.
        """
        super().__post_init__()
        if self.lr_high < self.lr_low:
            raise ConfigError(f"toy.lr_high must be at least toy.lr_low = {self.lr_low:g}, got {self.lr_high:g}.")
