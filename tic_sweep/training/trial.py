"""`Training`: one trial from its config to its outcome, told as a sequence of reports.

Epoch 0 is measured untrained; every later report follows one epoch: those of the first training, then those of each
pruning cycle (`phases` says which is which). Each epoch draws from streams of its own, so that a trial resumed from a
checkpoint continues bit for bit (on a CPU), and measuring never changes training.
"""

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch

from tic_sweep.config import Resources, TrialConfig
from tic_sweep.data import RawImages, prepare
from tic_sweep.models import SpikingNetwork, build_model
from tic_sweep.packing import seconds, shared
from tic_sweep.records import EpochRow, Report, Row
from tic_sweep.training.attempt import Diverged
from tic_sweep.training.cycles import Cycles
from tic_sweep.training.epoch import train_epoch
from tic_sweep.training.network_attempt import UNTRAINED, NetworkAttempt
from tic_sweep.training.observation import Observation, Observer
from tic_sweep.training.optimisation import (
    build_optimiser,
    load_optimiser_state,
    optimiser_state,
    set_learning_rate,
)  # fmt: skip
from tic_sweep.training.phases import ending_with, learning_rate, phase_of
from tic_sweep.training.presentation import Presentation


class Training(NetworkAttempt[SpikingNetwork]):
    """One trial of task images: train an epoch, look at the network, report; prune where a cycle begins."""

    def __init__(
        self, config: TrialConfig, images: RawImages, resources: Resources, checkpoint: Path | None = None
    ) -> None:
        """Prepare the trial, continuing from ``checkpoint`` if that file exists.

        Args:
            config: the science.
            images: the raw images of ``config.data.name``.
            resources: the circumstance.
            checkpoint: where this trial's checkpoint lies or will lie; None keeps none.
        """
        super().__init__(config, resources, checkpoint)
        data = shared(partial(prepare, images, config.data, self.device), config.data)
        self._train_images = data.train
        self._present = Presentation(config, data.mean, data.std)
        self._observer = Observer(
            config, data, self._present, resources.fisher_chunk, bfloat16=resources.precision == "bfloat16"
        )
        self.model = build_model(config).to(self.device)
        if self.kernels == "triton":  # its kernels and the tensor cores' convolutions both want channels last
            self.model = self.model.to(memory_format=torch.channels_last)
        self._optimiser = build_optimiser(self.model, config.optimiser)
        self._cycles = Cycles(config, self.model)
        self._train_seconds = 0.0
        self._resume()

    def _advance(self) -> Report:
        """Train the next epoch, but not for the untrained report, and tell what is seen of the network then."""
        epoch = self._epoch + 1
        cycle = phase_of(self.config, epoch).cycle
        trained = self._trained(epoch) if epoch else UNTRAINED
        seen = self._observer.look(self.model, epoch, self._cycles.masks)
        self._epoch, self._val_acc = epoch, seen.validation.acc
        self._keep_best(seen.validation.acc)
        self._cycles.observe(epoch, seen.trace)
        row = EpochRow(
            key=self.key, epoch=epoch, cycle=cycle, sparsity=self._cycles.sparsity, **trained, **seen.columns()
        )
        return Report(epoch=row, rows=(*seen.rows(), *self._cycle_rows(seen)))

    def _trained(self, epoch: int) -> dict[str, Any]:
        """Train one epoch, after pruning where a cycle begins; return what the report says of it."""
        phase = phase_of(self.config, epoch)
        if phase.cycle and epoch == phase.start + 1:
            self._begin_cycle(phase.cycle)
        began = seconds()
        lr, timesteps = learning_rate(self.config, epoch), self._cycles.timesteps(phase.cycle)
        set_learning_rate(self._optimiser, lr)
        means = train_epoch(
            self.model, self._optimiser, self._train_images, self._present, epoch=epoch, timesteps=timesteps,
            masks=self._cycles.masks, bfloat16=self.resources.precision == "bfloat16",
        )  # fmt: skip
        if not math.isfinite(means["objective"]):
            raise Diverged(f"training loss is {means['objective']} in epoch {epoch}")
        taken = seconds() - began
        self._train_seconds += taken
        return {"lr": lr, "train_timesteps": timesteps, **means, "train_seconds": taken}

    def _begin_cycle(self, cycle: int) -> None:
        """Prune, and forget what the update rule remembers."""
        self._cycles.begin(cycle)
        self._optimiser = build_optimiser(self.model, self.config.optimiser)

    def _cycle_rows(self, seen: Observation) -> Iterator[Row]:
        """Yield the rows of the cycles that end with this epoch; those without epochs are gone through here."""
        if not self.config.pruning.cycles:
            return
        validation, trace = seen.validation, seen.trace
        for phase in ending_with(self.config, seen.epoch):
            if phase.cycle and not phase.epochs:
                self._begin_cycle(phase.cycle)
                validation, trace = self._observer.validate(self.model, seen.epoch), None
                self._val_acc = validation.acc
            test = self._observer.test(self.model)
            yield from self._cycles.rows(phase.cycle, seen.epoch, validation, test, trace, self._train_seconds)

    def _tested(self) -> float:
        return self._observer.test(self.model).acc

    def _state(self) -> dict[str, Any]:
        return {
            "epoch": self._epoch,
            "train_seconds": self._train_seconds,
            "val_acc": self._val_acc,
            "best": self._best,
            "centroids": self._observer.centroids,
            "model": self.model.state_dict(),
            "optimiser": optimiser_state(self._optimiser),
            "cycles": self._cycles.state(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        load_optimiser_state(self._optimiser, state["optimiser"])
        self._epoch, self._val_acc, self._best = state["epoch"], state["val_acc"], state["best"]
        self._observer.centroids = state.get("centroids", {})  # a checkpoint from before they were kept lacks these
        if "cycles" in state:  # a checkpoint from before there were cycles lacks these
            self._train_seconds = state["train_seconds"]
            self._cycles.restore(state["cycles"])
