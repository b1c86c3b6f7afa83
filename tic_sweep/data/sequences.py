"""A data set of sequences as plain arrays: small enough to share once per node, and readable without torch."""

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
