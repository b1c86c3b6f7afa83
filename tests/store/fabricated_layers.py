"""Fabricated trials with known centroids of their network and of its blocks, for `store.fabricated.write_rows`."""

from collections.abc import Mapping, Sequence
from typing import Any

from store.fabricated import trace_with

from tic_sweep.centroid import relative_centroid
from tic_sweep.config import TrialConfig, replaced, trial_key
from tic_sweep.records import EpochRow, FisherRow, Row

EARLY, LATE = (5.0, 5.0, 4.0, 2.0, 1.5, 1.5, 1.5), (5.0, 5.0, 5.0, 5.0, 4.0, 2.0, 1.5)
"""Of T = 8, with level 3: the line from 4 to 2 crosses it at epoch 2.5, and at 4.5."""
HIGH = (5.0,) * 7
BLOCKS = {"stem": 6.0, "blocks.0": 5.0, "blocks.1": 4.0, "blocks.2": 3.0, "blocks.10": 2.0, "head": 1.5}
"""Centroids by block; blocks.10 comes after blocks.2, and the four blocks' halves have means 4.5 and 2.5."""


def ic_trial(
    changes: Mapping[str, Any],
    ic: Sequence[float],
    *,
    blocks: Mapping[str, float] | None = None,
    scale: float = 1.0,
    accuracy: float = 0.9,
    **values: Any,
) -> tuple[TrialConfig, dict[str, Any], list[Row]]:
    """Return a trial: IC by epoch (T = 8 unless changed), and the ICs of blocks, which are the same at every epoch.

    Args:
        changes: what differs from the default config.
        ic: information centroid of the network after each epoch.
        blocks: that of blocks by name, if they were measured.
        scale: what the traces of the blocks sum to.
        accuracy: on validation and test images.
        **values: of the trial's row, such as ``status``.
    """
    config = replaced(TrialConfig(timesteps=8), changes)
    rows: list[Row] = []
    for epoch, centroid in enumerate(ic):
        rows.append(_epoch_row(config, epoch, centroid))
        for level, parts in (("model", {"": centroid}), ("block", blocks or {})):
            for part, own in parts.items():
                rows += _fisher_rows(config, epoch, level, part, own, scale)
    accuracies = dict.fromkeys(("val_acc", "best_val_acc", "test_acc", "best_test_acc"), accuracy)
    return config, accuracies | values, rows


def _epoch_row(config: TrialConfig, epoch: int, ic: float) -> EpochRow:
    return EpochRow(
        key=trial_key(config), epoch=epoch, val_loss=1.0, val_acc=0.9, ic=ic, ic_se=0.1,
        ic_rel=relative_centroid(ic, config.timesteps), fisher_sum=1.0, cycle=int(epoch > config.optimiser.epochs),
        train_seconds=1.0, eval_seconds=0.1, fisher_seconds=0.1,
    )  # fmt: skip


def _fisher_rows(config: TrialConfig, epoch: int, level: str, part: str, ic: float, scale: float) -> list[FisherRow]:
    return [
        FisherRow(
            key=trial_key(config), epoch=epoch, level=level, part=part, t=t, fisher_trace=scale * trace, fisher_se=0.0
        )
        for t, trace in enumerate(trace_with(ic, config.timesteps), start=1)
    ]  # fmt: skip
