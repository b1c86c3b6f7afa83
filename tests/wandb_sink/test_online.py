"""Online: a server that takes all, one that refuses the key, one that hangs, and none at all; each on this machine."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from wandb_sink.drivers import FAKE, finished, sync
from wandb_sink.wandb_files import written_runs
from wandb_sink.wandb_server import KEY, serving

ENDS = 60.0
"""Seconds within which a driver with four trials has closed its mirror, whatever the server does."""
NOBODY = "http://127.0.0.1:9"
"""Where nothing listens."""


def mirrored(results: Path, url: str, *words: object) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    """Mirror made-up trials in a process of its own; return what it was told, and the process."""
    ended = finished(sys.executable, FAKE, results, "online", *words, home=results.parent, url=url)
    assert 0 == ended.returncode, ended.stderr
    return json.loads(ended.stdout), ended


def test_a_server_gets_a_run_and_a_later_session_goes_on_with_it(tmp_path: Path) -> None:
    """Epochs 0..2, then 2..4 after a resume: one run of one id, every epoch once, in order."""
    with serving() as backend:
        first, _ = mirrored(tmp_path / "r", backend.url, 1, 0, 2, 1)
        second, _ = mirrored(tmp_path / "r", backend.url, 1, 2, 4, 2)
    (run,) = backend.runs.values()

    assert ([], []) == (first["told"], second["told"])
    assert [0, 1, 2, 3, 4] == [line["epoch"] for line in run.history]
    assert [1.0, 1.1, 1.2, 1.3, 1.4] == [line["ic"] for line in run.history]
    assert ("finished", 4) == (run.summary["status"], run.summary["epochs_done"])
    assert ("tiny-laptop", "trial") == (run.about["groupName"], run.about["jobType"])
    assert 2 == run.config["attempt"]


@pytest.mark.parametrize("behaviour", ["refuses", "hangs", "nobody"])
def test_a_sweep_outlives_its_server(behaviour: str, tmp_path: Path) -> None:
    """The runs are kept offline after two tries, one line tells it, the key stands nowhere, and it ends in time."""
    if behaviour == "nobody":
        told, ended = mirrored(tmp_path / "r", NOBODY, 4, 0, 1, 1)
        asked = 2
    else:
        with serving(behaviour) as backend:
            told, ended = mirrored(tmp_path / "r", backend.url, 4, 0, 1, 1)
            asked = backend.asked
    runs = written_runs(tmp_path / "r")
    (line,) = told["told"]

    assert line.startswith("W&B did not take 4 runs (CommError: ")
    assert line.endswith("wandb sync --yes r/wandb")
    assert told["feeding"] < 1.0
    assert told["closing"] < ENDS
    assert asked < 4 * 2
    assert "" == ended.stderr
    assert [[0, 1]] * 4 == [run.column("epoch") for run in runs.values()]
    assert [] == leaks(tmp_path, ended.stdout)


def test_a_server_that_stops_listening(tmp_path: Path) -> None:
    """Runs it has opened are whole on the disk, later ones are kept offline; `wandb sync` uploads both kinds."""
    with serving("stalls") as backend:
        told, ended = mirrored(tmp_path / "r", backend.url, 4, 0, 1, 1)
    (line,) = told["told"]
    with serving() as backend:
        command = line.rpartition(": ")[2].split()
        synced = finished(Path(sys.executable).with_name(command[0]), *command[1:], home=tmp_path, url=backend.url)

    assert line.startswith("W&B did not take 4 runs (TimeoutError: ")
    assert "--include-online" in command
    assert told["closing"] < ENDS
    assert "" == ended.stderr
    assert 0 == synced.returncode, synced.stderr
    assert [[0, 1]] * 4 == [[line["epoch"] for line in run.history] for run in backend.runs.values()]


def test_what_was_kept_is_uploaded_later(tmp_path: Path) -> None:
    """`wandb sync`, as told, sends whole runs to a server that answers again."""
    mirrored(tmp_path / "r", NOBODY, 2, 0, 2, 1)
    with serving() as backend:
        synced = sync(tmp_path / "r", home=tmp_path, url=backend.url)

    assert 0 == synced.returncode, synced.stderr
    assert [[1.0, 1.1, 1.2]] * 2 == [[line["ic"] for line in run.history] for run in backend.runs.values()]
    assert [True, True] == [run.complete for run in backend.runs.values()]


def test_without_a_key_nobody_is_asked_for_one(tmp_path: Path) -> None:
    """A user who never logged in gets a line, no prompt."""
    ended = finished(
        sys.executable, FAKE, tmp_path / "r", "online", 1, 0, 1, 1, home=tmp_path, url=NOBODY, WANDB_API_KEY=""
    )
    (line,) = json.loads(ended.stdout)["told"]

    assert line.startswith("W&B did not take 1 run (UsageError: No API key configured")


def leaks(folder: Path, *texts: str) -> list[str]:
    """Return where the key stands."""
    files = [str(file) for file in folder.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]
    return files + [text for text in texts if KEY in text]
