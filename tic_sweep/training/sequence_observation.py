"""What is looked at after an epoch of a network with delays: validation, test, firing, and the Fisher trace if due.

Looking uses whole delays and never changes the network; accuracy is also measured with delays spread as in training.
Shapes: T timesteps, N samples, H hidden neurons.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tic_sweep.config import TrialConfig, trial_key
from tic_sweep.data import SequenceData, SequenceSplit
from tic_sweep.delays import DelayNetwork, delay_logits
from tic_sweep.errors import DataError
from tic_sweep.fisher import FisherTrace, fisher_trace
from tic_sweep.records import Row
from tic_sweep.streams import stream
from tic_sweep.training.attempt import Diverged
from tic_sweep.training.evaluation import EVALUATION_BATCH, Evaluation, hits, horizon_rows
from tic_sweep.training.loss import horizon_losses
from tic_sweep.training.measurement import centroid_fields, fisher_rows, fixed_choice
from tic_sweep.training.observation import timed
from tic_sweep.training.phases import is_fisher_due


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceObservation:
    """What was seen of a network after an epoch; None is what was not due. ``seconds`` are named as in `EpochRow`."""

    config: TrialConfig
    epoch: int
    validation: Evaluation
    test: Evaluation
    soft_acc: float | None
    firing_rate: float
    trace: FisherTrace | None
    seconds: dict[str, float]

    def columns(self) -> dict[str, Any]:
        """Return the fields of the epoch's own row that this fills."""
        measured = centroid_fields(self.trace, self.config.timesteps)
        return {"val_loss": self.validation.loss, "val_acc": self.validation.acc, **measured, **self.seconds}

    def sequence_columns(self) -> dict[str, Any]:
        """Return the fields of the epoch's row of table ``sequences`` that this fills."""
        return {
            "test_acc": self.test.acc, "test_loss": self.test.loss, "soft_val_acc": self.soft_acc,
            "firing_rate": self.firing_rate,
        }  # fmt: skip

    def rows(self) -> Iterator[Row]:
        """Yield the rows of horizons and of the Fisher trace."""
        key = trial_key(self.config)
        yield from horizon_rows(self.validation, key, self.epoch)
        if self.trace is not None:
            yield from fisher_rows(self.trace, key, self.epoch, self.config.fisher.detail)


class SequenceObserver:
    """Looks at a trial's network, always at the same sequences; ``chunk`` bounds the memory that measuring takes.

    ``centroids`` are those measured so far, by epoch: whether another is needed may depend on them.
    """

    def __init__(self, config: TrialConfig, data: SequenceData, chunk: int) -> None:
        self._config, self._data, self._chunk = config, data, chunk
        split = data.train if config.fisher.split == "train" else data.validation
        if config.fisher.every and config.fisher.samples > len(split.labels):
            raise DataError(
                f"fisher.samples must be at most the {len(split.labels)} sequences of the {config.fisher.split} split, "
                f"got {config.fisher.samples}."
            )
        chosen = fixed_choice(split.labels, config.fisher.samples, config.seed)
        self.fisher_sequences = SequenceSplit(split.x[chosen], split.labels[chosen])
        self.centroids: dict[int, float] = {}

    def look(self, model: DelayNetwork, epoch: int) -> SequenceObservation:
        """Look at everything that is due after ``epoch``; raises Diverged if something seen is not finite."""
        config, seconds = self._config, dict[str, float]()
        trace = soft_acc = None
        with timed(seconds, "eval_seconds"):
            validation, firing_rate = evaluate_sequences(model, self._data.validation, config.delays.readout)
            test = self.test(model)
            if config.delays.learn:
                soft_acc = evaluate_sequences(model, self._data.validation, config.delays.readout, soft=True)[0].acc
        with timed(seconds, "fisher_seconds"):
            if is_fisher_due(config, epoch, self.centroids):
                trace = self._measure(model, epoch)
        if not math.isfinite(validation.loss):
            raise Diverged(f"validation loss is {validation.loss} after epoch {epoch}")
        if trace is not None and not math.isfinite(float(trace.trace_T.sum())):
            raise Diverged(f"the Fisher trace is not finite after epoch {epoch}")
        if trace is not None and not math.isnan(trace.ic):
            self.centroids[epoch] = trace.ic
        return SequenceObservation(
            config=config, epoch=epoch, validation=validation, test=test, soft_acc=soft_acc, firing_rate=firing_rate,
            trace=trace, seconds=seconds,
        )  # fmt: skip

    def test(self, model: DelayNetwork) -> Evaluation:
        """Evaluate the network on the test split."""
        return evaluate_sequences(model, self._data.test, self._config.delays.readout)[0]

    def _measure(self, model: DelayNetwork, epoch: int) -> FisherTrace:
        """Measure the Fisher trace over what is a parameter: norms, and the weights of synapses that exist."""
        fisher = self._config.fisher
        return fisher_trace(
            model,
            self.fisher_sequences.x,
            self.fisher_sequences.labels,
            kind=fisher.kind,
            readout=self._config.delays.readout,
            layers=fisher.detail != "model",
            chunk=self._chunk,
            generator=stream(self._config.seed, "fisher", epoch + 1),  # epoch 0 of this stream chose the sequences
            masks={name: layer.mask for name, layer in model.layers().items()},
            precision=fisher.ic_se,
        )


@torch.no_grad()
def evaluate_sequences(
    model: DelayNetwork, split: SequenceSplit, readout: str, *, soft: bool = False
) -> tuple[Evaluation, float]:
    """Evaluate a network on a split, left in evaluation mode, and return its spikes per hidden neuron and timestep too.

    Args:
        model: the network.
        split: the sequences.
        readout: see `delay_logits`.
        soft: whether delays are spread as in training; they are whole otherwise.
    """
    model.eval()
    count, horizons = len(split.labels), split.x.shape[1]
    loss_T, hits_T = torch.zeros(horizons, dtype=torch.float64), torch.zeros(horizons, dtype=torch.float64)
    with _spread(model, soft=soft), _firing(model) as rates:
        for first in range(0, count, EVALUATION_BATCH):
            labels_N = split.labels[first : first + EVALUATION_BATCH]
            logits_TNK = delay_logits(model(split.x[first : first + EVALUATION_BATCH]), readout)
            loss_T += horizon_losses(logits_TNK, labels_N).double().cpu() * len(labels_N)
            hits_T += hits(logits_TNK, labels_N).cpu()
    seen = Evaluation(tuple((loss_T / count).tolist()), tuple((hits_T / count).tolist()))
    return seen, sum(rate * size for rate, size in rates) / count


@contextmanager
def _spread(model: DelayNetwork, *, soft: bool) -> Iterator[None]:
    """Let the delays alone be those of training while the context lasts, if ``soft``."""
    for layer in model.layers().values():
        layer.train(soft)
    try:
        yield
    finally:
        for layer in model.layers().values():
            layer.eval()


@contextmanager
def _firing(model: DelayNetwork) -> Iterator[list[tuple[float, int]]]:
    """Record the mean spikes of the hidden neurons in every forward pass, and its number of samples."""
    rates: list[tuple[float, int]] = []

    def note(_module: object, _args: object, spikes_TNH: Tensor) -> None:
        rates.append((float(spikes_TNH.mean()), spikes_TNH.shape[1]))

    handle = model.lif.register_forward_hook(note)
    try:
        yield rates
    finally:
        handle.remove()
