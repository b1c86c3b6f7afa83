"""Data sets by name: the embedded digits, and those that lie in a folder; and which of them a trial needs."""

import os
from pathlib import Path
from typing import TypeAlias

import numpy as np

from tic_sweep.config import DATASETS, TrialConfig
from tic_sweep.data.raw import RawImages
from tic_sweep.data.raw_hd import read_raw_hd
from tic_sweep.data.sequences import RawSequences, RawSpikeSets
from tic_sweep.data.spike_files import read_spikes
from tic_sweep.data.subsets import proportional
from tic_sweep.errors import DataError, did_you_mean

RawData: TypeAlias = RawImages | RawSequences | RawSpikeSets
"""What trials of a node share: a data set as it is published."""


MADE_UP = "cyclic_sweeps"
"""Sequences that each trial makes up for itself."""


def data_name(config: TrialConfig) -> str | None:
    """Return the name of the data set that a trial is given; None if it needs none or makes up its own."""
    if config.task == "images":
        return config.data.name
    given = config.task == "sequences" and config.sequences.name != MADE_UP
    return config.sequences.name if given else None


def load_data(name: str, folder: Path | None = None, *, download: bool = False) -> RawData:
    """Load images of `DATASETS` or sequences of `SEQUENCES` by name; sequences are never fetched.

    Raises:
        DataError: as `load_images` does.
    """
    if name == "raw_hd":
        return read_raw_hd(_folder(name, folder))
    if name == "shd":
        place = _folder(name, folder)
        place = place if (place / "shd_train.h5").is_file() else place / "SHD"
        return RawSpikeSets(read_spikes(place / "shd_train.h5"), read_spikes(place / "shd_test.h5"))
    return load_images(name, folder, download=download)


def load_images(name: str, folder: Path | None = None, *, download: bool = False) -> RawImages:
    """Load a data set of `DATASETS` by name.

    ``digits`` comes from inside scikit-learn. The others are read from ``folder``, or from the one that the environment
    variable TIC_SWEEP_DATA names, through torchvision's classes; nothing is fetched unless ``download`` is true.

    Raises:
        DataError: if the set is unknown, missing, damaged or cannot be fetched: one line that says what to do.
    """
    if name not in DATASETS:
        raise DataError(f"data set must be one of {', '.join(DATASETS)}, got {name!r}.{did_you_mean(name, DATASETS)}")
    if name == "digits":
        return _digits()
    from tic_sweep.data.published import read

    return read(name, _folder(name, folder), download=download)


def _folder(name: str, folder: Path | None) -> Path:
    given = folder or os.environ.get("TIC_SWEEP_DATA")
    if not given:
        raise DataError(f"{name} needs a data folder: give one with --data or the environment variable TIC_SWEEP_DATA.")
    return Path(given).expanduser()


def _digits() -> RawImages:
    """Return scikit-learn's digits with a stratified fifth, always the same one, as test set.

    Grey levels 0..16 become round(level * 255 / 16): 0 and 16 become 0 and 255 exactly, the 17 levels stay distinct,
    and pixel / 255 is off level / 16 by less than 0.002.
    """
    from sklearn.datasets import load_digits

    levels, labels_N = load_digits(return_X_y=True)
    images = ((np.asarray(levels, dtype=np.int64) * 255 + 8) // 16).astype(np.uint8).reshape(-1, 1, 8, 8)
    labels_N = np.asarray(labels_N, dtype=np.int64)
    spec = DATASETS["digits"]
    test = np.zeros(len(labels_N), dtype=bool)
    test[proportional(labels_N, spec.test_images, "digits/test")] = True
    return RawImages(images[~test], labels_N[~test], images[test], labels_N[test])
