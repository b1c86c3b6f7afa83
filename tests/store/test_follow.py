"""A follower sees what `scan` sees, and reads each file once."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from store.fabricated import STAYING, TURNING, write_sweep
from store.object_store import environment_of, running_server, upload

from tic_sweep.config import TrialConfig
from tic_sweep.records import EpochRow, FisherRow, TrialRow
from tic_sweep.store import RemoteFolder, ResultsFolder, ResultsWriter, compact, scan
from tic_sweep.store.follow import Follower

TABLES = {"trials": ("status", "optimiser.lr"), "epochs": ("ic", "val_acc")}


def epoch(key: str, number: int, val_acc: float = 0.5) -> EpochRow:
    """Return an epoch row."""
    return EpochRow(
        key=key, epoch=number, val_loss=1.0, val_acc=val_acc, ic=2.0, train_seconds=1.0, eval_seconds=0.0,
        fisher_seconds=0.0,
    )  # fmt: skip


def same_as_scan(follower: Follower, folder: ResultsFolder) -> None:
    """Check the follower's tables against those that `scan` reads anew."""
    for table, found in follower.look().items():
        assert_frame_equal(scan(folder, table).select(found.columns).collect(), found)


def test_rows_are_followed_from_the_journal_into_segments(tmp_path: Path) -> None:
    """At every step, journaled, written, repeated, given another status and compacted, it has what `scan` has."""
    folder = write_sweep(tmp_path / "r", [({"optimiser.lr": 0.3}, "finished", TURNING)])
    follower = Follower(folder, TABLES)
    same_as_scan(follower, folder)
    with ResultsWriter(folder, flush_seconds=1e9) as writer:
        for number in (0, 1):
            writer.add(epoch("new", number))
        writer.add(FisherRow(key="new", epoch=0, level="model", part="", t=1, fisher_trace=1.0, fisher_se=0.0))
        same_as_scan(follower, folder)
        writer.flush()
        same_as_scan(follower, folder)
        writer.add(epoch("new", 1, val_acc=0.9))
        config = TrialConfig(timesteps=8)
        writer.add(TrialRow(key="new", sweep="demo", scale="laptop", status="running"), config)
        writer.add(TrialRow(key="new", sweep="demo", scale="laptop", status="failed"), config)
        same_as_scan(follower, folder)
    compact(folder)
    same_as_scan(follower, folder)
    found = follower.look()

    assert ["finished", "failed"] == found["trials"]["status"].to_list()
    assert [0.5, 0.9] == found["epochs"].filter(pl.col("key") == "new")["val_acc"].to_list()
    assert ["key", "epoch", "ic", "val_acc", "session", "seq"] == found["epochs"].columns


def test_only_new_segments_of_the_followed_tables_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look reads nothing; after a write, the one new segment of the one table; never the Fisher rows."""
    folder = write_sweep(tmp_path / "r", [({"optimiser.lr": 0.3}, "finished", STAYING)])
    read: list[str] = []
    original = pl.scan_parquet

    def noting(source: list[Path], **options: object) -> pl.LazyFrame:
        read.extend(f"{Path(path).parent.name}/{Path(path).name}" for path in source)
        return original(source, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(pl, "scan_parquet", noting)
    follower = Follower(folder, TABLES)
    looks = []
    for _ in range(2):
        follower.look()
        looks.append(list(read))
        read.clear()
    with ResultsWriter(folder) as writer:
        writer.add(epoch("new", 0))
    follower.look()

    assert [["trials/000001-000001.parquet", "epochs/000001-000001.parquet"], []] == looks
    assert ["epochs/000002-000001.parquet"] == read


def test_a_far_folder_is_followed_and_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows in the journal, in segments and after compaction are those of `scan`; a second look fetches nothing."""
    monkeypatch.setenv("TIC_SWEEP_CACHE", str(tmp_path / "cache"))
    folder = write_sweep(tmp_path / "r", [({"optimiser.lr": 0.3}, "finished", TURNING)])
    with running_server() as server:
        for name, value in environment_of(server).items():
            monkeypatch.setenv(name, value)
        follower = Follower(RemoteFolder.open(upload(folder.root, server, "r")), TABLES)
        same_as_scan(follower, folder)
        with ResultsWriter(folder, flush_seconds=1e9) as writer:
            writer.add(epoch("new", 0))
            upload(folder.root, server, "r")
            same_as_scan(follower, folder)
            writer.flush()
            upload(folder.root, server, "r")
            same_as_scan(follower, folder)
        fetched: list[int] = []
        real = RemoteFolder.fetched
        monkeypatch.setattr(
            RemoteFolder, "fetched", lambda self, table, some: (fetched.append(len(some)), real(self, table, some))[1]
        )
        follower.look()
        assert 0 == sum(fetched)
        compact(folder)
        upload(folder.root, server, "r")
        same_as_scan(follower, folder)
