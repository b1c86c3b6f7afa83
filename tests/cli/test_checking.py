"""The doctor says what would keep a sweep from running, and leaves nothing behind."""

import resource
from pathlib import Path

import pytest

from tic_sweep.cli import main


def call(*arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def healthy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give it a home folder without a token, and plenty of open files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (65536, 65536))


def test_a_healthy_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every line is ok, and no file stays."""
    code = call("doctor", "--storage", "kept")
    out = capsys.readouterr().out

    assert 0 == code
    assert ["versions", "open files", "results", "storage", "token", "machine"] == [
        line.removeprefix("ok").strip().partition(":")[0] for line in out.splitlines()
    ]
    assert "trials at once" in out
    assert [] == list(tmp_path.iterdir())


def test_what_fails_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A place below a file, a token for all to read, a GPU that is not there, few open files: each a line."""
    (tmp_path / "file").write_text("")
    (tmp_path / ".ray").mkdir()
    token = tmp_path / ".ray" / "auth_token"
    token.write_text("a-secret")
    token.chmod(0o644)
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (1024, 1024))
    code = call("doctor", "--results", "file/r", "--storage", "file/s", "--gpus-per-trial", "64")
    lines = capsys.readouterr().out.splitlines()

    assert 1 == code
    assert [False, True, True, True, True, True] == [line.startswith("fails") for line in lines]
    for line, said in zip(
        lines[1:], ("ulimit", "is a file", "--storage", "chmod 600", "Leave the option"), strict=True
    ):
        assert said in line or "Give at most" in line
    assert "a-secret" not in "".join(lines)


def test_a_cluster_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """Its address is tried as a run would."""
    assert 1 == call("doctor", "--address", "127.0.0.1:1")
    assert "fails cluster: --address 127.0.0.1:1: nothing answers there" in capsys.readouterr().out
