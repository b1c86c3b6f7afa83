"""Running a trial, and what two runs are compared by."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tic_sweep.config import Resources, TrialConfig
from tic_sweep.data import RawImages
from tic_sweep.records import Outcome, Report
from tic_sweep.training import Training

RESOURCES = Resources(device="cpu", checkpoint_seconds=0)


def run(config: TrialConfig, images: RawImages, checkpoint: Path | None = None) -> tuple[list[Report], Outcome]:
    """Return all reports and the outcome of a trial."""
    training = Training(config, images, RESOURCES, checkpoint)
    return list(training.reports()), training.outcome


def numbers(reports: list[Report]) -> str:
    """Return every number of the reports but the times and the key, as text."""
    return json.dumps([[told(row) for row in (report.epoch, *report.rows)] for report in reports])


def ending(outcome: Outcome) -> dict[str, Any]:
    """Return all of an outcome but its time."""
    return {name: value for name, value in asdict(outcome).items() if name != "wall_seconds"}


def rows_of(report: Report, record: type) -> tuple:
    """Return the report's rows of one kind."""
    return tuple(row for row in report.rows if isinstance(row, record))


def told(row: Any) -> dict[str, Any]:
    """Return every field of a row but the times and the key."""
    return {name: value for name, value in asdict(row).items() if not name.endswith("seconds") and name != "key"}
