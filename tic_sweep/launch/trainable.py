"""`SweepTrainable`: what Ray Tune runs on a worker, one trial after another in the same process."""

import gc
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import ray
from ray import tune

from tic_sweep.config import Resources, from_dict
from tic_sweep.data import RawData, data_name
from tic_sweep.launch.carrying import Carried, Checkpoints
from tic_sweep.records import EpochRow, Outcome, Report
from tic_sweep.store import Block, Rows, blocks_told
from tic_sweep.training import Trainer, try_trial

METRICS = ("epoch", "ic", "ic_rel", "train_loss", "val_loss", "val_acc")
"""Present in every result, as floats, NaN where unknown: one missing metric would end the whole sweep."""
REPORT, OUTCOME, PROBLEM = "_report", "_outcome", "_problem"
"""Where rows travel in a result, and what went wrong besides; the driver takes them out before Tune keeps the result.
"""


class SweepTrainable(tune.Trainable):
    """Each step is one report; the step after the last report carries the outcome.

    Nothing that can fail happens before the first step, so that what fails has started, and counts as an attempt.
    """

    def setup(
        self,
        config: dict[str, Any],
        data: Mapping[str, Any] | None = None,
        resources: Resources | None = None,
        checkpoints: Checkpoints | None = None,
        training: Callable[..., Trainer] = try_trial,
    ) -> None:
        """Take note of what to run.

        Args:
            config: under ``planned``, the trial's ``key``, and its config as plain dicts under ``trial``, without what
                is at its default: Tune keeps a copy of this in every result.
            data: references to the data sets in Ray's object store, by name.
            resources: what a trial may use.
            checkpoints: where the training states live.
            training: what trains.
        """
        assert data is not None and resources is not None and checkpoints is not None  # noqa: S101, PT018 - given by us
        self._data, self._resources, self._checkpoints, self._make = data, resources, checkpoints, training
        gc.freeze()  # what has been imported stays; without this each `cleanup` would search all of it for garbage
        self._assign(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next trial; the process, its imports and its view of the data stay."""
        self.cleanup()
        self._assign(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Advance by one report."""
        if self._training is None or self._carried is None:
            self._training, self._carried = self._start()
        elif self._carried.due:  # the last report has been taken, so that a checkpoint loses no row
            self._carried.carry(self._training.save)
        assert self._reports is not None  # noqa: S101 - _start made them
        report = next(self._reports, None)
        if report is not None:
            if report.epoch is not None:
                self._last = metrics(report.epoch)
            return self._last | {REPORT: report_to_dict(report), PROBLEM: self._carried.problem()}
        self._carried.carry()
        outcome = asdict(self._training.outcome)
        return self._last | {OUTCOME: outcome, PROBLEM: self._carried.problem(), "done": True}

    def halt(self, status: str, reason: str) -> dict[str, Any]:
        """End the trial between two reports, because a scheduler says so, and return its outcome as plain data.

        The driver calls it when it has the last report, so that the checkpoint loses no row.
        """
        assert self._training is not None and self._carried is not None  # noqa: S101, PT018 - it has reported
        self._training.halt(status, reason)
        self._carried.carry()
        return asdict(self._training.outcome)

    def cleanup(self) -> None:
        """Let go of the trial's memory. Its state is not saved here: its last report may never have arrived."""
        self._training = self._reports = None
        if self._carried is not None:
            self._carried.close()
            self._carried = None
        gc.collect()
        if self._resources.device != "cpu":
            import torch

            torch.cuda.empty_cache()

    def _assign(self, config: dict[str, Any]) -> None:
        self._trial = from_dict(config["planned"]["trial"])
        self._key = str(config["planned"]["key"])
        self._training: Trainer | None = None
        self._carried: Carried | None = None
        self._reports: Iterator[Report] | None = None
        self._last: dict[str, Any] = dict.fromkeys(METRICS, math.nan)

    def _start(self) -> tuple[Trainer, Carried]:
        stored = self._data.get(data_name(self._trial) or "")  # none for a trial that needs none
        data: RawData | None = None if stored is None else ray.get(stored)
        carried = Carried(self._checkpoints, self._key, self._resources.checkpoint_seconds)
        training = self._make(self._trial, data, self._resources, carried.file)
        self._reports = iter(training.reports())
        return training, carried


def metrics(row: EpochRow) -> dict[str, Any]:
    """Return the scalars of a report that Tune and its searchers may look at."""
    return {name: math.nan if (value := getattr(row, name)) is None else float(value) for name in METRICS}


def report_to_dict(report: Report) -> dict[str, Any]:
    """Return a report as plain data, which is how it crosses to the driver: ready to be stored as it comes."""
    return {
        "epoch": None if report.epoch is None else asdict(report.epoch),
        "blocks": [tuple(block) for block in blocks_told(report)],
        "remarks": list(report.remarks),
    }


def report_from_dict(values: dict[str, Any]) -> Report:
    """Rebuild a report on the driver; its rows are made if they are looked at."""
    epoch = None if values["epoch"] is None else EpochRow(**values["epoch"])
    blocks = [Block(*block) for block in values["blocks"]]
    first = 0 if epoch is None else 1
    rows = Rows(blocks[first:], beside=blocks[:first])
    return Report(epoch=epoch, rows=rows, remarks=tuple(values["remarks"]))


def outcome_from_dict(values: dict[str, Any]) -> Outcome:
    """Rebuild an outcome on the driver."""
    return Outcome(**values)
