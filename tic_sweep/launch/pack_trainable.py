"""`PackTrainable`: what Ray Tune runs on a worker where trials are packed; to Tune a pack is one trial."""

import math
import os
from collections.abc import Container, Mapping
from dataclasses import asdict, replace
from typing import Any

from tic_sweep.config import from_dict
from tic_sweep.launch.carrying import Carried, leave_if_ahead
from tic_sweep.launch.packing import reason_in, record
from tic_sweep.launch.recorder import Recorder
from tic_sweep.launch.trainable import METRICS, PROBLEM, outcome_from_dict, report_from_dict, report_to_dict
from tic_sweep.launch.worker import Worker
from tic_sweep.training import Pack, Told, start_trial

TOLD = "_told"
"""Where what the members told travels in a result; the driver takes it out before Tune keeps the result."""
QUEUES = "32"
"""Streams of a GPU that can really run beside each other; the default would let some wait for others for nothing."""


class PackTrainable(Worker):
    """Each step is one report, or the end, of every member that has not ended."""

    def assign(self, planned: dict[str, Any]) -> None:
        """Take note of a pack: under ``pack``, what `SweepTrainable` is given of a trial, for each member."""
        os.environ.setdefault("CUDA_DEVICE_MAX_CONNECTIONS", QUEUES)  # read when the process first uses its GPU
        self._pack: Pack | None = None
        self._carried: dict[str, Carried] = {}
        self._remarks: dict[str, tuple[str, ...]] = {}
        self._members = planned["pack"]

    def step(self) -> dict[str, Any]:
        """Let every member advance by one report."""
        if self._pack is None:
            self._pack = self._started()
        told = self._pack.step()
        self._carry({one.key for one in told if one.report is None})
        problems = dict.fromkeys(filter(None, [carried.problem() for carried in self._carried.values()]))
        crossing = [told_to_dict(self._remarking(one)) for one in told]
        beside = {TOLD: crossing, PROBLEM: "; ".join(problems), "done": self._pack.over}
        return dict.fromkeys(METRICS, math.nan) | beside

    def cleanup(self) -> None:
        """Let go of the pack. Its members' states are not saved: their last reports may never have arrived."""
        if self._pack is not None:
            self._pack.close()
            self._pack = None
        for carried in self._carried.values():
            carried.close()
        self._carried = {}

    def _remarking(self, told: Told) -> Told:
        """Return what a member told, with what there was to remark when it started."""
        if told.report is None or not (remarks := self._remarks.pop(told.key, ())):
            return told
        return replace(told, report=replace(told.report, remarks=(*remarks, *told.report.remarks)))

    def _carry(self, ended: Container[str]) -> None:
        """Carry checkpoints to where they live: of members that have ended, and of others now and then.

        The members have written them in the step that is over, of reports that had been taken before it.
        So a pack that is started again elsewhere may repeat one report more than one that finds its files again.
        """
        for key, carried in self._carried.items():
            if key in ended or carried.due:
                carried.carry()

    def _started(self) -> Pack:
        configs = [from_dict(member["trial"]) for member in self._members]
        for member in self._members:
            key = member["key"]
            carried = self._carried[key] = Carried(self._checkpoints, key, self._resources.checkpoint_seconds)
            self._remarks[key] = leave_if_ahead(carried.file, int(member["stored"]))
        files = [self._carried[member["key"]].file for member in self._members]
        make = self._training or start_trial  # a `Pack` itself gives those that lack memory another go
        return Pack(list(zip(configs, files, strict=True)), self.data_of(configs[0]), self._resources, make)


def told_to_dict(told: Told) -> dict[str, Any]:
    """Return what a member told as plain data, which is how it crosses to the driver."""
    return {
        "key": told.key,
        "report": None if told.report is None else report_to_dict(told.report),
        "outcome": None if told.outcome is None else asdict(told.outcome),
        "reason": reason_in(told),
    }


def record_dict(recorder: Recorder, told: Mapping[str, Any]) -> None:
    """Pass on, on the driver, what a member told."""
    report = None if told["report"] is None else report_from_dict(told["report"])
    outcome = None if told["outcome"] is None else outcome_from_dict(told["outcome"])
    record(recorder, told["key"], report=report, outcome=outcome, reason=told["reason"])
