"""`push`: mirror a results folder after the fact, its report and whatever trials were not mirrored."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tic_sweep.errors import StoreError
from tic_sweep.store import Manifest, ResultsFolder, scan, stored_config
from tic_sweep.sweep import telling_fields
from tic_sweep.wandb_sink.client import Client, imported
from tic_sweep.wandb_sink.ledger import Mirrored, noted
from tic_sweep.wandb_sink.naming import Naming
from tic_sweep.wandb_sink.report import mirror_report
from tic_sweep.wandb_sink.whole import mirror_trials

MODES = ("offline", "online")
TRIALS = ("missing", "all", "none")
"""Which trials are mirrored: those not mirrored in their present state, all, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a push did."""

    trials: int
    """Trials mirrored, besides the report."""
    offline: int
    """Runs that wait in the results folder to be uploaded."""
    upload: str
    """The command that uploads them."""
    told: str
    """What W&B did not take, in one line; empty if it took all, or was not asked."""


def push(
    folder: ResultsFolder,
    *,
    mode: str = "offline",
    project: str | None = None,
    entity: str | None = None,
    trials: str = "missing",
    checkpoints: str = "best",
) -> Pushed:
    """Mirror a results folder to W&B: the run of its report, and the runs of trials, each whole, from the store.

    Runs have the ids they have when the sweep mirrors itself, so a run that is with W&B already is replaced.

    Args:
        folder: the results, of a sweep that has ended or is running.
        mode: offline or online.
        project: W&B project; None is that of WANDB_PROJECT, else tic_sweep.
        entity: W&B user or team; None is W&B's default.
        trials: missing, all or none.
        checkpoints: best, all or none; see `mirror_report`.

    Raises:
        ResourceError: if wandb cannot be used.
        StoreError: if runs cannot be written in the results folder.
    """
    imported()
    _check_writable(folder.wandb)
    client = Client(folder=folder, mode=mode, project=project, entity=entity)
    naming = _naming(folder)
    wanted = list(_wanted(folder, trials))
    mirror_trials(client, naming, wanted)
    mirror_report(client, naming, figures=True, checkpoints=checkpoints)
    return Pushed(trials=len(wanted), offline=client.offline, upload=client.upload, told=client.told)


def _check_writable(place: Path) -> None:
    """Refuse a folder that W&B could not write its runs to, online too: it would do so elsewhere, or not at all.

    Raises:
        StoreError: if it cannot be made or written.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise StoreError(
            f"{place} cannot be written ({error.strerror}): allow or free space there, or mirror a copy of the results."
        ) from error


def _wanted(folder: ResultsFolder, trials: str) -> Iterator[str]:
    """Yield the keys of the trials to mirror; those that have not begun have nothing to tell."""
    if trials == "none":
        return
    mirrored = noted(folder) if trials == "missing" else {}
    columns = list(Mirrored.__dataclass_fields__)
    begun = scan(folder, "trials").filter(pl.col("status") != "planned").select(columns).collect()
    for row in begun.iter_rows(named=True):
        if mirrored.get(row["key"]) != Mirrored(**row):
            yield row["key"]


def _naming(folder: ResultsFolder) -> Naming:
    manifest = Manifest.load(folder.manifest)
    configs = [stored_config(row) for row in scan(folder, "trials").collect().iter_rows(named=True)]
    labels = telling_fields(configs, manifest.varied) if manifest.searcher == "random" else manifest.varied
    return Naming(sweep=manifest.sweep, scale=manifest.scale, labels=labels)
