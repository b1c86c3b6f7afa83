"""`ToyTraining`: a trial of a toy task from its config to its outcome, told as a sequence of reports."""

from pathlib import Path
from typing import Any

from tic_sweep.config import Resources, TrialConfig
from tic_sweep.data import RawImages
from tic_sweep.records import Report, Row
from tic_sweep.toys import CURVE_POINTS, ToyBlock, spread
from tic_sweep.training.attempt import Attempt
from tic_sweep.training.checkpoint import weights_digest

REPORTS = 10
"""Reports of a toy trial, evenly spread over its updates."""


class ToyTraining(Attempt):
    """A trial of a toy task: a block of problems at all its learning rates, told in about `REPORTS` reports.

    A network whose loss is not finite is a row; lack of memory is an outcome; anything else is an exception.
    """

    def __init__(
        self, config: TrialConfig, _images: RawImages | None, resources: Resources, checkpoint: Path | None = None
    ) -> None:
        """Prepare the trial, continuing from ``checkpoint`` if that file exists.

        Args:
            config: the science.
            _images: not read; `Training` has them in this place.
            resources: the circumstance; ``precision`` and ``fisher_chunk`` mean nothing here.
            checkpoint: where this trial's checkpoint lies or will lie; None keeps none.
        """
        super().__init__(config, resources, checkpoint)
        self.block = ToyBlock(config, self.device)
        self._curve = set(spread(config.toy.updates, CURVE_POINTS))
        self._resume()

    @property
    def _begun(self) -> bool:
        return self.block.update > 0

    @property
    def _over(self) -> bool:
        return self.block.update == self.config.toy.updates

    def _advance(self) -> Report:
        """Train up to the next report; tell the points of the curves on the way and, at the end, all networks."""
        updates = self.config.toy.updates
        stop = next(stop for stop in spread(updates, REPORTS) if stop > self.block.update)
        rows: list[Row] = [] if self.block.update else list(self.block.curve_rows(self.key))
        while self.block.update < stop:
            self.block.step()
            if self.block.update in self._curve:
                rows += self.block.curve_rows(self.key)
        if stop == updates:
            rows += self.block.rows(self.key)
        return Report(rows=tuple(rows))

    def _results(self) -> dict[str, Any]:
        weights = self.block.weights
        return {
            "parameters": sum(weight[0, 0].numel() for weight in weights),
            "weights_digest": weights_digest({str(layer): weight for layer, weight in enumerate(weights)}),
        }

    def _state(self) -> dict[str, Any]:
        return {"block": self.block.state()}

    def _restore(self, state: dict[str, Any]) -> None:
        self.block.restore(state["block"])
