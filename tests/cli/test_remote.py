"""Every command that reads results reads them in an object store as it does here."""

import re
import socket
from pathlib import Path

import pytest
from store.fabricated import STAYING, TURNING, write_sweep
from store.object_store import SECRET, environment_of, upload

from tic_sweep.cli import main


def call(*arguments: str | Path) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def read_text(page: Path) -> str:
    """Return what a report says, without its scripts, whose figures hold sums to the last bit."""
    return re.sub(r"<script.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    """Let the client find the server, keep its cache with the test, and give the terminal a width."""
    for name, value in environment_of(server).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TIC_SWEEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def near(tmp_path: Path) -> Path:
    """Return a finished sweep of two rates with two seeds each."""
    settings = [(lr, tau) for lr in (0.1, 0.3) for tau in (2.0, 4.0)]
    trials = [
        ({"optimiser.lr": lr, "neuron.tau": tau, "seed": seed}, "finished", TURNING if lr > 0.2 else STAYING)
        for lr, tau in settings
        for seed in (0, 1)
    ]
    return write_sweep(tmp_path / "near", trials, varied=("neuron.tau", "optimiser.lr")).root


@pytest.fixture
def far(near: Path, server: str, request: pytest.FixtureRequest) -> str:
    """Return the URL of a copy of it."""
    return upload(near, server, f"results/{re.sub('[^a-z]', '', request.node.name)}")


@pytest.mark.parametrize("command", ["status", "watch", "claims", "effects"])
def test_a_url_is_told_as_a_folder_is(near: Path, far: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Word for word the same."""
    first = call(command, near), capsys.readouterr()
    second = call(command, far), capsys.readouterr()

    assert first == second
    assert 0 == second[0]
    assert len(second[1].out.splitlines()) > 2


def test_near_and_far_sweeps_are_compared(near: Path, far: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The same trials lie at both places and cannot differ."""
    assert 0 == call("compare", near, far)
    out = capsys.readouterr().out

    assert f"A is {near}, B is {far}." in out
    assert "8 trials are the same in both" in out


def test_report_and_figures_go_where_they_are_told_to(
    near: Path, far: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page and a figure of the far folder are those of the near one; nothing is written anywhere else."""
    monkeypatch.chdir(tmp_path)
    options = ("--format", "svg", "--only", "fig4")

    assert (0, 0) == (call("report", far, "--out", "far.html"), call("figures", far, "--out", "f", *options))
    assert "Report: far.html" in capsys.readouterr().out
    assert (0, 0) == (call("report", near), call("figures", near, *options))
    pages = [read_text(tmp_path / "far.html"), read_text(near / "report.html")]
    assert pages[0] == pages[1]
    assert "Claims" in pages[0]
    names = sorted(path.name for path in (near / "figures").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "f").iterdir())
    assert all((near / "figures" / name).read_bytes() == (tmp_path / "f" / name).read_bytes() for name in names)
    assert {"near", "far.html", "f", "cache"} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(("command", "option"), [("report", "--out FILE"), ("figures", "--out FOLDER")])
def test_what_is_only_read_is_not_written_to(
    far: str, command: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says so and names the option; a secret in the URL is not repeated."""
    first, second = call(command, far), call(command, f"s3://science/x?secret_key={SECRET}")
    err = capsys.readouterr().err

    assert (2, 2) == (first, second)
    assert f"tic-sweep: error: {far} is only read: say with {option} where to write." == err.splitlines()[0]
    assert SECRET not in err


def test_a_report_can_be_written_elsewhere(near: Path, tmp_path: Path) -> None:
    """Of a local folder too."""
    assert 0 == call("report", near, "--out", tmp_path / "page.html")
    assert (tmp_path / "page.html").exists()
    assert not (near / "report.html").exists()


@pytest.mark.parametrize(
    ("lock", "said"),
    [(None, "Interrupted: resume it where it was run"), ("", "Interrupted"), ("process 1 on far", "running")],
)
def test_who_is_at_work_far_away(
    tmp_path: Path, server: str, lock: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sweep without a lock, or one that was given back, was broken off; one whose lock names a process goes on."""
    folder = write_sweep(tmp_path / "r", [({}, "running", TURNING), ({"seed": 1}, "planned", ())])
    folder.lock.unlink(missing_ok=True)
    if lock is not None:
        folder.lock.write_text(lock)
    name = "none" if lock is None else "given" if not lock else "held"
    assert 0 == call("status", upload(folder.root, server, f"work/{name}"))
    out = capsys.readouterr().out

    assert said in out
    assert ("Interrupted" in out) == (lock in {None, ""})


@pytest.mark.parametrize("command", ["status", "watch", "claims", "effects", "report", "figures"])
def test_a_wrong_address_is_one_line(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing at the URL, and nobody at the address, end with exit code 2 and a line each."""
    out = ["--out", str(tmp_path / "out")] if command in {"report", "figures"} else []
    missing = call(command, "s3://science-nowhere/x", *out)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
    silent = call(command, "s3://science/x", *out)
    lines = capsys.readouterr().err.splitlines()

    assert (2, 2) == (missing, silent)
    assert 2 == len(lines)
    assert "there is no 'science-nowhere'" in lines[0]
    assert "nobody answers" in lines[1]
