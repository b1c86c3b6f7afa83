"""Trials that may share a pack, and what a pack told of them."""

from collections.abc import Sequence
from pathlib import Path

from cases import SMALL
from training.trial_runs import RESOURCES

from tic_sweep.config import Resources, TrialConfig, replaced, trial_key
from tic_sweep.data import RawImages
from tic_sweep.records import Outcome, Report
from tic_sweep.training import Pack, Told

BASE = replaced(SMALL, {"loss.name": "alpha", "data.augmentation": "crop_flip"})
VARIED = [
    replaced(
        BASE,
        {
            "seed": seed, "optimiser.lr": lr, "optimiser.weight_decay": decay, "neuron.tau": tau,
            "neuron.reset_gradient": share, "loss.alpha": alpha,
        },
    )
    for seed, lr, decay, tau, share, alpha in [
        (0, 0.1, 0.0, 2.0, 0.0, 0.0), (1, 0.2, 1e-3, 2.5, 0.5, 0.1), (2, 0.05, 1e-2, 1.5, 1.0, 0.02),
    ]
]  # fmt: skip
"""Three trials that differ in everything that members of a pack may differ in."""


def begun(
    configs: Sequence[TrialConfig], images: RawImages, folder: Path | None = None, resources: Resources = RESOURCES
) -> Pack:
    """Return a pack of some trials, with checkpoints named by their keys if there is a folder."""
    return Pack([(c, folder / f"{trial_key(c)}.pt" if folder else None) for c in configs], images, resources)


def all_told(pack: Pack) -> list[Told]:
    """Return all that the members of a pack tell until it is over."""
    told = []
    while not pack.over:
        told += pack.step()
    pack.close()
    return told


def heard(told: Sequence[Told], config: TrialConfig) -> tuple[list[Report], list[Outcome]]:
    """Return the reports and the outcomes of one trial."""
    own = [one for one in told if one.key == trial_key(config)]
    return [one.report for one in own if one.report], [one.outcome for one in own if one.outcome]
