"""The README says what is so: its Python runs, its commands parse, its links lead somewhere."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from store.fabricated import TURNING, write_sweep

from tic_sweep.cli import cli
from tic_sweep.sweep import Sweep

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("bash") for line in block.splitlines() if line.startswith("tic-sweep ")]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_understood(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each `tic-sweep` line names a command and options that exist."""
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    name, *arguments = shlex.split(command)[1:]

    context = cli.commands[name].make_context(name, arguments)

    assert name == context.info_name


@pytest.mark.parametrize("name", ["main-job", "tests"])
def test_the_two_commands_are_one_line_each(name: str) -> None:
    """What sets up and runs is a single line in a block of its own."""
    block = re.search(rf"<!-- {name} -->\n```bash\n(.*?)```", README, flags=re.DOTALL)

    assert block is not None
    assert 1 == block.group(1).count("\n")


def test_measuring_a_network_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    """The library example runs as printed."""
    (example,) = [block for block in blocks("python") if "fisher_trace(" in block]
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - our own README

    assert "tensor([" in capsys.readouterr().out


def test_asking_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The analysis example runs as printed, on a sweep that lies where the quickstart's would."""
    (example,) = [block for block in blocks("python") if "open_results(" in block]
    trials = [({"optimiser.lr": lr}, "finished", TURNING) for lr in (0.1, 0.3)]
    write_sweep(tmp_path / "results" / "quickstart-laptop", trials)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - our own README

    assert "3.5" in capsys.readouterr().out


def test_a_sweep_of_ones_own() -> None:
    """The example sweep is a sweep."""
    (example,) = [block for block in blocks("python") if "SWEEP =" in block]
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)  # noqa: S102 - our own README

    assert isinstance(names["SWEEP"], Sweep)


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))])
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link of the documents names a file that exists."""
    path = ROOT / page
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8"))

    assert [] == [link for link in links if not (path.parent / link).exists()]


def test_named_functions_exist() -> None:
    """Every dotted name of the package in docs/science.md can be imported."""
    text = (ROOT / "docs" / "science.md").read_text(encoding="utf-8")
    for dotted in set(re.findall(r"`(tic_sweep(?:\.\w+)+)`", text)):
        module, _, name = dotted.rpartition(".")
        assert hasattr(__import__(module, fromlist=[name]), name), dotted
