"""The phases of a trial: its first training, then its pruning cycles. Pure functions of the config and an epoch.

    epochs 1 .. E                       cycle 0, the first training
    epochs E + (r-1)·N + 1 .. E + r·N   cycle r, the r-th retraining

with E = ``optimiser.epochs`` and N = ``pruning.epochs``. A cycle prunes before its first epoch; cycles without epochs
follow one another after epoch E.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tic_sweep.config import TrialConfig
from tic_sweep.training.rates import rate_at
from tic_sweep.transition import CONFIRM, find_transition


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of epochs with one learning rate schedule: those after ``start``, ``epochs`` of them."""

    cycle: int
    start: int
    epochs: int

    @property
    def end(self) -> int:
        """The last epoch of the phase."""
        return self.start + self.epochs


def phases(config: TrialConfig) -> tuple[Phase, ...]:
    """Return the first training and every pruning cycle, in order."""
    first, pruning = config.optimiser.epochs, config.pruning
    cycles = (Phase(r, first + (r - 1) * pruning.epochs, pruning.epochs) for r in range(1, pruning.cycles + 1))
    return (Phase(0, 0, first), *cycles)


def phase_of(config: TrialConfig, epoch: int) -> Phase:
    """Return the phase in which ``epoch`` is trained; the untrained epoch 0 counts to the first training."""
    return next(phase for phase in phases(config) if epoch <= phase.end)


def ending_with(config: TrialConfig, epoch: int) -> tuple[Phase, ...]:
    """Return the phases that are over after ``epoch``: none inside one, several if cycles have no epochs."""
    return tuple(phase for phase in phases(config) if phase.end == epoch)


def learning_rate(config: TrialConfig, epoch: int) -> float:
    """Return the rate during ``epoch`` by the schedule of its phase, from ``optimiser.lr``.

    A retraining starts its schedule anew, from ``optimiser.lr`` times ``pruning.lr_factor``.
    """
    phase = phase_of(config, epoch)
    lr = config.optimiser.lr * (config.pruning.lr_factor if phase.cycle else 1.0)
    return rate_at(config.optimiser.schedule, epoch - phase.start, phase.epochs, lr)


def is_due(config: TrialConfig, every: int, epoch: int) -> bool:
    """Tell whether a measurement is due: every few epochs, 0 being never, and after the first training and the last."""
    return bool(every) and (epoch % every == 0 or epoch in {config.optimiser.epochs, config.last_epoch})


def is_fisher_due(config: TrialConfig, epoch: int, centroids: Mapping[int, float]) -> bool:
    """Tell whether the Fisher trace is to be measured after ``epoch``, given the centroids measured before it.

    With ``fisher.until_turned`` it is measured until `CONFIRM` reports after the transition stand by it; from then on
    only where it is due in any case, after the first training and the last.
    """
    if not is_due(config, config.fisher.every, epoch):
        return False
    if not config.fisher.until_turned or epoch in {config.optimiser.epochs, config.last_epoch}:
        return True
    turned = find_transition(list(centroids), list(centroids.values()), config.timesteps).epoch
    return turned is None or sum(later > turned for later in centroids) < CONFIRM
