"""Validation sequences of speakers that training never hears.

Those drawn by class would share their speakers with what is trained on, and promise more than a new one would keep.
"""

import hashlib

import numpy as np

from tic_sweep.errors import DataError


def held_out_groups(groups_N: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return the indices of all sequences of ``count`` groups (speakers), which ``seed`` alone chooses.

    Raises:
        DataError: if that leaves none to train on, or holds none out.
    """
    known = np.unique(groups_N)
    if not 0 < count < len(known):
        raise DataError(
            f"sequences.validation_groups must be at least 1 and below the {len(known)} groups of the training set, "
            f"got {count}."
        )
    return np.flatnonzero(np.isin(groups_N, _drawn(known, count, seed)))


def _drawn(known: np.ndarray, count: int, seed: int) -> np.ndarray:
    digest = hashlib.blake2b(f"{seed}/groups".encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "big")).permutation(known)[:count]
