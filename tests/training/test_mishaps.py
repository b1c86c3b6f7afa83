"""What goes wrong around a training and is mended: spoilt checkpoints, full disks, too little memory."""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from cases import SMALL
from training.trial_runs import RESOURCES, ending, numbers, run

from tic_sweep.config import replaced
from tic_sweep.data import RawImages
from tic_sweep.fisher import FisherTrace
from tic_sweep.records import Outcome, Report
from tic_sweep.training import (
    DamagedCheckpointError,
    SecondChance,
    Training,
    load_checkpoint,
    save_checkpoint,
    try_trial,
)  # fmt: skip

SHORT = replaced(SMALL, {"optimiser.epochs": 2})
STATE = {"key": "k", "weights": {"w": torch.arange(400.0)}, "epoch": 3}
CUTS = {
    "empty": lambda _: 0,
    "one byte": lambda _: 1,
    "inside the first header": lambda _: 20,
    "inside the pickle": lambda _: 200,
    "inside the tensors": lambda size: size // 2,
    "inside the directory": lambda size: size - 60,
    "inside the last record": lambda size: size - 10,
    "last byte": lambda size: size - 1,
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_a_checkpoint_cut_short_is_known(tmp_path: Path, cut: Callable[[int], int]):
    """Wherever a file ends too early, it is not loaded."""
    save_checkpoint(tmp_path / "c.pt", STATE)
    content = (tmp_path / "c.pt").read_bytes()
    (tmp_path / "c.pt").write_bytes(content[: cut(len(content))])

    with pytest.raises(DamagedCheckpointError):
        load_checkpoint(tmp_path / "c.pt")


@pytest.mark.parametrize("seed", range(4))
def test_a_spoilt_byte_is_known_or_does_not_matter(tmp_path: Path, seed: int):
    """Of bytes changed at random places, none gives another state than the one that was saved."""
    save_checkpoint(tmp_path / "c.pt", STATE)
    content, draw, refused = bytearray((tmp_path / "c.pt").read_bytes()), random.Random(seed), 0  # noqa: S311 - places to spoil
    for _ in range(100):
        place, bit = draw.randrange(len(content)), 1 << draw.randrange(8)
        content[place] ^= bit
        (tmp_path / "c.pt").write_bytes(content)
        content[place] ^= bit
        try:
            loaded = load_checkpoint(tmp_path / "c.pt")
        except DamagedCheckpointError:
            refused += 1
        else:
            assert ("k", 3) == (loaded["key"], loaded["epoch"]), f"byte {place}, bit {bit}"
            assert torch.equal(STATE["weights"]["w"], loaded["weights"]["w"]), f"byte {place}, bit {bit}"

    assert refused > 50


def spoilt(path: Path) -> None:
    """Change a byte in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def of_another(path: Path) -> None:
    """Put another trial's checkpoint in a trial's place."""
    save_checkpoint(path, load_checkpoint(path) | {"key": "another"})


def with_changes(**changes: object) -> Callable[[Path], None]:
    """Return what changes values of a checkpoint; None takes one out."""

    def change(path: Path) -> None:
        state = load_checkpoint(path) | changes
        save_checkpoint(path, {name: value for name, value in state.items() if value is not None})

    return change


class Code:
    """What a stranger's file would have run."""

    def __reduce__(self) -> tuple:
        return os._exit, (3,)


STRANGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a byte": (spoilt, "checksum"),
    "another trial's": (of_another, "that of trial another"),
    "code": (lambda path: torch.save({"model": Code()}, path), "more than tensors and plain data"),
    "a list": (lambda path: torch.save([1, 2], path), "no training state"),
    "no file of ours": (lambda path: path.write_bytes(b"weights") and None, "not a zip file"),
    "no seconds": (with_changes(seconds=None), "does not fit the trial, KeyError: 'seconds'"),
    "no model": (with_changes(model=None), "does not fit the trial, KeyError: 'model'"),
    "epoch as text": (with_changes(epoch="2"), "its epoch is '2'"),
    "other weights": (with_changes(model={"w": torch.zeros(2)}), "does not fit the trial, RuntimeError"),
    "an optimiser of nothing": (with_changes(optimiser={"state": {}, "param_groups": []}), "does not fit the trial"),
}


