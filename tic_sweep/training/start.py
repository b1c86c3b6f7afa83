"""How a trial starts: the trainer that its task asks for, and what it needs and costs."""

import time
from functools import partial
from pathlib import Path

import torch

from tic_sweep.config import Resources, TrialConfig, replaced
from tic_sweep.data import RawData, RawImages, data_name
from tic_sweep.toys import CURVE_POINTS, ToyBlock
from tic_sweep.training.allocator import keep_freed_memory
from tic_sweep.training.attempt import resolve_device
from tic_sweep.training.sequences import SequenceTraining
from tic_sweep.training.toy import ToyTraining
from tic_sweep.training.trainer import SecondChance, Trainer
from tic_sweep.training.trial import Training

ENOUGH_SECONDS = 0.4
"""A cost probe takes more problems until an update takes this long or it has all."""


def start_trial(
    config: TrialConfig, data: RawData | None, resources: Resources, checkpoint: Path | None = None
) -> Trainer:
    """Return the trainer of a trial, continuing from ``checkpoint`` if that file exists.

    Args:
        config: the science.
        data: the data set that `data_name` says the trial needs.
        resources: the circumstance.
        checkpoint: where this trial's checkpoint lies or will lie; None keeps none.

    Raises:
        ValueError: if the trial needs data and gets none, or another kind.
    """
    if config.task == "sequences":
        return SequenceTraining(config, data, resources, checkpoint)
    if data_name(config) is None:
        return ToyTraining(config, None, resources, checkpoint)
    if not isinstance(data, RawImages):
        raise ValueError(  # noqa: TRY004 - None is the wrong value, not the wrong type
            f"a trial of task {config.task!r} needs the images of {config.data.name!r}, got {type(data).__name__}."
        )
    return Training(config, data, resources, checkpoint)


def try_trial(
    config: TrialConfig, data: RawData | None, resources: Resources, checkpoint: Path | None = None
) -> Trainer:
    """Return what `start_trial` returns, with a second chance for a trial that runs out of memory."""
    return SecondChance(partial(start_trial, config, data, checkpoint=checkpoint), resources)


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
