"""The contestants of `lr_contest.py`: our policies, and Optuna's pruners asked through Optuna itself."""

from collections.abc import Callable
from dataclasses import dataclass

import optuna

from tic_sweep.racing.entrants import Entrant, Race
from tic_sweep.racing.halving import Halving
from tic_sweep.racing.protocol import GO_ON, Decision
from tic_sweep.racing.signals import ACCURACY
from tic_sweep.racing.stopping import AshaStopping, MedianStopping, TransitionRace


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A contestant: what builds its policy, and every how many centroids it looks at."""

    build: Callable[[], Race]
    ic_every: int = 1


class OptunaPruning(Race):
    """One of Optuna's pruners, told the validation accuracy of every epoch; the seeds of a rate are trials like others.

    The rate is recommended from the means over seeds like everybody else's.
    """

    def __init__(self, pruner: optuna.pruners.BasePruner) -> None:
        super().__init__(ACCURACY)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._study = optuna.create_study(direction="maximize", pruner=pruner, sampler=optuna.samplers.RandomSampler(0))
        self._asked: dict[str, optuna.Trial] = {}

    def decide(self, entrant: Entrant) -> Decision:
        """Report the accuracy, and ask."""
        key, look = entrant.runner.key, entrant.looks[-1]
        if key not in self._asked:
            self._asked[key] = self._study.ask()
        trial = self._asked[key]
        if look.epoch == 0 or look.val_acc is None:
            return GO_ON
        trial.report(look.val_acc, look.epoch)
        if entrant.epoch >= entrant.runner.epochs:
            self._study.tell(trial, look.val_acc)
        elif trial.should_prune():
            self._study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            return Decision("stop", "pruned")
        return GO_ON


def baselines(epochs: int) -> dict[str, Arm]:
    """Return the contestants that do not look at IC, with the constants their authors recommend."""
    pruners = optuna.pruners
    warm = max(1, round(0.125 * epochs))
    return {
        "random": Arm(build=lambda: Race(ACCURACY)),
        "asha": Arm(build=lambda: AshaStopping(ACCURACY, eta=3, first=0.1)),
        "asha, eta 2": Arm(build=lambda: AshaStopping(ACCURACY, eta=2, first=0.125)),
        "median": Arm(build=lambda: MedianStopping(ACCURACY)),
        "optuna median": Arm(
            build=lambda: OptunaPruning(pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=warm))
        ),
        "optuna sha": Arm(
            build=lambda: OptunaPruning(pruners.SuccessiveHalvingPruner(min_resource=warm, reduction_factor=2))
        ),
        "optuna hyperband": Arm(build=lambda: OptunaPruning(pruners.HyperbandPruner(warm, epochs, reduction_factor=3))),
    }


__all__ = ["Arm", "Halving", "TransitionRace", "baselines"]
