"""Trials of task sequences of a fraction of a second, and recordings of their own."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from training.trial_runs import RESOURCES, told

from tic_sweep.config import TrialConfig, replaced
from tic_sweep.data import RawData, RawSequences, RawSpikeSets
from tic_sweep.data.sequences import RawSpikes
from tic_sweep.records import Outcome, Report
from tic_sweep.training import SequenceTraining

SMALL = replaced(
    TrialConfig(),
    {
        "task": "sequences",
        "timesteps": 16,
        "sequences.channels": 8,
        "sequences.shifts": 2,
        "sequences.train_samples": 48,
        "sequences.validation_samples": 24,
        "sequences.test_samples": 24,
        "delays.hidden": 6,
        "delays.max_delay": 5,
        "optimiser.name": "adamw",
        "optimiser.lr": 0.05,
        "optimiser.weight_decay": 0,
        "optimiser.schedule": "one_cycle",
        "optimiser.batch_size": 16,
        "optimiser.epochs": 2,
        "neuron.surrogate_width": 0.4,
        "fisher.samples": 16,
    },
)
"""Eight channels, four classes, six hidden neurons, three steps an epoch."""
RAW_HD = replaced(
    SMALL,
    {
        "sequences.name": "raw_hd", "sequences.channels": 16, "sequences.shifts": 4, "sequences.train_samples": 0,
        "sequences.validation_samples": 0, "sequences.test_samples": 0,
    },
)  # fmt: skip
SHD = replaced(RAW_HD, {"sequences.name": "shd"})
SPARSE: dict[str, Any] = {"delays.sparsity": 0.5}
DEEPR = SPARSE | {"delays.rule": "deepr"}
RIGL = SPARSE | {"delays.rule": "rigl", "delays.regrow": "abs_grad"}
SET = SPARSE | {"delays.rule": "set", "delays.regrow": "random"}


def spoken() -> RawSequences:
    """Return 80 and 20 noisy recordings in dB of 20 classes, by four speakers."""
    drawn = np.random.default_rng(0)

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % 20
        x = drawn.normal(-40, 8, (count, 80, 40)).astype(np.float32)
        x[np.arange(count), 2 + labels % 10, labels] += 60
        return x, labels

    return RawSequences(*part(80), *part(20), np.arange(80) // 20, np.arange(20) % 4)


def fired() -> RawSpikeSets:
    """Return 80 and 20 recordings of forty spikes in a third of a second."""
    drawn = np.random.default_rng(0)

    def part(count: int) -> RawSpikes:
        return RawSpikes(
            times=drawn.uniform(0, 0.3, count * 40), units=drawn.integers(0, 700, count * 40).astype(np.int16),
            starts=np.arange(count + 1) * 40, labels=np.arange(count) % 20, groups=np.arange(count) // 20,
        )  # fmt: skip

    return RawSpikeSets(part(80), part(20))


def raw_for(config: TrialConfig) -> RawData | None:
    """Return the recordings that a trial needs."""
    return {"raw_hd": spoken, "shd": fired}.get(config.sequences.name, lambda: None)()


def run(config: TrialConfig, checkpoint: Path | None = None) -> tuple[list[Report], Outcome]:
    """Return all reports and the outcome of a trial."""
    training = SequenceTraining(config, raw_for(config), RESOURCES, checkpoint)
    return list(training.reports()), training.outcome


def numbers(reports: list[Report]) -> str:
    """Return every number of the reports but the times and the key, as text."""
    return json.dumps([[told(row) for row in (report.epoch, *report.rows)] for report in reports])
