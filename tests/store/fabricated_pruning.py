"""Fabricated trials of pruning and of networks over timesteps, with known savings, for tests of the analysis."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from tic_sweep.config import TrialConfig, replaced, trial_key
from tic_sweep.records import EpochRow, PruningRow, Row, SparsityRow
from tic_sweep.saving import compute_cost

Trial: TypeAlias = tuple[TrialConfig, dict[str, Any], list[Row]]
PRUNED = ("pruning.timesteps",)
PAPER: dict[str, Any] = {
    "timesteps": 5, "optimiser.epochs": 300, "pruning.cycles": 5, "pruning.epochs": 60, "model.name": "resnet19",
}  # fmt: skip
"""The paper's N, T, R and N_retrain: T_retrain = 3 saves 20 %."""
LAYERS = ("stem.conv", "blocks.0.conv", "head")


def pruning_trial(
    changes: Mapping[str, Any], accuracy: float | Sequence[float], *, overhead: float = 0.0, suggested: int | None = 3,
    retrain_timesteps: int | None = None, **values: Any,
) -> Trial:  # fmt: skip
    """Return a trial of the paper's settings for `write_rows`.

    Args:
        changes: of its config; ``pruning.timesteps`` 0 retrains with T.
        accuracy: test accuracy after each retraining, or the same after all; before, it is 0.9.
        overhead: share by which training takes longer than its timesteps alone would.
        suggested: T_retrain that its Fisher trace suggests.
        retrain_timesteps: T_retrain, where the trial chose it.
        values: of the trial's row.
    """
    config = replaced(TrialConfig(), PAPER | dict(changes))
    key, cycles = trial_key(config), config.pruning.cycles
    retrained = retrain_timesteps or config.pruning.timesteps or config.timesteps
    accuracies = [0.9, *([accuracy] * cycles if isinstance(accuracy, (int, float)) else accuracy)]
    rows: list[Row] = []
    for cycle, acc in enumerate(accuracies):
        cost = compute_cost(config.optimiser.epochs, config.timesteps, cycle, config.pruning.epochs, retrained)
        remaining = 1000 // 2**cycle
        rows.append(
            PruningRow(
                key=key, cycle=cycle, epoch=config.optimiser.epochs + cycle * config.pruning.epochs,
                timesteps=retrained if cycle else config.timesteps, sparsity=1 - 0.5**cycle, weights=1000,
                remaining=remaining, val_acc=acc, test_acc=acc, test_acc_full=acc - 0.01, timestep_epochs=cost,
                train_seconds=cost * (1 + overhead), suggested_timesteps=suggested,
            )
        )  # fmt: skip
        for place, layer in enumerate(LAYERS):
            share = (1 - 0.5**cycle) * (1 + place) / len(LAYERS)
            rows.append(
                SparsityRow(
                    key=key, cycle=cycle, layer=layer, weights=100, remaining=round(100 * (1 - share)), sparsity=share
                )
            )
    return config, {"device": "cpu", "host": "a", "test_acc": accuracies[-1]} | values, rows


def capacity_trial(
    name: str, timesteps: int, seed: int, accuracy: float, *, parameters: int, changes: Mapping[str, Any] | None = None
) -> Trial:
    """Return a trial of a network at some T for `write_rows`, with its test accuracy."""
    config = replaced(TrialConfig(), {"model.name": name, "timesteps": timesteps, "seed": seed} | dict(changes or {}))
    epoch = EpochRow(
        key=trial_key(config), epoch=1, val_loss=1.0, val_acc=accuracy, train_seconds=1.0, eval_seconds=0.1,
        fisher_seconds=0.0,
    )  # fmt: skip
    values = {"parameters": parameters, "test_acc": accuracy, "best_test_acc": accuracy, "best_val_acc": accuracy}
    return config, values, [epoch]
