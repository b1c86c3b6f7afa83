"""Sweeps of sequences, in this process and on Ray: their tables, the data they need, and what they are refused for."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from launch.launch_fakes import by_key, rows

from tic_sweep.errors import DataError
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.preparing import prepare
from tic_sweep.launch.session import resume_sweep, run_sweep

SWEEP_FILE = """
from tic_sweep.config import TrialConfig, replaced
from tic_sweep.space import Choice, Grid
from tic_sweep.sweep import Scale, Sweep

TINY = replaced(TrialConfig(), {
    "task": "sequences", "timesteps": 16, "delays.hidden": 5, "delays.max_delay": 4, "delays.sparsity": 0.5,
    "delays.rule": "deepr", "delays.field_epochs": "0,2", "optimiser.name": "adamw", "optimiser.lr": 0.01,
    "optimiser.epochs": 2, "optimiser.batch_size": 16, "fisher.samples": 8, "sequences.train_samples": 40,
    **CHANGES,
})
SWEEP = Sweep(name="tiny", question="Does it run?", laptop=Scale(base=TINY, SPACE))
"""
MADE_UP = '{"sequences.validation_samples": 16, "sequences.test_samples": 16}'
RAW_HD = '{"sequences.name": "raw_hd"}'
GRID = 'space={"delays.learn": Grid((True, False))}'
BOTH = """
    space={"data": Choice((
        {"sequences.name": "cyclic_sweeps"}, {"sequences.name": "raw_hd", "sequences.validation_samples": 0},
    ))}, samples=2, searcher="tpe"
"""
HERE = Options(in_process=True)


def sweep_file(folder: Path, changes: str, space: str = GRID) -> Request:
    """Write a sweep file and ask for it."""
    path = folder / "tiny.py"
    path.write_text(SWEEP_FILE.replace("CHANGES", changes).replace("SPACE", space), encoding="utf-8")
    return Request(sweep=str(path))


def spoken_digits(folder: Path) -> Path:
    """Write a tiny Raw Heidelberg Digits of the true layout: 80 and 20 recordings, four speakers."""
    (folder / "RawHD").mkdir()
    drawn = np.random.default_rng(0)
    for part, count in (("training", 80), ("testing", 20)):
        np.save(folder / "RawHD" / f"{part}_x_data.npy", drawn.normal(-40, 9, (count, 80, 40)).astype(np.float32))
        np.save(folder / "RawHD" / f"{part}_y_data.npy", np.arange(count) % 20)
        np.save(folder / "RawHD" / f"{part}_speaker.npy", np.arange(count) // 20)
    return folder


def test_a_sweep_of_sequences_fills_its_tables(tmp_path: Path) -> None:
    """Two trials of three reports: a row each of the sequences, two of the layers; synapses at two of the epochs."""
    ended = run_sweep(sweep_file(tmp_path, MADE_UP), HERE, results=tmp_path / "r")
    trials, synapses = rows(tmp_path / "r", "trials"), rows(tmp_path / "r", "synapses")

    assert ({"finished": 2}, 2, ()) == (dict(ended.statuses), ended.done, ended.problems)
    assert (6, 12) == (rows(tmp_path / "r", "sequences").height, rows(tmp_path / "r", "delays").height)
    assert 2 * 2 * (40 + 20) == synapses.height
    assert [True] == trials["test_acc"].is_between(0, 1).unique().to_list()
    assert synapses.select(pl.col("delay").is_between(0, 4).all()).item()


def test_data_that_is_missing_is_told_before_anything_is_written(tmp_path: Path) -> None:
    """One line names the file and where it comes from; downloads change nothing."""
    with pytest.raises(DataError, match=r"training_x_data\.npy is missing"):
        run_sweep(
            sweep_file(tmp_path, RAW_HD), Options(in_process=True, data=tmp_path, download=True), results=tmp_path / "r"
        )

    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("changes", "space", "needed"),
    [
        (MADE_UP, GRID, []),
        (RAW_HD, GRID, ["raw_hd"]),
        (RAW_HD, 'space={"neuron.tau": Choice((2.0, 4.0))}, samples=2, searcher="tpe"', ["raw_hd"]),
        (MADE_UP, BOTH, ["raw_hd"]),
    ],
)  # fmt: skip
def test_a_sweep_asks_for_the_recordings_it_needs(tmp_path: Path, changes: str, space: str, needed: list[str]) -> None:
    """Made-up sequences need none, whether trials are planned or proposed."""
    assert needed == prepare(sweep_file(tmp_path, changes, space)).datasets


@pytest.mark.ray
@pytest.mark.usefixtures("ray_here")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ray_and_this_process_give_the_same_numbers(tmp_path: Path) -> None:
    """Recordings lie once in the object store, read-only; weights do not depend on the runner, nor on a resume."""
    data = spoken_digits(tmp_path)
    request = sweep_file(tmp_path, RAW_HD)
    run_sweep(request, Options(in_process=True, data=data), results=tmp_path / "here")
    ended = run_sweep(request, Options(cpus=2, data=data), results=tmp_path / "ray")
    again = resume_sweep(tmp_path / "ray", None, Options(cpus=2, data=data))

    assert ({"finished": 2}, ()) == (dict(ended.statuses), ended.problems)
    assert 2 == again.done
    assert by_key(tmp_path / "here", "weights_digest") == by_key(tmp_path / "ray", "weights_digest")
