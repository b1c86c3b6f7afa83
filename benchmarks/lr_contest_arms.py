"""The contestants of `lr_contest.py`: our policies, and Optuna's pruners asked through Optuna itself."""

from collections.abc import Callable
from dataclasses import dataclass

import optuna

from tic_sweep.racing import build_policy
from tic_sweep.racing.entrants import Entrant, Race
from tic_sweep.racing.halving import Halving
from tic_sweep.racing.policies import HALVING
from tic_sweep.racing.protocol import GO_ON, Decision
from tic_sweep.racing.signals import ACCURACY, LAST_ACCURACY, TRAIN_LOSS, TRANSITION, ByRanks, ByTransition

BASELINES = ("asha", "asha, 8 at a time")
"""Whom the others are compared with: the best ASHA on digits where one trial runs at a time, and where eight do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A contestant: what builds its policy for trainings of so many epochs, and how it is run."""

    build: Callable[[int], Race]
    ic_every: int = 1
    free_fisher: bool = False
    workers: int = 1


class OptunaPruning(Race):
    """One of Optuna's pruners, told the validation accuracy of every epoch; the seeds of a rate are trials like others.

    The rate is recommended from the means over seeds like everybody else's.
    """

    def __init__(self, pruner: optuna.pruners.BasePruner) -> None:
        super().__init__(LAST_ACCURACY)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._pruner = pruner
        self._study: optuna.Study | None = None
        self._asked: dict[str, optuna.Trial] = {}

    def decide(self, entrant: Entrant) -> Decision:
        """Report the accuracy, and ask."""
        key, look = entrant.runner.key, entrant.looks[-1]
        if self._study is None:  # Hyperband draws a trial's bracket from the study's name, which is random if left out
            sampler = optuna.samplers.RandomSampler(0)
            self._study = optuna.create_study(
                study_name=key, direction="maximize", pruner=self._pruner, sampler=sampler
            )
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


def ours(name: str, **constants: float) -> Callable[[int], Race]:
    """Return what builds one of our policies; without a holdout, as the others have none."""
    return lambda _: build_policy(name, **{"holdout": 0.0, **constants})


def warm_up(epochs: int) -> int:
    """Return the epochs before which Optuna's pruners stop nothing."""
    return max(1, round(0.125 * epochs))


ARMS: dict[str, Arm] = {
    "random": Arm(build=ours("full")),
    "asha": Arm(build=ours("asha")),
    "asha, 8 at a time": Arm(build=ours("asha", eta=4, first=0.08), workers=8),
    "median": Arm(build=ours("median")),
    "optuna median": Arm(
        build=lambda epochs: OptunaPruning(
            optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=warm_up(epochs))
        )
    ),
    "optuna halving": Arm(
        build=lambda epochs: OptunaPruning(
            optuna.pruners.SuccessiveHalvingPruner(min_resource=warm_up(epochs), reduction_factor=2)
        )
    ),
    "optuna hyperband": Arm(
        build=lambda epochs: OptunaPruning(optuna.pruners.HyperbandPruner(warm_up(epochs), epochs, reduction_factor=3))
    ),
    "first_turn": Arm(build=ours("first_turn")),
    "transition": Arm(build=ours("transition")),
    "hybrid": Arm(build=ours("hybrid")),
    "accuracy": Arm(build=ours("accuracy")),
}
"""Contestants; `random` trains the rates to their end in a random order: the full grid, when all is spent."""

ABLATIONS: dict[str, Arm] = {
    "transition, free Fisher": Arm(build=ours("transition"), free_fisher=True),
    "transition, every third centroid": Arm(build=ours("transition"), ic_every=3),
    "transition, errors ignored": Arm(build=lambda _: Halving(ByTransition(z=0.0), **HALVING)),
    "hybrid, transition from the start": Arm(
        build=lambda _: Halving(ByRanks((ACCURACY, TRANSITION), (1.0, 1.0)), **HALVING)
    ),
    "accuracy, last report alone": Arm(build=lambda _: Halving(LAST_ACCURACY, **HALVING)),
    "training loss": Arm(build=lambda _: Halving(TRAIN_LOSS, **HALVING)),
    "hybrid, free Fisher": Arm(build=ours("hybrid"), free_fisher=True),
    "hybrid, every third centroid": Arm(build=ours("hybrid"), ic_every=3),
    "hybrid, 5 % held out": Arm(build=ours("hybrid", holdout=0.05)),
    "hybrid, 8 at a time": Arm(build=ours("hybrid"), workers=8),
    "accuracy, 5 % held out": Arm(build=ours("accuracy", holdout=0.05)),
    "accuracy, 8 at a time": Arm(build=ours("accuracy"), workers=8),
}
"""What a contestant would do under other conditions."""
