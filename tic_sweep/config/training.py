"""How a trial's network is trained, and pruned and trained again."""

from dataclasses import dataclass
from typing import ClassVar

from tic_sweep.config.fields import Section, choice, flag, integer, real
from tic_sweep.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig(Section):
    """How the weights are trained."""

    section: ClassVar[str] = "optimiser"

    name: str = choice("sgd", ("sgd", "adamw"), "update rule")
    lr: float = real(0.3, "learning rate at the first step; of schedule one_cycle the highest", above=0)
    momentum: float = real(0.9, "SGD's momentum; AdamW's first beta", at_least=0, at_most=0.999)
    weight_decay: float = real(5e-4, "L2 penalty of SGD; decoupled decay of AdamW", at_least=0)
    schedule: str = choice(
        "cosine", ("cosine", "constant", "one_cycle"),
        "learning rate over epochs: cosine to zero, constant, or up and down again",
    )  # fmt: skip
    batch_size: int = integer(128, "images a step", unit="images", at_least=1)
    epochs: int = integer(300, "passes over the training images", at_least=0)


@dataclass(frozen=True, kw_only=True)
class LossConfig(Section):
    """What training minimises."""

    section: ClassVar[str] = "loss"

    name: str = choice(
        "cross_entropy", ("cross_entropy", "alpha"),
        "cross-entropy at horizon T, or |cross-entropy - alpha| averaged over all horizons (Eq. 10)",
    )  # fmt: skip
    alpha: float = real(
        0.0, "value that loss alpha holds the cross-entropy at, at every horizon", unit="nats", at_least=0
    )

    def __post_init__(self) -> None:
        """Check each field, and that alpha has an effect if it is given."""
        super().__post_init__()
        if self.name == "cross_entropy" and self.alpha:
            raise ConfigError(
                f"loss.alpha has no effect on loss.name cross_entropy: leave it at 0.0, got {self.alpha!r}."
            )


@dataclass(frozen=True, kw_only=True)
class PruningConfig(Section):
    """Cycles of magnitude pruning and retraining that follow the first training (Han et al. 2015; Fig. 6 and 7)."""

    section: ClassVar[str] = "pruning"

    cycles: int = integer(0, "cycles of pruning and retraining, R", at_least=0, at_most=60)
    share: float = real(0.5, "share of the remaining weights that a cycle prunes", above=0, at_most=0.99)
    epochs: int = integer(60, "epochs of retraining in each cycle, N_retrain", unit="epochs", at_least=0)
    timesteps: int = integer(0, "timesteps of the retraining, T_retrain; 0 is T", unit="timesteps", at_least=0)
    suggest: bool = flag(False, "take T_retrain from the trial's own Fisher trace when the first training ends")
    lr_factor: float = real(1.0, "learning rate at the start of each retraining, over optimiser.lr", above=0)
    weights: str = choice(
        "continue", ("continue", "rewind"), "retrain from the pruned weights, or from those of an earlier epoch"
    )
    rewind_epoch: int = integer(0, "epoch whose weights are rewound to", unit="epochs", at_least=0)

    def __post_init__(self) -> None:
        """Check each field, and that no two contradict each other."""
        super().__post_init__()
        if self.suggest and self.timesteps:
            raise ConfigError(
                f"pruning.timesteps must be 0 when pruning.suggest is true (the Fisher trace decides), got "
                f"{self.timesteps!r}."
            )
        if self.weights == "continue" and self.rewind_epoch:
            raise ConfigError(
                f"pruning.rewind_epoch has no effect on pruning.weights continue: leave it at 0, got "
                f"{self.rewind_epoch!r}."
            )
