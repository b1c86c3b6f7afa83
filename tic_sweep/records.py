"""Record types: every row the platform writes, declared once, with the meaning and unit of each field.

The schemas of the store and of the analysis are derived from these classes.
"""

import dataclasses
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tic_sweep.config import Rule, field_rules

STATUSES = {
    "planned": "in the plan, not started",
    "running": "started and not yet ended",
    "paused": "waits for the scheduler, which may let it go on",
    "finished": "ran all its epochs",
    "stopped": "stopped early by the scheduler; its record is censored there",
    "diverged": "stopped because a loss was not finite",
    "out_of_memory": "stopped because memory ran out",
    "failed": "stopped by an error, retries included",
    "interrupted": "stopped from outside; `tic-sweep resume` continues it",
}
BADLY = ("diverged", "out_of_memory", "failed")
"""Statuses of trials that ended otherwise than they were meant to."""
ENDED = ("finished", "stopped", *BADLY)
"""Statuses of trials that `resume` leaves alone; `--rerun` runs them again."""
BEGUN = ("running", "paused", "interrupted")
"""Statuses of trials that have begun and not ended."""


@dataclass(frozen=True, slots=True)
class Column:
    """Type, meaning and unit of a column."""

    type: type
    meaning: str
    unit: str = ""


def column(meaning: str, unit: str = "", **default: Any) -> Any:
    """Declare a field of a record with its meaning and unit."""
    return dataclasses.field(metadata={"meaning": meaning, "unit": unit}, **default)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """The state of a trial; the config's fields follow as columns named by their dotted paths."""

    key: str = column("the trial's name: a hash of its config")
    sweep: str = column("the sweep that ran it")
    scale: str = column("laptop or paper")
    status: str = column("one of " + ", ".join(STATUSES))
    reason: str = column("why it ended other than finished", default="")
    remark: str = column("what went wrong on the way and was mended; empty if nothing did", default="")
    attempt: int = column("how many times it was started", default=0)
    epochs_done: int = column("training epochs completed", "epochs", default=0)
    val_acc: float | None = column("validation accuracy after the last epoch", "fraction", default=None)
    test_acc: float | None = column("test accuracy after the last epoch", "fraction", default=None)
    best_epoch: int | None = column("epoch of the first training with the best val_acc", "epoch", default=None)
    best_val_acc: float | None = column("validation accuracy after best_epoch", "fraction", default=None)
    best_test_acc: float | None = column("test accuracy of the weights of best_epoch", "fraction", default=None)
    parameters: int | None = column("trainable parameters", default=None)
    wall_seconds: float | None = column(
        "time in epochs and measurements, over all attempts; in a pack the trial's share of it", "seconds", default=None
    )
    gpu_seconds: float | None = column("wall_seconds times the trial's share of GPUs", "seconds", default=None)
    packed: int = column("trials that shared its process, itself included", "trials", default=1)
    weights_digest: str = column("hash of the final weights", default="")
    device: str = column("device it ran on", default="")
    host: str = column("machine it ran on", default="")
    kernels: str = column(
        "what ran its neurons: plain, compiled or triton; several, in order, if attempts differed", default=""
    )
    version: str = column("version of tic_sweep", default="")
    git_commit: str = column("commit of tic_sweep's source, '+' if modified, empty if unknown", default="")
    packages: str = column("versions of Python and the packages that matter", default="")
    system: str = column("operating system and architecture the sweep was started on", default="")
    processor: str = column("model of the GPU or CPU it ran on", default="")
    circumstance: str = column("what it could use, as JSON: the fields of Resources", default="")
    command: str = column("command line that ran it, without folders, machines and stores", default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRow:
    """One report of a trial; epoch 0 is the untrained network."""

    key: str = column("the trial's key")
    epoch: int = column("training epochs completed", "epochs")
    lr: float | None = column("learning rate during the epoch; null at epoch 0", default=None)
    train_loss: float | None = column(
        "mean training cross-entropy at the last horizon during the epoch; null at epoch 0", "nats", default=None
    )
    train_acc: float | None = column("training accuracy during the epoch; null at epoch 0", "fraction", default=None)
    objective: float | None = column("mean of what training minimises; null at epoch 0", "nats", default=None)
    train_loss_over_t: float | None = column(
        "mean over horizons of the training cross-entropy, L_t of Eq. 8; null at epoch 0", "nats", default=None
    )
    train_timesteps: int | None = column("timesteps trained with; null at epoch 0", "timesteps", default=None)
    cycle: int = column("pruning cycle: 0 is the first training, r the r-th retraining", default=0)
    sparsity: float = column("share of the prunable weights that are pruned", "fraction", default=0.0)
    val_loss: float = column("validation loss at horizon T", "nats")
    val_acc: float = column("validation accuracy at horizon T", "fraction")
    ic: float | None = column("information centroid (Eq. 7); null if not measured", "timesteps", default=None)
    ic_se: float | None = column("standard error of ic over the images measured", "timesteps", default=None)
    ic_rel: float | None = column("(ic - 1) / (T - 1)", "fraction", default=None)
    fisher_sum: float | None = column("sum of I_t over t; null if not measured", default=None)
    fisher_images: int | None = column("images the Fisher trace was measured on; null if not", "images", default=None)
    train_seconds: float = column("time spent training in this epoch", "seconds")
    eval_seconds: float = column("time spent on validation", "seconds")
    fisher_seconds: float = column("time spent on the Fisher measurement", "seconds")
    probe_seconds: float = column("time spent on dynamics, deficits and robustness", "seconds", default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FisherRow:
    """The Fisher trace of a part of a network at one horizon."""

    key: str = column("the trial's key")
    epoch: int = column("training epochs completed", "epochs")
    level: str = column("model, block or layer")
    part: str = column("name of the block or layer; empty for the model")
    t: int = column("horizon: the readout uses timesteps 1..t", "timesteps")
    fisher_trace: float = column("I_t (Eq. 6)")
    fisher_se: float = column("standard error of fisher_trace over the images measured")


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicsRow:
    """How a layer's neurons fire and pass gradients on at one timestep, over the images measured."""

    key: str = column("the trial's key")
    epoch: int = column("training epochs completed", "epochs")
    layer: str = column("name of the layer whose neurons these are")
    t: int = column("timestep", "timesteps")
    firing_rate: float = column("mean number of spikes per neuron at t", "spikes per timestep")
    dead_share: float = column("share of neurons silent at 1..t on every image", "fraction")
    jacobian: float | None = column("mean |dh[t+1]/dh[t]| through the membrane and the reset; null at T", default=None)
    jacobian_above_one: float | None = column(
        "share of neurons and images where |dh[t+1]/dh[t]| > 1; null at T", "fraction", default=None
    )
    gradient_norm: float = column("root mean square over images of the norm of dL/dx[t], x the input current")


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonRow:
    """How well the network does on validation images when it is read out at horizon t."""

    key: str = column("the trial's key")
    epoch: int = column("training epochs completed", "epochs")
    t: int = column("horizon: the readout uses timesteps 1..t", "timesteps")
    val_loss: float = column("validation loss at horizon t", "nats")
    val_acc: float = column("validation accuracy at horizon t", "fraction")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeficitRow:
    """Test accuracy when noise disturbs the input during one window of timesteps (Fig. 2)."""

    key: str = column("the trial's key")
    epoch: int = column("training epochs completed", "epochs")
    first: int = column("first timestep of the window", "timesteps")
    last: int = column("last timestep of the window", "timesteps")
    strength: float = column("norm of the noise over the image's norm")
    acc: float = column("test accuracy at horizon T with the deficit", "fraction")
    loss: float = column("test loss at horizon T with the deficit", "nats")
    clean_acc: float = column("test accuracy of the same images without one", "fraction")
    images: int = column("test images measured on", "images")


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustnessRow:
    """Test accuracy on corrupted or attacked images (Table 1)."""

    key: str = column("the trial's key")
    epoch: int = column("training epochs completed", "epochs")
    corruption: str = column("gaussian, blur, fgsm or pgd")
    multiple: float = column("strength over the trial's own, one of probes.strengths")
    strength: float = column("relative norm of the noise, factor of the blur, or eps of the attack")
    acc: float = column("accuracy on the changed images", "fraction")
    loss: float = column("loss on the changed images", "nats")
    clean_acc: float = column("accuracy on the same images unchanged", "fraction")
    largest_change: float = column("largest change of any pixel, on the scale 0..1")
    images: int = column("test images measured on", "images")


@dataclass(frozen=True, slots=True, kw_only=True)
class PruningRow:
    """The network at the end of the first training (cycle 0) and of each pruning cycle."""

    key: str = column("the trial's key")
    cycle: int = column("0 is the end of the first training, r that of the r-th retraining")
    epoch: int = column("training epochs completed", "epochs")
    timesteps: int = column("timesteps this cycle was trained with", "timesteps")
    sparsity: float = column("share of the prunable weights that are pruned", "fraction")
    weights: int = column("prunable weights: of all convolutions and linear layers")
    remaining: int = column("of them those not pruned")
    val_acc: float = column("validation accuracy at the horizon trained with", "fraction")
    test_acc: float = column("test accuracy at the horizon trained with", "fraction")
    test_acc_full: float = column("test accuracy at horizon T", "fraction")
    timestep_epochs: int = column("sum of timesteps over all epochs trained so far", "timesteps x epochs")
    train_seconds: float = column("time spent training so far", "seconds")
    suggested_timesteps: int | None = column(
        "T_retrain that the Fisher trace suggests at this epoch; null if not measured", "timesteps", default=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SparsityRow:
    """How many weights of a layer are pruned after a pruning cycle."""

    key: str = column("the trial's key")
    cycle: int = column("pruning cycle")
    layer: str = column("name of the layer")
    weights: int = column("prunable weights of the layer")
    remaining: int = column("of them those not pruned")
    sparsity: float = column("share pruned", "fraction")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyRow:
    """One toy problem trained at one learning rate."""

    key: str = column("the trial's key")
    lr: float = column("learning rate")
    problem: int = column("which problem of the block; the same problem and first weights at every rate")
    solved: bool = column("whether it is solved after the last update")
    solved_at: int | None = column("first update after which it was solved; null if never", "updates", default=None)
    first_loss: float = column("loss before the first update")
    final_loss: float = column("loss after the last update")
    firing_rate: float = column("spikes of the output neurons after the last update", "spikes per timestep")
    jacobian: float = column("mean |dh[t+1]/dh[t]| of the output neurons after the last update")
    gradient_norm: float = column("norm of the last update's gradient")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyCurveRow:
    """The block's progress at one learning rate."""

    key: str = column("the trial's key")
    lr: float = column("learning rate")
    update: int = column("updates done", "updates")
    solved_share: float = column("share of the problems solved", "fraction")
    loss_low: float = column("lower quartile of the loss over problems")
    loss_median: float = column("median loss over problems")
    loss_high: float = column("upper quartile of the loss over problems")
    spikes: str = column("output spikes of problem 0 over time, as 0 and 1; empty for task xor", default="")
    target: str = column("target spikes of problem 0; empty for task xor", default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceRow:
    """A trial of task sequences after an epoch: what its epoch row has no place for."""

    key: str = column("the trial's key")
    epoch: int = column("training epochs completed", "epochs")
    test_acc: float = column("test accuracy with whole delays", "fraction")
    test_loss: float = column("test loss with whole delays", "nats")
    soft_val_acc: float | None = column(
        "validation accuracy with delays spread as in training; null where they are not learnt", "fraction",
        default=None,
    )  # fmt: skip
    firing_rate: float = column("mean spikes of a hidden neuron on validation sequences", "spikes per timestep")
    sigma: float | None = column(
        "width of the spread of delays in training; null where they are not learnt", "timesteps", default=None
    )
    position_lr: float | None = column(
        "learning rate of the delays in the epoch; null at epoch 0 and where they are not learnt", default=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayRow:
    """The synapses of a layer with delays after an epoch."""

    key: str = column("the trial's key")
    epoch: int = column("training epochs completed", "epochs")
    layer: str = column("hidden or output")
    possible: int = column("possible synapses", "synapses")
    active: int = column("of them those that exist", "synapses")
    grown: int = column("that came in this epoch", "synapses")
    pruned: int = column("that went in this epoch", "synapses")
    survived: int = column("that have existed without a break from the start", "synapses")
    overlap: float = column("|both| / |either| of the synapses now and at the start", "fraction")
    shift: float = column("mean |delay - first delay| of the synapses that exist", "timesteps")
    delay_mean: float = column("mean whole delay of the synapses that exist", "timesteps")
    delay_entropy: float = column("entropy of the histogram of those delays", "bits")
    excitatory: float = column("share of the synapses that exist with a positive weight", "fraction")
    empty: int = column("neurons of the layer without any synapse", "neurons")
    operations: int = column("active times T: multiply-adds of a sample in theory, not a measured cost")


@dataclass(frozen=True, slots=True, kw_only=True)
class SynapseRow:
    """One synapse that exists; a receptive field is all those of a neuron."""

    key: str = column("the trial's key")
    epoch: int = column("training epochs completed", "epochs")
    layer: str = column("hidden or output")
    neuron: int = column("which neuron of the layer, counted from 0")
    input: int = column("which input of the layer, counted from 0")
    weight: float = column("signed weight")
    delay: int = column("whole delay, 0..delays.max_delay, which evaluation uses", "timesteps")
    delay_real: float = column("delay that training uses", "timesteps")


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """What the first training of a trial that has ended comes to, computed from its other rows (`transition`).

    It is true of the trial's row that it names, and of no newer one: readers compare, and compute anew what does not
    hold.
    """

    key: str = column("the trial's key")
    trial_session: int = column("session of the trial's row it was computed from")
    trial_seq: int = column("seq of that row")
    definition: str = column("the definition of the transition it was computed by")
    epoch: int | None = column("transition: first report at or below the level; null if none yet", "epoch")
    not_before: int | None = column("last report above the level", "epoch")
    interpolated: float | None = column("where the line between the two meets the level", "epochs")
    slope: float | None = column("slope of that line", "timesteps per epoch")
    depth: float | None = column("(ic_max - ic_final) / (ic_max - 1)", "fraction")
    ic_start: float | None = column("information centroid at the first report of it", "timesteps")
    ic_max: float | None = column("largest centroid, as a running median of three reports", "timesteps")
    ic_min: float | None = column("smallest centroid, likewise", "timesteps")
    ic_final: float | None = column("last centroid, likewise", "timesteps")
    ic_rel_final: float | None = column("(ic_final - 1) / (T - 1); null for T = 1", "fraction")
    observed: int | None = column("last epoch with a report of the centroid", "epoch")
    turned: bool | None = column("whether the transition came; null with too few reports to tell")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a trial tells at a time: the row of its epoch, if it has epochs, and the rows measured besides."""

    epoch: EpochRow | None = None
    rows: Sequence["Row"] = ()
    remarks: tuple[str, ...] = ()
    """What went wrong since the last report and was mended, a clause each; the trial's row tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a trial ended; the fields are those of `TrialRow` that only the worker knows."""

    status: str
    reason: str = ""
    epochs_done: int = 0
    val_acc: float | None = None
    test_acc: float | None = None
    best_epoch: int | None = None
    best_val_acc: float | None = None
    best_test_acc: float | None = None
    parameters: int | None = None
    wall_seconds: float | None = None
    weights_digest: str = ""
    device: str = ""
    processor: str = ""
    host: str = ""
    kernels: str = ""


Row: typing.TypeAlias = (
    TrialRow
    | EpochRow
    | FisherRow
    | HorizonRow
    | DynamicsRow
    | DeficitRow
    | RobustnessRow
    | PruningRow
    | SparsityRow
    | ToyRow
    | ToyCurveRow
    | SequenceRow
    | DelayRow
    | SynapseRow
    | SummaryRow
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the store: its record type, and the columns that tell its rows apart (newest wins)."""

    name: str
    record: type[Row]
    identity: tuple[str, ...]


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table("trials", TrialRow, ("key",)),
        Table("epochs", EpochRow, ("key", "epoch")),
        Table("fisher", FisherRow, ("key", "epoch", "level", "part", "t")),
        Table("horizons", HorizonRow, ("key", "epoch", "t")),
        Table("dynamics", DynamicsRow, ("key", "epoch", "layer", "t")),
        Table("deficits", DeficitRow, ("key", "epoch", "first")),
        Table("robustness", RobustnessRow, ("key", "epoch", "corruption", "multiple")),
        Table("pruning", PruningRow, ("key", "cycle")),
        Table("sparsity", SparsityRow, ("key", "cycle", "layer")),
        Table("toy", ToyRow, ("key", "lr", "problem")),
        Table("toy_curves", ToyCurveRow, ("key", "lr", "update")),
        Table("sequences", SequenceRow, ("key", "epoch")),
        Table("delays", DelayRow, ("key", "epoch", "layer")),
        Table("synapses", SynapseRow, ("key", "epoch", "layer", "neuron", "input")),
        Table("summaries", SummaryRow, ("key",)),
    )
}


STAMP: dict[str, Column] = {
    "session": Column(int, "which start of the driver wrote the row, counted from 1"),
    "seq": Column(int, "order of the row within its session"),
}
"""Columns the store's writer adds to every row."""


@cache
def columns_of(table: str) -> dict[str, Column]:
    """Return the columns of a table in order: its record's fields, for trials the config's, then the stamp."""
    record = TABLES[table].record
    hints = typing.get_type_hints(record)
    declared = {
        f.name: Column(_bare(hints[f.name]), f.metadata["meaning"], f.metadata["unit"])
        for f in dataclasses.fields(record)
    }
    config = {path: _config_column(rule) for path, rule in field_rules().items()} if table == "trials" else {}
    return declared | config | STAMP


def _bare(hint: Any) -> type:
    """Return X of ``X | None``."""
    if isinstance(hint, types.UnionType):
        return next(part for part in typing.get_args(hint) if part is not type(None))
    return hint


def _config_column(rule: Rule) -> Column:
    return Column(rule.type, rule.doc, rule.unit)
