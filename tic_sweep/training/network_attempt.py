"""`NetworkAttempt`: what trainers of one network over epochs share: the best weights by validation, and the last test.

Epoch 0 is the untrained report; the best epoch is one of the first training, after which only pruning cycles follow.
"""

import math
from abc import abstractmethod
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import nn

from tic_sweep.config import Resources, TrialConfig
from tic_sweep.training.attempt import Attempt
from tic_sweep.training.checkpoint import weights_digest
from tic_sweep.training.cycles import copied

Network = TypeVar("Network", bound=nn.Module)
UNTRAINED = {"lr": None, "train_loss": None, "train_acc": None, "train_seconds": 0.0}
"""What the report of epoch 0 says of its training."""


class NetworkAttempt(Attempt, Generic[Network]):
    """An attempt at a trial of one network, told epoch by epoch; its subclasses set ``model``."""

    model: Network

    def __init__(self, config: TrialConfig, resources: Resources, checkpoint: Path | None) -> None:
        super().__init__(config, resources, checkpoint)
        self._epoch = -1  # the last epoch reported; -1 is before the untrained report
        self._val_acc: float | None = None
        self._best: dict[str, Any] = {"epoch": None, "val_acc": -math.inf, "weights": {}}

    @property
    def _begun(self) -> bool:
        return self._epoch >= 0

    @property
    def _over(self) -> bool:
        return self._epoch == self.config.last_epoch

    @abstractmethod
    def _tested(self) -> float:
        """Return the network's accuracy on the test split, as it is now."""

    def _keep_best(self, val_acc: float) -> None:
        """Keep a copy of the first training's best weights by validation so far; the first of equals stays."""
        if 0 < self._epoch <= self.config.optimiser.epochs and val_acc > self._best["val_acc"]:
            self._best = {"epoch": self._epoch, "val_acc": val_acc, "weights": copied(self.model.state_dict())}

    def _results(self) -> dict[str, Any]:
        best = self._best["epoch"]
        return {
            "epochs_done": max(self._epoch, 0),
            "val_acc": self._val_acc,
            "best_epoch": best,
            "best_val_acc": None if best is None else self._best["val_acc"],
            "parameters": sum(p.numel() for p in self.model.parameters() if p.requires_grad),
            "weights_digest": weights_digest(self.model.state_dict()),
        }

    def _conclusion(self) -> dict[str, Any]:
        """Test the last weights and the best, each with its own synapses if it has any; the last stay loaded."""
        last = copied(self.model.state_dict())
        accuracies = {"test_acc": self._tested()}
        if self._best["weights"]:
            self.model.load_state_dict(self._best["weights"])
            accuracies["best_test_acc"] = self._tested()
            self.model.load_state_dict(last)
        return accuracies
