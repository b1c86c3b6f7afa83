"""The W&B mirror, with the real client offline: its data file is read back."""

import json
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from launch.launch_fakes import planned, report

from tic_sweep.records import TrialRow
from tic_sweep.wandb_sink import WandbSink

BLOCK = 32_768
"""W&B's file is a LevelDB log: blocks of 32 KiB, each piece with 7 bytes of checksum, length and kind."""


WRITTEN_SECONDS = 30


def records(file: Path) -> Iterator[bytes]:
    """Yield the records of a .wandb file, after its own header of 7 bytes."""
    content, at, record = file.read_bytes(), 7, b""
    while at + 7 <= len(content):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        record += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in {1, 4}:  # whole, or the last piece
            yield record
            record = b""


def mirrored(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """Return config, history and summary of the only run below a folder."""
    from wandb.proto.wandb_internal_pb2 import Record

    (file,) = folder.rglob("run-*.wandb")
    deadline = time.monotonic() + WRITTEN_SECONDS
    while not list(records(file))[3:] and time.monotonic() < deadline:
        time.sleep(0.1)  # the client returns before its own process has written all; on a busy machine one can see it
    config: dict[str, Any] = {}
    history: list[dict[str, Any]] = []
    summary: dict[str, Any] = {}
    for content in records(file):
        record = Record.FromString(content)
        config |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
        items = {(item.key or "/".join(item.nested_key)): json.loads(item.value_json) for item in record.history.item}
        history += [items] if items else []
        summary |= {(i.key or "/".join(i.nested_key)): json.loads(i.value_json) for i in record.summary.update}
    return config, history, summary


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of W&B's own dependencies
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_trial_becomes_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Config, epochs with IC and I_t, and the outcome are what the trial told."""
    monkeypatch.delenv("WANDB_MODE", raising=False)
    trial = planned(lr=0.125)
    sink = WandbSink("offline", tmp_path, "tiny")
    sink.started(trial, 1)
    for epoch in range(3):
        sink.report(trial, report(trial.key, epoch, ic=1.5 + epoch))
    sink.ended(trial, TrialRow(key=trial.key, sweep="tiny", scale="laptop", status="finished", test_acc=0.5), None)
    problems = sink.close()
    config, history, summary = mirrored(tmp_path)

    assert [] == problems
    assert (0.125, 1) == (config["optimiser.lr"], config["attempt"])
    assert [(0, 1.5, 2.0), (1, 2.5, 2.0), (2, 3.5, 2.0)] == [(h["epoch"], h["ic"], h["fisher/t01"]) for h in history]
    assert ("finished", 0.5) == (summary["status"], summary["test_acc"])


def test_a_client_that_fails_costs_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever W&B raises, the sink goes on and tells it once, when it closes."""
    trial = planned()
    sink = WandbSink("online", tmp_path, "tiny")
    monkeypatch.setattr(sink, "_open", lambda *_: (_ for _ in ()).throw(ConnectionError("no route\nto host")))
    for attempt in (1, 2):
        sink.started(trial, attempt)
    sink.report(trial, report(trial.key))
    problems = [*sink.close(), *sink.close()]

    assert ["W&B: 2 messages were not mirrored, the first because of ConnectionError: no route"] == problems


def test_closing_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that hangs is left behind after a while."""
    import threading

    released = threading.Event()
    monkeypatch.setattr("tic_sweep.wandb_sink.CLOSE_SECONDS", 0.1)
    sink = WandbSink("online", tmp_path, "tiny")
    monkeypatch.setattr(sink, "_open", lambda *_: released.wait())
    sink.started(planned(), 1)
    problems = sink.close()
    released.set()

    assert 1 == len(problems)
    assert "gave up after 0.1 s" in problems[0]


def test_off_never_imports_wandb(tmp_path: Path) -> None:
    """A fresh interpreter that mirrors nothing never loads the client."""
    code = (
        "import sys; from pathlib import Path; from tic_sweep.wandb_sink import WandbSink\n"
        f"s = WandbSink('off', Path({str(tmp_path)!r}), 'x'); s.started(None, 1); s.close()\n"
        "print('wandb' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    )

    assert "False" == done.stdout.strip()
