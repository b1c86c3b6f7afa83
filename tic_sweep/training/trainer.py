"""`Trainer`: what every trainer offers; and `SecondChance`, another go for a trial that ran out of memory."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol

import torch

from tic_sweep.config import Resources
from tic_sweep.records import Outcome, Report


class Trainer(Protocol):
    """What every trainer offers. Iterate over `reports` to its end, then read `outcome`."""

    def reports(self) -> Iterator[Report]:
        """Yield what has not yet been reported."""
        ...

    @property
    def outcome(self) -> Outcome:
        """How the trial ended."""
        ...

    def save(self) -> None:
        """Write the checkpoint now."""
        ...

    def halt(self, status: str, reason: str) -> None:
        """End the attempt between two reports, with a checkpoint: ``paused`` or ``stopped``."""
        ...


class SecondChance:
    """A trainer that is made anew, once, where it runs out of memory; it goes on from its checkpoint.

    Epochs since that checkpoint are told again, which is harmless: their rows replace the same rows.
    """

    def __init__(self, make: Callable[[Resources], Trainer], resources: Resources) -> None:
        """Make the trainer.

        Args:
            make: makes it for some resources.
            resources: those of the first go.
        """
        self._make, self._resources = make, resources
        self._trainer = make(resources)

    def reports(self) -> Iterator[Report]:
        """Yield the trainer's reports and, if it ran out of memory, those of its second go."""
        yield from self._trainer.reports()
        first, chunk = self._trainer.outcome, self._resources.fisher_chunk
        if first.status != "out_of_memory" or chunk == 1:
            return
        del self._trainer  # or its tensors would take the room of the next one's
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        halved = replace(self._resources, fisher_chunk=chunk // 2)
        self._trainer = self._make(halved)
        yield Report(remarks=(went_on(first.reason, halved),))
        yield from self._trainer.reports()

    @property
    def outcome(self) -> Outcome:
        """How the trial ended."""
        return self._trainer.outcome

    def save(self) -> None:
        """Write the checkpoint now."""
        self._trainer.save()

    def halt(self, status: str, reason: str) -> None:
        """End the attempt between two reports, with a checkpoint."""
        self._trainer.halt(status, reason)


def went_on(reason: str, resources: Resources) -> str:
    """Return the remark on a trial that ran out of memory and goes on with fewer images at once."""
    return f"memory ran out ({reason}): it went on with --fisher-chunk {resources.fisher_chunk}"
