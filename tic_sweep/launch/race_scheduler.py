"""`RaceScheduler`: what Ray Tune asks after every result whether a trial goes on; the answer is that of a `Race`.

To Tune a paused trial has ended: it is started anew, from its own checkpoint, if the race chooses it again. So Tune
needs to save no trial and no scheduler, and a resumed session has nothing to restore but rows.
"""

# ruff: noqa: ARG002 - the signatures of schedulers are Tune's
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from tic_sweep.launch.race import Race
from tic_sweep.launch.trainable import REPORT
from tic_sweep.records import EpochRow

_EPOCH = {f"{REPORT}/epoch/{field.name}": field.name for field in fields(EpochRow)}
"""Where Tune, which flattens what it shows a scheduler, puts the fields of an epoch's row."""


class RaceScheduler(FIFOScheduler):
    """Stops what the race wants stopped or paused; whatever happens, it raises nothing into Tune."""

    def __init__(self, race: Race, problem: Callable[[str], None]) -> None:
        """Schedule by a race.

        Args:
            race: what decides.
            problem: told, as a line, what went wrong; the trial then goes on.
        """
        super().__init__()
        self._race, self._problem = race, problem

    def __reduce__(self) -> tuple[Any, ...]:
        """Be pickled as a scheduler that decides nothing: the race is rebuilt from the store."""
        return (FIFOScheduler, ())

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Return whether a trial goes on after a report."""
        try:
            row = {name: result[path] for path, name in _EPOCH.items() if path in result}
            decision = self._race.look_at(EpochRow(**row)) if row else None
        except Exception as error:  # noqa: BLE001 - an exception raised into Tune would end the whole sweep
            self._problem(f"{type(error).__name__}: {error}".splitlines()[0])
            return TrialScheduler.CONTINUE
        return TrialScheduler.STOP if decision and decision.verdict != "go_on" else TrialScheduler.CONTINUE
