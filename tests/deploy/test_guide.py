"""The guide to clusters gives commands that exist."""

import re
import shlex
from pathlib import Path

import pytest

from tic_sweep.cli import cli

GUIDE = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```bash\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.startswith("tic-sweep ")
]


def test_there_are_commands() -> None:
    """From the laptop to the cluster, and back to one trial."""
    assert {"run", "query", "rerun", "doctor"} == {command.split()[1] for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_understood(command: str) -> None:
    """Each names a command and options that exist."""
    name, *arguments = shlex.split(command)[1:]

    assert name == cli.commands[name].make_context(name, arguments).info_name
