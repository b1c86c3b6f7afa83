"""Small rows and folders for the tests of the store."""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from tic_sweep.records import EpochRow, TrialRow
from tic_sweep.store import Manifest, ResultsFolder, ResultsWriter, scan

ENDLESS_WRITER = """
import sys
from tic_sweep.records import EpochRow
from tic_sweep.store import ResultsFolder, ResultsWriter
writer = ResultsWriter(ResultsFolder.open(sys.argv[1]), flush_rows=100)
for epoch in range(10**9):
    writer.add(EpochRow(key="a", epoch=epoch, val_loss=0.0, val_acc=0.0, train_seconds=0.0, eval_seconds=0.0,
                        fisher_seconds=0.0))
    print(epoch, flush=True)
"""
"""A process that writes epochs for ever and prints each one once it is stored."""


def new_folder(path: Path) -> ResultsFolder:
    """Make a results folder with a manifest at ``path``."""
    folder = ResultsFolder.create(path)
    Manifest(sweep="demo", scale="laptop", question="Why?").save(folder.manifest)
    return folder


def abandoned(folder: ResultsFolder, add: Callable[[ResultsWriter], None]) -> Path:
    """Leave the journal of what ``add`` adds as a killed session does, and return its path."""
    writer = ResultsWriter(folder)
    add(writer)
    journal = folder.journals()[0]
    content = journal.read_bytes()
    writer.close()
    for segment in folder.root.glob("tables/*/*.parquet"):
        segment.unlink()
    journal.write_bytes(content)
    return journal


def with_checksum(line: str) -> str:
    """Return an object in JSON as the journal keeps it, without the line break."""
    return f'{line[:-1]}, "crc": "{zlib.crc32(line[:-1].encode()):08x}"}}'


def epoch_row(key: str, epoch: int, **values: Any) -> EpochRow:
    """Return an epoch row with the measurements that a test does not look at set to zero."""
    unseen = {"val_loss": 0.0, "val_acc": 0.0, "train_seconds": 0.0, "eval_seconds": 0.0, "fisher_seconds": 0.0}
    return EpochRow(key=key, epoch=epoch, **(unseen | values))


def trial_row(key: str, status: str = "finished", **values: Any) -> TrialRow:
    """Return a trial row."""
    return TrialRow(key=key, sweep="demo", scale="laptop", status=status, **values)


def epochs_in(folder: ResultsFolder) -> list[tuple[str, int]]:
    """Return (key, epoch) of every epoch row that a reader sees, in order."""
    return scan(folder, "epochs").select("key", "epoch").collect().rows()


def column_of(folder: ResultsFolder, name: str, table: str = "epochs") -> list[Any]:
    """Return one column of a table as a reader sees it."""
    return scan(folder, table).select(pl.col(name)).collect().to_series().to_list()
