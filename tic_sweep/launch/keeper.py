"""Checkpoints of a cluster without a place that all its nodes see: they travel to the driver's disk.

An actor on the driver's node writes them into the results folder and reads them back from there, so that a trial may
go on at any node, in this session or a later one. All checkpoints pass through that one node: where there are many,
or large ones, ``--storage`` names a shared folder or an object store instead.
"""

from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from tic_sweep.launch.recorder import checkpoint_of
from tic_sweep.store.atomic import write_atomically


class _Keeper:
    """Writes and reads files in one folder, where it runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, key: str) -> bytes | None:
        try:
            return checkpoint_of(self._folder, key).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, key: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(checkpoint_of(self._folder, key), content)


class DriverCheckpoints:
    """Checkpoints in a folder of the driver's machine, for workers anywhere; see `CheckpointStore`."""

    def __init__(self, folder: Path) -> None:
        """Start the actor; it ends with the driver."""
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._folder = folder
        self._keeper: Any = ray.remote(_Keeper).options(num_cpus=0, scheduling_strategy=here).remote(folder)

    def fetch(self, key: str, to: Path) -> None:
        """Copy a trial's checkpoint into a file; leave none there if there is none."""
        content: Any = ray.get(self._keeper.read.remote(key))
        if content is not None:
            to.write_bytes(content)

    def keep(self, key: str, file: Path) -> None:
        """Make a file the trial's checkpoint, whole or not at all."""
        ray.get(self._keeper.write.remote(key, file.read_bytes()))

    def forget(self, key: str) -> None:
        """Remove a trial's checkpoint, if there is one; called by the driver, whose folder it is."""
        checkpoint_of(self._folder, key).unlink(missing_ok=True)
