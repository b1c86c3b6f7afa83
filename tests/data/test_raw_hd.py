"""Raw Heidelberg Digits from four arrays, spike files, and speakers that training never hears."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tic_sweep.data.held_out import held_out_groups
from tic_sweep.data.raw_hd import load_raw_hd
from tic_sweep.data.spike_files import counted, load_spike_files
from tic_sweep.errors import DataError


def write(folder: Path, *, speakers: bool = True, **changed: np.ndarray) -> Path:
    """Write a tiny set of the true layout: 6 and 4 recordings from -80 to 0 dB; ``changed`` replaces files."""
    (folder / "RawHD").mkdir()
    drawn = np.random.default_rng(0)
    files = {}
    for part, count in (("training", 6), ("testing", 4)):
        files[f"{part}_x_data"] = drawn.uniform(-79, 0, (count, 80, 40)).astype(np.float32)
        files[f"{part}_y_data"] = np.arange(count) * 3
        if speakers:
            files[f"{part}_speaker"] = (np.arange(count) // 2).astype(np.uint8)
    files["training_x_data"][0, 0, 0] = -80
    for name, array in (files | changed).items():
        np.save(folder / "RawHD" / f"{name}.npy", array)
    return folder


def test_published_scaling_by_hand(tmp_path: Path):
    """-80 dB, the quietest, becomes 0 and 0 dB 80·0.0198 = 1.584; the folder itself or the one above will do."""
    loud = np.zeros((4, 80, 40), dtype=np.float32)
    loaded = load_raw_hd(write(tmp_path, testing_x_data=loud))

    assert ((6, 80, 40), np.float32, np.int64) == (
        loaded.train_x.shape,
        loaded.train_x.dtype,
        loaded.train_labels.dtype,
    )
    assert (0.0, pytest.approx(1.584, rel=1e-6)) == (loaded.train_x[0, 0, 0], float(loaded.test_x[0, 0, 0]))
    assert [0, 3, 6, 9, 12, 15] == loaded.train_labels.tolist()
    assert loaded.train_groups is not None
    assert [0, 0, 1, 1, 2, 2] == loaded.train_groups.tolist()
    assert np.array_equal(loaded.train_x, load_raw_hd(tmp_path / "RawHD").train_x)


def test_standardised_recordings_have_mean_zero_and_deviation_one(tmp_path: Path):
    """Each by itself; a recording of one value becomes zeros and not NaN."""
    loaded = load_raw_hd(write(tmp_path, testing_x_data=np.full((4, 80, 40), -5.0)), scaling="standardised")

    assert np.allclose(loaded.train_x.mean((1, 2)), 0, atol=1e-5)
    assert np.allclose(loaded.train_x.std((1, 2)), 1, atol=1e-5)
    assert not loaded.test_x.any()


def test_languages_can_be_numbered_the_other_way_round(tmp_path: Path):
    """Digit 3 becomes 13 and 12 becomes 2; decibels stay."""
    loaded = load_raw_hd(write(tmp_path), labels="languages_swapped", scaling="decibel")

    assert [10, 13, 16, 19, 2, 5] == loaded.train_labels.tolist()
    assert -80 == loaded.train_x.min()


def test_speakers_may_be_missing(tmp_path: Path):
    """Then there are no groups."""
    loaded = load_raw_hd(write(tmp_path, speakers=False))

    assert loaded.train_groups is None
    assert loaded.test_groups is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"training_x_data": np.zeros((6, 80, 41))}, "[N, 80 frames, 40 bands], got float64 [6, 80, 41]"),
        ({"training_x_data": np.zeros((6, 80, 40), int)}, "must hold floats"),
        ({"testing_x_data": np.full((4, 80, 40), np.nan)}, "not finite"),
        ({"training_y_data": np.arange(5)}, "must hold 6 whole numbers"),
        ({"training_y_data": np.full(6, 20)}, "must hold labels 0..19, got 20..20"),
        ({"testing_speaker": np.zeros(4)}, "must hold 4 whole numbers"),
        ({"training_y_data": np.array([None] * 6)}, "cannot be read as an array"),
    ],
    ids=str,
)  # fmt: skip
def test_files_that_are_not_what_they_should_be_are_refused(tmp_path: Path, changed: dict, message: str):
    """One line names the file, what is in it and what should be."""
    with pytest.raises(DataError, match=re.escape(message)) as raised:
        load_raw_hd(write(tmp_path, **changed))

    assert "\n" not in str(raised.value)


def test_missing_files_and_unknown_options_are_refused(tmp_path: Path):
    """What is missing and where it comes from; what may be chosen."""
    with pytest.raises(DataError, match=r"training_x_data\.npy is missing in .*RawHD: put"):
        load_raw_hd(tmp_path)
    with pytest.raises(DataError, match="scaling of Raw Heidelberg Digits must be one of published"):
        load_raw_hd(write(tmp_path), scaling="loud")


def test_a_torn_file_is_refused(tmp_path: Path):
    """An array that breaks off."""
    path = write(tmp_path) / "RawHD" / "training_x_data.npy"
    path.write_bytes(path.read_bytes()[:1000])

    with pytest.raises(DataError, match="cannot be read as an array"):
        load_raw_hd(tmp_path)


def test_held_out_speakers_are_whole_and_drawn_by_the_seed():
    """All recordings of so many speakers, none of the others; other seeds choose others."""
    speakers = np.array([0, 1, 2, 3, 6, 7] * 5)

    chosen = [held_out_groups(speakers, 2, seed) for seed in range(20)]

    for held in chosen:
        out = set(speakers[held].tolist())
        assert (2, 10) == (len(out), len(held))
        assert not out & set(np.delete(speakers, held).tolist())
    assert np.array_equal(chosen[0], held_out_groups(speakers, 2, 0))
    assert len({tuple(held) for held in chosen}) > 5


@pytest.mark.parametrize("count", [0, 3])
def test_holding_out_all_speakers_or_none_is_refused(count: int):
    """There must be someone to train on and someone to validate on."""
    with pytest.raises(DataError, match=f"below the 3 groups of the training set, got {count}"):
        held_out_groups(np.array([0, 1, 2]), count, 0)


def test_spikes_are_counted_in_their_bins():
    """At 10 ms and pairs of channels: units 0 and 1 at 0 and 9 ms share a bin, 10 ms is the next, 30 ms is too late."""
    counts = counted(
        np.array([0.0, 0.009, 0.010, 0.030]), np.array([0, 1, 4, 4]), timesteps=3, bin_ms=10, pooled=2, units=5
    )

    assert [[2, 0, 0], [0, 0, 1], [0, 0, 0]] == counts.tolist()


def test_without_h5py_the_way_to_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """One line with the extra to install."""
    monkeypatch.setitem(sys.modules, "h5py", None)

    with pytest.raises(DataError, match=r"needs h5py: pip install 'tic-sweep\[audio\]'"):
        load_spike_files(tmp_path / "shd_train.h5", tmp_path / "shd_test.h5")


def test_spike_files_of_the_true_layout_are_read(tmp_path: Path):
    """Two recordings of three spikes and one; labels and speakers come along."""
    import h5py  # pyright: ignore[reportMissingImports]

    for name in ("train", "test"):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            floats, whole = h5py.vlen_dtype(np.float16), h5py.vlen_dtype(np.int64)
            times = file.create_dataset("spikes/times", (2,), floats)
            units = file.create_dataset("spikes/units", (2,), whole)
            times[0], units[0] = np.array([0.0, 0.025, 0.5]), np.array([0, 699, 5])
            times[1], units[1] = np.array([0.011]), np.array([7])
            file["labels"], file["extra/speaker"] = np.array([3, 19]), np.array([4, 11])

    loaded = load_spike_files(tmp_path / "train.h5", tmp_path / "test.h5")

    assert (2, 100, 140) == loaded.train_x.shape
    assert [[0, 0, 0], [0, 2, 139], [0, 50, 1], [1, 1, 1]] == np.argwhere(loaded.train_x).tolist()
    assert [3, 19] == loaded.test_labels.tolist()
    assert loaded.test_groups is not None
    assert [4, 11] == loaded.test_groups.tolist()


def test_damaged_spike_files_are_refused(tmp_path: Path):
    """Missing, and no HDF5 at all."""
    (tmp_path / "train.h5").write_bytes(b"nothing")

    with pytest.raises(DataError, match="is missing"):
        load_spike_files(tmp_path / "none.h5", tmp_path / "none.h5")
    with pytest.raises(DataError, match="is damaged"):
        load_spike_files(tmp_path / "train.h5", tmp_path / "train.h5")
