"""Checkpoints live where the session was told, and later sessions find them there."""

import json
import shutil
from pathlib import Path

import pytest
from launch.launch_fakes import by_key, new_recorder, report, rows, write_sweep

from tic_sweep.config import Resources
from tic_sweep.errors import ResourceError, StoreError
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.preparing import prepare
from tic_sweep.launch.session import resume_sweep, run_sweep
from tic_sweep.launch.storage import check_storage, checkpoints_at, storage_of
from tic_sweep.store import Manifest, ResultsFolder, ResultsWriter
from tic_sweep.store.checkpoints import ObjectCheckpoints
from tic_sweep.training.checkpoint import load_checkpoint

ONE = "seeds=(0,)"


def manifest_of(folder: Path) -> Manifest:
    """Return the manifest of a results folder."""
    return Manifest.load(ResultsFolder.open(folder).manifest)


def test_a_folder_keeps_the_checkpoints_of_all_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was named once is used again, each results folder has a place of its own, and --rerun begins anew."""
    monkeypatch.chdir(tmp_path)
    request, here = Request(sweep=write_sweep(tmp_path, ONE)), Options(in_process=True, storage=Path("kept"))
    run_sweep(request, here, results=tmp_path / "a")
    run_sweep(request, here, results=tmp_path / "b")
    place = Path(manifest_of(tmp_path / "a").storage)
    (kept,) = place.iterdir()
    epoch = load_checkpoint(kept)["epoch"]
    kept.write_bytes(b"nothing that could be continued")
    again = run_sweep(request, Options(in_process=True, rerun=True), results=tmp_path / "a")

    assert (2, 1) == (epoch, again.done)
    assert place.parent == tmp_path / "kept"
    assert place.name.startswith("tiny-laptop-")
    assert str(place) == manifest_of(tmp_path / "a").storage != manifest_of(tmp_path / "b").storage
    assert 2 == load_checkpoint(kept)["epoch"]
    assert {2} == set(by_key(tmp_path / "a", "attempt").values())
    assert not (tmp_path / "a" / "checkpoints").exists()


@pytest.mark.parametrize("kept", ["checkpoints", "elsewhere"])
@pytest.mark.parametrize("pack", [1, 3])
def test_a_checkpoint_whose_rows_are_lost_is_not_gone_on_from(tmp_path: Path, kept: str, pack: int) -> None:
    """Wherever it lies: the trial begins anew, every row is there once more, and the session says so."""
    request = Request(sweep=write_sweep(tmp_path, ONE))
    storage = tmp_path / kept if kept == "elsewhere" else None
    here = Options(in_process=True, storage=storage, resources=Resources(checkpoint_seconds=0), pack=pack)
    run_sweep(request, here, results=tmp_path / "r")
    whole = by_key(tmp_path / "r", "weights_digest")
    folder = ResultsFolder.open(tmp_path / "r")
    for table in ("epochs", "trials"):
        shutil.rmtree(tmp_path / "r" / "tables" / table)  # as if all had still been in a journal, and were lost
    with ResultsWriter(folder) as writer:
        (key,) = whole
        recorder = new_recorder(writer, [trial for trial in prepare(request).trials if trial.key == key])
        recorder.started(key)
        recorder.report(key, report(key, 0))
        recorder.interrupted("a power cut")
    ended = resume_sweep(tmp_path / "r", None, here)

    assert (1, ()) == (ended.done, ended.problems)
    assert (
        f"trial {key}: its checkpoint was of epoch 2 and its rows end with epoch 0: it began anew.",
    ) == ended.mended
    assert whole == by_key(tmp_path / "r", "weights_digest")
    assert [0, 1, 2] == rows(tmp_path / "r", "epochs")["epoch"].sort().to_list()


def test_another_place_is_taken_and_trials_begin_anew_there(tmp_path: Path) -> None:
    """Its rows are whole: those that are told again replace those before."""
    request = Request(sweep=write_sweep(tmp_path, ONE), changes={"optimiser.epochs": 3})
    run_sweep(request, Options(in_process=True, stop_after=0.001), results=tmp_path / "r")
    ended = resume_sweep(tmp_path / "r", None, Options(in_process=True, storage=tmp_path / "new"))

    assert 1 == ended.done
    assert Path(manifest_of(tmp_path / "r").storage).parent == tmp_path / "new"
    assert 1 == len(list((tmp_path / "new").rglob("*.pt")))


def test_an_older_manifest_keeps_checkpoints_in_the_folder(tmp_path: Path) -> None:
    """One from before there was a choice."""
    run_sweep(Request(sweep=write_sweep(tmp_path, ONE)), Options(in_process=True), results=tmp_path / "r")
    file = tmp_path / "r" / "sweep.json"
    values = json.loads(file.read_text())
    del values["storage"]
    file.write_text(json.dumps(values))

    assert not storage_of(Options(), "x", manifest_of(tmp_path / "r"))
    assert tmp_path == checkpoints_at("", Options(), tmp_path)
    assert 1 == len(list((tmp_path / "r" / "checkpoints").iterdir()))


def test_places_as_the_runners_take_them(tmp_path: Path) -> None:
    """A folder is one, a URL a store, and this process takes folders alone."""
    assert Path("/kept/x") == checkpoints_at("/kept/x", Options(address="auto"), tmp_path)
    assert isinstance(checkpoints_at("s3://bucket/x", Options(), tmp_path), ObjectCheckpoints)
    with pytest.raises(ResourceError, match="leave --in-process out"):
        check_storage("s3://bucket/x", Options(in_process=True))
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"--storage .* cannot be made: .* is a file"):
        check_storage(str(tmp_path / "file" / "x"), Options())
