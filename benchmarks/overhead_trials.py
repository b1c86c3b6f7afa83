"""The trials of `overhead.py`, in a module of their own that workers import: what is left when nothing is learnt."""

import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ray import tune

from tic_sweep.config import DataConfig, FisherConfig, ModelConfig, OptimiserConfig, Resources, TrialConfig, trial_key
from tic_sweep.data import RawData
from tic_sweep.launch.trainable import METRICS
from tic_sweep.records import EpochRow, FisherRow, Outcome, Report
from tic_sweep.training import Trainer, start_trial

LAYERS, TIMESTEPS, REPORTS = 4, 10, 2
"""A trivial trial tells so many reports, each with a Fisher trace of the network and of so many layers."""
SMALLEST = TrialConfig(
    data=DataConfig(name="digits", augmentation="none", train_samples=100, validation_samples=50, test_samples=50),
    model=ModelConfig(name="small_conv"), optimiser=OptimiserConfig(epochs=1, batch_size=32),
    fisher=FisherConfig(samples=8), timesteps=2,
)  # fmt: skip
"""The smallest real trial."""


def made_up_report(key: str, epoch: int, layers: int = LAYERS) -> Report:
    """Return a report with noise in every number, as measured ones have."""
    noise = random.Random(f"{key}/{epoch}").random  # noqa: S311 - noise
    parts = [("model", ""), *(("layer", f"blocks.{layer}.conv") for layer in range(layers))]
    rows = tuple(
        FisherRow(key=key, epoch=epoch, level=level, part=part, t=t, fisher_trace=noise(), fisher_se=noise())
        for level, part in parts
        for t in range(1, TIMESTEPS + 1)
    )
    row = EpochRow(
        key=key, epoch=epoch, lr=noise(), train_loss=noise(), train_acc=noise(), objective=noise(), val_loss=noise(),
        val_acc=noise(), ic=noise(), ic_se=noise(), ic_rel=noise(), fisher_sum=noise(), fisher_images=64,
        train_seconds=noise(), eval_seconds=noise(), fisher_seconds=noise(),
    )  # fmt: skip
    return Report(epoch=row, rows=rows)


class TrivialTraining:
    """Tells made-up reports as fast as they are taken."""

    def __init__(self, config: TrialConfig, _data: RawData | None, _resources: Resources, _checkpoint: Path) -> None:
        self.key = trial_key(config)

    def reports(self) -> Iterator[Report]:
        """Yield the reports."""
        yield from (made_up_report(self.key, epoch) for epoch in range(REPORTS))

    @property
    def outcome(self) -> Outcome:
        """Return that it has finished."""
        return Outcome(status="finished", epochs_done=REPORTS - 1, wall_seconds=0.0, host=str(os.getpid()))

    def save(self) -> None:
        """Save nothing."""

    def halt(self, status: str, reason: str) -> None:
        """Never be asked to."""


class TimedTraining:
    """A real trial that tells, in place of its host, what it took.

    That is its process and the process's age, the seconds its start took, and those it was at work on its reports, its
    tests and its checkpoint.
    """

    def __init__(self, config: TrialConfig, data: RawData | None, resources: Resources, checkpoint: Path) -> None:
        began = time.perf_counter()
        self._trainer: Trainer = start_trial(config, data, resources, checkpoint)
        self._told = {"pid": os.getpid(), "age": _age(), "start": time.perf_counter() - began, "work": 0.0}
        self.save, self.halt = self._trainer.save, self._trainer.halt

    def reports(self) -> Iterator[Report]:
        """Yield the trial's reports."""
        reports = iter(self._trainer.reports())
        while True:
            began = time.perf_counter()
            report = next(reports, None)
            self._told["work"] += time.perf_counter() - began
            if report is None:
                return
            yield report

    @property
    def outcome(self) -> Outcome:
        """Return the trial's own, but for its host."""
        own = self._trainer.outcome
        known = {name: getattr(own, name) for name in Outcome.__dataclass_fields__}
        return Outcome(**known | {"host": json.dumps(self._told)})


def _age() -> float:
    """Return the seconds since this process was made."""
    ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


class PlainTrainable(tune.Trainable):
    """The trivial trial as one would write it for Ray Tune alone: scalars, and the traces as a nested list."""

    def setup(self, config: dict[str, Any]) -> None:
        """Begin."""
        self._key, self._epoch = str(config["seed"]), 0

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin anew in the same process."""
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Tell an epoch."""
        told = made_up_report(self._key, self._epoch)
        self._epoch += 1
        assert told.epoch is not None
        scalars = {name: getattr(told.epoch, name) for name in METRICS}
        traces = [[row.level, row.part, row.t, row.fisher_trace, row.fisher_se] for row in told.rows]  # type: ignore[union-attr]
        return scalars | {"fisher": traces, "done": self._epoch == REPORTS}
