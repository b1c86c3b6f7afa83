"""`SweepTrainable`: what Ray Tune runs on a worker, one trial after another in the same process."""

import gc
import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from tic_sweep.config import from_dict
from tic_sweep.launch.carrying import Carried, leave_if_ahead
from tic_sweep.launch.worker import Worker
from tic_sweep.records import EpochRow, Outcome, Report
from tic_sweep.store import Block, Rows, blocks_told
from tic_sweep.training import Trainer, try_trial

METRICS = ("epoch", "ic", "ic_rel", "train_loss", "val_loss", "val_acc")
"""Present in every result, as floats, NaN where unknown: one missing metric would end the whole sweep."""
REPORT, OUTCOME, PROBLEM = "_report", "_outcome", "_problem"
"""Where rows travel in a result, and what went wrong besides; the driver takes them out before Tune keeps the result.
"""


class SweepTrainable(Worker):
    """Each step is one report; the step after the last report carries the outcome."""

    def assign(self, planned: dict[str, Any]) -> None:
        """Take note of a trial: ``key``, its config as plain dicts under ``trial``, the last epoch ``stored``."""
        self._trial = from_dict(planned["trial"])
        self._key = str(planned["key"])
        self._stored = int(planned["stored"])
        self._remarks: tuple[str, ...] = ()
        self._trainer: Trainer | None = None
        self._carried: Carried | None = None
        self._reports: Iterator[Report] | None = None
        self._last: dict[str, Any] = dict.fromkeys(METRICS, math.nan)

    def step(self) -> dict[str, Any]:
        """Advance by one report."""
        if self._trainer is None or self._carried is None:
            self._trainer, self._carried = self._start()
        elif self._carried.due:  # the last report has been taken, so that a checkpoint loses no row
            self._carried.carry(self._trainer.save)
        assert self._reports is not None  # noqa: S101 - _start made them
        report = next(self._reports, None)
        if report is not None:
            if report.epoch is not None:
                self._last = metrics(report.epoch)
            report, self._remarks = replace(report, remarks=(*self._remarks, *report.remarks)), ()
            return self._last | {REPORT: report_to_dict(report), PROBLEM: self._carried.problem()}
        self._carried.carry()
        outcome = asdict(self._trainer.outcome)
        return self._last | {OUTCOME: outcome, PROBLEM: self._carried.problem(), "done": True}

    def halt(self, status: str, reason: str) -> dict[str, Any]:
        """End the trial between two reports, because a scheduler says so, and return its outcome as plain data.

        The driver calls it when it has the last report, so that the checkpoint loses no row.
        """
        assert self._trainer is not None and self._carried is not None  # noqa: S101, PT018 - it has reported
        self._trainer.halt(status, reason)
        self._carried.carry()
        return asdict(self._trainer.outcome)

    def cleanup(self) -> None:
        """Let go of the trial's memory. Its state is not saved here: its last report may never have arrived."""
        self._trainer = self._reports = None
        if self._carried is not None:
            self._carried.close()
            self._carried = None
        gc.collect()
        if self._resources.device != "cpu":
            import torch

            torch.cuda.empty_cache()

    def _start(self) -> tuple[Trainer, Carried]:
        carried = Carried(self._checkpoints, self._key, self._resources.checkpoint_seconds)
        self._remarks = leave_if_ahead(carried.file, self._stored)
        make = self._training or try_trial
        trainer = make(self._trial, self.data_of(self._trial), self._resources, carried.file)
        self._reports = iter(trainer.reports())
        return trainer, carried


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
    others = len(blocks) if epoch is None else len(blocks) - 1
    rows = Rows(blocks[:others], following=blocks[others:])
    return Report(epoch=epoch, rows=rows, remarks=tuple(values["remarks"]))


def outcome_from_dict(values: dict[str, Any]) -> Outcome:
    """Rebuild an outcome on the driver."""
    return Outcome(**values)
