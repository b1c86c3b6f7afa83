"""What of a results folder cannot be read is counted, and never stops the rest from being read."""

import json
import warnings
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store.fabricated import TURNING, write_sweep
from store.store_rows import epoch_row, epochs_in, new_folder, trial_row, with_checksum

from analysis import open_results
from tic_sweep.config import TrialConfig
from tic_sweep.store import DamagedFileWarning, ResultsFolder, ResultsWriter, compact


def written(path: Path, epochs: int = 2) -> ResultsFolder:
    """Return a folder of one trial with a segment per epoch."""
    folder = new_folder(path)
    with ResultsWriter(folder, flush_rows=1) as writer:
        writer.add(trial_row("a"), TrialConfig())
        for epoch in range(epochs):
            writer.add(epoch_row("a", epoch, ic=float(epoch)))
    return folder


def counted(folder: ResultsFolder) -> list[tuple[Any, ...]]:
    """Return table, file, problem and count of everything wrong with a folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamagedFileWarning)
        return open_results(folder.root).problems.drop("folder").rows()


def journal(folder: ResultsFolder, *lines: str) -> None:
    """Leave a journal of these lines."""
    folder.journal.mkdir(exist_ok=True)
    folder.journal_file(9, 1).write_text("".join(f"{line}\n" for line in lines))


def row(**values: Any) -> str:
    """Return an epoch row as a line of the journal."""
    return with_checksum(json.dumps({"table": "epochs", "key": "a", "epoch": 7, "session": 9, "seq": 0} | values))


def test_a_healthy_folder_has_none(tmp_path: Path) -> None:
    """No row, and the five columns."""
    folder = write_sweep(tmp_path / "r", [({}, "finished", TURNING)])
    problems = open_results(folder.root).problems

    assert (0, ["folder", "table", "file", "problem", "count"]) == (problems.height, problems.columns)


@pytest.mark.parametrize("content", [b"", b"PAR1 but not really", None])
def test_a_damaged_or_truncated_segment(tmp_path: Path, content: bytes | None) -> None:
    """An empty file, one of other bytes, and one cut in half are a segment each; the other epochs are read."""
    folder = written(tmp_path / "r")
    segment = folder.segments("epochs")[0]
    whole = segment.read_bytes()
    segment.write_bytes(whole[: len(whole) // 2] if content is None else content)

    assert [("epochs", segment.name, "segments damaged and passed over", 1)] == counted(folder)
    with pytest.warns(DamagedFileWarning):
        assert [("a", 1)] == epochs_in(folder)


@pytest.mark.parametrize(
    ("column", "wrong", "words"),
    [
        ("ic", pl.String, "ic is String, not Float64"),
        ("epoch", pl.Float64, "epoch is Float64, not Int64"),
        ("key", pl.Categorical, "key is Categorical, not String"),
    ],
)
def test_a_segment_of_another_type_is_passed_over(
    tmp_path: Path, column: str, wrong: type[pl.DataType], words: str
) -> None:
    """Its rows are counted, and the rest is read."""
    folder = written(tmp_path / "r")
    segment = folder.segments("epochs")[1]
    pl.read_parquet(segment).with_columns(pl.col(column).cast(wrong)).write_parquet(segment)

    assert [("epochs", segment.name, f"rows in a segment passed over: {words}", 1)] == counted(folder)
    with pytest.warns(DamagedFileWarning, match=words):
        assert [("a", 0)] == epochs_in(folder)


@pytest.mark.parametrize(("column", "other"), [("ic", pl.Float32), ("ic", pl.UInt64), ("epoch", pl.Int32)])
def test_a_narrower_type_is_read(tmp_path: Path, column: str, other: type[pl.DataType]) -> None:
    """What goes into the declared type without loss is no problem."""
    folder = written(tmp_path / "r")
    segment = folder.segments("epochs")[1]
    pl.read_parquet(segment).with_columns(pl.col(column).cast(other)).write_parquet(segment)

    assert [] == counted(folder)
    assert [(0, 0.0), (1, 1.0)] == open_results(folder.root).epochs.select("epoch", "ic").collect().rows()


def test_columns_and_tables_of_a_newer_version(tmp_path: Path) -> None:
    """They are left out and counted: two segments with a new column, one segment of a new table."""
    folder = written(tmp_path / "r", 3)
    for segment in folder.segments("epochs")[1:]:
        pl.read_parquet(segment).with_columns(mood=pl.lit("sunny")).write_parquet(segment)
    folder.table("moods").mkdir()
    pl.DataFrame({"key": ["a"]}).write_parquet(folder.segment("moods", 1, 1))

    assert [
        ("epochs", "000001-000003.parquet and 1 more", "segments with unknown column mood, which is left out", 2),
        ("moods", "", "segments of an unknown table, which is left out", 1),
    ] == sorted(counted(folder))
    assert "mood" not in open_results(folder.root).epochs.collect_schema()


def test_lines_of_the_journal(tmp_path: Path) -> None:
    """Two damaged lines, one with values of another type, one of a newer version, one of a newer table; one is read."""
    folder = written(tmp_path / "r")
    journal(folder, row(), "{oh", '"no"', row(ic="abc"), row(epoch=8, mood=1, seq=1), row(table="moods"))
    name = "000009-000001.jsonl"

    assert [
        ("", name, "lines damaged and passed over", 2),
        ("epochs", name, "lines damaged and passed over", 1),
        ("epochs", name, "lines with unknown column mood, which is left out", 1),
        ("moods", name, "lines of an unknown table, which is left out", 1),
    ] == sorted(counted(folder))
    with pytest.warns(DamagedFileWarning):
        assert [0, 1, 7, 8] == [epoch for _, epoch in epochs_in(folder)]


def test_a_last_line_cut_short_is_no_problem(tmp_path: Path) -> None:
    """A killed run leaves one."""
    folder = written(tmp_path / "r")
    journal(folder, row())
    with folder.journal_file(9, 1).open("a") as file:
        file.write('{"table": "ep')

    assert [] == counted(folder)


def test_rows_without_a_trial_are_counted_and_kept(tmp_path: Path) -> None:
    """Rows that newer ones replace count once."""
    folder = written(tmp_path / "r")
    for _ in range(2):
        with ResultsWriter(folder) as writer:
            writer.add(epoch_row("lost", 0))
            writer.add(epoch_row("lost", 1))

    assert [("epochs", "", "rows without a trial", 2)] == counted(folder)
    assert 4 == open_results(folder.root).epochs.collect().height


def test_a_trial_that_came_later_is_none_without(tmp_path: Path) -> None:
    """A search that adds a trial while the tables are opened leaves no problem."""
    folder = written(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        writer.add(epoch_row("new", 0))
    results = open_results(folder.root)
    with ResultsWriter(folder) as writer:
        writer.add(trial_row("new"), TrialConfig())

    assert results.problems.is_empty()


def test_problems_of_some_tables_alone(tmp_path: Path) -> None:
    """Those of others are left out."""
    folder = written(tmp_path / "r")
    folder.segments("epochs")[0].write_bytes(b"")
    with pytest.warns(DamagedFileWarning):
        results = open_results(folder.root)

    assert (0, 1) == (results.problems_in(["fisher"]).height, results.problems_in(["epochs"]).height)


def test_compaction_leaves_what_it_cannot_read_whole(tmp_path: Path) -> None:
    """A segment of other types and one with a new column keep their files; the others become one."""
    folder = written(tmp_path / "r", 4)
    wrong, newer, *_ = folder.segments("epochs")
    pl.read_parquet(wrong).with_columns(pl.col("ic").cast(pl.String)).write_parquet(wrong)
    pl.read_parquet(newer).with_columns(mood=pl.lit("sunny")).write_parquet(newer)
    before = wrong.read_bytes(), newer.read_bytes()
    with pytest.warns(DamagedFileWarning):
        assert 1 == compact(folder)["epochs"]

    assert before == (wrong.read_bytes(), newer.read_bytes())
    with pytest.warns(DamagedFileWarning):
        assert [1, 2, 3] == sorted(epoch for _, epoch in epochs_in(folder))
