"""Running one stored trial anew, from its row alone, and telling whether it comes out as it did.

A row is data, whoever wrote it: its config is rebuilt field by field under the same checks as any other, its key must
be the one that config has, and what it says of its circumstance is taken only where it names fields of `Resources`.
Neither the sweep's file nor any checkpoint is looked at.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from tic_sweep.config import Resources, TrialConfig, trial_key
from tic_sweep.errors import ConfigError, StoreError, UserError
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.provenance import provenance
from tic_sweep.launch.session import run_sweep
from tic_sweep.launch.signals import Stop
from tic_sweep.launch.terminal import plain
from tic_sweep.store import Reading, stored_config
from tic_sweep.sweep import Scale, Sweep

FINAL = ("status", "weights_digest", "val_acc", "test_acc")
"""What is compared of a trial's row, where the stored one says it."""
BY_EPOCH = ("val_loss", "val_acc", "ic")
"""What is compared of every epoch that is stored."""


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """A trial as some results hold it."""

    row: dict[str, Any]
    epochs: pl.DataFrame
    config: TrialConfig

    @property
    def key(self) -> str:
        """Name of the trial."""
        return str(self.row["key"])

    @property
    def resources(self) -> Resources:
        """What it could use, as far as its row says so in words that are known here."""
        try:
            said = json.loads(self.row["circumstance"] or "{}")
        except ValueError:
            said = {}
        names = {field.name for field in dataclasses.fields(Resources)}
        try:
            return Resources(**{name: value for name, value in dict(said).items() if name in names})
        except (ConfigError, TypeError, ValueError):
            return Resources(device="cpu")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One quantity, as it was stored and as it comes out now."""

    quantity: str
    stored: str
    now: str
    same: bool


@dataclass(frozen=True, slots=True)
class Reproduced:
    """How a trial came out when it was run anew."""

    stored: StoredTrial
    comparisons: tuple[Comparison, ...]
    interrupted: int | None = None
    """Exit code, if it was stopped before its end."""

    @property
    def same(self) -> bool:
        """Whether everything that could be compared is the same to the last bit."""
        return all(one.same for one in self.comparisons)

    @property
    def versions(self) -> tuple[str, str]:
        """Version, commit and packages of the stored trial, and of this program."""
        here = provenance()
        row = self.stored.row
        return _versions(row["version"], row["git_commit"], row["packages"]), _versions(*dataclasses.astuple(here)[:3])


def find_trial(place: str | Path, key: str) -> StoredTrial:
    """Return the stored trial whose key begins with ``key``.

    Raises:
        StoreError: if there is none, or more than one, if it has not begun, or if its row is not that of its key.
        ConfigError: if its row holds a value that no trial can have.
    """
    reading = Reading.open(place)
    found = reading.tables["trials"].filter(pl.col("key").str.starts_with(key)).collect()
    if not key or not found.height:
        raise StoreError(f"{reading.folder.name} holds no trial {key!r}: `tic-sweep query` lists keys.")
    if found.height > 1:
        raise StoreError(
            f"{key!r} begins the keys of {found.height} trials, such as {found['key'][0]}: give more of it."
        )
    row = found.to_dicts()[0]
    config = stored_config(row)
    if trial_key(config) != row["key"]:
        raise StoreError(
            f"trial {row['key']} is not what its name says: its fields make {trial_key(config)}. It was changed, or "
            f"written by a version with other fields ({_plain(row['version']) or 'unknown'})."
        )
    epochs = reading.tables["epochs"].filter(pl.col("key") == row["key"]).sort("epoch").collect()
    if not epochs.height and not row["weights_digest"]:
        raise StoreError(
            f"trial {row['key']} has told nothing yet ({row['status']}): there is nothing to compare with."
        )
    return StoredTrial(row, epochs, config)


def reproduce(
    trial: StoredTrial, options: Options, results: Path, *, command: str = "", console: Console | None = None
) -> Reproduced:
    """Run a stored trial anew in a results folder of its own, and compare.

    Args:
        trial: from `find_trial`.
        options: where its data lie, and what it may use.
        results: folder for the new results.
        command: the command line to note there.
        console: where progress goes; None is the terminal.

    Raises:
        UserError: if it cannot be run here.
    """
    scale = Scale(base=trial.config, seeds=(trial.config.seed,))
    sweep = Sweep(name="rerun", question=f"Does trial {trial.key} come out as it was stored?", laptop=scale)
    try:
        stop = run_sweep(Request(sweep=sweep), options, results=results, command=command, console=console).stop
    except UserError:
        raise
    except Exception:  # noqa: BLE001 - that it fails may be how it ended before: its row says why
        stop = Stop()
    if stop:
        return Reproduced(trial, (), stop.exit_code)
    reading = Reading.open(results)
    row = reading.tables["trials"].filter(pl.col("key") == trial.key).collect().to_dicts()[0]
    epochs = reading.tables["epochs"].filter(pl.col("key") == trial.key).sort("epoch").collect()
    return Reproduced(trial, (*_of_rows(trial.row, row), *_of_epochs(trial.epochs, epochs)))


def _of_rows(stored: dict[str, Any], now: dict[str, Any]) -> list[Comparison]:
    """Compare what the trial came to, if it ran to an end of its own."""
    if stored["status"] not in {"finished", "diverged", "out_of_memory", "failed"}:
        return []
    told = [name for name in FINAL if stored[name] not in {None, ""}]
    return [Comparison(name, _plain(stored[name]), _plain(now[name]), stored[name] == now[name]) for name in told]


def _of_epochs(stored: pl.DataFrame, now: pl.DataFrame) -> list[Comparison]:
    """Compare every epoch that is stored, and the last centroid by its value."""
    if not stored.height:
        return []
    both = stored.select("epoch", *BY_EPOCH).join(now.select("epoch", *BY_EPOCH), on="epoch", how="left", suffix="_now")
    alike = [pl.col(name).eq_missing(pl.col(f"{name}_now")) for name in BY_EPOCH]
    count = both.filter(pl.all_horizontal(alike)).height
    last = both.filter(pl.col("ic").is_not_null()).tail(1)
    final = [
        Comparison(f"IC at epoch {epoch}", f"{ic:.9f}", "none" if ic_now is None else f"{ic_now:.9f}", ic == ic_now)
        for epoch, ic, ic_now in last.select("epoch", "ic", "ic_now").iter_rows()
    ]
    return [*final, Comparison("epochs that are the same", str(stored.height), str(count), count == stored.height)]


def _versions(version: str, commit: str, packages: str) -> str:
    return _plain(", ".join(filter(None, (f"tic_sweep {version}", commit and f"commit {commit}", packages))))


def _plain(value: object) -> str:
    """Return a stored value as a line that a terminal only prints."""
    return plain(f"{value:.9f}" if isinstance(value, float) else " ".join(str(value).split()))


def columns(comparisons: Sequence[Comparison]) -> list[tuple[str, str, str, str]]:
    """Return comparisons as the rows of a table: quantity, stored, now, verdict."""
    return [(one.quantity, one.stored, one.now, "same" if one.same else "differs") for one in comparisons]
