"""What is looked at after an epoch: validation at every horizon, Fisher trace, dynamics and probes, as far as due.

Looking never changes the network: it runs in evaluation mode, for all T timesteps, on streams of its own.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tic_sweep.config import TrialConfig, trial_key
from tic_sweep.data import Split, TrialData
from tic_sweep.fisher import FisherTrace
from tic_sweep.models import SpikingNetwork
from tic_sweep.packing import seconds
from tic_sweep.probes import LayerDynamics
from tic_sweep.records import DeficitRow, RobustnessRow, Row
from tic_sweep.streams import stream
from tic_sweep.training.attempt import Diverged
from tic_sweep.training.evaluation import Evaluation, evaluate, horizon_rows
from tic_sweep.training.measurement import (
    centroid_fields,
    dynamics_images,
    dynamics_rows,
    fisher_images,
    fisher_rows,
    measure,
    measure_layers,
)
from tic_sweep.training.phases import is_due, is_fisher_due
from tic_sweep.training.presentation import Presentation
from tic_sweep.training.probing import probe_images, probe_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What was seen of a network after an epoch; None is what was not due. ``seconds`` are named as in `EpochRow`."""

    config: TrialConfig
    epoch: int
    validation: Evaluation
    trace: FisherTrace | None
    layers: dict[str, LayerDynamics] | None
    probed: tuple[DeficitRow | RobustnessRow, ...]
    seconds: dict[str, float]

    def columns(self) -> dict[str, Any]:
        """Return the fields of the epoch's own row that this fills."""
        measured = centroid_fields(self.trace, self.config.timesteps)
        return {"val_loss": self.validation.loss, "val_acc": self.validation.acc, **measured, **self.seconds}

    def rows(self) -> Iterator[Row]:
        """Yield the rows measured besides."""
        key, epoch = trial_key(self.config), self.epoch
        yield from horizon_rows(self.validation, key, epoch)
        if self.trace is not None:
            yield from fisher_rows(self.trace, key, epoch, self.config.fisher.detail)
        if self.layers is not None:
            yield from dynamics_rows(self.layers, key, epoch)
        yield from self.probed


class Observer:
    """Looks at a trial's network, always at the same images; ``chunk`` bounds the memory that measuring takes.

    ``centroids`` are those measured so far, by epoch: whether another is needed may depend on them. With ``bfloat16``
    the gradients of Fisher traces are in half precision.
    """

    def __init__(
        self, config: TrialConfig, data: TrialData, present: Presentation, chunk: int, *, bfloat16: bool = False
    ) -> None:
        self._config, self._data, self._present, self._chunk = config, data, present, chunk
        self._bfloat16 = bfloat16
        self.fisher_images = fisher_images(config, data)
        self.dynamics_images = dynamics_images(config, data)
        self.probe_images = probe_images(config, data)
        self.centroids: dict[int, float] = {}

    def look(self, model: SpikingNetwork, epoch: int, masks: Mapping[str, Tensor]) -> Observation:
        """Look at everything that is due after ``epoch``; raises Diverged if something seen is not finite."""
        config, taken = self._config, dict[str, float]()
        shared: dict[str, Any] = {"present": self._present, "epoch": epoch, "chunk": self._chunk}
        trace = layers = None
        with timed(taken, "eval_seconds"):
            validation = self.validate(model, epoch)
        with timed(taken, "fisher_seconds"):
            if is_fisher_due(config, epoch, self.centroids):
                trace = measure(model, config, self.fisher_images, masks=masks, bfloat16=self._bfloat16, **shared)
        with timed(taken, "probe_seconds"):
            if is_due(config, config.probes.dynamics_every, epoch):
                layers = measure_layers(model, config, self.dynamics_images, **shared)
            probed = probe_rows(model, config, self.probe_images, **shared)
        _refuse_infinite(validation, trace, layers, probed, epoch)
        if trace is not None and not math.isnan(trace.ic):
            self.centroids[epoch] = trace.ic
        return Observation(
            config=config, epoch=epoch, validation=validation, trace=trace, layers=layers, probed=probed,
            seconds=taken,
        )  # fmt: skip

    def validate(self, model: SpikingNetwork, epoch: int) -> Evaluation:
        """Evaluate the network on the validation split."""
        return self._evaluated(model, self._data.validation, epoch)

    def test(self, model: SpikingNetwork) -> Evaluation:
        """Evaluate the network on the test split; every test of a trial draws the same Poisson spikes."""
        return self._evaluated(model, self._data.test, self._config.last_epoch + 1)

    def _evaluated(self, model: SpikingNetwork, split: Split, epoch: int) -> Evaluation:
        return evaluate(model, split, self._present, stream(self._config.seed, "evaluation", epoch))


@contextmanager
def timed(taken: dict[str, float], name: str) -> Iterator[None]:
    """Note the seconds that the context lasts under a name."""
    began = seconds()
    yield
    taken[name] = seconds() - began


def _refuse_infinite(
    validation: Evaluation,
    trace: FisherTrace | None,
    layers: dict[str, LayerDynamics] | None,
    probed: Sequence[DeficitRow | RobustnessRow],
    epoch: int,
) -> None:
    if not math.isfinite(validation.loss):
        raise Diverged(f"validation loss is {validation.loss} after epoch {epoch}")
    if trace is not None and not math.isfinite(float(trace.trace_T.sum())):
        raise Diverged(f"the Fisher trace is not finite after epoch {epoch}")
    if layers is not None and not all(layer.is_finite for layer in layers.values()):
        raise Diverged(f"a layer's dynamics are not finite after epoch {epoch}")
    if not all(math.isfinite(row.loss) for row in probed):
        raise Diverged(f"the loss on disturbed images is not finite after epoch {epoch}")
