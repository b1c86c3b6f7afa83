"""A thousand bad inputs: each costs one line and exit code 2, and leaves nothing behind."""

import contextlib
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from drills.bad_inputs import FILES, LINES, Bad, bad_inputs
from drills.harness import ROOT, SEED, Drill

from tic_sweep.cli import main
from tic_sweep.launch import session

COUNT = 1000


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which holds things that are no results; a sweep that would run fails the test."""
    (tmp_path / "letter.txt").write_text("dear")
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.py").mkdir()
    for name, content in {"foreign/letter.txt": "dear", "damaged/sweep.json": "{", "odd/sweep.json": "[1]",
                          "newer/sweep.json": '{"format": 99}'}.items():  # fmt: skip
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TIC_SWEEP_DATA", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


def tree(folder: Path) -> list[tuple[str, int]]:
    """Return every path below a folder, with its size."""
    return sorted((str(path.relative_to(folder)), path.stat().st_size) for path in folder.rglob("*"))


def refusal_of(bad: Bad, place: Path) -> str:
    """Give a bad input and return what is wrong with how it was refused; empty if nothing is."""
    for name, content in bad.files.items():
        (place / name).write_bytes(content)
    before, out, err = tree(place), io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(bad.arguments)
    except SystemExit as ended:
        code = ended.code
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is told with its input
        return f"{type(error).__name__}: {error}"
    told = err.getvalue().splitlines()
    if (code, len(told), out.getvalue()) != (2, 1, ""):
        return f"exit {code}, {len(told)} lines: {err.getvalue()}, on stdout: {out.getvalue()[:200]}"
    if not told[0].startswith("tic-sweep: error: ") or "Traceback" in told[0]:
        return told[0]
    return "something was written" if tree(place) != before else ""


@pytest.mark.filterwarnings("ignore")  # those of files that are run and then refused
def test_a_thousand_bad_inputs(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, one line on stderr, no traceback, nothing written; every kind there is, in one process."""

    def run(self: object, *_given: object) -> None:
        if self.options.address is None and self.options.resources.device != "cuda":
            raise AssertionError("it ran")
        really(self, *_given)

    really = session._Session.run
    monkeypatch.setattr(session._Session, "run", run)
    drill, wrong, began = Drill("bad sweep files and command lines"), [], time.monotonic()
    for bad in bad_inputs(COUNT, SEED):
        drill.times += 1
        if why := refusal_of(bad, place):
            wrong.append((bad.kind, bad.arguments, bad.files.get("bad.py", b"")[-700:].decode(errors="replace"), why))
    drill.seconds.append((time.monotonic() - began) / COUNT)

    assert not wrong, f"{len(wrong)} of {COUNT}: " + "\n\n".join(map(str, wrong[:20]))
    drill.end()


@pytest.mark.slow
def test_bad_inputs_of_real_processes(place: Path) -> None:
    """One of each kind, as a user gives it."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    for bad in bad_inputs(len(FILES) + len(LINES), SEED + 1):
        for name, content in bad.files.items():
            (place / name).write_bytes(content)
        before = tree(place)
        told = subprocess.run(
            [sys.executable, "-m", "tic_sweep", *bad.arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

        assert (2, 1) == (told.returncode, len(told.stderr.splitlines())), (bad, told)
        assert before == tree(place), bad
