"""A trial's sequences: made up from the split seed, or split by speaker or class."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tic_sweep.config import DATASETS, SEQUENCES, TrialConfig, replaced
from tic_sweep.data import RawSequences, RawSpikeSets, SequenceData, data_name, load_data, prepare_sequences
from tic_sweep.data.sequences import RawSpikes
from tic_sweep.errors import DataError

CPU = torch.device("cpu")
SWEEPS = replaced(
    TrialConfig(),
    {
        "task": "sequences", "timesteps": 20, "delays.max_delay": 4, "fisher.samples": 16,
        **{f"sequences.{split}_samples": size for split, size in (("train", 32), ("validation", 16), ("test", 24))},
    },
)  # fmt: skip
RAW_HD = replaced(
    TrialConfig(), {"task": "sequences", "timesteps": 6, "delays.max_delay": 4, "sequences.name": "raw_hd"}
)


def spoken(train: int = 200, test: int = 40) -> RawSequences:
    """Return recordings [N, 80, 40] in dB whose first value is their number, of 20 classes and five speakers."""

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        x = np.zeros((count, 80, 40), dtype=np.float32)
        x[:, 0, 0] = np.arange(count)
        return x, np.arange(count) % 20

    return RawSequences(*part(train), *part(test), np.arange(train) // 20 % 5, np.arange(test) % 2)


def numbers(data: SequenceData, scale: float = 0.00099 * 20) -> dict[str, list[int]]:
    """Return which recordings each split holds."""
    splits = {name: getattr(data, name) for name in ("train", "validation", "test")}
    return {name: [round(float(value) / scale) for value in split.x[:, 0, 0]] for name, split in splits.items()}


def test_made_up_sequences_depend_on_the_split_seed_alone():
    """Sizes as asked for; another seed of the trial changes nothing, another split seed everything."""
    first = prepare_sequences(None, SWEEPS, CPU)
    again = prepare_sequences(None, replaced(SWEEPS, {"seed": 1, "delays.hidden": 3}), CPU)
    other = prepare_sequences(None, replaced(SWEEPS, {"sequences.split_seed": 1}), CPU)

    assert [(32, 20, 16), (16, 20, 16), (24, 20, 16)] == [
        tuple(s.x.shape) for s in (first.train, first.validation, first.test)
    ]
    assert torch.equal(first.train.x, again.train.x)
    assert torch.equal(first.test.labels, again.test.labels)
    assert not torch.equal(first.train.x, other.train.x)
    assert not torch.equal(first.train.x[:16], first.validation.x)


def test_speakers_are_held_out_whole():
    """All forty recordings of one of five speakers validate; the rest trains; the first T frames are kept."""
    raw = spoken()
    data = prepare_sequences(raw, RAW_HD, CPU)
    held, trained = (numbers(data)[split] for split in ("validation", "train"))

    assert (6, 40) == tuple(data.train.x.shape[1:])
    assert raw.train_groups is not None
    assert 1 == len(set(raw.train_groups[held].tolist()))
    assert (40, 160, 40) == (len(held), len(trained), len(data.test.labels))
    assert not set(raw.train_groups[held]) & set(raw.train_groups[trained])
    assert data.train.labels.tolist() == [number % 20 for number in trained]


def test_without_held_out_speakers_the_split_is_by_class():
    """A tenth of every class, or as many of each as asked for."""
    by_class = replaced(RAW_HD, {"sequences.validation_groups": 0})
    tenth = prepare_sequences(spoken(), by_class, CPU)
    asked = prepare_sequences(spoken(), replaced(by_class, {"sequences.validation_samples": 40}), CPU)

    assert [1] * 20 == torch.bincount(tenth.validation.labels).tolist()
    assert [2] * 20 == torch.bincount(asked.validation.labels).tolist()


def test_subsets_are_balanced():
    """Training and test subsets hold each class as often."""
    data = prepare_sequences(
        spoken(), replaced(RAW_HD, {"sequences.train_samples": 60, "sequences.test_samples": 20}), CPU
    )

    assert [3] * 20 == torch.bincount(data.train.labels).tolist()
    assert [1] * 20 == torch.bincount(data.test.labels).tolist()


def test_options_of_raw_hd_act():
    """Languages change places, and decibels stay as they are."""
    changed = replaced(RAW_HD, {"sequences.labels": "languages_swapped", "sequences.scaling": "decibel"})
    data = prepare_sequences(spoken(), changed, CPU)
    trained = numbers(data, scale=1)["train"]

    assert data.train.labels.tolist() == [(number + 10) % 20 for number in trained]


def test_unknown_speakers_cannot_be_held_out():
    """One line says what may be done."""
    with pytest.raises(DataError, match=re.escape("raw_hd does not say who speaks: put its file of speakers")):
        prepare_sequences(replace(spoken(), train_groups=None), RAW_HD, CPU)


@pytest.mark.parametrize("raw", [None, RawSpikeSets])
def test_other_data_is_a_bug(raw: object):
    """A trial that is given none, or another kind, is no user's fault."""
    with pytest.raises(ValueError, match="a trial on raw_hd needs its sequences"):
        prepare_sequences(raw, RAW_HD, CPU)  # type: ignore[arg-type]


def test_spikes_are_counted_for_each_trial():
    """The same recordings in bins of 10 and of 20 ms."""
    spikes = RawSpikes(
        times=np.array([0.0, 0.025, 0.011] * 20), units=np.array([0, 699, 7] * 20, dtype=np.int16),
        starts=np.arange(0, 61, 3), labels=np.arange(20), groups=np.arange(20) % 2,
    )  # fmt: skip
    config = replaced(
        TrialConfig(), {"task": "sequences", "timesteps": 4, "delays.max_delay": 2, "sequences.name": "shd"}
    )
    ten = prepare_sequences(RawSpikeSets(spikes, spikes), config, CPU)
    twenty = prepare_sequences(
        RawSpikeSets(spikes, spikes), replaced(config, {"sequences.bin_ms": 20, "sequences.pooled": 7}), CPU
    )

    assert [[0, 0], [1, 1], [2, 139]] == ten.test.x[0].nonzero().tolist()
    assert [[0, 0], [0, 1], [1, 99]] == twenty.test.x[0].nonzero().tolist()


def test_which_data_a_trial_needs():
    """Images and recordings by their name; toys and made-up sequences none. No two sets share a name."""
    shd = replaced(RAW_HD, {"sequences.name": "shd"})
    toy = replaced(TrialConfig(), {"task": "xor"})

    assert ["cifar10", "raw_hd", "shd", None, None] == [
        data_name(config) for config in (TrialConfig(), RAW_HD, shd, SWEEPS, toy)
    ]
    assert not DATASETS.keys() & SEQUENCES.keys()


@pytest.mark.parametrize(("name", "missing"), [("raw_hd", "training_x_data.npy"), ("shd", "shd_train.h5")])
def test_recordings_are_not_fetched(tmp_path: Path, name: str, missing: str):
    """What is missing is named, with where it comes from, whether or not downloads are allowed."""
    with pytest.raises(DataError, match=rf"{re.escape(missing)} is missing.*zenkelab\.org"):
        load_data(name, tmp_path, download=True)
