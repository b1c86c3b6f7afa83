"""Settings every test shares."""

import os
from collections.abc import Iterator

import pytest
import torch
from store.object_store import running_server

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")  # before Triton is imported: where no GPU is, its interpreter runs

os.environ["TIC_SWEEP_WANDB"] = "off"
"""Sweeps under test mirror nothing to W&B, whose client takes seconds to start; tests of the mirror say otherwise."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that start Ray in one process, one after the other: it wants the cores it is promised."""
    for item in items:
        if item.get_closest_marker("ray"):
            item.add_marker(pytest.mark.xdist_group("ray"))


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Tests run on one thread, so that sums come in one order and cores are left to Ray's workers."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Start one S3 server for all tests of object stores."""
    with running_server() as address:
        yield address
