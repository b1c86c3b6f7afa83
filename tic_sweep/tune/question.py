"""`Question`: which learning rate for this network on these images? And the sweep that asks it.

What is not said has a default that suits the data set: few enough images, small enough, for a laptop to answer within
minutes with the small network; all of them, as they are, for the networks of the papers.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from tic_sweep.config import DATASETS, MODELS, TrialConfig, field_rules, replaced
from tic_sweep.errors import ConfigError, did_you_mean
from tic_sweep.racing import DEFAULT
from tic_sweep.space import Grid, LogUniform
from tic_sweep.sweep import BY_ONE, RATE, SCHEDULERS, Scale, Sweep, build_race

SEARCHES = ("grid", "tpe")
MOST = 64
"""Rates that are tried at most."""
LAPTOP: dict[str, dict[str, Any]] = {
    "digits": {"optimiser.epochs": 15},
    **{
        name: {
            "data.image_size": 14 if name == "fashion_mnist" else 16, "data.train_samples": 2000,
            "data.validation_samples": 1000, "data.test_samples": 2000, "optimiser.epochs": 16,
        }
        for name in DATASETS
        if name != "digits"
    },
}  # fmt: skip
"""Changes for the small network, by data set."""
SMALL = {"data.augmentation": "none", "optimiser.batch_size": 64, "timesteps": 8}
PAPER = {"optimiser.epochs": 60}
"""Changes for the networks of the papers: their own setting, for a fifth of its epochs."""
FISHER = {"fisher.samples": 64, "fisher.ic_se": 0.25, "fisher.until_turned": True}
"""Enough to see a transition by, and no more than it takes."""
FIXED = {
    RATE: "is what varies", "seed": "is what varies", "data.name": "is what --dataset says",
    "model.name": "is what --arch says", "task": "is images",
}  # fmt: skip
"""Fields that a question does not leave open, and why."""
KINDS: dict[str, tuple[type[Any], str]] = {
    "low": (Real, "a number"), "high": (Real, "a number"), "rates": (Integral, "a whole number"),
    "seeds": (Collection, "whole numbers such as (0, 1)"), "budget": (Real, "a number"),
    "epochs": (Integral, "a whole number"), "changes": (Mapping, "fields and their values"),
}  # fmt: skip
"""What the parts of a question are that it looks into itself, and in words."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which learning rate? None is a default that goes with the rest."""

    dataset: str = "digits"
    arch: str = "small_conv"
    timesteps: int | None = None
    tau: float | None = None
    low: float = 0.01
    """Lowest rate."""
    high: float = 3.0
    """Highest rate."""
    rates: int = 8
    """How many rates, evenly apart on a log scale, or proposed by a search."""
    seeds: tuple[int, ...] = (0, 1)
    budget: float = 35.0
    """Percent of the epochs of the full grid that may be trained; a race that is over by itself leaves the rest."""
    epochs: int | None = None
    """Epochs of a whole training."""
    searcher: str = "grid"
    policy: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Other fields of every trial, by dotted path."""

    def __post_init__(self) -> None:
        """Refuse what no sweep could ask.

        Raises:
            ConfigError: naming the option, its value and what is accepted.
        """
        self._check_kinds()
        for name, value, known in (
            ("dataset", self.dataset, tuple(DATASETS)),
            ("arch", self.arch, tuple(MODELS)),
            ("searcher", self.searcher, SEARCHES),
            ("policy", DEFAULT if self.policy is None else self.policy, SCHEDULERS[1:]),
        ):
            if value not in known:
                hint = did_you_mean(value, known) if isinstance(value, str) else ""
                raise ConfigError(f"--{name} must be one of {', '.join(known)}, got {value!r}.{hint}")
        if not (0 < self.low < math.inf and self.low < self.high < math.inf):
            raise ConfigError(
                f"--low and --high must be rates with 0 < low < high, got {self.low!r} and {self.high!r}."
            )
        if not 2 <= self.rates <= MOST:  # noqa: PLR2004 - one rate leaves no choice
            raise ConfigError(f"--rates must be from 2 to {MOST}, got {self.rates!r}.")
        if not 0 < self.budget <= 100:  # noqa: PLR2004 - percent
            raise ConfigError(
                f"--budget must be percent of the full grid, above 0 and at most 100, got {self.budget!r}."
            )
        if self.epochs is not None and self.epochs < 1:
            raise ConfigError(f"--epochs must be at least 1, got {self.epochs!r}: untrained rates are all alike.")
        if self.searcher == "tpe" and self.scheduler not in BY_ONE:
            raise ConfigError(
                f"--policy must be one of {', '.join(BY_ONE)} with --searcher tpe (others compare rates that are all "
                f"known), got {self.policy!r}."
            )
        for path in self.changes:
            if path in FIXED:
                raise ConfigError(f"--set {path} {FIXED[path]}: leave it out.")

    def _check_kinds(self) -> None:
        """Refuse what is not even of the kind asked for, which a call from Python may give."""
        for name, (kind, words) in KINDS.items():
            value = getattr(self, name)
            if name == "epochs" and value is None:
                continue
            if not isinstance(value, kind) or isinstance(value, (bool, str)):
                raise ConfigError(f"--{'set' if name == 'changes' else name} must be {words}, got {value!r}.")

    @property
    def scheduler(self) -> str:
        """The policy: the one that did best, or one that can do without knowing all rates in advance."""
        if self.policy is None:
            return "asha" if self.searcher == "tpe" else DEFAULT
        return self.policy

    @property
    def name(self) -> str:
        """What the sweep is called, after what it is about."""
        return f"tune_lr-{self.dataset}-{self.arch}"

    def base(self) -> TrialConfig:
        """Return what every trial starts from.

        Raises:
            ConfigError: for a field or value that is refused.
        """
        given = {"timesteps": self.timesteps, "neuron.tau": self.tau, "optimiser.epochs": self.epochs}
        for option, path in (("timesteps", "timesteps"), ("tau", "neuron.tau"), ("epochs", "optimiser.epochs")):
            if given[path] is not None:
                field_rules()[path].cast(f"--{option}", given[path])
        size = SMALL | LAPTOP[self.dataset] if self.arch == "small_conv" else PAPER
        looks = build_race(self.scheduler, holdout=0.0, grace=0.0).looks_at_ic
        changes = {
            "data.name": self.dataset, "model.name": self.arch, **size, **(FISHER if looks else {"fisher.every": 0}),
            **{path: value for path, value in given.items() if value is not None}, **self.changes,
        }  # fmt: skip
        return replaced(TrialConfig(), changes)

    def sweep(self) -> Sweep:
        """Return the sweep that asks it."""
        grid = self.searcher == "grid"
        scale = Scale(
            base=self.base(),
            space={RATE: Grid(middle_out(log_spaced(self.low, self.high, self.rates)))}
            if grid
            else {RATE: LogUniform(self.low, self.high)},
            seeds=self.seeds,
            samples=0 if grid else self.rates * len(self.seeds),
            searcher="random" if grid else "tpe",
            scheduler=self.scheduler,
            budget=self.budget / 100,
            holdout=0.0,
        )
        question = f"Which learning rate for {self.arch} on {self.dataset}, T = {scale.base.timesteps}?"
        return Sweep(name=self.name, question=question, laptop=scale)


def log_spaced(low: float, high: float, count: int) -> tuple[float, ...]:
    """Return rates evenly apart on a log scale, both ends included, to three digits where those tell them apart."""
    exact = [low * (high / low) ** (i / (count - 1)) for i in range(count)]
    rounded = tuple(float(f"{rate:.3g}") for rate in exact)
    return rounded if len(set(rounded)) == count else tuple(exact)


def middle_out(values: tuple[float, ...]) -> tuple[float, ...]:
    """Return values from the middle outwards: what is likely comes first, so that it is known early."""
    middle = (len(values) - 1) / 2
    return tuple(value for _, value in sorted(enumerate(values), key=lambda pair: (abs(pair[0] - middle), -pair[0])))
