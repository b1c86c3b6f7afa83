"""Texts that others wrote, and odd names, are only printed: they are no markup and command no terminal."""

from pathlib import Path

import pytest
from launch.launch_fakes import write_sweep
from store.fabricated import TURNING
from store.fabricated import write_sweep as write_results

from tic_sweep.cli import main

TITLE = "\x1b]0;owned\x1b\\\x9b2J"
"""Would name the terminal's window, and clear it."""


def call(*arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_a_question_is_no_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A plan opens with it word for word."""
    path = Path(write_sweep(tmp_path))
    path.write_text(path.read_text(encoding="utf-8").replace("Does it run?", "Does [/x] it :cat: [b]?"))

    assert 0 == call("plan", str(path), "--no-cost")
    assert "tiny, laptop: Does [/x] it :cat: [b]?\n" in capsys.readouterr().out


def test_a_folders_name_is_no_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is said about the folder names it as it is called."""
    sweep, name = write_sweep(tmp_path), "x[a][/b]"
    monkeypatch.chdir(tmp_path)

    assert 142 == call("run", sweep, "--in-process", "--wandb", "off", "--results", name, "--stop-after", "0.001")
    assert f"Continue with: tic-sweep resume {name}\n" in capsys.readouterr().out
    assert 0 == call("run", sweep, "--in-process", "--wandb", "off", "--results", name, "--seeds", "0")
    assert f"Report: {name}/report.html\n" in capsys.readouterr().out
    assert 0 == call("run", sweep, "--in-process", "--wandb", "off", "--results", name, "--seeds", "0")
    assert f"have ended already in {name};" in capsys.readouterr().out
    assert 0 == call("report", name)
    assert f"Report: {name}/report.html\n" in capsys.readouterr().out
    assert 0 == call("export", name, f"{name}.zip")
    assert f"Archive: {name}.zip\n" in capsys.readouterr().out


@pytest.mark.parametrize("words", [("status", "{}"), ("watch", "{}"), ("query", "{}", "SELECT reason FROM trials")])
def test_a_stored_reason_commands_no_terminal(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A question mark stands where a character would have."""
    folder = write_results(tmp_path / "r", [({}, "failed", TURNING)], reason=f"why {TITLE}[/x]")
    code = call(*(word.format(folder.root) for word in words))
    out, err = capsys.readouterr()

    assert (0, "") == (code, err)
    assert "why ?]0;owned?\\?2J[/x]" in out
    assert not {"\x1b", "\x9b"} & set(out)


def test_an_error_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """It may repeat what others named."""
    assert 2 == call(f"sta{TITLE}tus")
    assert not {"\x1b", "\x9b"} & set(capsys.readouterr().err)
