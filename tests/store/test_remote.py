"""Results in an object store read as those on disk do, over HTTP from a server in another process."""

import socket
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from store.fabricated import STAYING, TURNING, write_sweep
from store.object_store import KEY, SECRET, ask_for_permission, environment_of, running_server, upload
from store.store_rows import epoch_row, new_folder, trial_row

from analysis import open_results
from tic_sweep.config import TrialConfig
from tic_sweep.errors import StoreError
from tic_sweep.records import TABLES
from tic_sweep.store import DamagedFileWarning, RemoteFolder, ResultsWriter, compact, scan
from tic_sweep.store.addresses import Address, local_path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> Path:
    """Let the client find the server, and keep its cache with the test."""
    for name, value in environment_of(server).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TIC_SWEEP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fetched(cache: Path) -> list[str]:
    """Return table and name of the segments in the cache."""
    return sorted(f"{file.parts[-3]}/{file.name}" for file in cache.rglob("*.parquet"))


def test_every_table_is_that_of_the_local_folder(tmp_path: Path, server: str) -> None:
    """Manifest, trials, epochs and all the rest are the same frames, with blanks and brackets in the prefix too."""
    folder = write_sweep(tmp_path / "r", [({"seed": s}, "finished", TURNING) for s in (0, 1)])
    url = upload(folder.root, server, "my results/[lr=0.1]")
    near, far = open_results(folder.root), open_results(url)

    assert near.manifests == far.manifests
    for table in TABLES:
        assert_frame_equal(getattr(near, table).collect(), getattr(far, table).collect())
    assert 14 == far.epochs.filter(pl.col("epoch") >= 0).select("ic").collect().height
    assert far.problems.is_empty()


def test_a_running_folder_with_its_journal(tmp_path: Path, server: str) -> None:
    """Rows that are still in the journal are there, and those that come later are when the folder is opened again."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder, flush_rows=10**6, flush_seconds=1e6) as writer:
        writer.add(trial_row("a", "running"), TrialConfig())
        writer.add(epoch_row("a", 0, ic=4.0))
        writer.flush()
        writer.add(epoch_row("a", 1, ic=3.0))
        early = open_results(upload(folder.root, server, "running"))
        first = early.epochs.select("epoch", "ic").collect().rows()
        writer.add(epoch_row("a", 2, ic=2.0))
        late = open_results(upload(folder.root, server, "running"))

        assert [(0, 4.0), (1, 3.0)] == first == early.epochs.select("epoch", "ic").collect().rows()
        assert [(0, 4.0), (1, 3.0), (2, 2.0)] == late.epochs.select("epoch", "ic").collect().rows()


def test_segments_are_fetched_once_and_when_they_are_used(
    tmp_path: Path, server: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening fetches no segment, a query those of its tables, and a second look none."""
    url = upload(write_sweep(tmp_path / "r", [({}, "finished", TURNING)]).root, server, "once")
    opened = open_results(url)
    before = fetched(cache)
    opened.epochs.collect()
    opened.epochs.collect()

    assert [] == before
    assert ["epochs/000001-000001.parquet"] == fetched(cache)
    monkeypatch.setattr(RemoteFolder, "_fetch", lambda *_: pytest.fail("fetched again"))
    assert 7 == open_results(url).epochs.collect().height


