"""`Cycles`: what pruning adds to a trial, and the rows that tell of it (Kim et al. 2023, Fig. 6 and 7)."""

import copy
from collections.abc import Iterator
from typing import Any

from torch import Tensor

from tic_sweep.centroid import information_end
from tic_sweep.config import TrialConfig, trial_key
from tic_sweep.fisher import FisherTrace
from tic_sweep.models import SpikingNetwork
from tic_sweep.pruning import Masks, count_remaining, keep_largest, mask_weights, remaining_after
from tic_sweep.records import PruningRow, SparsityRow
from tic_sweep.saving import compute_cost
from tic_sweep.training.evaluation import Evaluation


class Cycles:
    """The masks of one trial's network, the weights to rewind to, and the timesteps to retrain with.

    ``masks`` is empty until the first cycle begins, and stays so in a trial without any.
    """

    def __init__(self, config: TrialConfig, model: SpikingNetwork) -> None:
        self._config, self._model = config, model
        self._retrain_timesteps = config.pruning.timesteps or config.timesteps
        self._early: dict[str, Tensor] = {}
        self.masks: Masks = {}

    def observe(self, epoch: int, trace: FisherTrace | None) -> None:
        """Keep what the cycles need from the first training: early weights, and T_retrain as the trace suggests it."""
        pruning, ends = self._config.pruning, self._config.optimiser.epochs
        if not pruning.cycles or epoch > ends:
            return
        if pruning.weights == "rewind" and epoch == pruning.rewind_epoch:
            self._early = copied(self._model.state_dict())
        if pruning.suggest and epoch == ends and trace is not None:
            self._retrain_timesteps = information_end(trace.trace_T.tolist())

    def begin(self, cycle: int) -> None:
        """Prune and, if the trial does, rewind all that is left, running statistics included."""
        weights, _ = self._totals()
        self.masks = keep_largest(self._model, self.masks, remaining_after(cycle, weights, self._config.pruning.share))
        if self._early:
            self._model.load_state_dict(self._early)
        mask_weights(self._model, self.masks)

    def timesteps(self, cycle: int) -> int:
        """Return the timesteps that a cycle is trained with: T in the first training, then T_retrain."""
        return self._retrain_timesteps if cycle else self._config.timesteps

    @property
    def sparsity(self) -> float:
        """Share of the prunable weights that are pruned."""
        weights, remaining = self._totals()
        return 1 - remaining / weights

    def rows(
        self,
        cycle: int,
        epoch: int,
        validation: Evaluation,
        test: Evaluation,
        trace: FisherTrace | None,
        train_seconds: float,
    ) -> Iterator[PruningRow | SparsityRow]:
        """Yield the row of a cycle that has ended, 0 being the first training, and those of its layers."""
        config, timesteps = self._config, self.timesteps(cycle)
        key, (weights, remaining) = trial_key(config), self._totals()
        yield PruningRow(
            key=key,
            cycle=cycle,
            epoch=epoch,
            timesteps=timesteps,
            sparsity=self.sparsity,
            weights=weights,
            remaining=remaining,
            val_acc=validation.acc_T[timesteps - 1],
            test_acc=test.acc_T[timesteps - 1],
            test_acc_full=test.acc,
            timestep_epochs=compute_cost(
                config.optimiser.epochs, config.timesteps, cycle, config.pruning.epochs, timesteps
            ),
            train_seconds=train_seconds,
            suggested_timesteps=None if trace is None else information_end(trace.trace_T.tolist()),
        )
        if cycle:
            yield from self._layers(key, cycle)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint must hold."""
        return {"masks": self.masks, "early": self._early, "retrain_timesteps": self._retrain_timesteps}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        device = next(self._model.parameters()).device
        self._early, self._retrain_timesteps = state["early"], state["retrain_timesteps"]
        self.masks = {name: mask.to(device) for name, mask in state["masks"].items()}

    def _layers(self, key: str, cycle: int) -> Iterator[SparsityRow]:
        for layer, (weights, remaining) in count_remaining(self._model, self.masks).items():
            yield SparsityRow(
                key=key, cycle=cycle, layer=layer, weights=weights, remaining=remaining,
                sparsity=1 - remaining / weights,
            )  # fmt: skip

    def _totals(self) -> tuple[int, int]:
        counts = count_remaining(self._model, self.masks).values()
        return sum(weights for weights, _ in counts), sum(remaining for _, remaining in counts)


def copied(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a copy of weights that training will not touch."""
    return copy.deepcopy({name: tensor.detach() for name, tensor in state.items()})
