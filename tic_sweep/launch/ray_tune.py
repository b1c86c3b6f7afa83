"""The runner on Ray Tune.

Tune starts trials, spreads them over nodes and starts them again when they die; nothing else is left to it. Its files
under ``<results>/tune/`` are scratch that nobody reads and that goes when it ends (`scratch`): `Tuner.restore` and
Tune's checkpoints are not used. A resume plans anew from the trials table, under a new experiment name, and every trial
continues from its own checkpoint.
So a resume needs no pickled state, loses no searcher's or scheduler's memory, and cannot mix two experiments.
"""

# ruff: noqa: ARG002 - the signatures of callbacks and searchers are Tune's
import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.experiment import Trial
from ray.tune.search import Searcher

from tic_sweep.config import to_dict
from tic_sweep.data import RawData
from tic_sweep.launch.carrying import Checkpoints
from tic_sweep.launch.options import Options
from tic_sweep.launch.pack_trainable import TOLD, PackTrainable, record_dict
from tic_sweep.launch.packing import PlannedPack, packs_of
from tic_sweep.launch.race import STATUS, Race
from tic_sweep.launch.race_scheduler import RaceScheduler
from tic_sweep.launch.recorder import Recorder
from tic_sweep.launch.scratch import clear, keep_failure, last_failure
from tic_sweep.launch.signals import Stop
from tic_sweep.launch.trainable import (
    OUTCOME,
    PROBLEM,
    REPORT,
    SweepTrainable,
    outcome_from_dict,
    report_from_dict,
)  # fmt: skip
from tic_sweep.launch.watchdog import Watchdog
from tic_sweep.plan import PlannedTrial
from tic_sweep.racing import Decision
from tic_sweep.records import Outcome
from tic_sweep.training import Trainer

AHEAD = 200
"""Trials that Tune knows at once, running ones included, where they are all planned: it asks a cluster that can grow
for the nodes to run them."""
HALT_SECONDS = 120.0
"""A worker that does not write its checkpoint in this time is given up."""


def run_on_ray(
    trials: Sequence[PlannedTrial],
    proposals: Iterator[PlannedTrial] | None = None,
    *,
    recorder: Recorder,
    data: Mapping[str, RawData],
    options: Options,
    slots: int,
    scratch: Path,
    session: int,
    checkpoints: Checkpoints,
    stop: Stop,
    training: Callable[..., Trainer] | None = None,
    race: Race | None = None,
) -> None:
    """Run the trials, then those that are proposed while it runs, until all are done or ``stop`` is set.

    A race says itself which trial is next, and how far each runs; ``trials`` and ``proposals`` then are not looked at.

    Args:
        trials: the trials known now, in the order to start them.
        proposals: trials of an adaptive search, each asked for when there is room for it.
        recorder: told what happens.
        data: the data sets the trials use; each goes into Ray's object store once, and lies once per node.
        options: the circumstance.
        slots: how many trials run at once.
        scratch: folder for Tune's files.
        session: number of this start of the driver, which names the experiment.
        checkpoints: where the training states live.
        stop: set by a signal.
        training: what trains; None is what trains as ever.
        race: decides which trials run, and how far.
    """
    stored = {name: ray.put(arrays) for name, arrays in data.items()}
    trainable = tune.with_resources(
        tune.with_parameters(
            PackTrainable if options.pack > 1 else SweepTrainable,
            data=stored,
            resources=options.trial_resources,
            checkpoints=checkpoints,
            training=training,
        ),
        {"cpu": options.cpus_per_trial, "gpu": options.gpus_per_trial},
    )
    relay = _Relay(recorder, stop, race, Watchdog(options.epoch_seconds), scratch)
    known = race is None and proposals is None
    at_once = options.max_concurrent or max(AHEAD, 2 * slots) if known else slots
    clear(scratch)
    try:
        source = _source(_units(trials, options, recorder), proposals, race, recorder)
        _fit(trainable, source, relay, f"session-{session}", scratch, options, at_once)
        for again in range(options.retries):
            left = relay.take_unstarted()
            if stop or not left:
                break
            name = f"session-{session}-again-{again + 1}"
            source = _source(_units(left, options, recorder), None, None, recorder)
            _fit(trainable, source, relay, name, scratch, options, at_once)
    finally:
        clear(scratch)
    if not stop:
        relay.give_up()
    if recorder.running and not stop:
        stop.signum = signal.SIGUSR1  # Tune takes it for itself; some batch systems send it before the time is up


