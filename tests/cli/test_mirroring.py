"""`tic-sweep wandb` as a user meets it: what it says, and what it refuses."""

import sys
from pathlib import Path

import pytest
from store.fabricated import TURNING, write_sweep

from tic_sweep.cli import main
from tic_sweep.wandb_sink import Pushed


def call(*arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("mode", "pushed", "said"),
    [
        (
            "offline",
            Pushed(trials=2, offline=3, upload="wandb sync --yes r/wandb", told=""),
            "Wrote 2 trials and the report for W&B. Upload them with: wandb sync --yes r/wandb\n",
        ),
        ("online", Pushed(trials=1, offline=0, upload="", told=""), "Sent 1 trial and the report to W&B.\n"),
        ("online", Pushed(trials=1, offline=2, upload="", told="W&B did not take 2 runs"), "W&B did not take 2 runs\n"),
    ],
)
def test_what_was_done_is_one_line(
    mode: str, pushed: Pushed, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Where the runs are, and the one command that uploads them; every option arrives."""
    write_sweep(tmp_path / "r", [({}, "finished", TURNING)])
    given: dict[str, object] = {}
    monkeypatch.setattr(
        "tic_sweep.wandb_sink.push", lambda folder, **rest: given.update(rest, root=folder.root) or pushed
    )
    options = ("--mode", mode, "--project", "p", "--entity", "e", "--trials", "all", "--checkpoints", "none")
    code = call("wandb", str(tmp_path / "r"), *options)

    assert (0, said) == (code, capsys.readouterr().out)
    assert {
        "root": tmp_path / "r", "mode": mode, "project": "p", "entity": "e", "trials": "all", "checkpoints": "none",
    } == given  # fmt: skip


def test_what_is_no_results_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit code 2."""
    code = call("wandb", str(tmp_path / "nothing"))
    out, err = capsys.readouterr()

    assert (2, "", 1) == (code, out, len(err.splitlines()))
    assert "does not exist" in err


@pytest.mark.parametrize("refusing", ["pathlib.Path.mkdir", "tempfile.TemporaryFile"])
def test_results_that_cannot_be_written_are_told(
    refusing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with the folder, what the disk says and the remedy: W&B keeps its runs there."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    folder = write_sweep(tmp_path / "r", [({}, "finished", TURNING)])
    monkeypatch.setattr(refusing, refuse)
    code = call("wandb", str(folder.root))
    out, err = capsys.readouterr()

    assert (2, "", 1) == (code, out, len(err.splitlines()))
    assert f"{folder.wandb} cannot be written (Read-only file system): allow or free space there" in err


def test_a_file_where_runs_would_lie_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit code 2."""
    folder = write_sweep(tmp_path / "r", [({}, "finished", TURNING)])
    folder.wandb.write_text("")
    code = call("wandb", str(folder.root))
    err = capsys.readouterr().err

    assert (2, 1) == (code, len(err.splitlines()))
    assert f"{folder.wandb} cannot be written (File exists)" in err


def test_a_missing_client_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit code 2."""
    write_sweep(tmp_path / "r", [({}, "finished", TURNING)])
    monkeypatch.setitem(sys.modules, "wandb", None)
    code = call("wandb", str(tmp_path / "r"))
    err = capsys.readouterr().err

    assert 2 == code
    assert err.startswith("tic-sweep: error: wandb cannot be used (")
