"""The probes of a trial that show disturbed test images: on which images, after which epochs, and into which rows."""

from dataclasses import asdict
from functools import partial

from torch import nn

from tic_sweep.config import TrialConfig, listed, trial_key
from tic_sweep.data import Split, TrialData
from tic_sweep.probes import measure_deficits, measure_robustness
from tic_sweep.records import DeficitRow, RobustnessRow
from tic_sweep.streams import stream
from tic_sweep.training.presentation import Presentation


def probe_images(config: TrialConfig, data: TrialData) -> Split:
    """Return the test images that deficits and robustness are measured on: the first few of a shuffled split."""
    count = config.probes.test_images or len(data.test.labels)
    return Split(data.test.images[:count], data.test.labels[:count])


def probe_rows(
    model: nn.Module, config: TrialConfig, images: Split, present: Presentation, *, epoch: int, chunk: int
) -> tuple[DeficitRow | RobustnessRow, ...]:
    """Return the rows of the deficits and of the robustness due after ``epoch``; none if neither is.

    Each draws from a fresh start of the epoch's "probes" stream, so that one changes nothing in the other; the direct
    coding they ask for draws nothing. The model is left as it was.
    """
    probes = config.probes
    rows: list[DeficitRow | RobustnessRow] = []
    for due, measurement, record in (
        (probes.deficit_epochs, measure_deficits, DeficitRow),
        (probes.robustness_epochs, measure_robustness, RobustnessRow),
    ):
        if epoch not in listed(due):
            continue
        generator = stream(config.seed, "probes", epoch)
        results = measurement(
            model,
            images.images,
            images.labels,
            partial(present, generator=generator),
            probes,
            readout=config.model.readout,
            generator=generator,
            chunk=chunk,
        )
        rows += [record(key=trial_key(config), epoch=epoch, **asdict(result)) for result in results]
    return tuple(rows)
