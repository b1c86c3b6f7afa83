"""`SequenceTraining`: one trial of task ``sequences`` from its config to its outcome, told as a sequence of reports.

Epoch 0 is measured untrained. Delays are real and spread while an epoch trains, and whole whenever the network is
looked at. Each epoch draws order, dropout and rewiring from streams of its own, so that a trial resumed from a
checkpoint continues bit for bit (on a CPU), and trials that differ in a single field see the same data in the same
order.
"""

import math
import time
from pathlib import Path
from typing import Any

import torch

from tic_sweep.config import Resources, TrialConfig, listed
from tic_sweep.data import RawData, batches, prepare_sequences
from tic_sweep.delays import (
    DelayNetwork,
    Rewirer,
    build_network,
    positions_and_others,
    rewiring_of,
    sigma_schedule,
)
from tic_sweep.records import EpochRow, Report, SequenceRow
from tic_sweep.streams import stream
from tic_sweep.training.attempt import Diverged
from tic_sweep.training.network_attempt import UNTRAINED, NetworkAttempt
from tic_sweep.training.optimisation import build_optimiser_of, set_learning_rate
from tic_sweep.training.phases import learning_rate
from tic_sweep.training.rates import rate_at
from tic_sweep.training.sequence_epoch import Updates, train_sequences
from tic_sweep.training.sequence_observation import SequenceObserver
from tic_sweep.training.synapses import delay_rows, synapse_rows


class SequenceTraining(NetworkAttempt[DelayNetwork]):
    """One trial of task sequences: train an epoch, look at the network with whole delays, report."""

    def __init__(
        self, config: TrialConfig, raw: RawData | None, resources: Resources, checkpoint: Path | None = None
    ) -> None:
        """Prepare the trial, continuing from ``checkpoint`` if that file exists.

        Args:
            config: the science.
            raw: the data set of ``config.sequences.name``; None for one that is made up.
            resources: the circumstance; ``precision`` means nothing here.
            checkpoint: where this trial's checkpoint lies or will lie; None keeps none.
        """
        super().__init__(config, resources, checkpoint)
        data = prepare_sequences(raw, config, self.device)
        if config.delays.order == "published":
            self.kernels = "plain"  # `LateLIF` is torch operations, whatever the machine has
        self._train = data.train
        self._observer = SequenceObserver(config, data, resources.fisher_chunk)
        self.model = build_network(config).to(self.device)
        self._first_delays = {name: layer.delays() for name, layer in self.model.layers().items()}
        per_epoch = sum(1 for _ in batches(len(data.train.labels), config.optimiser.batch_size, None))
        rewiring = rewiring_of(config, steps=config.optimiser.epochs * per_epoch)
        self.rewirer = None
        if rewiring is not None:
            self.rewirer = Rewirer(self.model.layers(), rewiring, stream(config.seed, "rewiring"))
        positions, others = positions_and_others(self.model)
        self._optimiser = build_optimiser_of(others, config.optimiser)
        self._positions = torch.optim.Adam(positions, lr=config.delays.position_lr) if positions else None
        self._sigma = sigma_schedule(config)
        self._resume()

    def _advance(self) -> Report:
        """Train the next epoch, but not for the untrained report, and tell what is seen of the network then."""
        epoch, config = self._epoch + 1, self.config
        self.model.set_sigma(self._sigma.after(max(epoch - 1, 0)))
        trained = self._trained(epoch) if epoch else UNTRAINED
        seen = self._observer.look(self.model, epoch)
        self._epoch, self._val_acc = epoch, seen.validation.acc
        self._keep_best(seen.validation.acc)
        layers = self.model.layers()
        told = delay_rows(self.model, self._first_delays, self.rewirer, self.key, epoch, config.timesteps)
        fields = synapse_rows(layers, self.key, epoch) if epoch in listed(config.delays.field_epochs) else ()
        learns = config.delays.learn
        beside = SequenceRow(
            key=self.key, epoch=epoch, **seen.sequence_columns(),
            sigma=self._sigma.after(max(epoch - 1, 0)) if learns else None,
            position_lr=self._position_lr(epoch) if learns and epoch else None,
        )  # fmt: skip
        row = EpochRow(key=self.key, epoch=epoch, sparsity=self._sparsity, **trained, **seen.columns())
        return Report(epoch=row, rows=(*seen.rows(), beside, *told, *fields))

    def _trained(self, epoch: int) -> dict[str, Any]:
        """Train one epoch; return what the report says of it."""
        config, began = self.config, time.perf_counter()
        lr = learning_rate(config, epoch)
        set_learning_rate(self._optimiser, lr)
        if self._positions is not None:
            set_learning_rate(self._positions, self._position_lr(epoch))
        updates = Updates(self._optimiser, self._positions, self.rewirer)
        means = train_sequences(self.model, updates, self._train, config, epoch=epoch)
        if not math.isfinite(means["objective"]):
            raise Diverged(f"training loss is {means['objective']} in epoch {epoch}")
        return {"lr": lr, "train_timesteps": config.timesteps, **means, "train_seconds": time.perf_counter() - began}

    def _position_lr(self, epoch: int) -> float:
        delays = self.config.delays
        return rate_at(delays.position_schedule, epoch, self.config.optimiser.epochs, delays.position_lr)

    @property
    def _sparsity(self) -> float:
        """Share of the possible synapses that do not exist."""
        masks = [layer.mask for layer in self.model.layers().values()]
        return 1 - sum(int(mask.sum()) for mask in masks) / sum(mask.numel() for mask in masks)

    def _tested(self) -> float:
        return self._observer.test(self.model).acc

    def _state(self) -> dict[str, Any]:
        return {
            "epoch": self._epoch,
            "val_acc": self._val_acc,
            "best": self._best,
            "centroids": self._observer.centroids,
            "model": self.model.state_dict(),  # masks and signs are buffers of it
            "optimiser": self._optimiser.state_dict(),
            "positions": {} if self._positions is None else self._positions.state_dict(),
            "rewirer": {} if self.rewirer is None else self.rewirer.state(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self._optimiser.load_state_dict(state["optimiser"])
        if self._positions is not None:
            self._positions.load_state_dict(state["positions"])
        if self.rewirer is not None:
            self.rewirer.restore(state["rewirer"])
        self._epoch, self._val_acc, self._best = state["epoch"], state["val_acc"], state["best"]
        self._observer.centroids = state.get("centroids", {})  # a checkpoint from before they were kept lacks these
