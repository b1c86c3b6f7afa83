"""Spikes in HDF5 files of the layout of the Spiking Heidelberg Digits and Spiking Speech Commands (Cramer et al. 2020).

    spikes/times [N]   for each recording its spikes' times, in seconds
    spikes/units [N]   and the channels they come from, 0..699
    labels [N]         classes
    extra/speaker [N]  who speaks; may be missing

Spikes are counted in bins of time and of neighbouring channels: with the usual 10 ms and 5 channels, [N, T, 140].
"""

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from tic_sweep.data.sequences import RawSequences, RawSpikes, RawSpikeSets
from tic_sweep.errors import DataError

UNITS = 700
EXTRA = "tic-sweep[audio]"


def load_spike_files(
    train: Path, test: Path, *, timesteps: int = 100, bin_ms: float = 10.0, pooled: int = 5, units: int = UNITS
) -> RawSequences:
    """Read a training and a test file and count their spikes, as `in_bins` does."""
    sets = RawSpikeSets(read_spikes(train), read_spikes(test))
    return in_bins(sets, timesteps=timesteps, bin_ms=bin_ms, pooled=pooled, units=units)


def in_bins(sets: RawSpikeSets, *, timesteps: int, bin_ms: float, pooled: int, units: int = UNITS) -> RawSequences:
    """Return spike counts in float32 [N, T, units / pooled].

    Args:
        sets: the recordings.
        timesteps: T; spikes from T·bin_ms on are left out.
        bin_ms: length of a timestep, in ms.
        pooled: neighbouring channels counted together.
        units: channels in the files.
    """

    def counts(spikes: RawSpikes) -> np.ndarray:
        cuts = [slice(*pair) for pair in itertools.pairwise(spikes.starts.tolist())]
        return np.stack([
            counted(
                spikes.times[cut], spikes.units[cut], timesteps=timesteps, bin_ms=bin_ms, pooled=pooled, units=units
            )
            for cut in cuts
        ])

    return RawSequences(
        counts(sets.train), sets.train.labels, counts(sets.test), sets.test.labels, sets.train.groups, sets.test.groups
    )


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


def read_spikes(path: Path) -> RawSpikes:
    """Read a file of spikes.

    Raises:
        DataError: if h5py is not installed, or the file is missing or not of this layout.
    """
    try:
        import h5py
    except ImportError as error:
        raise DataError(f"reading {path.name} needs h5py: pip install '{EXTRA}', or pip install h5py.") from error
    if not path.is_file():
        raise DataError(f"{path} is missing: put the unpacked .h5 file there, from https://zenkelab.org/datasets.")
    try:
        with h5py.File(path) as file:
            spikes: Any = file["spikes"]  # a group, which h5py's own types do not tell from a data set
            times, units = list(spikes["times"]), list(spikes["units"])
            lengths = [len(one) for one in times]
            if lengths != [len(one) for one in units]:
                raise ValueError("times and units differ in length")  # noqa: TRY301 - told like any other damage
            return RawSpikes(
                times=np.concatenate(times),
                units=np.concatenate(units).astype(np.int16),
                starts=np.cumsum([0, *lengths]),
                labels=np.asarray(file["labels"], dtype=np.int64),
                groups=np.asarray(file["extra/speaker"], dtype=np.int64) if "extra/speaker" in file else None,
            )
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path} is damaged or not of the layout of the Spiking Heidelberg Digits: {error}.") from error
