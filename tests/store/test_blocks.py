"""Blocks: many rows told together are stored as if each had been added, and cost one line of the journal."""

import json
import math
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store.store_rows import abandoned, epoch_row, new_folder, trial_row, with_checksum

from tic_sweep.records import DynamicsRow, FisherRow, Row
from tic_sweep.store import DamagedFileWarning, ResultsFolder, ResultsWriter, Rows, blocks_of, scan

ENDING = len(', "crc": "01234567"}')
NUMBERS = st.floats(allow_nan=True, width=64)


def fisher_row(epoch: int = 0, t: int = 1, trace: float = 1.5, part: str = "") -> FisherRow:
    """Return a Fisher row."""
    level = "layer" if part else "model"
    return FisherRow(key="a", epoch=epoch, level=level, part=part, t=t, fisher_trace=trace, fisher_se=0.25)


def dynamics_row(t: int, jacobian: float | None) -> DynamicsRow:
    """Return a row with a column that may be null."""
    return DynamicsRow(
        key="a", epoch=0, layer="é", t=t, firing_rate=0.5, dead_share=0.0, gradient_norm=0.125, jacobian=jacobian
    )


FISHER = st.builds(fisher_row, st.integers(0, 3), st.integers(1, 4), NUMBERS, st.sampled_from(["", "x", "y"]))
DYNAMICS = st.builds(dynamics_row, st.integers(1, 4), st.none() | NUMBERS)


def stored(folder: ResultsFolder, table: str) -> pl.DataFrame:
    """Return the rows of a table without their stamp."""
    return scan(folder, table).drop("session", "seq").collect()


@settings(deadline=None, max_examples=30)
@given(rows=st.lists(FISHER | DYNAMICS, min_size=1, max_size=12), flushed=st.booleans())
def test_blocks_are_stored_as_their_rows_are(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[Row],
    flushed: bool,  # noqa: FBT001 - a parameter
) -> None:
    """Row by row or in blocks, before and after they become Parquet, every value comes back as it was."""
    one, many = (new_folder(tmp_path_factory.mktemp("r") / name) for name in ("one", "many"))
    ordered = [row for kind in dict.fromkeys(type(row) for row in rows) for row in rows if type(row) is kind]
    with ResultsWriter(one) as by_row, ResultsWriter(many) as by_block:
        for row in ordered:
            by_row.add(row)
        by_block.add_blocks(blocks_of(rows))
        if flushed:
            by_row.flush()
            by_block.flush()
        for table in ("fisher", "dynamics"):
            assert stored(one, table).equals(stored(many, table))


def test_rows_come_back_from_their_blocks() -> None:
    """What a listener sees is what was told, table by table."""
    told = (fisher_row(t=1), fisher_row(t=2), dynamics_row(1, 0.5), dynamics_row(2, None))
    rows = Rows(blocks_of(told))

    assert 4 == len(rows)
    assert told == tuple(rows)
    assert rows == told
    assert told[1] == rows[1]


def test_blocks_and_rows_share_one_count(tmp_path: Path) -> None:
    """Rows are stamped in the order they were taken, whichever way, and each has a number of its own."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        writer.add_blocks(blocks_of([fisher_row(t=1), fisher_row(t=2)]))
        writer.add(fisher_row(t=3))
        writer.add_blocks(blocks_of([fisher_row(t=4), epoch_row("a", 0)]))
    found = scan(folder, "fisher").select("t", "seq").collect().rows()

    assert [(1, 0), (2, 1), (3, 2), (4, 3)] == found
    assert [4] == scan(folder, "epochs").select("seq").collect().to_series().to_list()


def test_a_block_is_one_line(tmp_path: Path) -> None:
    """However many rows: what all of them share is written once, and numbers are plain JSON."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        writer.add_blocks(blocks_of([fisher_row(t=t, trace=t / 4) for t in range(1, 4)]))
        (line,) = folder.journals()[0].read_text().splitlines()

    told = json.loads(line)
    assert ("fisher", 3, 0) == (told["table"], told["rows"], told["seq"])
    assert ("a", [1, 2, 3], [0.25, 0.5, 0.75]) == tuple(told["columns"][c] for c in ("key", "t", "fisher_trace"))


def two_blocks(writer: ResultsWriter) -> None:
    """Add two blocks of two rows."""
    for epoch in range(2):
        writer.add_blocks(blocks_of([fisher_row(epoch, 1), fisher_row(epoch, 2)]))


def test_a_kill_tears_whole_blocks_off(tmp_path: Path) -> None:
    """A line cut short is dropped with all its rows; the blocks before it stay, also when a session has recovered."""
    folder = new_folder(tmp_path / "r")
    journal = abandoned(folder, two_blocks)
    journal.write_bytes(journal.read_bytes()[:-20])
    whole = [(0, 1), (0, 2)]

    assert whole == stored(folder, "fisher").select("epoch", "t").rows()
    ResultsWriter(folder).close()
    assert [] == folder.journals()
    assert whole == stored(folder, "fisher").select("epoch", "t").rows()


@pytest.mark.parametrize("damage", [(b'"rows": 2', b'"rows": 3'), (b'"t": [1, 2]', b'"t": [1]'), (b'"rows": 2, ', b"")])
def test_a_block_that_contradicts_itself_is_passed_over(tmp_path: Path, damage: tuple[bytes, bytes]) -> None:
    """Columns of another length than the line says, or no length, are damage: told, and no row is guessed.

    Whatever its checksum.
    """
    folder = new_folder(tmp_path / "r")
    journal = abandoned(folder, two_blocks)
    first, *others = journal.read_bytes().split(b"\n")
    spoilt = first.replace(*damage)[:-ENDING] + b"}"
    journal.write_bytes(b"\n".join([with_checksum(spoilt.decode()).encode(), *others]))

    with pytest.warns(DamagedFileWarning, match="line 1 is damaged"):
        assert [1, 1] == stored(folder, "fisher")["epoch"].to_list()


def test_values_of_a_block_have_the_declared_types(tmp_path: Path) -> None:
    """Whole numbers told as floats, and the other way round, are cast; NaN and null stay apart."""
    folder = new_folder(tmp_path / "r")
    rows = [dynamics_row(1.0, math.nan), dynamics_row(2.0, None), dynamics_row(3.0, 1)]  # type: ignore[arg-type]
    with ResultsWriter(folder) as writer:
        writer.add_blocks(blocks_of(rows))
    found = stored(folder, "dynamics")

    assert [1, 2, 3] == found["t"].to_list()
    assert [True, None, False] == found["jacobian"].is_nan().to_list()


def test_trial_rows_go_into_no_block() -> None:
    """They are stored with their config, which a block does not have."""
    with pytest.raises(ValueError, match="a TrialRow goes into no block"):
        blocks_of([trial_row("a")])
