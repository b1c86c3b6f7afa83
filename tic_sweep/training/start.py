"""How a trial starts: the trainer that its task asks for, and what it needs and costs."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import torch

from tic_sweep.config import Resources, TrialConfig, replaced
from tic_sweep.data import RawImages
from tic_sweep.records import Outcome, Report
from tic_sweep.toys import CURVE_POINTS, ToyBlock
from tic_sweep.training.allocator import keep_freed_memory
from tic_sweep.training.attempt import resolve_device
from tic_sweep.training.toy import ToyTraining
from tic_sweep.training.trial import Training

ENOUGH_SECONDS = 0.4
"""A cost probe takes more problems until an update takes this long or it has all."""


class Trainer(Protocol):
    """What every trainer offers. Iterate over `reports` to its end, then read `outcome`."""

    def reports(self) -> Iterator[Report]:
        """Yield what has not yet been reported."""
        ...

    @property
    def outcome(self) -> Outcome:
        """How the trial ended."""
        ...

    def save(self) -> None:
        """Write the checkpoint now."""
        ...

    def halt(self, status: str, reason: str) -> None:
        """End the attempt between two reports, with a checkpoint: ``paused`` or ``stopped``."""
        ...


def needs_images(config: TrialConfig) -> bool:
    """Tell whether a trial reads the images of its ``data.name``."""
    return config.task == "images"


def start_trial(
    config: TrialConfig, images: RawImages | None, resources: Resources, checkpoint: Path | None = None
) -> Trainer:
    """Return the trainer of a trial, continuing from ``checkpoint`` if that file exists.

    Raises:
        ValueError: if the trial needs images and gets None.
    """
    if not needs_images(config):
        return ToyTraining(config, None, resources, checkpoint)
    if images is None:
        raise ValueError(f"a trial of task {config.task!r} needs the images of {config.data.name!r}, got None.")
    return Training(config, images, resources, checkpoint)


def toy_seconds(config: TrialConfig, resources: Resources) -> float:
    """Return the seconds that a toy trial will take, measured on a few updates of as many of its problems as is quick.

    Problems share the work of an update, so that a probe with few of them errs upwards.
    """
    torch.set_num_threads(resources.threads)
    keep_freed_memory()
    device = resolve_device(resources.device)
    problems = 1
    while True:
        block = ToyBlock(replaced(config, {"toy.problems": problems}), device)
        block.step()  # warms up
        began = time.perf_counter()
        block.step()
        float(block.weights[0].sum())  # waits for the device
        seconds = time.perf_counter() - began
        if seconds >= ENOUGH_SECONDS or problems == config.toy.problems:
            return seconds * (config.toy.updates + CURVE_POINTS / 2) * config.toy.problems / problems
        problems = min(problems * 4, config.toy.problems)
