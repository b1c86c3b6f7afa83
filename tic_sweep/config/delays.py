"""The network with delays of task ``sequences``: its size, how its delays are learnt, and which synapses exist.

Defaults are those of Mészáros, Knight and Nowotny 2024 as their published code has them, for spoken digits.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import ClassVar

from tic_sweep.config.fields import Section, choice, flag, integer, listing, real
from tic_sweep.errors import ConfigError

SMALLEST_SIGMA = 0.23
"""Where the spread of delays ends, in timesteps."""

REGROWTHS: dict[str, tuple[str, ...]] = {
    "static": ("neg_grad",),
    "deepr": ("neg_grad", "abs_grad", "random"),
    "rigl": ("abs_grad", "random"),
    "set": ("random",),
}
"""What each rule can regrow by; ``static`` does not, and leaves the field at its default."""

READ_BY_RULE: dict[str, tuple[str, ...]] = {
    "static": (),
    "deepr": ("signs", "rewire_every", "temperature"),
    "rigl": ("rewire_every", "exchange_share", "exchange_until"),
    "set": ("rewire_every", "exchange_share"),
}
"""Fields that only some of the rules have a meaning for."""
OF_LEARNT_DELAYS = ("position_lr", "position_schedule", "interpolation", "sigma_start", "sigma_share")
OF_A_SPREAD = ("sigma_start", "sigma_share")


@dataclass(frozen=True, kw_only=True)
class DelaysConfig(Section):
    """Layers with one delay per synapse, the neurons between them, and the synapses that exist."""

    section: ClassVar[str] = "delays"

    hidden: int = integer(256, "hidden neurons", at_least=1)
    max_delay: int = integer(24, "longest delay of a synapse", unit="timesteps", at_least=0)
    learn: bool = flag(True, "whether delays are learnt; if not, they stay as they were drawn")
    position_lr: float = real(0.1, "learning rate of the delays at the first step, by Adam without decay", above=0)
    position_schedule: str = choice(
        "cosine", ("cosine", "constant", "one_cycle"), "learning rate of the delays over epochs"
    )
    interpolation: str = choice(
        "gauss", ("gauss", "max", "triangle", "linear"), "how a delay that is no whole number is spread over timesteps"
    )
    sigma_start: float = real(0.0, "width of that spread at first; 0 is half the kernel", unit="timesteps", at_least=0)
    sigma_share: float = real(
        0.25, "share of the epochs in which the width falls to 0.23 timesteps", at_least=0, at_most=1
    )
    order: str = choice(
        "published", ("charge_first", "published"), "the neuron's order of operations: that of images, or as published"
    )
    readout: str = choice(
        "softmax_sum", ("mean", "sum", "softmax_sum"), "logits at horizon t: of outputs 1..t, or of their softmax"
    )
    readout_tau: float = real(
        0.0, "time constant of the outputs; 0 is the neurons', else above 0.5", unit="timesteps", at_least=0
    )
    dropout: float = real(0.4, "share of the hidden neurons left out of each training sample", at_least=0, at_most=0.99)
    rule: str = choice("static", REGROWTHS, "how synapses come and go; static is not at all")
    sparsity: float = real(0.0, "share of the possible synapses that do not exist", at_least=0, at_most=0.9999)
    budget: str = choice(
        "layer", ("layer", "global", "erdos_renyi"), "the same sparsity in every layer, one for all, or by their shapes"
    )
    regrow: str = choice("neg_grad", ("random", "neg_grad", "abs_grad"), "which of the missing synapses come")
    signs: str = choice(
        "presynaptic", ("presynaptic", "synapse"), "what rule deepr fixes a weight's sign by: its input, or itself"
    )
    rewire_every: int = integer(1, "steps of the optimiser between rewirings", unit="steps", at_least=1)
    exchange_share: float = real(
        0.3, "share of the synapses exchanged at a time by set, and at first by rigl", above=0, at_most=1
    )
    exchange_until: float = real(0.75, "share of the training in which rigl exchanges synapses", above=0, at_most=1)
    temperature: float = real(0.0, "of the noise on the weights of rule deepr", at_least=0)
    l1: float = real(0.01, "factor on the sum of the weights' magnitudes in what training minimises", at_least=0)
    backend: str = choice(
        "auto", ("auto", "conv", "fft"), "how delays are applied, up to rounding the same: the cheapest, or by name"
    )
    field_epochs: str = listing(
        "", int, "epochs after which every synapse is recorded, of which receptive fields are made", unit="epochs",
        at_least=0,
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Check each field, and that no two contradict each other.

        Raises:
            ConfigError: naming the field, its value and what is accepted.
        """
        super().__post_init__()
        self._check_delays()
        self._check_rule()
        if 0 < self.readout_tau <= 0.5:  # noqa: PLR2004 - the neurons' own bound
            raise ConfigError(
                f"delays.readout_tau must be 0 (the neurons') or greater than 0.5 timesteps, got {self.readout_tau!r}."
            )

    def _check_delays(self) -> None:
        if not self.learn:
            self._leave_alone(OF_LEARNT_DELAYS, "delays.learn false (delays stay as they are)")
        elif not self.max_delay:
            raise ConfigError("delays.learn must be false when delays.max_delay is 0 (there is none), got True.")
        if self.interpolation in {"triangle", "linear"}:
            self._leave_alone(OF_A_SPREAD, f"delays.interpolation {self.interpolation} (it has no width)")
        if 0 < self.sigma_start < SMALLEST_SIGMA:
            raise ConfigError(
                f"delays.sigma_start must be 0 (half the kernel) or at least {SMALLEST_SIGMA} timesteps, got "
                f"{self.sigma_start!r}."
            )
        if not self.sigma_share:
            self._leave_alone(("sigma_start",), "delays.sigma_share 0 (the spread never begins)")

    def _check_rule(self) -> None:
        if not self.sparsity:
            if self.rule != "static":
                raise ConfigError(
                    f"delays.rule must be static when delays.sparsity is 0 (every synapse exists), got {self.rule!r}: "
                    f"raise delays.sparsity or leave the rule alone."
                )
            self._leave_alone(("budget",), "delays.sparsity 0 (every synapse exists)")
        if self.regrow not in REGROWTHS[self.rule]:
            raise ConfigError(
                f"delays.regrow must be one of {', '.join(REGROWTHS[self.rule])} for delays.rule {self.rule}, got "
                f"{self.regrow!r}."
            )
        idle = {name for names in READ_BY_RULE.values() for name in names} - set(READ_BY_RULE[self.rule])
        self._leave_alone(idle, f"delays.rule {self.rule}")

    def _leave_alone(self, names: Iterable[str], why: str) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in names and value != field.default:
                raise ConfigError(
                    f"delays.{field.name} has no effect on {why}: leave it at {field.default!r}, got {value!r}."
                )
