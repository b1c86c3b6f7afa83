"""Validation sequences: those of speakers that training never hears, or drawn by class where speakers are unknown."""

import hashlib

import numpy as np

from tic_sweep.data.subsets import proportional
from tic_sweep.errors import DataError


def held_out_groups(groups_N: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return the indices of all sequences of ``count`` groups (speakers), which ``seed`` alone chooses.

    Raises:
        DataError: if that leaves none to train on, or holds none out.
    """
    known = np.unique(groups_N)
    if not 0 < count < len(known):
        raise DataError(
            f"data.validation_groups must be at least 1 and below the {len(known)} groups of the training set, got "
            f"{count}."
        )
    return np.flatnonzero(np.isin(groups_N, _drawn(known, count, seed)))


def validation_split(labels_N: np.ndarray, groups_N: np.ndarray | None, seed: int, *, groups: int = 1) -> np.ndarray:
    """Return the indices of the validation sequences: of held-out groups if they are known, else a tenth by class.

    A tenth by class shares its speakers with what is trained on, and so promises more than a new speaker would keep.
    """
    if groups_N is None:
        return np.sort(proportional(labels_N, round(len(labels_N) / 10), f"{seed}/validation"))
    return held_out_groups(groups_N, groups, seed)


def _drawn(known: np.ndarray, count: int, seed: int) -> np.ndarray:
    digest = hashlib.blake2b(f"{seed}/groups".encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "big")).permutation(known)[:count]
