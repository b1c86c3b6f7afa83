"""Readers see every stored row, the newest of each identity, in a schema derived from its declaration."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from store.store_rows import ENDLESS_WRITER, column_of, epoch_row, epochs_in, new_folder, trial_row

from tic_sweep.config import TrialConfig, field_rules, flatten, replaced
from tic_sweep.errors import StoreError
from tic_sweep.records import TABLES, columns_of
from tic_sweep.store import DamagedFileWarning, ResultsWriter, scan, schema_of, stored_config, trial_states


@pytest.mark.parametrize("table", TABLES)
def test_empty_table_has_the_declared_schema(tmp_path: Path, table: str) -> None:
    """Before the first row a table is an empty frame with every declared column."""
    frame = scan(new_folder(tmp_path / "r"), table).collect()

    assert 0 == frame.height
    assert schema_of(table) == frame.schema
    assert list(columns_of(table)) == frame.columns


def test_schema_follows_the_declaration() -> None:
    """Types come from the records and the config: a new field needs no second mention."""
    schema = schema_of("trials")

    assert pl.String == schema["key"]
    assert pl.Float64 == schema["best_test_acc"]
    assert pl.Boolean == schema["neuron.temporal_gradient"]
    assert pl.Int64 == schema["seq"]
    assert set(field_rules()) < set(schema)


def test_newest_attempt_wins(tmp_path: Path) -> None:
    """An epoch repeated by a later session, or later in one, replaces the earlier row; other epochs stay."""
    folder = new_folder(tmp_path / "r")
    for ic in (1.0, 2.0):
        with ResultsWriter(folder) as writer:
            writer.add(epoch_row("a", 1, ic=9.0))
            writer.flush()
            writer.add(epoch_row("a", 1, ic=ic))
            writer.add(epoch_row("a", int(ic) + 1, ic=ic))

    assert {1: 2.0, 2: 1.0, 3: 2.0} == dict(scan(folder, "epochs").select("epoch", "ic").collect().iter_rows())


def test_reading_while_another_process_writes(tmp_path: Path) -> None:
    """Whatever a writer is doing, a reader sees an unbroken run of epochs, at least those stored before it looked."""
    folder = new_folder(tmp_path / "r")
    code = [sys.executable, "-c", ENDLESS_WRITER, str(folder.root)]
    with subprocess.Popen(code, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(40):
            stored = int(process.stdout.readline())
            epochs = [epoch for _, epoch in epochs_in(folder)]
            assert list(range(len(epochs))) == epochs
            assert stored < len(epochs)
        process.kill()


def test_segment_of_an_older_version_gets_defaults(tmp_path: Path) -> None:
    """A config field that did not exist yet has its default, another missing column is null, an unknown one goes."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        writer.add(trial_row("a", val_acc=0.5), replaced(TrialConfig(), {"timesteps": 6}))
    segment = folder.segments("trials")[0]
    old = pl.read_parquet(segment).drop("neuron.tau", "val_acc").with_columns(mood=pl.lit("sunny"))
    old.write_parquet(segment)
    with ResultsWriter(folder) as writer:
        writer.add(trial_row("b", val_acc=0.5), replaced(TrialConfig(), {"neuron.tau": 4.0}))

    assert [2.0, 4.0] == column_of(folder, "neuron.tau", "trials")
    assert [6, 10] == column_of(folder, "timesteps", "trials")
    assert [None, 0.5] == column_of(folder, "val_acc", "trials")


def test_journal_of_an_older_version_gets_defaults(tmp_path: Path) -> None:
    """The same holds for rows that are still in the journal."""
    folder = new_folder(tmp_path / "r")
    folder.journal.mkdir()
    folder.journal_file(1, 1).write_text('{"table": "trials", "key": "a", "mood": "sunny", "session": 1, "seq": 0}\n')

    assert [2.0] == column_of(folder, "neuron.tau", "trials")


