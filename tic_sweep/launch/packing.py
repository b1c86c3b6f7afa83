"""Packs of trials (``--pack K``): which trials share a process, what a pack tells, and the runner in this process."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tic_sweep.config import Resources, TrialConfig, flatten
from tic_sweep.data import RawData, data_name
from tic_sweep.errors import ResourceError
from tic_sweep.launch.in_process import reason_of, start
from tic_sweep.launch.options import Options
from tic_sweep.launch.recorder import Recorder, checkpoint_of
from tic_sweep.launch.signals import Stop, Stopped
from tic_sweep.plan import PlannedTrial
from tic_sweep.records import Outcome, Report
from tic_sweep.training import Pack, Told, Trainer, may_be_recorded, start_trial

MAY_DIFFER = ("seed", "optimiser.lr", "optimiser.weight_decay", "neuron.tau", "neuron.reset_gradient", "loss.alpha")
"""Fields in which members of a pack may differ: those that change numbers and leave the work as it is."""


@dataclass(frozen=True, slots=True)
class PlannedPack:
    """Trials that run in one process; to Ray Tune they are one trial."""

    members: tuple[PlannedTrial, ...]

    @property
    def key(self) -> str:
        """A name, told apart from those of trials."""
        return f"pack-{self.members[0].key}"


def packs_of(trials: Iterable[PlannedTrial], size: int) -> list[PlannedPack]:
    """Return packs of up to ``size`` trials that agree in all but `MAY_DIFFER`, in the order of their first members.

    Trials whose steps cannot be recorded are packs of one.
    """
    packs: list[list[PlannedTrial]] = []
    filling: dict[tuple[Any, ...], list[PlannedTrial]] = {}
    for trial in trials:
        work = _work(trial.config)
        pack = filling.get(work)
        if pack is None or len(pack) == size or not may_be_recorded(trial.config):
            filling[work] = pack = []
            packs.append(pack)
        pack.append(trial)
    return [PlannedPack(tuple(pack)) for pack in packs]


def check_pack(options: Options, *, adaptive: bool, raced: bool) -> None:
    """Refuse to pack trials that begin or end one by one.

    Raises:
        ResourceError: naming the option and the remedy.
    """
    if options.pack > 1 and (adaptive or raced):
        why = "a race stops and starts" if raced else "an adaptive search proposes"
        raise ResourceError(f"--pack {options.pack}: {why} trials one by one, which a pack cannot: leave --pack out.")


def pack_hint(options: Options) -> str:
    """Return a warning where packing gains nothing; else nothing."""
    if options.pack == 1 or options.gpus_per_trial or (options.in_process and options.resources.device != "cpu"):
        return ""
    return f"--pack {options.pack} on CPUs: members of a pack only take turns there, no gain is to be expected."


def record(
    recorder: Recorder, key: str, *, report: Report | None = None, outcome: Outcome | None = None, reason: str = ""
) -> None:
    """Pass on what a member told: a report, its outcome, why it failed or, with nothing, that it starts again.

    One that had ended before its pack was started again is not heard twice.
    """
    if recorder.has_ended(key):
        return
    if report is not None:
        recorder.report(key, report)
    elif outcome is not None:
        recorder.ended(key, outcome)
    elif reason:
        recorder.failed(key, reason)
    else:
        recorder.started(key)


def run_packs_in_process(
    trials: Sequence[PlannedTrial],
    *,
    size: int,
    recorder: Recorder,
    data: Mapping[str, RawData],
    resources: Resources,
    checkpoints: Path,
    stop: Stop,
    training: Callable[..., Trainer] = start_trial,
) -> None:
    """Run packs of trials in order, without Ray, until they are done or ``stop`` is set.

    The first member that fails stops the run with its traceback, after its row is written.
    """
    for planned in packs_of(trials, size):
        recorder.pack([trial.key for trial in planned.members])
        shared = data.get(data_name(planned.members[0].config) or "")
        members = [(trial.config, checkpoint_of(checkpoints, trial.key)) for trial in planned.members]
        for (_, checkpoint), trial in zip(members, planned.members, strict=True):
            start(recorder, trial.key, checkpoint)
        pack = Pack(members, shared, resources, training)
        try:
            while not pack.over:
                with stop.raises_stopped():
                    told = pack.step()
                for one in told:
                    record(recorder, one.key, report=one.report, outcome=one.outcome, reason=reason_in(one))
                recorder.tick()
                if not recorder.stored(stop):
                    return
                _raise_first(told)
        except Stopped:
            return
        except Exception as error:
            for trial in planned.members:
                if not recorder.has_ended(trial.key):
                    recorder.failed(trial.key, f"its pack ended by {reason_of(error)}", status="interrupted")
            raise
        finally:
            pack.close()


def reason_in(told: Told) -> str:
    """Return why a member failed, as one line; nothing if it has not."""
    return "" if told.error is None else reason_of(told.error)


def _raise_first(told: Sequence[Told]) -> None:
    """Raise the first error that is told of, if any."""
    for one in told:
        if one.error is not None:
            raise one.error


def _work(config: TrialConfig) -> tuple[Any, ...]:
    return tuple(value for path, value in flatten(config).items() if path not in MAY_DIFFER)
