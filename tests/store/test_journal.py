"""A line of the journal is what was written, or it is damaged: no reader takes it for another."""

import json
import random
from pathlib import Path

import polars as pl
import pytest
from store.store_rows import abandoned, column_of, epoch_row, epochs_in, new_folder, trial_row, with_checksum

from tic_sweep.config import TrialConfig
from tic_sweep.errors import StoreError
from tic_sweep.records import TABLES, FisherRow, columns_of
from tic_sweep.store import (
    Block,
    ResultsFolder,
    ResultsWriter,
    blocks_of,
    compact,
    find_damage,
    scan,
    trials_touched,
    trials_with_holes,
)  # fmt: skip
from tic_sweep.store.follow import Follower
from tic_sweep.store.journal import CHECKSUM, COLUMNS, ROWS, TABLE, line_of, read_line
from tic_sweep.store.reader import stored_rows
from tic_sweep.store.segments import STAMP

pytestmark = pytest.mark.filterwarnings("ignore::tic_sweep.store.DamagedFileWarning")
ROW = {"key": "a", "epoch": 3, "ic": 1.5, "remark": "é", "session": 1, "seq": 7}


def two_trials(writer: ResultsWriter) -> None:
    """Add a trial that has ended and one at work, each report with its Fisher rows."""
    for key, epochs in (("a", 3), ("b", 2)):
        writer.add(trial_row(key, "running"), TrialConfig(seed=ord(key)))
        for epoch in range(epochs):
            rows = [
                FisherRow(key=key, epoch=epoch, level="model", part="", t=t, fisher_trace=epoch + t / 7, fisher_se=0.1)
                for t in (1, 2, 3)
            ]
            writer.add_blocks(blocks_of([*rows, epoch_row(key, epoch, val_acc=0.9 + epoch / 100, ic=1.5)]))
        if key == "a":
            writer.add(trial_row(key, epochs_done=epochs - 1), TrialConfig(seed=ord(key)))


def block(epoch: int) -> Block:
    """Return an epoch's row as a block."""
    (one,) = blocks_of([epoch_row("a", epoch)])
    return one


def tables(folder: ResultsFolder) -> dict[str, pl.DataFrame]:
    """Return all rows stored of the tables that `two_trials` fills."""
    names = ("trials", "fisher", "epochs")
    return {name: stored_rows(folder, name).rows.unique().sort(STAMP).collect() for name in names}


def flipped(content: bytes, draw: random.Random) -> tuple[bytes, int]:
    """Return it with a bit changed somewhere, and where."""
    place = draw.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << draw.randrange(8)]) + content[place + 1 :], place


def spoil(journal: Path, old: bytes, new: bytes) -> None:
    """Change the first of some bytes."""
    content = journal.read_bytes()
    assert old in content
    journal.write_bytes(content.replace(old, new, 1))


@pytest.mark.parametrize("seed", range(2))
def test_no_changed_bit_is_taken_for_a_row(tmp_path: Path, seed: int) -> None:
    """It costs rows of which damage tells, and the ended trial begins anew, or nothing; no folder is refused for it."""
    folder, draw = new_folder(tmp_path / "r"), random.Random(seed)  # noqa: S311 - places to spoil
    journal = abandoned(folder, two_trials)
    content, expected = journal.read_bytes(), tables(folder)
    for _ in range(40):
        spoilt, place = flipped(content, draw)
        journal.write_bytes(spoilt)
        damages = find_damage(folder)
        begun_anew = trials_touched(folder, damages) | trials_with_holes(folder)
        ResultsWriter(folder).close()
        found = tables(folder)
        for segment in folder.root.glob("tables/*/*.parquet"):
            segment.unlink()
        changed = [name for name, rows in found.items() if not rows.join(expected[name], on=rows.columns, how="anti",
                                                                         nulls_equal=True).is_empty()]  # fmt: skip
        lost = {name for name, rows in found.items() if rows.height < expected[name].height}
        assert [] == changed, place
        assert damages or not lost, place
        assert "a" in begun_anew or not lost, place


def test_every_changed_bit_of_a_line_is_noticed(tmp_path: Path) -> None:
    """None makes it one of an older version, which had no checksum, nor do the halves of a line cut in two."""
    lines = abandoned(new_folder(tmp_path / "r"), two_trials).read_bytes().splitlines()
    taken = [
        (line, at, bit)
        for line in lines for at in range(len(line)) for bit in range(8)
        if any(map(read_line, (line[:at] + bytes([line[at] ^ 1 << bit]) + line[at + 1 :]).split(b"\n")))
    ]  # fmt: skip

    assert [] == taken


def test_a_line_ends_with_its_checksum() -> None:
    """It stays an object in JSON, and no column bears the name of a key of its own."""
    line = line_of("epochs", ROW)

    assert with_checksum(json.dumps({"table": "epochs"} | ROW, ensure_ascii=False)) + "\n" == line.decode()
    assert ("epochs", [ROW]) == read_line(line.removesuffix(b"\n"))
    assert set() == {TABLE, ROWS, COLUMNS, CHECKSUM} & {name for table in TABLES for name in columns_of(table)}