@pytest.mark.parametrize(("spoil", "word"), STRANGE.values(), ids=STRANGE)
def test_a_damaged_checkpoint_is_set_aside_and_recomputed(
    digits: RawImages, tmp_path: Path, spoil: Callable[[Path], None], word: str
):
    """The trial begins anew, says so with its first report, and comes to the same numbers and weights."""
    place = tmp_path / "trial.pt"
    undisturbed, expected = run(SHORT, digits, place)
    spoil(place)
    bytes_before = place.read_bytes()
    again, outcome = run(SHORT, digits, place)

    assert numbers(undisturbed) == numbers(again)
    assert ending(expected) == ending(outcome)
    assert word in again[0].remarks[0]
    assert [()] * 2 == [report.remarks for report in again[1:]]
    assert bytes_before == (tmp_path / "trial.pt.damaged").read_bytes()


def test_a_full_disk_costs_the_checkpoint_and_not_the_trial(
    digits: RawImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The trial ends with the same weights, the last checkpoint that was written stays, and it is told."""
    _, expected = run(SHORT, digits)
    training = Training(SHORT, digits, RESOURCES, tmp_path / "trial.pt")
    reports = training.reports()
    told = [next(reports), next(reports)]  # the checkpoint of epoch 0 is written now

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    told += list(reports)

    assert ending(expected) == ending(training.outcome)
    assert 0 == load_checkpoint(tmp_path / "trial.pt")["epoch"]
    assert ["trial.pt"] == [path.name for path in tmp_path.iterdir()]
    assert {"a checkpoint could not be written (No space left on device)"} == {r for t in told for r in t.remarks}


def test_lack_of_memory_is_met_once_with_smaller_chunks(
    digits: RawImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A measurement too large for the memory is halved; the trial goes on from its checkpoint and says so."""
    from tic_sweep.training import observation

    measure, chunks = observation.measure, []

    def measured(*given: object, chunk: int, **named: object) -> FisherTrace:
        chunks.append(chunk)
        if chunk > 4 and named["epoch"] == 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return measure(*given, chunk=chunk, **named)

    monkeypatch.setattr(observation, "measure", measured)
    trial = try_trial(SHORT, digits, replace(RESOURCES, fisher_chunk=8), tmp_path / "trial.pt")
    reports = list(trial.reports())

    assert ([8, 8, 8, 4], "finished", [0, 1, None, 2]) == (
        chunks, trial.outcome.status, [report.epoch and report.epoch.epoch for report in reports],
    )  # fmt: skip
    assert (
        "memory ran out (CUDA out of memory. Tried to allocate 2.00 GiB): it went on with --fisher-chunk 4",
    ) == reports[2].remarks


class Greedy:
    """A trainer that never has enough memory."""

    def reports(self) -> Iterator[Report]:
        """Report nothing."""
        yield from ()

    @property
    def outcome(self) -> Outcome:
        """Return lack of memory."""
        return Outcome(status="out_of_memory", reason="not enough")


@pytest.mark.parametrize(("chunk", "tries"), [(64, [64, 32]), (2, [2, 1]), (1, [1])])
def test_the_second_lack_of_memory_is_the_outcome(chunk: int, tries: list[int]):
    """It is tried twice, no more, and not at all where nothing can be smaller."""
    tried = []
    trial = SecondChance(lambda r: (tried.append(r.fisher_chunk), Greedy())[1], replace(RESOURCES, fisher_chunk=chunk))
    list(trial.reports())

    assert (tries, "out_of_memory", "not enough") == (tried, trial.outcome.status, trial.outcome.reason)
