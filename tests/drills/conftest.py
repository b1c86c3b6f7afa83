"""What every drill is compared with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from drills.harness import Sweep, write_sweep
from launch.conftest import ray_here  # noqa: F401 - a fixture


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of the drills' sweep when nothing happens to it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    sweep = Sweep(write_sweep(folder), folder / "r")
    said = sweep.run("--in-process")
    assert (0, "") == (said.code, said.err)
    return sweep.place


LONG = {"rates": 2, "seeds": 1, "epochs": 600}
"""Two trials that are at work for longer than a drill disturbs them; the drills check it."""


@pytest.fixture(scope="session")
def undisturbed_long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of two long trials when nothing happens to them."""
    folder = tmp_path_factory.mktemp("undisturbed_long")
    sweep = Sweep(write_sweep(folder, **LONG), folder / "r")
    said = sweep.run("--in-process")
    assert (0, "") == (said.code, said.err)
    return sweep.place


@pytest.fixture
def long_sweep(tmp_path: Path) -> Iterator[Sweep]:
    """Return two long trials with a results folder of their own; of their processes none is left in the end."""
    sweep = Sweep(write_sweep(tmp_path, **LONG), tmp_path / "r")
    yield sweep
    sweep.clear()


@pytest.fixture
def sweep(tmp_path: Path) -> Iterator[Sweep]:
    """Return the drills' sweep with a results folder of its own; of its processes none is left in the end."""
    sweep = Sweep(write_sweep(tmp_path), tmp_path / "r")
    yield sweep
    sweep.clear()
