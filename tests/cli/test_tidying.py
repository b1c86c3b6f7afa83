"""``tic-sweep compact``: fewer files, stored summaries, and nothing that reads differently."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from store.fabricated import STAYING, TURNING, write_sweep

from analysis import open_results
from tic_sweep.cli import main, running
from tic_sweep.cli.tidying import tidy
from tic_sweep.records import TABLES
from tic_sweep.store import ResultsFolder, ResultsWriter, scan

TRIALS = [({"optimiser.lr": 0.3}, "finished", TURNING), ({"optimiser.lr": 0.1}, "finished", STAYING)]


def call(*arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def tables(folder: ResultsFolder) -> dict[str, pl.DataFrame]:
    """Return every table but that of the summaries as a reader sees it."""
    return {table: scan(folder, table).collect() for table in TABLES if table != "summaries"}


def test_compact_changes_files_and_no_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two sessions become one file per table; the rows are those of before, and a second time nothing is left to do."""
    write_sweep(tmp_path / "r", TRIALS[:1])
    folder = write_sweep(tmp_path / "r", TRIALS[1:])
    before = tables(folder)

    assert 0 == call("compact", str(tmp_path / "r"))
    assert "3 files fewer, 2 summaries stored." in capsys.readouterr().out
    assert 0 == call("compact", str(tmp_path / "r"))
    assert "0 files fewer, 0 summaries stored." in capsys.readouterr().out
    assert {"trials": 1, "epochs": 1, "fisher": 1, "summaries": 1} == {
        table: len(folder.segments(table)) for table in ("trials", "epochs", "fisher", "summaries")
    }
    for table, rows in tables(folder).items():
        assert_frame_equal(before[table], rows)


def test_compact_is_refused_while_a_run_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says who is at work there, and nothing is touched."""
    folder = write_sweep(tmp_path / "r", TRIALS)
    files = sorted(tmp_path.rglob("*.parquet"))
    with ResultsWriter(folder):
        assert 2 == call("compact", str(tmp_path / "r"))

    assert "is being written by process" in capsys.readouterr().err
    assert files == sorted(tmp_path.rglob("*.parquet"))


def test_compact_of_no_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path without results is named."""
    assert 2 == call("compact", str(tmp_path / "none"))
    assert "does not exist" in capsys.readouterr().err


def test_large_tables_are_left_alone_if_asked(tmp_path: Path) -> None:
    """Of two sessions' tables those with more rows than allowed keep their files."""
    write_sweep(tmp_path / "r", TRIALS[:1])
    folder = write_sweep(tmp_path / "r", TRIALS[1:])

    assert (2, 1) == tidy(folder, most_rows=10)  # 2 trials in two files; 14 epochs and 112 rows of Fisher stay
    assert {"trials": 1, "epochs": 2, "fisher": 2} == {
        table: len(folder.segments(table)) for table in ("trials", "epochs", "fisher")
    }
    assert 2 == open_results(tmp_path / "r").summaries.collect().height


def test_a_run_that_ends_tidies_or_says_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be tidied, since somebody else writes there, is a warning; results are whole without it."""
    folder = write_sweep(tmp_path / "r", TRIALS)
    with ResultsWriter(folder):
        running._tidy(folder)
    assert "tic-sweep: warning: results folder" in capsys.readouterr().err
    assert 0 == open_results(tmp_path / "r").summaries.collect().height
    running._tidy(folder)

    assert "" == capsys.readouterr().err
    assert 2 == open_results(tmp_path / "r").summaries.collect().height
