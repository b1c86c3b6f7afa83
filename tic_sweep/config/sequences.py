"""Which sequences a trial of task ``sequences`` classifies, and how many of them."""

from dataclasses import dataclass, fields
from typing import ClassVar

from tic_sweep.config.catalogue import SEQUENCES
from tic_sweep.config.fields import Section, choice, integer, real
from tic_sweep.errors import ConfigError

READ_BY: dict[str, tuple[str, ...]] = {
    "cyclic_sweeps": ("channels", "shifts", "step", "deletion", "noise"),
    "raw_hd": ("validation_groups", "labels", "scaling"),
    "shd": ("validation_groups", "bin_ms", "pooled"),
}
"""Fields that only some of the data sets have a meaning for."""


@dataclass(frozen=True, kw_only=True)
class SequencesConfig(Section):
    """Which sequences, how many, which are held out, and what belongs to a single data set."""

    section: ClassVar[str] = "sequences"

    name: str = choice("cyclic_sweeps", SEQUENCES, "data set")
    train_samples: int = integer(
        0, "sequences to train on, as many of each class; 0 is all, of cyclic sweeps 2048", unit="sequences", at_least=0
    )
    validation_samples: int = integer(
        0, "sequences held out, as many of each class; 0 is a tenth, of cyclic sweeps 512", unit="sequences", at_least=0
    )
    test_samples: int = integer(
        0, "test sequences, as many of each class; 0 is all, of cyclic sweeps 2048", unit="sequences", at_least=0
    )
    validation_groups: int = integer(
        1, "speakers whose every sequence is held out for validation; 0 holds out by class", unit="speakers", at_least=0
    )
    split_seed: int = integer(
        0, "draws the validation split, the subsets and the made-up sequences, apart from the trial's seed", at_least=0
    )
    channels: int = integer(16, "channels of cyclic sweeps", at_least=2, at_most=1000)
    shifts: int = integer(4, "starts of cyclic sweeps: half as many as classes", at_least=1)
    step: int = integer(1, "from a channel's spike to the next one's in cyclic sweeps", unit="timesteps", at_least=1)
    deletion: float = real(0.1, "probability that a spike of a cyclic sweep is missing", at_least=0, at_most=0.99)
    noise: float = real(
        0.02, "probability of a spike of noise in cyclic sweeps", unit="per channel and timestep", at_least=0,
        at_most=0.99,
    )  # fmt: skip
    labels: str = choice(
        "stored", ("stored", "languages_swapped"), "which language of raw_hd counts from 10: as its files say, or not"
    )
    scaling: str = choice(
        "published", ("published", "standardised", "decibel"),
        "frames of raw_hd: dB above the quietest times 0.0198, each recording standardised, or dB",
    )  # fmt: skip
    bin_ms: float = real(10.0, "length of a timestep of shd", unit="ms", above=0, at_most=1000)
    pooled: int = integer(5, "neighbouring channels of shd counted together", at_least=1, at_most=700)

    def __post_init__(self) -> None:
        """Check each field, and that those of other data sets are left alone.

        Raises:
            ConfigError: naming the field, its value and what is accepted.
        """
        super().__post_init__()
        elsewhere = {name for names in READ_BY.values() for name in names} - set(READ_BY[self.name])
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in elsewhere and value != field.default:
                raise ConfigError(
                    f"sequences.{field.name} has no effect on sequences.name {self.name}: leave it at "
                    f"{field.default!r}, got {value!r}."
                )
        if self.validation_samples and self.holds_out_groups:
            raise ConfigError(
                f"sequences.validation_samples must be 0 when speakers are held out (sequences.validation_groups is "
                f"{self.validation_groups}), got {self.validation_samples}."
            )

    @property
    def holds_out_groups(self) -> bool:
        """Whether the validation split is all that some speakers say."""
        return "validation_groups" in READ_BY[self.name] and self.validation_groups > 0

    @property
    def classes(self) -> int:
        """Number of classes, K."""
        return SEQUENCES[self.name].classes or 2 * self.shifts

    @property
    def inputs(self) -> int:
        """Input channels of the network, I."""
        if self.name == "shd":
            return -(-SEQUENCES["shd"].channels // self.pooled)
        return SEQUENCES[self.name].channels or self.channels
