"""One writer stores rows: at once in the journal, soon in Parquet."""

import math
import os
import socket
from pathlib import Path

import polars as pl
import pytest
from store.store_rows import column_of, epoch_row, epochs_in, new_folder, trial_row

from tic_sweep.config import TrialConfig, replaced
from tic_sweep.errors import StoreError
from tic_sweep.records import FisherRow
from tic_sweep.store import ResultsWriter, scan


def test_row_is_seen_before_any_flush(tmp_path: Path) -> None:
    """A row that was added is in the journal and readers see it."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        writer.add(epoch_row("a", 0))

        assert [("a", 0)] == epochs_in(folder)
        assert [] == folder.segments("epochs")


def test_flush_turns_the_journal_into_a_segment_per_table(tmp_path: Path) -> None:
    """After a flush each table has one segment named by session and number, and the journal is gone."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        writer.add(epoch_row("a", 0))
        writer.add(trial_row("a"), TrialConfig())
        writer.flush()

        assert [] == folder.journals()
        assert ["000001-000001.parquet"] == [path.name for path in folder.segments("epochs")]
        assert ["000001-000001.parquet"] == [path.name for path in folder.segments("trials")]
        assert [] == folder.segments("fisher")


def test_flush_by_rows(tmp_path: Path) -> None:
    """Every flush_rows rows become a segment."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder, flush_rows=2, flush_seconds=1e9) as writer:
        for epoch in range(5):
            writer.add(epoch_row("a", epoch))

        assert [2, 2] == [pl.read_parquet(path).height for path in folder.segments("epochs")]
    assert 3 == len(folder.segments("epochs"))


def test_flush_by_time(tmp_path: Path) -> None:
    """Rows older than flush_seconds are flushed by the next add, or by a tick while no rows come."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder, flush_seconds=0.0) as writer:
        writer.add(epoch_row("a", 0))
        assert 1 == len(folder.segments("epochs"))

    with ResultsWriter(folder, flush_seconds=0.01) as writer:
        writer.add(epoch_row("a", 1))
        while folder.journals():
            writer.tick()
    assert 2 == len(folder.segments("epochs"))


@pytest.mark.parametrize("flushed", [False, True])
def test_nan_infinity_and_null_keep_apart(tmp_path: Path, flushed: bool) -> None:  # noqa: FBT001 - a parameter
    """NaN stays NaN, infinity infinity and null null, from the journal and from Parquet."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        for epoch, ic in enumerate((math.nan, math.inf, None)):
            writer.add(epoch_row("a", epoch, ic=ic))
        if flushed:
            writer.flush()

        nan, infinity, null = column_of(folder, "ic")

    assert math.isnan(nan)
    assert math.inf == infinity
    assert null is None


def test_values_are_cast_to_the_declared_type(tmp_path: Path) -> None:
    """A whole number in a column of reals, as a worker may send it, is stored as a real."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        writer.add(FisherRow(key="a", epoch=0, level="model", part="", t=1, fisher_trace=2, fisher_se=0))

        assert [2.0] == column_of(folder, "fisher_trace", "fisher")


def test_config_becomes_columns(tmp_path: Path) -> None:
    """A trial row carries its config as columns named by dotted paths."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        writer.add(trial_row("a"), replaced(TrialConfig(), {"neuron.tau": 4, "timesteps": 6}))
    row = scan(folder, "trials").collect().row(0, named=True)

    assert (4.0, 6, "cifar10") == (row["neuron.tau"], row["timesteps"], row["data.name"])


def test_config_goes_with_trial_rows_only(tmp_path: Path) -> None:
    """Forgetting a trial's config is a mistake, and so is giving one with an epoch."""
    with ResultsWriter(new_folder(tmp_path / "r")) as writer:
        with pytest.raises(ValueError, match="a config goes with a TrialRow"):
            writer.add(trial_row("a"))
        with pytest.raises(ValueError, match="a config goes with a TrialRow"):
            writer.add(epoch_row("a", 0), TrialConfig())


def test_second_writer_is_refused_by_name(tmp_path: Path) -> None:
    """While a folder is being written, another writer is told by whom; afterwards it may write."""
    folder = new_folder(tmp_path / "r")
    with (
        ResultsWriter(folder),
        pytest.raises(StoreError, match=f"being written by process {os.getpid()} on {socket.gethostname()}"),
    ):
        ResultsWriter(folder)

    ResultsWriter(folder).close()


def test_each_opening_is_a_session(tmp_path: Path) -> None:
    """Sessions count up and rows are numbered within them, so that order never depends on a clock."""
    folder = new_folder(tmp_path / "r")
    for _ in range(2):
        with ResultsWriter(folder) as writer:
            writer.add(epoch_row("a", writer.session))
            writer.add(epoch_row("b", writer.session))

    assert [1, 1, 2, 2] == column_of(folder, "session")
    assert [0, 1, 0, 1] == column_of(folder, "seq")


def test_rows_added_as_a_frame_come_after_those_before(tmp_path: Path) -> None:
    """A frame becomes a segment with the session's next numbers, and rows that waited are flushed before it."""
    folder = new_folder(tmp_path / "r")
    rows = pl.DataFrame([epoch_row("a", 0, ic=2.0), epoch_row("a", 1, ic=3.0)], schema_overrides={"ic": pl.Float64})
    with ResultsWriter(folder) as writer:
        writer.add(epoch_row("a", 0, ic=1.0))
        writer.add_frame("epochs", rows)
        writer.add_frame("epochs", rows.clear())
        writer.add(epoch_row("a", 1, ic=4.0))

    assert [(0, 2.0, 1, 1), (1, 4.0, 1, 3)] == (
        scan(folder, "epochs").select("epoch", "ic", "session", "seq").collect().rows()
    )
    assert 3 == len(folder.segments("epochs"))


def test_frame_that_the_disk_refuses_is_told(tmp_path: Path) -> None:
    """A place that cannot be written is one clear error."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        folder.tables.mkdir()
        folder.table("epochs").write_text("a file where a folder should be")
        with pytest.raises(StoreError, match="cannot be written"):
            writer.add_frame("epochs", pl.DataFrame([epoch_row("a", 0)]))