def test_a_compacted_folder_is_fetched_anew(tmp_path: Path, server: str) -> None:
    """A segment that compaction has replaced under its own name is not taken from the cache."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder, flush_rows=1) as writer:
        for epoch in range(3):
            writer.add(epoch_row("a", epoch))
    url = upload(folder.root, server, "compacted")
    before = scan(RemoteFolder.open(url), "epochs").collect()
    compact(folder)
    later = upload(folder.root, server, "compacted")

    assert_frame_equal(before, scan(RemoteFolder.open(later), "epochs").collect())
    assert [0, 1, 2] == before["epoch"].to_list()


def test_a_damaged_remote_segment_is_counted(tmp_path: Path, server: str) -> None:
    """What could not be read is known after the table is used, as of a local folder."""
    folder = write_sweep(tmp_path / "r", [({}, "finished", STAYING)])
    folder.segments("fisher")[0].write_bytes(b"PAR1")
    url = upload(folder.root, server, "damaged")
    opened = open_results(url)

    with pytest.warns(DamagedFileWarning):
        assert 0 == opened.fisher.collect().height
    with pytest.warns(DamagedFileWarning):
        assert [(url, "fisher", "000001-000001.parquet", "segments damaged and passed over", 1)] == (
            opened.problems.rows()
        )


def test_near_and_far_folders_open_together(tmp_path: Path, server: str) -> None:
    """One of two seeds lies here, the other there."""
    near = write_sweep(tmp_path / "a", [({"seed": 0}, "finished", TURNING)])
    far = write_sweep(tmp_path / "b", [({"seed": 1}, "finished", TURNING)])
    both = open_results([near.root, upload(far.root, server, "other")])

    assert [0, 1] == both.trials.select("seed").collect()["seed"].to_list()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s3://nowhere-at-all/x", "there is no 'nowhere-at-all' at that store"),
        ("s3://science/nothing/here", "no results folder"),
        ("gcss://science/x", "Did you mean 'gcs'"),
        ("s3://", "names no bucket"),
        (f"s3://{KEY}:{SECRET}@science/x", "credentials come from the environment"),
        (f"s3://science/x?secret_key={SECRET}", "credentials come from the environment"),
    ],
)
def test_a_wrong_url_is_one_line(tmp_path: Path, server: str, url: str, words: str) -> None:
    """A wrong bucket, prefix or scheme, and a secret in the URL, are named; no secret is repeated."""
    upload(new_folder(tmp_path / "r").root, server, "something")
    with pytest.raises(StoreError, match=words) as raised:
        open_results(url)

    assert "\n" not in str(raised.value)
    assert SECRET not in str(raised.value)
    assert KEY not in str(raised.value)


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port at which nobody listens is told from a missing folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(StoreError, match=r"s3://science/x cannot be read; nobody answers"):
        open_results("s3://science/x")


def test_no_permission_shows_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that knows nobody refuses; the line says so and holds neither key nor secret."""
    with running_server() as strict:
        monkeypatch.setenv("AWS_ENDPOINT_URL", strict)
        url = upload(new_folder(tmp_path / "r").root, strict, "closed")
        ask_for_permission(strict)
        with pytest.raises(StoreError, match=r"cannot be read; .*credentials") as raised:
            open_results(url)

    assert raised.value.__cause__ is None
    assert SECRET not in str(raised.value)
    assert KEY not in str(raised.value)


def test_a_cache_that_cannot_be_written(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy names the variable."""
    url = upload(write_sweep(tmp_path / "r", [({}, "finished", TURNING)]).root, server, "uncached")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TIC_SWEEP_CACHE", str(tmp_path / "file"))
    with pytest.raises(StoreError, match="set TIC_SWEEP_CACHE"):
        open_results(url).epochs.collect()


def test_file_urls_are_paths(tmp_path: Path) -> None:
    """``file://`` names a folder of this machine, with blanks written as %20."""
    folder = write_sweep(tmp_path / "my results", [({}, "finished", TURNING)])

    assert 7 == open_results(folder.root.as_uri()).epochs.collect().height
    assert Path("C:/x") == local_path("C:/x")


def test_a_path_made_of_a_url_is_that_url() -> None:
    """`Path` takes a slash away, which is given back."""
    assert local_path(Path("s3://bucket/a/b")) is None
    assert Address("s3", "bucket", "a/b") == Address.parse(Path("s3://bucket/a/b"))
    assert "s3://bucket/a" == Address.parse("s3://bucket/a/?region=eu-west-1").name
