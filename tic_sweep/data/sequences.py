"""Data sets of sequences as plain arrays: small enough to share once per node, and readable without torch."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class RawSequences:
    """Sequences in float32 ``[N, T, I]`` (samples, timesteps, channels) and labels in int64 ``[N]``.

    ``train_groups`` and ``test_groups`` say who or what a sequence comes from (a speaker) in int64 ``[N]``, or are None
    where that is not known; a validation split by group keeps those apart from what is trained on.
    """

    train_x: np.ndarray
    train_labels: np.ndarray
    test_x: np.ndarray
    test_labels: np.ndarray
    train_groups: np.ndarray | None = None
    test_groups: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class RawSpikes:
    """Recordings of spikes as they are stored; those of recording n are ``times[starts[n]:starts[n + 1]]``.

    ``times`` are in seconds, ``units`` say which channel fired; ``groups`` are as in `RawSequences`.
    """

    times: np.ndarray
    units: np.ndarray
    starts: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None


@dataclass(frozen=True, slots=True)
class RawSpikeSets:
    """A training and a test set of spikes, not yet counted in bins, so that trials of any bins can share them."""

    train: RawSpikes
    test: RawSpikes
