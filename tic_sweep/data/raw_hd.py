"""Raw Heidelberg Digits: spoken digits as mel frames over time, from four arrays in a folder ``RawHD``.

    training_x_data.npy, testing_x_data.npy     float [N, 80 frames of 10 ms, 40 mel bands], in dB
    training_y_data.npy, testing_y_data.npy     int [N], 20 classes: digit, + 10 in the second language
    training_speaker.npy, testing_speaker.npy   int [N], who speaks; may be missing

The published files number the languages either way and scale the frames in their own way, so both are options. The
recordings are those of Cramer et al. 2020. Its test set holds two speakers that its training set has not, and single
recordings of the others.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tic_sweep.data.sequences import RawSequences
from tic_sweep.errors import DataError

FOLDER = "RawHD"
FRAMES, BANDS, CLASSES, DIGITS = 80, 40, 20, 10
SOURCE = "the Heidelberg Digits (Cramer et al. 2020), https://zenkelab.org/datasets"

LABELS: tuple[str, ...] = ("stored", "languages_swapped")
SCALINGS: tuple[str, ...] = ("published", "standardised", "decibel")
PUBLISHED_SCALE = 0.00099 * 20
"""The published preprocessing's factor times the published training's, on dB above the quietest."""


def load_raw_hd(folder: Path, *, labels: str = "stored", scaling: str = "published") -> RawSequences:
    """Return `rescaled` sequences of `read_raw_hd`."""
    return rescaled(read_raw_hd(folder), labels=labels, scaling=scaling)


def read_raw_hd(folder: Path) -> RawSequences:
    """Read Raw Heidelberg Digits from ``folder``, or from ``RawHD`` in it, as sequences [N, 80, 40] in dB.

    Raises:
        DataError: if a file is missing or not what it should be: one line that says what to do.
    """
    folder = folder if (folder / "training_x_data.npy").is_file() else folder / FOLDER
    train_x, test_x = (_frames(folder / f"{part}_x_data.npy") for part in ("training", "testing"))
    return RawSequences(
        train_x=train_x,
        train_labels=_labels(folder / "training_y_data.npy", len(train_x)),
        test_x=test_x,
        test_labels=_labels(folder / "testing_y_data.npy", len(test_x)),
        train_groups=_speakers(folder / "training_speaker.npy", len(train_x)),
        test_groups=_speakers(folder / "testing_speaker.npy", len(test_x)),
    )


def rescaled(raw: RawSequences, *, labels: str, scaling: str) -> RawSequences:
    """Return sequences read in dB as a trial uses them.

    Args:
        raw: what `read_raw_hd` returned; left as it is.
        labels: ``stored``, or ``languages_swapped`` to number the two languages the other way round.
        scaling: ``published`` is (dB - quietest dB of the training set)·0.0198; ``standardised`` takes each recording
            to mean 0 and deviation 1; ``decibel`` leaves the frames as they are.

    Raises:
        DataError: for an unknown name.
    """
    for name, value, options in (("labels", labels, LABELS), ("scaling", scaling, SCALINGS)):
        if value not in options:
            raise DataError(f"{name} of Raw Heidelberg Digits must be one of {', '.join(options)}, got {value!r}.")
    quietest, swapped = float(raw.train_x.min()), DIGITS * (labels == "languages_swapped")
    return replace(
        raw,
        train_x=_scaled(raw.train_x, scaling, quietest),
        train_labels=(raw.train_labels + swapped) % CLASSES,
        test_x=_scaled(raw.test_x, scaling, quietest),
        test_labels=(raw.test_labels + swapped) % CLASSES,
    )


def _scaled(x_NTI: np.ndarray, scaling: str, quietest: float) -> np.ndarray:
    if scaling == "published":
        return ((x_NTI - quietest) * PUBLISHED_SCALE).astype(np.float32)
    if scaling == "decibel":
        return x_NTI.astype(np.float32)
    mean_N, std_N = x_NTI.mean((1, 2), keepdims=True), x_NTI.std((1, 2), keepdims=True)
    return ((x_NTI - mean_N) / np.where(std_N > 0, std_N, 1)).astype(np.float32)


def _frames(path: Path) -> np.ndarray:
    x_NTI = _array(path)
    if x_NTI.shape[1:] != (FRAMES, BANDS) or not len(x_NTI) or not np.issubdtype(x_NTI.dtype, np.floating):
        raise DataError(
            f"{path} must hold floats [N, {FRAMES} frames, {BANDS} bands], got {x_NTI.dtype} {list(x_NTI.shape)}."
        )
    if not np.isfinite(x_NTI).all():
        raise DataError(f"{path} holds values that are not finite: make it anew from {SOURCE}.")
    return x_NTI


def _labels(path: Path, count: int) -> np.ndarray:
    y_N = _whole_numbers(path, count)
    if not ((y_N >= 0) & (y_N < CLASSES)).all():
        raise DataError(f"{path} must hold labels 0..{CLASSES - 1}, got {y_N.min()}..{y_N.max()}.")
    return y_N


def _speakers(path: Path, count: int) -> np.ndarray | None:
    return _whole_numbers(path, count) if path.is_file() else None


def _whole_numbers(path: Path, count: int) -> np.ndarray:
    values_N = _array(path)
    if values_N.shape != (count,) or not np.issubdtype(values_N.dtype, np.integer):
        raise DataError(
            f"{path} must hold {count} whole numbers, one for each recording, got {values_N.dtype} "
            f"{list(values_N.shape)}."
        )
    return values_N.astype(np.int64)


def _array(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError(
            f"{path.name} is missing in {path.parent}: put there the arrays of Raw Heidelberg Digits, from {SOURCE}."
        ) from error
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} cannot be read as an array: {error}. Make it anew from {SOURCE}.") from error
