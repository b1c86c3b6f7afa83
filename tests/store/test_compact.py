"""Compaction makes files fewer and changes nothing that a reader sees; neither does any order of stops and starts."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from store.store_rows import column_of, epoch_row, epochs_in, new_folder

from tic_sweep.errors import StoreError
from tic_sweep.records import TABLES
from tic_sweep.store import DamagedFileWarning, ResultsWriter, compact, scan, schema_of
from tic_sweep.store.segments import is_settled, write_segment

STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.floats(allow_infinity=False)),
        st.sampled_from(["flush", "reopen", "compact"]),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_any_history_reads_as_the_last_value_of_each_epoch(steps: list[str | tuple[str, int, float]]) -> None:
    """However adds, flushes, restarts and compactions follow each other, a reader sees the newest row of each epoch."""
    expected: dict[tuple[str, int], float] = {}
    with tempfile.TemporaryDirectory() as path:
        folder = new_folder(Path(path) / "r")
        writer = ResultsWriter(folder)
        for step in steps:
            if isinstance(step, tuple):
                key, epoch, ic = step
                writer.add(epoch_row(key, epoch, ic=ic))
                expected[key, epoch] = ic
            elif step == "flush":
                writer.flush()
            else:
                writer.close()
                if step == "compact":
                    compact(folder)
                writer = ResultsWriter(folder)
        rows = scan(folder, "epochs").select("key", "epoch", "ic").collect()
        writer.close()

    assert repr(sorted((k, e, ic) for (k, e), ic in expected.items())) == repr(sorted(rows.rows()))


def test_compaction_keeps_the_newest_rows_in_one_file(tmp_path: Path) -> None:
    """Two sessions of three segments each, half of their rows replaced, become one segment of the rows that count."""
    folder = new_folder(tmp_path / "r")
    for _ in range(2):
        with ResultsWriter(folder, flush_rows=1) as writer:
            for epoch in range(3):
                writer.add(epoch_row("a", epoch, ic=float(writer.session)))
    before = scan(folder, "epochs").collect()

    assert dict.fromkeys(TABLES, 0) | {"epochs": 5} == compact(folder)
    assert_frame_equal(before, scan(folder, "epochs").collect())
    assert ["000002-000003.parquet"] == [path.name for path in folder.segments("epochs")]
    assert 3 == pl.read_parquet(folder.segments("epochs")[0]).height


def test_compacted_table_is_read_as_it_lies_there(tmp_path: Path) -> None:
    """One segment is settled too, rows that others replace taken out; a later session is seen beside it."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        for ic in (1.0, 2.0):
            writer.add(epoch_row("a", 0, ic=ic))
    segment = folder.segments("epochs")[0]
    assert not is_settled(segment, "epochs")
    compact(folder)

    assert is_settled(segment, "epochs")
    assert "SORT" not in scan(folder, "epochs").explain()
    assert [2.0] == column_of(folder, "ic")
    with ResultsWriter(folder) as writer:
        writer.add(epoch_row("a", 0, ic=3.0))
        assert [3.0] == column_of(folder, "ic")  # in the journal
    assert [3.0] == column_of(folder, "ic")


def test_settled_by_another_identity_is_not_settled(tmp_path: Path) -> None:
    """If a later version tells rows apart by other columns, it looks for replaced ones again."""
    folder = new_folder(tmp_path / "r")
    path = folder.segment("epochs", 1, 1)
    write_segment(path, schema_of("epochs").to_frame(), settled="trials")

    assert not is_settled(path, "epochs")
    assert is_settled(path, "trials")


def test_next_session_is_newer_than_a_compacted_one(tmp_path: Path) -> None:
    """Compaction keeps the newest session's number in use."""
    folder = new_folder(tmp_path / "r")
    for _ in range(3):
        with ResultsWriter(folder) as writer:
            writer.add(epoch_row("a", 0))
    compact(folder)

    with ResultsWriter(folder) as writer:
        assert 4 == writer.session


def test_compaction_waits_for_no_writer(tmp_path: Path) -> None:
    """A folder that is being written is not compacted."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder), pytest.raises(StoreError, match="being written by process"):
        compact(folder)


def test_damaged_segment_outlives_compaction(tmp_path: Path) -> None:
    """What cannot be read is not thrown away."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder, flush_rows=1) as writer:
        for epoch in range(3):
            writer.add(epoch_row("a", epoch))
    damaged = folder.segments("epochs")[2]
    damaged.write_bytes(b"oh")

    with pytest.warns(DamagedFileWarning):
        compact(folder)

    with pytest.warns(DamagedFileWarning):
        assert [("a", 0), ("a", 1)] == epochs_in(folder)
    assert b"oh" == damaged.read_bytes()
