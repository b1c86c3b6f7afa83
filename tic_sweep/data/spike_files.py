"""Spikes in HDF5 files of the layout of the Spiking Heidelberg Digits and Spiking Speech Commands (Cramer et al. 2020).

    spikes/times [N]   for each recording its spikes' times, in seconds
    spikes/units [N]   and the channels they come from, 0..699
    labels [N]         classes
    extra/speaker [N]  who speaks; may be missing

Spikes are counted in bins of time and of neighbouring channels: with the usual 10 ms and 5 channels, [N, T, 140].
"""

from pathlib import Path
from typing import Any

import numpy as np

from tic_sweep.data.sequences import RawSequences
from tic_sweep.errors import DataError

UNITS = 700
EXTRA = "tic-sweep[audio]"


def load_spike_files(
    train: Path, test: Path, *, timesteps: int = 100, bin_ms: float = 10.0, pooled: int = 5, units: int = UNITS
) -> RawSequences:
    """Read a training and a test file as spike counts in float32 [N, T, units / pooled].

    Args:
        train: the training file.
        test: the test file.
        timesteps: T; spikes from T·bin_ms on are left out.
        bin_ms: length of a timestep, in ms.
        pooled: neighbouring channels counted together.
        units: channels in the files.

    Raises:
        DataError: if h5py is not installed, or a file is missing or not of this layout.
    """
    (train_x, train_y, train_who), (test_x, test_y, test_who) = (
        _read(path, timesteps, bin_ms, pooled, units) for path in (train, test)
    )
    return RawSequences(train_x, train_y, test_x, test_y, train_who, test_who)


def counted(
    times_S: np.ndarray, units_S: np.ndarray, *, timesteps: int, bin_ms: float, pooled: int, units: int
) -> np.ndarray:
    """Return the counts [T, units / pooled] in float32 of one recording's spikes: the time of each in s, and its unit.

    The last channel counts fewer units if ``pooled`` does not divide them.
    """
    channels = -(-units // pooled)
    # Times are stored in half precision; a spike on a bin's edge belongs to the later bin.
    bin_S = np.floor(times_S.astype(np.float64) * 1000 / bin_ms).astype(np.int64)
    inside_S = bin_S < timesteps
    flat_S = bin_S[inside_S] * channels + units_S[inside_S].astype(np.int64) // pooled
    return np.bincount(flat_S, minlength=timesteps * channels).reshape(timesteps, channels).astype(np.float32)


def _read(
    path: Path, timesteps: int, bin_ms: float, pooled: int, units: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    try:
        import h5py
    except ImportError as error:
        raise DataError(f"reading {path.name} needs h5py: pip install '{EXTRA}', or pip install h5py.") from error
    if not path.is_file():
        raise DataError(f"{path} is missing: put the unpacked .h5 file there, from https://zenkelab.org/datasets.")
    try:
        with h5py.File(path) as file:
            labels_N = np.asarray(file["labels"], dtype=np.int64)
            spikes: Any = file["spikes"]  # a group, which h5py's own types do not tell from a data set
            recordings = zip(spikes["times"], spikes["units"], strict=True)
            x_NTI = np.stack([
                counted(times, which, timesteps=timesteps, bin_ms=bin_ms, pooled=pooled, units=units)
                for times, which in recordings
            ])
            speakers_N = np.asarray(file["extra/speaker"], dtype=np.int64) if "extra/speaker" in file else None
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path} is damaged or not of the layout of the Spiking Heidelberg Digits: {error}.") from error
    return x_NTI, labels_N, speakers_N