def test_whole_numbers_of_an_older_version_are_read_as_reals(tmp_path: Path) -> None:
    """A column that was once stored as whole numbers is read in the type it has now."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        writer.add(epoch_row("a", 0, ic=4.0))
    segment = folder.segments("epochs")[0]
    pl.read_parquet(segment).with_columns(pl.col("ic").cast(pl.Int64)).write_parquet(segment)

    assert [4.0] == column_of(folder, "ic")


def test_damaged_segment_is_passed_over_with_a_warning(tmp_path: Path) -> None:
    """A file that is no Parquet any more is named, and the others are read."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder, flush_rows=1) as writer:
        writer.add(epoch_row("a", 0))
        writer.add(epoch_row("a", 1))
    folder.segments("epochs")[0].write_bytes(b"PAR1 but not really")

    with pytest.warns(DamagedFileWarning, match=r"000001-000001\.parquet is damaged"):
        assert [("a", 1)] == epochs_in(folder)


def test_folder_names_with_brackets_and_equals_signs(tmp_path: Path) -> None:
    """No character in a path is taken for a pattern or a partition."""
    folder = new_folder(tmp_path / "lr=[0.1]*?" / "T=8")
    with ResultsWriter(folder) as writer:
        writer.add(epoch_row("a", 0))

    assert [("a", 0)] == epochs_in(folder)
    assert schema_of("epochs") == scan(folder, "epochs").collect_schema()


def test_stray_files_are_no_segments(tmp_path: Path) -> None:
    """What an interrupted write or a curious user leaves beside the segments is not read."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        writer.add(epoch_row("a", 0))
    for name in (".000002-000001.parquet.tmp", "mine.parquet", "notes.txt"):
        (folder.table("epochs") / name).write_text("?")

    assert [("a", 0)] == epochs_in(folder)


def test_unknown_table_is_refused(tmp_path: Path) -> None:
    """A misspelt table is answered with the nearest name."""
    with pytest.raises(StoreError, match="Did you mean 'epochs'"):
        scan(new_folder(tmp_path / "r"), "epoch")


def test_stored_config_is_the_config(tmp_path: Path) -> None:
    """A config rebuilt from its columns equals the one that was stored; a row without columns is the default."""
    config = replaced(TrialConfig(), {"neuron.tau": 4 / 3, "data.name": "svhn", "neuron.temporal_gradient": False})
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        writer.add(trial_row("a"), config)
        row = scan(folder, "trials").collect().row(0, named=True)

    assert config == stored_config(row)
    assert flatten(TrialConfig()) == flatten(stored_config({}))


def test_trial_states_are_the_newest(tmp_path: Path) -> None:
    """Each key has the status and attempt that were stored last."""
    folder = new_folder(tmp_path / "r")
    with ResultsWriter(folder) as writer:
        for key, status, attempt in (("a", "running", 1), ("b", "planned", 0), ("a", "diverged", 2)):
            writer.add(trial_row(key, status, attempt=attempt), TrialConfig())

        assert {"a": ("diverged", 2), "b": ("planned", 0)} == trial_states(folder)


def test_a_folder_from_before_a_column_reads_as_today(tmp_path: Path) -> None:
    """Provenance that an older version did not store has its declared default, in Parquet and in the journal."""
    folder = new_folder(tmp_path / "r")
    later = ("system", "processor", "circumstance", "command")
    with ResultsWriter(folder) as writer:
        writer.add(trial_row("a", version="0.1"), TrialConfig())
    (segment,) = folder.segments("trials")
    pl.read_parquet(segment).drop(later).write_parquet(segment)
    line = json.dumps({"table": "trials", "key": "b", "sweep": "demo", "scale": "laptop", "session": 9, "seq": 0})
    folder.journal_file(9, 1).parent.mkdir(exist_ok=True)
    folder.journal_file(9, 1).write_text(line + "\n")
    found = scan(folder, "trials").select("key", "version", *later).collect().rows()

    assert [("a", "0.1", "", "", "", ""), ("b", "", "", "", "", "")] == found
