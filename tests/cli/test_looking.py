"""`status` and `watch` as a user meets them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from launch.launch_fakes import new_recorder, new_writer, planned, report
from store.fabricated import STAYING, TURNING, write_sweep, write_toys

from tic_sweep.cli import main

ROOT = Path(__file__).parents[2]


def call(*arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.mark.parametrize("command", ["status", "watch"])
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_finished_sweep_is_summed_up(
    command: str, columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both print the same and end: counts, the best, and the table with its curves, within the width."""
    monkeypatch.setenv("COLUMNS", str(columns))
    trials = [({"optimiser.lr": rate}, "finished", ic) for rate, ic in ((0.1, STAYING), (0.3, TURNING))]
    write_sweep(tmp_path / "r", trials)
    code = call(command, str(tmp_path / "r"))
    out, err = capsys.readouterr()

    assert (0, "") == (code, err)
    assert "demo, laptop: 2 of 2 trials done (2 finished)." in out
    assert "Best so far: validation accuracy 98.0%, lr 0.3, seed 0, at epoch 6" in " ".join(out.split())
    assert "▅▅▅▄▂▁▁" in out
    assert max(map(len, out.splitlines())) <= columns
    assert "resume" not in out


@pytest.mark.parametrize("command", ["status", "watch"])
def test_a_broken_off_sweep_says_how_to_go_on(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody holds the lock, and a trial has not ended."""
    monkeypatch.chdir(tmp_path)
    write_sweep(tmp_path / "r", [({}, "running", TURNING)])

    assert 0 == call(command, "r")
    assert "Interrupted: resume with: tic-sweep resume r" in capsys.readouterr().out


def rewrite(results: Path, **values: object) -> None:
    """Change fields of a manifest."""
    manifest = results / "sweep.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | values))


@pytest.mark.parametrize("command", ["status", "watch", "report", "claims", "effects", "export", "resume"])
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("objective", {"objective": "nonsense"}),
        ("race.budget", {"scheduler": "hybrid"}),
        ("race.order", {"scheduler": "hybrid", "race": {"budget": 1, "holdout": 0, "grace": 0, "order": 3}}),
    ],
)
def test_a_manifest_that_makes_no_sense_is_one_line(
    command: str, field: str, values: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names file, field and remedy, and nothing is written."""
    write_sweep(tmp_path / "r", [({}, "running", TURNING)])
    rewrite(tmp_path / "r", **values)
    before = sorted(tmp_path.rglob("*"))
    code = call(command, str(tmp_path / "r"), *([str(tmp_path / "a.zip")] if command == "export" else []))
    err = capsys.readouterr().err

    assert (2, 1) == (code, err.count("\n"))
    assert f"sweep.json: field '{field}' must be" in err
    assert "restore the file" in err
    assert before == sorted(tmp_path.rglob("*"))


@pytest.mark.parametrize("command", ["status", "watch", "report", "claims", "effects", "export", "resume"])
def test_a_varied_field_of_another_version_is_left_out(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As its column is; what both know is shown."""
    trials = [({"optimiser.lr": rate}, "finished", ic) for rate, ic in ((0.1, STAYING), (0.3, TURNING))]
    write_sweep(tmp_path / "r", trials)
    rewrite(tmp_path / "r", varied=["nothing.at", "optimiser.lr"])
    code = call(command, str(tmp_path / "r"), *([str(tmp_path / "a.zip")] if command == "export" else []))
    err = capsys.readouterr().err
    left_out = "tic-sweep: warning: 1 varied field unknown and left out: nothing.at.\n"

    assert (0, left_out if command == "export" else "") == (code, err)
    assert "nothing.at" in (tmp_path / "r" / "sweep.json").read_text()


@pytest.mark.parametrize("command", ["tic-sweep run 'tiny", "tic-sweep tune-lr 'tiny", "tic-sweep run tiny --nonsense"])
def test_a_command_that_is_not_understood_is_one_line(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A resume reads it; it says what to restore, or to give instead."""
    write_sweep(tmp_path / "r", [({}, "running", TURNING)])
    rewrite(tmp_path / "r", command=command)
    code = call("resume", str(tmp_path / "r"))
    err = capsys.readouterr().err

    assert (2, 1) == (code, err.count("\n"))
    assert "sweep.json: field 'command' is not understood (" in err
    assert "): restore the file, or give the command again" in err


def test_toy_problems_are_told_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep of blocks has its own table."""
    write_toys(tmp_path / "r", [({}, {0.1: [True, False], 1.0: [True, True]})])

    assert 0 == call("status", str(tmp_path / "r"))
    assert "decades" in capsys.readouterr().out


def test_watching_is_left_with_ctrl_c(tmp_path: Path) -> None:
    """As a process of its own, not on a terminal: lines, then Ctrl-C, exit code 0 and no traceback."""
    trial = planned(seed=0)
    with new_writer(tmp_path / "r") as writer:
        recorder = new_recorder(writer, [trial])
        recorder.started(trial.key)
        recorder.report(trial.key, report(trial.key, 1))
        with subprocess.Popen(
            [sys.executable, "-m", "tic_sweep", "watch", str(tmp_path / "r"), "--every", "0.2"],
            cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"NO_COLOR": "1"},
        ) as process:  # fmt: skip
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)

    assert (0, "") == (process.returncode, err)
    assert first.startswith("tiny, laptop: 0 of 1 trials done (1 running). 50%, 1 of 2 epochs")
    assert out.endswith("The sweep goes on.\n")


def test_no_results_are_refused_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that does not exist is named."""
    assert 2 == call("watch", "nowhere")
    assert "'nowhere' does not exist" in capsys.readouterr().err
