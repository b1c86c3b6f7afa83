"""Damage: files whose rows are lost, and the trials to which those rows may have belonged.

A trial whose rows are lost has not ended, whatever its own row says. Which trials are meant follows from stamps: lost
are rows between the newest one before a damaged file and the oldest one after it, and a trial that was at work in
between may have told some of them. That errs towards computing again, which gives the same rows.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import polars as pl

from tic_sweep.records import TABLES
from tic_sweep.store.folder import ResultsFolder, number_of
from tic_sweep.store.journal import is_whole_journal, read_journal
from tic_sweep.store.reader import scan, stored_rows
from tic_sweep.store.seal import is_intact
from tic_sweep.store.segments import STAMP, readable_segments

Stamp: TypeAlias = tuple[int, int]
DERIVED = ("summaries",)
"""Tables that are worked out from others, and will be again."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A damaged file, and the stamps between which its rows lay, both excluded."""

    table: str
    """Empty for a journal, which holds rows of all tables."""
    path: Path
    after: Stamp
    before: Stamp

    @property
    def costs_trials(self) -> bool:
        """Whether rows of trials' own tables are lost: their states show by themselves."""
        return self.table not in {"trials", *DERIVED}

    def set_aside(self) -> None:
        """Rename the file, so that nothing reads it; the whole lines of a journal are in segments by then."""
        with suppress(FileNotFoundError):
            self.path.replace(self.path.with_name(f"{self.path.name}.damaged"))


def is_whole(path: Path) -> bool:
    """Tell whether a segment can be read and is what was written; one of an older version, by decoding it all."""
    try:
        intact = is_intact(path)
        if intact is None:
            with path.open("rb") as file:
                pl.scan_parquet(file).collect()
    except FileNotFoundError:
        return True  # it has become part of another one
    except (OSError, pl.exceptions.PolarsError):
        return False
    return intact is not False


def spoilt_segments(folder: ResultsFolder, table: str) -> list[Path]:
    """Return the segments of a table that can be read, but hold other bytes than were written."""
    found = []
    for path in folder.segments(table):
        with suppress(OSError):
            if is_intact(path) is False:
                found.append(path)
    return found


def find_damage(folder: ResultsFolder) -> list[Damage]:
    """Read every file of a folder's tables and return those that are damaged."""
    found = [damage for table in TABLES for damage in _damaged_segments(folder, table)]
    return found + [damage for path in folder.journals() if (damage := _damaged_journal(path)) is not None]


def trials_touched(folder: ResultsFolder, damages: Sequence[Damage]) -> frozenset[str]:
    """Return the keys of the trials that may have told the rows that are lost."""
    lost = [(damage.after, damage.before) for damage in damages if damage.costs_trials]
    if not lost:
        return frozenset()
    began: dict[str, Stamp] = {}
    ended: dict[str, Stamp] = {}
    rows = stored_rows(folder, "trials").rows.select("key", "status", *STAMP).sort(STAMP).collect()
    for key, status, session, seq in rows.iter_rows():
        if status == "running":
            began.setdefault(key, (session, seq))
        ended[key] = (session + 1, 0) if status == "running" else (session, seq)
    idle = set(scan(folder, "trials").filter(status="planned").select("key").collect()["key"])
    return frozenset(
        key for key, end in ended.items()
        if key not in idle and any(began.get(key, (0, 0)) < before and end > after for after, before in lost)
    )  # fmt: skip


def trials_with_holes(folder: ResultsFolder) -> frozenset[str]:
    """Return the keys of the trials that lack rows of epochs which they have told.

    Epochs count from 0 without a gap, and a trial's own row says how many it has done.
    """
    told = scan(folder, "epochs").group_by("key").agg(last=pl.col("epoch").max(), count=pl.col("epoch").n_unique())
    done = scan(folder, "trials").filter(pl.col("status") != "planned").select("key", "epochs_done")
    lacking = (pl.col("last") + 1 != pl.col("count")) | (pl.col("last").fill_null(0) < pl.col("epochs_done"))
    return frozenset(done.join(told, on="key", how="left").filter(lacking).select("key").collect()["key"])


def last_epochs(folder: ResultsFolder) -> dict[str, int]:
    """Return the last epoch of each trial of which all rows are stored: an epoch's row is the last of its report's."""
    return dict(scan(folder, "epochs").group_by("key").agg(pl.col("epoch").max()).collect().iter_rows())


def _damaged_segments(folder: ResultsFolder, table: str) -> list[Damage]:
    segments = folder.segments(table)
    damaged = [path for path in segments if not is_whole(path)]
    if not damaged:
        return []
    whole = {path: stamps for path in segments if path not in damaged and (stamps := _stamps(path, table)) is not None}
    return [
        Damage(
            table, path,
            after=max((last for other, (_, last) in whole.items() if _order(other) < _order(path)), default=(0, 0)),
            before=min(
                (first for other, (first, _) in whole.items() if _order(other) > _order(path)),
                default=(_order(path)[0] + 1, 0),
            ),
        )
        for path in damaged
    ]  # fmt: skip


def _damaged_journal(path: Path) -> Damage | None:
    """Return the damage of a journal with a spoilt line; the last one may be torn by a kill, and was never promised."""
    try:
        journaled = read_journal(path.read_bytes())
    except FileNotFoundError:
        return None
    if is_whole_journal(journaled):
        return None
    session, told = number_of(path.name)[0], (row["seq"] for rows in journaled.rows.values() for row in rows)
    return Damage("", path, after=(session, min(told, default=0) - 2), before=(session + 1, 0))


def _stamps(path: Path, table: str) -> tuple[Stamp, Stamp] | None:
    """Return the first and the last stamp in a segment; None if it has no rows that can be read."""
    if not readable_segments(table, [path]):
        return None
    with path.open("rb") as file:
        rows = pl.scan_parquet(file).select(STAMP).sort(STAMP).collect()
    return (rows.row(0), rows.row(-1)) if rows.height else None  # type: ignore[return-value]


def _order(path: Path) -> Stamp:
    return number_of(path.name)
