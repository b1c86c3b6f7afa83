"""The guide to clusters gives commands that exist, and numbers that follow."""

import math
import re
import shlex
from pathlib import Path

import pytest

from tic_sweep.cli import cli
from tic_sweep.plan import plan
from tic_sweep.sweep import load_sweep

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


def test_the_example_of_rounds_is_worked_out() -> None:
    """How long `landscape` takes on 64 GPUs follows from its plan: hours, rounds, and the GPUs idle in the last."""
    sweep, _ = load_sweep("landscape")
    trials = plan(sweep.scales["paper"], sweep_name=sweep.name)
    (epochs,) = {trial.config.optimiser.epochs for trial in trials}
    n, gpus, seconds = len(trials), 64, 60
    idle = math.ceil(n / gpus) * gpus - n

    assert f"is {n} trials × {epochs} epochs = {n * epochs:,} epochs." in GUIDE
    assert f"If s were {seconds} s, that is {n * epochs * seconds // 3600} GPU hours: on {gpus} GPUs" in GUIDE
    assert f"two rounds of {epochs * seconds // 3600} hours, with {idle} GPUs idle in the second" in GUIDE
    assert 2 == math.ceil(n / gpus)
