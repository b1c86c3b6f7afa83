"""`Pack`: several trials in one process, each trained as if it were alone, that take turns step by step.

A member is an ordinary `Trainer` with its own checkpoint: what it computes, tells and keeps is what it would alone. On
a GPU its training steps, evaluations and Fisher measurements are recorded and replayed on a stream of its own
(`tic_sweep.packing`), so that the members' kernels run beside each other.
"""

import gc
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from tic_sweep.config import Resources, TrialConfig, trial_key
from tic_sweep.data import RawData
from tic_sweep.packing import Member, Turns
from tic_sweep.records import Outcome, Report
from tic_sweep.training.attempt import resolve_device
from tic_sweep.training.start import start_trial
from tic_sweep.training.trainer import Trainer, went_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a member tells: a report, its outcome, the error it failed with or, with nothing, that it starts again."""

    key: str
    report: Report | None = None
    outcome: Outcome | None = None
    error: Exception | None = None


def may_be_recorded(config: TrialConfig) -> bool:
    """Tell whether a trial's steps are the same work on the GPU from its beginning to its end.

    Poisson spikes are drawn on the CPU at every step, and pruning changes what a step is.
    """
    return config.task == "images" and config.data.coding == "direct" and not config.pruning.cycles


class Pack:
    """Some trials of one data set that take turns. Call `step` until `over`; then or earlier, `close`.

    A member that diverges or fails ends alone, and the others go on. One that runs out of memory waits until the
    others have ended, and then goes on from its checkpoint with the memory to itself. One that runs out of it even then
    goes on once more, as `SecondChance` does: with half the images in a chunk of its Fisher measurements.
    """

    def __init__(
        self,
        trials: Sequence[tuple[TrialConfig, Path | None]],
        data: RawData | None,
        resources: Resources,
        training: Callable[..., Trainer] = start_trial,
    ) -> None:
        """Prepare the members; they start with the first `step`.

        Args:
            trials: the config of each, and where its checkpoint lies or will lie.
            data: the data set that all of them need.
            resources: the circumstance of the pack.
            training: what trains one of them, without a second chance: that would meet the first one's recordings.
        """
        self._data, self._resources, self._training = data, resources, training
        self._turns, self._things = Turns(), dict[Hashable, Any]()
        self._active = [self._joined(*trial, resources) for trial in trials]
        self._waiting: list[_Waiting] = []

    @property
    def over(self) -> bool:
        """Whether every member has ended."""
        return not self._active and not self._waiting

    def step(self) -> list[Told]:
        """Let each member go on to its next report, or to its end, and return what they tell.

        That they are let go on says that what was returned before has been stored: only then they write checkpoints.

        Raises:
            RuntimeError: if the GPU itself has failed, with which no member could go on.
        """
        again: list[Told] = []
        if not self._active and self._waiting:
            waiting = self._waiting.pop(0)
            self._active = [self._joined(waiting.config, waiting.checkpoint, waiting.resources)]
            again = [waiting.told]
        for packed in self._active:
            self._turns.wake(packed.member.seat)
        self._turns.run()
        told = [packed.told for packed in self._active if not self._must_wait(packed)]
        self._active = [packed for packed in self._active if not packed.ended]
        for one in told:
            if one.error is not None and _is_the_gpus(one.error):
                raise one.error
        return again + told

    def close(self) -> None:
        """End all members where they are; their checkpoints remain."""
        self._turns.close()
        self._active, self._waiting = [], []
        _let_go()

    def _joined(self, config: TrialConfig, checkpoint: Path | None, resources: Resources) -> "_Packed":
        def start() -> Trainer:
            return self._training(config, self._data, resources, checkpoint)

        packed = _Packed(config, checkpoint, resources, start)
        packed.member = Member(
            self._turns, packed.live, self._things, resolve_device(self._resources.device),
            recorded=may_be_recorded(config),
        )  # fmt: skip
        return packed

    def _must_wait(self, packed: "_Packed") -> bool:
        """Tell whether a member ran out of memory and has another chance, and keep its trial for later if so."""
        outcome, resources, told = packed.told.outcome, packed.resources, Told(key=packed.key)
        if outcome is None or outcome.status != "out_of_memory":
            return False
        if len(self._active) == 1:
            if resources is not self._resources or resources.fisher_chunk == 1:
                return False
            resources = replace(resources, fisher_chunk=resources.fisher_chunk // 2)
            told = replace(told, report=Report(remarks=(went_on(outcome.reason, resources),)))
        self._waiting.append(_Waiting(packed.config, packed.checkpoint, resources, told))
        del packed.member
        _let_go()
        return True


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A trial that goes on when it has the memory to itself, and what is told then."""

    config: TrialConfig
    checkpoint: Path | None
    resources: Resources
    told: Told


class _Packed:
    """A trial in a pack: what it told last, and whether it has ended."""

    member: Member

    def __init__(
        self, config: TrialConfig, checkpoint: Path | None, resources: Resources, start: Callable[[], Trainer]
    ) -> None:
        self.config, self.checkpoint, self.resources, self.key = config, checkpoint, resources, trial_key(config)
        self.told, self.ended = Told(key=self.key), False
        self._start = start

    def live(self) -> None:
        """Train the trial, in the member's thread; rest with every report until it has been stored."""
        try:
            trainer = self._start()
            for report in trainer.reports():
                self.told = Told(key=self.key, report=report)
                self.member.seat.rest()
            self.told = Told(key=self.key, outcome=trainer.outcome)
        except Exception as error:  # noqa: BLE001 - it is told, and raised by the pack where it must be
            self.told = Told(key=self.key, error=error)
        finally:
            self.ended = True


def _let_go() -> None:
    """Give the memory of members that have ended back to the GPU."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _is_the_gpus(error: Exception) -> bool:
    """Tell whether an error is one after which the process can use its GPU no more."""
    return isinstance(error, RuntimeError) and "CUDA error" in str(error)
