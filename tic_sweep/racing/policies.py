"""The policies by name, with the constants that the contest in docs/tune_lr.md settled on."""

from collections.abc import Callable

from tic_sweep.errors import ConfigError, did_you_mean
from tic_sweep.racing.entrants import Race
from tic_sweep.racing.halving import Halving
from tic_sweep.racing.protocol import HOLDOUT
from tic_sweep.racing.signals import ACCURACY, HYBRID, LAST_ACCURACY, TRANSITION
from tic_sweep.racing.stopping import AshaStopping, MedianStopping, TransitionRace

HALVING = {"eta": 2.0, "first": 0.08, "narrow": 2.0, "finalists": 3}
"""Constants of `Halving`, chosen on digits alone."""
POLICIES: dict[str, Callable[..., Race]] = {
    "transition": lambda **constants: Halving(TRANSITION, **(HALVING | constants)),
    "hybrid": lambda **constants: Halving(HYBRID, **(HALVING | constants)),
    "accuracy": lambda **constants: Halving(ACCURACY, **(HALVING | constants)),
    "asha": lambda **constants: AshaStopping(LAST_ACCURACY, **constants),
    "median": lambda **constants: MedianStopping(LAST_ACCURACY, **constants),
    "first_turn": TransitionRace,
    "full": lambda **constants: Race(LAST_ACCURACY, **constants),
}
"""Name of each policy, and what builds it from its constants."""
DEFAULT = "hybrid"
"""The policy that `tic-sweep tune-lr` takes."""


def build_policy(name: str = DEFAULT, *, holdout: float = HOLDOUT, **constants: float) -> Race:
    """Return a policy by name.

    Args:
        name: one of `POLICIES`.
        holdout: share of the trials that are never stopped.
        **constants: of the policy, in place of its defaults.

    Raises:
        ConfigError: for an unknown name, or a constant out of its bounds.
    """
    if name not in POLICIES:
        raise ConfigError(
            f"policy must be one of {', '.join(POLICIES)}, got {name!r}.{did_you_mean(name, list(POLICIES))}"
        )
    return POLICIES[name](holdout=holdout, **constants)
