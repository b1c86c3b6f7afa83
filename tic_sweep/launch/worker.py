"""`Worker`: what a process of Ray Tune's is given once, for all the trials or packs that it runs one after another."""

import gc
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import ray
from ray import tune

from tic_sweep.config import Resources, TrialConfig
from tic_sweep.data import RawData, data_name
from tic_sweep.launch.carrying import Checkpoints
from tic_sweep.training import Trainer


class Worker(tune.Trainable, ABC):
    """A trainable whose process stays, with its imports and its view of the data.

    Nothing that can fail happens before the first step, so that what fails has started, and counts as an attempt.
    """

    def setup(
        self,
        config: dict[str, Any],
        data: Mapping[str, Any] | None = None,
        resources: Resources | None = None,
        checkpoints: Checkpoints | None = None,
        training: Callable[..., Trainer] | None = None,
    ) -> None:
        """Take note of what to run.

        Args:
            config: under ``planned``, what `assign` takes, without what is at its default: Tune keeps a copy of this in
                every result.
            data: references to the data sets in Ray's object store, by name.
            resources: what a trial, or a pack, may use.
            checkpoints: where the training states live.
            training: what trains; None is what trains as ever.
        """
        assert data is not None and resources is not None and checkpoints is not None  # noqa: S101, PT018 - given by us
        self._data, self._resources, self._checkpoints, self._training = data, resources, checkpoints, training
        gc.freeze()  # what has been imported stays; without this each `cleanup` would search all of it for garbage
        self.assign(config["planned"])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next trial or pack."""
        self.cleanup()
        self.assign(new_config["planned"])
        return True

    @abstractmethod
    def assign(self, planned: dict[str, Any]) -> None:
        """Take note of a trial or a pack, as `ray_tune` lets it cross, and forget the one before."""

    def data_of(self, config: TrialConfig) -> RawData | None:
        """Return the data set that a trial needs; None if it needs none."""
        stored = self._data.get(data_name(config) or "")
        return None if stored is None else ray.get(stored)