def _fit(
    trainable: Any, source: "_Proposals", relay: "_Relay", name: str, scratch: Path, options: Options, at_once: int
) -> None:
    """Let Tune run what a source proposes, so many trials at once, as an experiment."""
    race = relay.race
    tuner = tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            reuse_actors=True,
            num_samples=-1,
            search_alg=source,
            scheduler=RaceScheduler(race, relay.recorder.problem) if race else None,
            max_concurrent_trials=at_once,
            trial_name_creator=_key,
            trial_dirname_creator=_dirname,
        ),
        run_config=tune.RunConfig(
            name=name,
            storage_path=str(scratch),
            callbacks=[relay],
            failure_config=tune.FailureConfig(max_failures=options.retries),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    )
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # until Tune takes it over, which it does inside fit()
    relay.stop.wake = _stop_tune
    try:
        tuner.fit()
    finally:
        relay.stop.wake = lambda: None
        signal.signal(signal.SIGUSR1, before)


class _Relay(tune.Callback):
    """Passes what Tune's driver hears to the recorder; whatever happens, it raises nothing into Tune."""

    def __init__(self, recorder: Recorder, stop: Stop, race: Race | None, watchdog: Watchdog, scratch: Path) -> None:
        self.recorder, self.stop, self.race, self._watchdog, self._scratch = recorder, stop, race, watchdog, scratch
        self._hung: dict[str, str] = {}
        self._begun: set[str] = set()
        self._unstarted: dict[str, str] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Be pickled as nothing: Tune pickles its callbacks into its scratch, where no open file or secret belongs."""
        return (tune.Callback, ())

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **_info: Any) -> None:
        """Tell that a trial, or each that has not ended of a pack, runs on a worker."""
        self._begun.add(_key(trial))
        self._watchdog.heard(_key(trial))
        packed = "pack" in trial.config["planned"]  # else it may be one that had been paused, and goes on
        for key in self._unended(trial) if packed else [_key(trial)]:
            self._tell(lambda key=key: self.recorder.started(key))

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **_info: Any
    ) -> None:
        """Take rows out of the result, so that Tune does not keep them, and pass them on."""
        self._watchdog.heard(_key(trial))
        report, outcome = result.pop(REPORT, None), result.pop(OUTCOME, None)
        if problem := result.pop(PROBLEM, ""):
            self.recorder.problem(problem)
        if report is not None:
            self._tell(lambda: self.recorder.report(_key(trial), report_from_dict(report)))
        if outcome is not None:
            self._tell(lambda: self.recorder.ended(_key(trial), outcome_from_dict(outcome)))
        for told in result.pop(TOLD, ()):
            self._tell(lambda told=told: record_dict(self.recorder, told))
        if not self.recorder.stored(self.stop):
            self._kill(trial)  # or it would write a checkpoint that is ahead of its rows

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **_info: Any) -> None:
        """Tell how a trial ended that the race has halted; its worker is still there, and writes its checkpoint."""
        self._watchdog.ended(_key(trial))
        _forget(trial)
        if self.race is not None and (halt := self.race.halted(_key(trial))) is not None:
            self._tell(lambda: self.recorder.ended(_key(trial), self._outcome(trial, halt)))

    def _outcome(self, trial: Trial, halt: Decision) -> Outcome:
        """Return the outcome of a halted trial: its worker's word or, if that has died just now, what is known here."""
        status = STATUS[halt.verdict]
        try:
            actor: Any = trial.temporary_state.ray_actor
            return outcome_from_dict(ray.get(actor.halt.remote(status, halt.reason), timeout=HALT_SECONDS))
        except Exception as error:  # noqa: BLE001 - whatever became of the worker, the trial has ended here
            self.recorder.problem(f"{_key(trial)} was {status} without a checkpoint ({type(error).__name__}).")
            return Outcome(status=status, reason=halt.reason, epochs_done=self.recorder.epochs_done(_key(trial)))

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **_info: Any) -> None:
        """Tell that a trial was given up after its retries."""
        self._watchdog.ended(_key(trial))
        reason = self._why(trial)
        _forget(trial)
        status = "out_of_memory" if "OutOfMemoryError" in reason else "failed"
        for key in self._unended(trial):
            if _key(trial) in self._begun:
                self._tell(lambda key=key: self.recorder.failed(key, reason, status=status))
            else:
                self._before_it_began(key, reason)

    def _before_it_began(self, key: str, reason: str) -> None:
        """Keep a trial that was given a worker whose node had just died: Tune starts only begun trials again."""
        if self.race is None:
            self._unstarted[key] = reason
        else:
            self._tell(lambda: self.recorder.failed(key, reason, status="interrupted"))  # the race may choose it again

    def take_unstarted(self) -> list[PlannedTrial]:
        """Return the trials that Tune gave up before they began, once."""
        left = self.recorder.planned_trials(self._unstarted)
        self._unstarted = {}
        return left

    def give_up(self) -> None:
        """Tell that the trials which could not even begin are given up."""
        for key, reason in self._unstarted.items():
            self.recorder.failed(key, reason)

    def on_trial_recover(self, iteration: int, trials: list[Trial], trial: Trial, **_info: Any) -> None:
        """Tell that a trial died and will be started again, from a checkpoint that its rows have caught up with."""
        _renew(trial.config["planned"], self.recorder.stored_epoch)
        self._begun.discard(_key(trial))
        self._watchdog.ended(_key(trial))
        reason = self._why(trial)
        for key in self._unended(trial):
            self._tell(lambda key=key: self.recorder.remark(key, f"started again after {reason}"))

    def _why(self, trial: Trial) -> str:
        """Return why a trial's worker died, as one line; what Tune wrote of it is kept whole in the log."""
        text = _text_of(trial.error_file)
        keep_failure(self._scratch, _key(trial), text)
        return self._hung.pop(_key(trial), "") or reason_in(text)

    def on_step_end(self, iteration: int, trials: list[Trial], **_info: Any) -> None:
        """Let waiting rows be written; and stop, should the signal have come before Tune listened for it."""
        self.recorder.tick()
        self._hung |= (hanging := dict(self._watchdog.hanging()))
        for trial in trials if self.stop or hanging else ():  # all of them at every step would be quadratic
            if self.stop or _key(trial) in hanging:
                self._kill(trial)  # or Tune would wait for the end of its epoch
        if self.stop:
            _stop_tune()

    def _unended(self, trial: Trial) -> list[str]:
        return [key for key in _keys_in(trial.config["planned"]) if not self.recorder.has_ended(key)]

    def _kill(self, trial: Trial) -> None:
        if (actor := trial.temporary_state.ray_actor) is not None:
            ray.kill(actor)

    def _tell(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - an exception raised into Tune would end the whole sweep
            self.recorder.problem(f"{type(error).__name__}: {error}".splitlines()[0])


class _Proposals(Searcher):
    """Gives Tune a trial when it asks for one; how they end is told elsewhere."""

    def __init__(
        self, choose: Callable[[], PlannedTrial | PlannedPack | None], is_over: Callable[[], bool],
        stored: Callable[[str], int],
    ) -> None:  # fmt: skip
        """Propose trials.

        Args:
            choose: returns the next trial, or that there is none now.
            is_over: whether there will be none, asked when there is none now.
            stored: returns the last epoch of a trial that the store knows.
        """
        super().__init__()
        self._choose, self._is_over, self._stored = choose, is_over, stored

    def __getstate__(self) -> dict[str, Any]:
        """Be pickled without the search, which holds more than may go into Tune's scratch."""
        return {}

    def suggest(self, trial_id: str) -> Any:
        """Return the next trial, or that there is none, for now or for good."""
        if (trial := self._choose()) is not None:
            return {"planned": _renew(_crossing(trial), self._stored)}
        return self.FINISHED if self._is_over() else None

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:  # noqa: FBT001, FBT002 - Tune's signature
        """Do nothing: the recorder tells the search, which then also hears why."""

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: the search is rebuilt from the store."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing."""

    def get_state(self) -> dict[str, Any]:
        """Return nothing."""
        return {}


def reason_in(error_text: str) -> str:
    """Return why a trial died, as one line, from the text that Tune keeps of its last failure.

    A Python error is known by the last line of its traceback that names one; a worker that died, by Ray's first
    sentence.
    """
    lines = [line.strip() for line in last_failure(error_text).splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt)\b", line)]
    return (named or lines[:1] or ["the worker died without a word"])[-1]


def _text_of(file: str | None) -> str:
    """Return what Tune wrote of a trial's failures; nothing if it could write nothing."""
    try:
        return Path(file).read_text(encoding="utf-8") if file else ""
    except OSError:
        return ""


def _units(
    trials: Sequence[PlannedTrial], options: Options, recorder: Recorder
) -> Sequence[PlannedTrial | PlannedPack]:
    """Return what Tune takes for trials: the trials or, where they are packed, their packs, which the rows tell."""
    if options.pack == 1:
        return trials
    packs = packs_of(trials, options.pack)
    for pack in packs:
        recorder.pack([member.key for member in pack.members])
    return packs


def _source(
    units: Sequence[PlannedTrial | PlannedPack], proposals: Iterator[PlannedTrial] | None, race: Race | None,
    recorder: Recorder,
) -> _Proposals:  # fmt: skip
    """Return where Tune gets its trials from, one by one: of a grid of its own it copies the whole for every trial."""
    if race is not None:
        return _Proposals(race.choose, lambda: race.over, recorder.stored_epoch)
    ahead = chain(units, proposals or ())
    return _Proposals(lambda: next(ahead, None), lambda: True, recorder.stored_epoch)


def _crossing(unit: PlannedTrial | PlannedPack) -> dict[str, Any]:
    """Return a trial or a pack as plain data, which is how it crosses to a worker."""
    if isinstance(unit, PlannedPack):
        return {"key": unit.key, "pack": [_crossing(trial) for trial in unit.members]}
    return {"key": unit.key, "trial": to_dict(unit.config, whole=False)}


def _renew(planned: dict[str, Any], stored: Callable[[str], int]) -> dict[str, Any]:
    """Write into what crosses the last epoch that the store knows of each trial now; return it."""
    for member in planned.get("pack", [planned]):
        member["stored"] = stored(member["key"])
    return planned


def _keys_in(planned: Mapping[str, Any]) -> list[str]:
    """Return the keys of the trials in what crosses."""
    return [member["key"] for member in planned.get("pack", [planned])]


def _key(trial: Trial) -> str:
    return str(trial.config["planned"]["key"])


def _dirname(trial: Trial) -> str:
    """Return a name of its own for each start of a trial."""
    return f"{_key(trial)}-{trial.trial_id}"


def _forget(trial: Trial) -> None:
    """Let go of Tune's statistics of a trial that has ended, some 25 numbers with their histories, used by nobody."""
    trial.run_metadata.metric_analysis.clear()
    trial.run_metadata.metric_n_steps.clear()


def _stop_tune() -> None:
    """End Tune's loop in order: it listens for SIGUSR1."""
    os.kill(os.getpid(), signal.SIGUSR1)