def test_lines_of_an_older_version_are_read(tmp_path: Path) -> None:
    """They have no checksum, rows and blocks alike; a spoilt one is damage where it can be seen."""
    folder = new_folder(tmp_path / "r")
    journal = abandoned(folder, two_trials)
    expected = tables(folder)
    lines = journal.read_bytes().splitlines()
    journal.write_bytes(b"".join(line[: line.rindex(b', "crc"')] + b"}\n" for line in lines))
    found, damage = tables(folder), find_damage(folder)
    spoil(journal, b'"table": "fisher"', b'"table": "fisier"')

    assert (True, []) == (all(rows.equals(found[table]) for table, rows in expected.items()), damage)
    assert [journal] == [one.path for one in find_damage(folder)]
    ResultsWriter(folder).close()
    assert 12 == scan(folder, "fisher").collect().height


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"fisher"', b'"fisier"'), (b"0.9,", b"1.9,"), (b'"columns"', b'"columnc"'), (b'"seq": 0', b'"seq": "')],
)
def test_every_reader_judges_a_line_alike(tmp_path: Path, old: bytes, new: bytes) -> None:
    """What the check calls damaged is neither read nor followed nor recovered, and it stays to tell of the loss."""
    folder = new_folder(tmp_path / "r")
    journal = abandoned(folder, two_trials)
    spoil(journal, old, new)
    before, looked = tables(folder), Follower(folder, {"epochs": ("ic",), "fisher": (), "trials": ()}).look()
    (damage,) = find_damage(folder)
    ResultsWriter(folder).close()

    assert {"a", "b"} == trials_touched(folder, [damage])
    assert [scan(folder, table).collect().height for table in before] == [looked[table].height for table in before]
    assert all(rows.equals(tables(folder)[table]) for table, rows in before.items())
    assert [damage] == find_damage(folder)
    damage.set_aside()
    assert ([], []) == (find_damage(folder), folder.journals())
    assert journal.with_name(f"{journal.name}.damaged").exists()
    assert all(rows.equals(tables(folder)[table]) for table, rows in before.items())


def test_values_of_other_types_are_damage(tmp_path: Path) -> None:
    """A folder with a line that holds words for a number is recovered, and the row is told to be lost."""
    folder = new_folder(tmp_path / "r")
    journal = abandoned(folder, two_trials)
    line = with_checksum('{"table": "epochs", "key": "a", "epoch": "two", "session": 1, "seq": 99}')
    journal.write_bytes(journal.read_bytes() + f"{line}\n".encode())
    damaged = [one.path for one in find_damage(folder)]
    ResultsWriter(folder).close()

    assert [journal] == damaged
    assert 5 == len(epochs_in(folder))


def test_a_compacted_folder_still_tells_what_its_journal_lost(tmp_path: Path) -> None:
    """Compaction begins no trial anew, so that it leaves behind what says that one has to."""
    folder = new_folder(tmp_path / "r")
    journal = abandoned(folder, two_trials)
    spoil(journal, b'"fisher"', b'"fisier"')
    compact(folder)
    compact(folder)

    assert [journal] == folder.journals()
    assert {"a", "b"} == trials_touched(folder, find_damage(folder))
    assert 5 == len(epochs_in(folder))


def test_a_last_line_that_is_whole_counts(tmp_path: Path) -> None:
    """A line cut off from its line break alone is all there; a line break that was changed is damage."""
    folder = new_folder(tmp_path / "r")
    journal = abandoned(folder, lambda writer: writer.add_blocks([block(0), block(1)]))
    content = journal.read_bytes()
    journal.write_bytes(content[:-1])
    cut = (epochs_in(folder), find_damage(folder))
    journal.write_bytes(content[:-1] + b"\x0b")

    assert ([("a", 0), ("a", 1)], []) == cut
    assert ([("a", 0)], 1) == (epochs_in(folder), len(find_damage(folder)))


def test_an_unknown_table_is_a_later_versions_if_its_checksum_holds(tmp_path: Path) -> None:
    """Only then is an update the remedy; such a journal is kept as it is, beside a damaged line, too."""
    folder = new_folder(tmp_path / "r")
    journal = abandoned(folder, two_trials)
    spoil(journal, b'"fisher"', b'"fisier"')
    ResultsWriter(folder).close()
    line = with_checksum('{"table": "dreams", "session": 1, "seq": 99}')
    journal.write_bytes(journal.read_bytes() + f"{line}\n".encode())
    content = journal.read_bytes()

    with pytest.raises(StoreError, match="'dreams', unknown to this version: update tic_sweep"):
        ResultsWriter(folder)
    assert content == journal.read_bytes()
    assert 5 == len(column_of(folder, "ic"))
