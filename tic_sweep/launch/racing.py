"""From a plan, its manifest and what the store knows to a `Race` that a session can run."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.races import policy_of, told
from tic_sweep.launch.known import KnownTrials
from tic_sweep.launch.race import KEPT, Race
from tic_sweep.plan import PlannedTrial
from tic_sweep.store import Manifest
from tic_sweep.sweep import Scale


def race_in_words(scale: Scale, trials: Sequence[PlannedTrial], before: Manifest | None) -> dict[str, Any]:
    """Return what a manifest keeps of a race: its numbers, and its trials in the order in which they enter.

    Trials of an earlier session that are no longer planned come last.
    """
    earlier = before.race.get("order", ()) if before is not None else ()
    order = dict.fromkeys([*(trial.key for trial in trials), *earlier])
    return {"budget": scale.budget, "holdout": scale.holdout, "grace": scale.grace, "order": list(order)}


def race_of(
    manifest: Manifest, known: KnownTrials, planned: Sequence[PlannedTrial], todo: Sequence[PlannedTrial]
) -> Race | None:
    """Return the race of a session, which has heard everything stored; None if nothing is raced.

    Args:
        manifest: of the session.
        known: what the results folder holds.
        planned: trials of the plan.
        todo: trials to run; what is stored of those among them that had ended is forgotten.
    """
    if manifest.scheduler == "none":
        return None
    ended = known.trials(ended=True)
    every = {trial.key: trial for trial in (*planned, *ended, *known.trials(ended=False))}
    order = [key for key in manifest.race["order"] if key in every]
    race = Race(
        policy_of(manifest), (every[key] for key in dict.fromkeys([*order, *every])),
        budget=manifest.race["budget"], samples=manifest.samples,
    )  # fmt: skip
    waiting = {trial.key for trial in todo}
    anew = waiting & (known.lost | {trial.key for trial in ended})
    if known.folder is not None:
        events = told(known.scan("epochs"), known.scan("trials"))
        race.hear((key, event) for key, event in events if key not in anew)
        for row in known.scan("trials").select("key", *KEPT).collect().iter_rows(named=True):
            race.keep(row["key"], row)
    states: Mapping[str, Any] = known.states
    stopped = [key for key in every if key not in waiting and key in states and states[key].status == "stopped"]
    race.line_up(waiting, stopped=stopped)
    return race
