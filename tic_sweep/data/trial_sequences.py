"""The sequences of one trial: made up or split, cut to the trial's timesteps, and put on its device.

Shapes: N sequences, T timesteps, I channels.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tic_sweep.config import TrialConfig
from tic_sweep.data.cyclic_sweeps import CyclicSweeps
from tic_sweep.data.held_out import held_out_groups
from tic_sweep.data.loading import MADE_UP, RawData
from tic_sweep.data.raw_hd import rescaled
from tic_sweep.data.sequences import RawSequences, RawSpikeSets
from tic_sweep.data.spike_files import in_bins
from tic_sweep.data.subsets import balanced, proportional
from tic_sweep.errors import DataError
from tic_sweep.streams import stream

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class SequenceSplit:
    """Sequences ``[N, T, I]`` in float32, and their labels ``[N]`` in int64."""

    x: Tensor
    labels: Tensor


@dataclass(frozen=True, slots=True)
class SequenceData:
    """The three splits of a trial."""

    train: SequenceSplit
    validation: SequenceSplit
    test: SequenceSplit


def prepare_sequences(raw: RawData | None, config: TrialConfig, device: torch.device) -> SequenceData:
    """Return the splits that a trial asks for, on ``device``; of its seeds the split's own alone decides which.

    Args:
        raw: the data set of ``config.sequences.name``; None for one that is made up.
        config: the trial's.
        device: where the splits go.

    Raises:
        DataError: if the set has too few sequences, or does not say who speaks where speakers are to be held out.
        ValueError: if ``raw`` is of another kind than the trial's data set.
    """
    chosen, timesteps = config.sequences, config.timesteps
    if chosen.name == MADE_UP:
        return _made_up(config, device)
    if chosen.name == "raw_hd" and isinstance(raw, RawSequences):
        return _split(rescaled(raw, labels=chosen.labels, scaling=chosen.scaling), config, device)
    if chosen.name == "shd" and isinstance(raw, RawSpikeSets):
        counts = in_bins(raw, timesteps=timesteps, bin_ms=chosen.bin_ms, pooled=chosen.pooled)
        return _split(counts, config, device)
    raise ValueError(f"a trial on {chosen.name} needs its sequences, got {type(raw).__name__}.")


def cyclic_task(config: TrialConfig) -> CyclicSweeps:
    """Return the made-up task of a trial."""
    chosen = config.sequences
    return CyclicSweeps(
        channels=chosen.channels, timesteps=config.timesteps, shifts=chosen.shifts, step=chosen.step,
        deletion=chosen.deletion, noise=chosen.noise,
    )  # fmt: skip


def _made_up(config: TrialConfig, device: torch.device) -> SequenceData:
    task, sizes = cyclic_task(config), config.split_sequences
    splits = []
    for number, split in enumerate(SPLITS):
        x_NTI, labels_N = task.draw(sizes[split], stream(config.sequences.split_seed, "sequences", number))
        splits.append(SequenceSplit(x_NTI.to(device), labels_N.to(device)))
    return SequenceData(*splits)


def _split(raw: RawSequences, config: TrialConfig, device: torch.device) -> SequenceData:
    chosen = config.sequences

    def subset(labels_N: np.ndarray, split: str, otherwise: int) -> np.ndarray:
        draw, size = f"{chosen.split_seed}/{split}", getattr(chosen, f"{split}_samples")
        if size:
            return balanced(labels_N, size, draw, field=f"sequences.{split}_samples", classes=chosen.classes)
        return proportional(labels_N, otherwise, draw)

    def split(x_NTI: np.ndarray, labels_N: np.ndarray, taken: np.ndarray) -> SequenceSplit:
        # Choosing copies: the array may be a read-only view that all trials of a node share.
        x = torch.from_numpy(x_NTI[taken][:, : config.timesteps]).to(device)
        return SequenceSplit(x, torch.from_numpy(labels_N[taken]).to(device))

    labels_N = raw.train_labels
    if chosen.holds_out_groups:
        if raw.train_groups is None:
            raise DataError(
                f"{chosen.name} does not say who speaks: put its file of speakers beside the others, or set "
                f"sequences.validation_groups to 0."
            )
        validation = held_out_groups(raw.train_groups, chosen.validation_groups, chosen.split_seed)
    else:
        validation = subset(labels_N, "validation", round(len(labels_N) / 10))
    rest = np.setdiff1d(np.arange(len(labels_N)), validation)
    train = rest[subset(labels_N[rest], "train", len(rest))]
    test = subset(raw.test_labels, "test", len(raw.test_labels))
    return SequenceData(
        train=split(raw.train_x, labels_N, train),
        validation=split(raw.train_x, labels_N, validation),
        test=split(raw.test_x, raw.test_labels, test),
    )
