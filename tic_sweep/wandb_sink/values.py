"""What a trial tells, as the numbers of a W&B run: a step and named values.

The step is the epoch (a toy problem's: the update), so that an epoch told twice is one point. A name that changes over
steps is a line chart of its own in W&B; what stands before its first slash names the panel.
"""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from tic_sweep.centroid import information_centroid
from tic_sweep.records import (
    DeficitRow,
    DelayRow,
    DynamicsRow,
    EpochRow,
    FisherRow,
    HorizonRow,
    PruningRow,
    Report,
    RobustnessRow,
    Row,
    SequenceRow,
    SparsityRow,
    ToyCurveRow,
    TrialRow,
)  # fmt: skip

OUTCOME = (
    "status", "reason", "epochs_done", "test_acc", "best_epoch", "best_val_acc", "best_test_acc", "parameters",
    "wall_seconds", "weights_digest",
)  # fmt: skip
"""Fields of a trial's row that are the summary of its run."""


class Spread(NamedTuple):
    """Shares of a whole over the timesteps 1..T, in percent; W&B draws such histograms over epochs as a heat map."""

    shares: tuple[float, ...]

    @property
    def edges(self) -> list[float]:
        """The bounds of the bins: each is centred on its timestep."""
        return [t + 0.5 for t in range(len(self.shares) + 1)]


Value: TypeAlias = float | int | str | bool | Spread
Values: TypeAlias = dict[str, Value]


class Entry(NamedTuple):
    """What a run logs at one step."""

    step: int
    values: Values


def entries(report: Report) -> list[Entry]:
    """Return what a report says, by rising step: one entry per epoch, or per update of toy problems."""
    if report.epoch is None:
        return _toy_entries(row for row in report.rows if isinstance(row, ToyCurveRow))
    values: Values = _fields(report.epoch, "", without={"key"})
    for row in report.rows:
        values |= _named(row)
    fisher = [row for row in report.rows if isinstance(row, FisherRow)]
    values |= _centroids(fisher) | _spread([row for row in fisher if row.level == "model"])
    values |= _dynamics([row for row in report.rows if isinstance(row, DynamicsRow)])
    return [Entry(report.epoch.epoch, values)]


def summary_of(row: TrialRow) -> Values:
    """Return how a trial ended, as the summary of its run; what is not known is left out."""
    return _fields(row, "", only=OUTCOME)


def _named(row: Row) -> Values:
    """Return the values of a row whose name says all that its identity does; none of other rows."""
    values: Values = {}
    match row:
        case FisherRow(level="model"):
            values = {f"fisher/t{row.t:02d}": row.fisher_trace}
        case HorizonRow():
            values = {f"horizon/acc_t{row.t:02d}": row.val_acc, f"horizon/loss_t{row.t:02d}": row.val_loss}
        case DeficitRow():
            name = f"deficit/w{row.first:02d}"
            values = {f"{name}_acc": row.acc, f"{name}_loss": row.loss, "deficit/clean_acc": row.clean_acc}
        case RobustnessRow():
            name = f"robustness/{row.corruption}@{row.multiple:g}"
            values = {f"{name}/acc": row.acc, f"{name}/loss": row.loss, "robustness/clean_acc": row.clean_acc}
        case PruningRow():
            values = _fields(row, "pruning/", without={"key", "epoch"})
        case SparsityRow():
            values = {f"sparsity/{row.layer}": row.sparsity}
        case SequenceRow():
            values = _fields(row, "sequences/", without={"key", "epoch"})
        case DelayRow():
            values = _fields(row, f"delays/{row.layer}/", without={"key", "epoch", "layer", "possible"})
        case _:
            pass
    return values


def _spread(rows: list[FisherRow]) -> Values:
    """Return the share of I_t at each t, if there is any information to share."""
    traces = [row.fisher_trace for row in sorted(rows, key=lambda row: row.t)]
    total = sum(traces)
    if not (traces and math.isfinite(total) and total > 0):
        return {}
    return {"fisher/share_over_t": Spread(tuple(round(100 * trace / total, 3) for trace in traces))}


def _centroids(rows: list[FisherRow]) -> Values:
    """Return the information centroid of each block and layer that was measured."""
    parts: dict[tuple[str, str], list[FisherRow]] = {}
    for row in rows:
        if row.level != "model":
            parts.setdefault((row.level, row.part), []).append(row)
    traces = {part: [row.fisher_trace for row in sorted(own, key=lambda row: row.t)] for part, own in parts.items()}
    return {f"ic_of_{level}/{part}": information_centroid(trace) for (level, part), trace in traces.items()}


def _dynamics(rows: list[DynamicsRow]) -> Values:
    """Return the means over timesteps of each layer's firing and gradient flow."""
    layers: dict[str, list[DynamicsRow]] = {}
    for row in rows:
        layers.setdefault(row.layer, []).append(row)
    values: Values = {}
    for layer, own in layers.items():
        for name in ("firing_rate", "dead_share", "jacobian", "jacobian_above_one", "gradient_norm"):
            known = [value for row in own if (value := getattr(row, name)) is not None]
            values |= {f"dynamics/{layer}/{name}": sum(known) / len(known)} if known else {}
    return values


def _toy_entries(rows: Iterable[ToyCurveRow]) -> list[Entry]:
    """Return the progress of a block of toy problems, one entry per update."""
    by_update: dict[int, Values] = {}
    for row in rows:
        values = by_update.setdefault(row.update, {"update": row.update})
        values |= {f"toy/solved@{row.lr:g}": row.solved_share, f"toy/loss@{row.lr:g}": row.loss_median}
    return [Entry(update, values) for update, values in sorted(by_update.items())]


def _fields(
    row: EpochRow | PruningRow | SequenceRow | DelayRow | TrialRow,
    prefix: str,
    *,
    without: Iterable[str] = (),
    only: Iterable[str] = (),
) -> Values:
    return {prefix + name: value for name, value in _known(row) if name not in without and (not only or name in only)}


def _known(row: Row) -> Iterator[tuple[str, float | int | str | bool]]:
    """Yield the fields of a row that hold something."""
    for name in row.__dataclass_fields__:
        value = getattr(row, name)
        if value is not None and value != "":
            yield name, value
