"""Kills, crashes at any point and full disks cost nothing that `add` had taken."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from store.store_rows import ENDLESS_WRITER, abandoned, column_of, epoch_row, epochs_in, new_folder, with_checksum

from tic_sweep.errors import StoreError
from tic_sweep.store import DamagedFileWarning, ResultsFolder, ResultsWriter


def kill_a_writer_after(folder: ResultsFolder, rows: int) -> int:
    """Run a writer in a process of its own, kill it with SIGKILL, and return the last epoch whose `add` returned."""
    code = [sys.executable, "-c", ENDLESS_WRITER, str(folder.root)]
    with subprocess.Popen(code, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(rows):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        return int((process.stdout.read().split() or [rows - 1])[-1])


def test_kill_loses_no_row(tmp_path: Path) -> None:
    """Every row whose add had returned before a SIGKILL is read back, and again after the next session has opened."""
    folder = new_folder(tmp_path / "r")
    last = kill_a_writer_after(folder, rows=250)
    expected = [("a", epoch) for epoch in range(last + 1)]

    assert expected == epochs_in(folder)[: last + 1]
    with ResultsWriter(folder) as writer:
        assert [] == folder.journals()
        assert expected == epochs_in(folder)[: last + 1]
        assert 2 == writer.session
    assert {1} == set(column_of(folder, "session"))


def three_epochs(writer: ResultsWriter) -> None:
    """Add three rows."""
    for epoch in range(3):
        writer.add(epoch_row("a", epoch))


def test_torn_last_line_is_dropped(tmp_path: Path) -> None:
    """A line cut short by a kill was never promised: it is dropped without a word, the others stay."""
    folder = new_folder(tmp_path / "r")
    journal = abandoned(folder, three_epochs)
    journal.write_bytes(journal.read_bytes()[:-20])

    assert [("a", 0), ("a", 1)] == epochs_in(folder)
    ResultsWriter(folder).close()
    assert [("a", 0), ("a", 1)] == epochs_in(folder)


def test_damaged_line_in_the_middle_is_told(tmp_path: Path) -> None:
    """A line that a disk has spoilt is passed over with a warning that names file and line."""
    folder = new_folder(tmp_path / "r")
    journal = abandoned(folder, three_epochs)
    lines = journal.read_bytes().split(b"\n")
    journal.write_bytes(b"\n".join([lines[0], b"\x00\x00", *lines[2:]]))

    with pytest.warns(DamagedFileWarning, match=r"000001-000001\.jsonl, line 2 is damaged"):
        assert [("a", 0), ("a", 2)] == epochs_in(folder)


def test_crash_between_segment_and_journal_removal_doubles_nothing(tmp_path: Path) -> None:
    """Rows that are both in Parquet and in the journal count once, before and after recovery."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        for epoch in range(3):
            writer.add(epoch_row("a", epoch))
        journal = folder.journals()[0]
        content = journal.read_bytes()
    journal.write_bytes(content)

    assert [("a", 0), ("a", 1), ("a", 2)] == epochs_in(folder)
    ResultsWriter(folder).close()
    assert [("a", 0), ("a", 1), ("a", 2)] == epochs_in(folder)


def test_recovery_keeps_rows_that_only_the_segment_has(tmp_path: Path) -> None:
    """If the journal was refused by the disk and its segment was not, recovery does not shrink the segment."""
    folder = new_folder(tmp_path / "r")
    journal = abandoned(folder, three_epochs)
    content = journal.read_bytes()
    ResultsWriter(folder).close()
    journal.write_bytes(content.split(b"\n")[0] + b"\n")
    ResultsWriter(folder).close()

    assert [("a", 0), ("a", 1), ("a", 2)] == epochs_in(folder)


def test_journal_of_a_later_version_is_kept(tmp_path: Path) -> None:
    """Rows of a table that this version does not know are neither dropped nor misread."""
    folder = new_folder(tmp_path / "r")
    folder.journal.mkdir()
    line = with_checksum('{"table": "dreams", "session": 1, "seq": 0}')
    folder.journal_file(1, 1).write_text(f"{line}\n")

    with pytest.raises(StoreError, match="'dreams', unknown to this version: update tic_sweep"):
        ResultsWriter(folder)
    assert 1 == len(folder.journals())


def fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the disk takes ten bytes of each write and then reports that it is full."""
    write = os.pwrite

    def refuse(descriptor: int, content: bytes, offset: int) -> int:
        write(descriptor, content[:10], offset)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", refuse)


def test_full_disk_stops_nothing_and_rows_land_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk is full add and flush go on; once there is room every row lands, torn writes leave no trace."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        writer.add(epoch_row("a", 0))
        with monkeypatch.context() as full:
            fill_the_disk(full)
            writer.add(epoch_row("a", 1))
            writer.flush()
            writer.add(epoch_row("a", 2))
            assert "2 rows are only in memory: [Errno 28] No space left on device" == writer.problems[0]
            assert [("a", 0)] == epochs_in(folder)
        writer.flush()

        assert () == writer.problems
        assert [("a", 0), ("a", 1), ("a", 2)] == epochs_in(folder)


def test_closing_with_rows_nowhere_on_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss is told, with its size and reason."""
    writer = ResultsWriter(new_folder(tmp_path / "r"))
    fill_the_disk(monkeypatch)
    writer.add(epoch_row("a", 0))

    with pytest.raises(StoreError, match=r"1 rows could not be written .*No space left on device"):
        writer.close()


def test_closing_with_rows_in_the_journal_is_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If only Parquet is refused the journal is kept, and the next session makes the segment."""
    folder = new_folder(tmp_path / "r")
    writer = ResultsWriter(folder)
    writer.add(epoch_row("a", 0))
    with monkeypatch.context() as full:
        fill_the_disk(full)
        writer.close()

    assert ("1 rows are not yet in Parquet: [Errno 28] No space left on device",) == writer.problems
    ResultsWriter(folder).close()
    assert [("a", 0)] == epochs_in(folder)
    assert 1 == len(folder.segments("epochs"))
