"""An archive holds the tables, what their columns mean, and nothing about places."""

import json
import zipfile
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from store.fabricated import STAYING, TURNING, write_sweep

import tic_sweep
from analysis import Results, open_results
from analysis.export import export
from analysis.tables import summary
from tic_sweep.errors import StoreError
from tic_sweep.store import DamagedFileWarning, Manifest, ResultsFolder


@pytest.fixture
def folder(tmp_path: Path) -> ResultsFolder:
    """Return a sweep of three seeds."""
    trials = [({"seed": seed}, "finished", TURNING) for seed in (0, 1, 2)]
    return write_sweep(tmp_path / "private" / "r", trials, reason='ü, "quoted"\nand broken')


@pytest.fixture
def results(folder: ResultsFolder) -> Results:
    """Return that sweep, opened."""
    return open_results(folder.root)


def test_what_is_read_back_is_what_was_there(results: Results, tmp_path: Path) -> None:
    """Parquet and CSV of each table with rows are the same frames; tables without rows have no file."""
    place = export(results, tmp_path / "archive", csv=True)

    assert ["epochs", "fisher", "trials"] == sorted(path.stem for path in (place / "tables").glob("*.parquet"))
    for table in ("trials", "epochs", "fisher"):
        frame = getattr(results, table).collect()
        assert_frame_equal(frame, pl.read_parquet(place / "tables" / f"{table}.parquet"))
        back = pl.read_csv(place / "tables" / f"{table}.csv", schema=frame.schema)
        assert_frame_equal(frame, back, check_exact=True)


def test_the_dictionary_names_every_column(results: Results, tmp_path: Path) -> None:
    """columns.csv has a row, with a meaning, for each column of each file."""
    place = export(results, tmp_path / "archive")
    columns = pl.read_csv(place / "columns.csv")
    for path in (place / "tables").glob("*.parquet"):
        own = columns.filter(pl.col("table") == path.stem)
        assert set(pl.read_parquet_schema(path)) == set(own["column"])
    lr = columns.filter(pl.col("column") == "neuron.tau").row(0, named=True)

    assert ("timesteps", "a finite number greater than 0.5 timesteps") == (lr["unit"], lr["bounds"])
    assert columns.filter(pl.col("meaning").str.len_chars() == 0).is_empty()


def test_a_zip_holds_the_same_and_is_the_same_each_time(results: Results, tmp_path: Path) -> None:
    """Two archives of the same results are equal byte for byte; nothing is left beside them."""
    first, second = (export(results, tmp_path / "out" / name).read_bytes() for name in ("a.zip", "b.zip"))
    with zipfile.ZipFile(tmp_path / "out" / "a.zip") as archive:
        names = archive.namelist()
        readme = archive.read("README.txt").decode()
        claims = json.loads(archive.read("claims.json"))
        table = pl.read_csv(archive.read("summary.csv"))

    assert first == second
    assert ["a.zip", "b.zip"] == sorted(path.name for path in (tmp_path / "out").iterdir())
    assert {"README.txt", "columns.csv", "sweep.json", "claims.json", "summary.csv"} < set(names)
    assert f"exported by version {tic_sweep.__version__}" in readme
    assert isinstance(claims, list)
    assert summary(results)["ic_max_mean"].to_list() == table["ic_max_mean"].to_list()


def test_no_place_is_told(folder: ResultsFolder, tmp_path: Path) -> None:
    """The command keeps the names of files and loses their folders and the cluster's address."""
    command = (
        "tic-sweep run /home/ada/my.py --data /mnt/data --address head.uni.example:6379 --storage s3://adas/bucket "
        "--set optimiser.lr=0.1"
    )
    values = Manifest.load(folder.manifest)
    Manifest(
        sweep="demo", scale="laptop", question=values.question, command=command, storage="s3://adas/bucket/x"
    ).save(folder.manifest)
    place = export(open_results(folder.root), tmp_path / "archive", csv=True)
    told = json.loads((place / "sweep.json").read_text())["command"]

    assert "tic-sweep run my.py --data data --address ADDRESS --storage STORAGE --set optimiser.lr=0.1" == told
    for path in place.rglob("*.*"):
        content = path.read_bytes()
        assert b"/home/ada" not in content
        assert b"adas/bucket" not in content
        assert str(tmp_path).encode() not in content


def test_problems_are_in_the_archive(folder: ResultsFolder, tmp_path: Path) -> None:
    """What could not be read is counted there, by the folder's own name."""
    folder.segments("fisher")[0].write_bytes(b"?")
    with pytest.warns(DamagedFileWarning):
        place = export(open_results(folder.root), tmp_path / "archive")

    found = pl.read_csv(place / "problems.csv").rows()
    assert [("r", "fisher", "000001-000001.parquet", "segments damaged and passed over", 1)] == found


def test_several_sweeps_are_listed(folder: ResultsFolder, tmp_path: Path) -> None:
    """sweep.json is then a list, and the README names both."""
    other = write_sweep(tmp_path / "other", [({"seed": 9}, "finished", STAYING)], question="And now?")
    place = export(open_results([folder.root, other.root]), tmp_path / "archive")

    assert 2 == len(json.loads((place / "sweep.json").read_text()))
    assert "And now?" in (place / "README.txt").read_text()


@pytest.mark.parametrize("name", ["archive", "archive.zip"])
def test_an_archive_is_replaced_only_by_force(results: Results, tmp_path: Path, name: str) -> None:
    """What is there stays unless --force is given; then it is new."""
    place = export(results, tmp_path / name)
    before = place.stat().st_ino
    with pytest.raises(StoreError, match="exists already: give another name, or --force"):
        export(results, place)

    assert before == place.stat().st_ino
    assert place == export(results, place, force=True)
    assert before != place.stat().st_ino


@pytest.mark.parametrize("name", ["precious", "precious.zip"])
def test_what_is_no_archive_is_never_replaced(results: Results, tmp_path: Path, name: str) -> None:
    """--force does not remove a folder of somebody else, the results themselves, or a file that is no zip."""
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("!")
    (tmp_path / "precious.zip").write_text("!")
    with pytest.raises(StoreError, match="is no archive of results and is not replaced"):
        export(results, tmp_path / name, force=True)
    with pytest.raises(StoreError, match="is no archive of results"):
        export(results, tmp_path / "private" / "r", force=True)

    assert "!" == (tmp_path / "precious" / "thesis.txt").read_text() == (tmp_path / "precious.zip").read_text()


def test_a_place_that_cannot_be_written(results: Results, tmp_path: Path) -> None:
    """One line says so."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        export(results, tmp_path / "file" / "archive")
