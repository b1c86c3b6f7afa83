"""`tic-sweep query` and `tic-sweep export` as a user meets them."""

import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from store.fabricated import STAYING, TURNING, write_sweep
from store.object_store import environment_of, running_server, upload

from analysis import open_results
from tic_sweep.cli import main

ASKED = "SELECT optimiser.lr, interpolated FROM transitions ORDER BY optimiser.lr"


def call(*arguments: str | Path) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a sweep of two learning rates, of which 0.3 turns at epoch 3.5."""
    monkeypatch.setenv("COLUMNS", "80")
    trials = [({"optimiser.lr": 0.3}, "finished", TURNING), ({"optimiser.lr": 1 / 3}, "finished", STAYING)]
    return write_sweep(tmp_path / "r", trials).root


def test_an_answer_is_a_table(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers have four digits, what is not there is a dash, and the rows are counted."""
    code = call("query", place, ASKED)
    out, err = capsys.readouterr()
    words = [line.split() for line in out.splitlines()]

    assert (0, "") == (code, err)
    assert ["optimiser.lr", "interpolated"] in words
    assert ["0.3", "3.5"] in words
    assert ["0.3333", "-"] in words
    assert "2 rows." in out


def test_long_and_wide_answers_say_what_they_leave_out(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of 112 rows two are shown, and of many columns those that fit in 80 characters."""
    call("query", place, "SELECT * FROM fisher", "--rows", "2")
    call("query", place, "SELECT * FROM trials")
    out, _ = capsys.readouterr()

    assert "112 rows, the first 2 are shown (--rows)" in out
    assert "more columns do not fit: name some, or choose --format csv." in out
    assert max(map(len, out.splitlines())) < 160


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
@pytest.mark.parametrize("by_suffix", [True, False])
def test_files_hold_whole_numbers(place: Path, tmp_path: Path, form: str, by_suffix: bool) -> None:  # noqa: FBT001
    """CSV, JSON and Parquet, chosen by suffix or by name, are the frame that Python gives."""
    out = tmp_path / (f"out.{form}" if by_suffix else "out.dat")
    code = call("query", place, ASKED, "--out", out, *([] if by_suffix else ["--format", form]))
    readers = {"csv": pl.read_csv, "json": pl.read_json, "parquet": pl.read_parquet}
    expected = pl.DataFrame({"optimiser.lr": [0.3, 1 / 3], "interpolated": [3.5, None]})

    assert 0 == code
    assert_frame_equal(expected, readers[form](out), check_exact=True)


def test_csv_and_json_go_to_the_terminal(place: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Nothing but the answer is printed, so that it can be piped on."""
    call("query", place, ASKED, "--format", "csv")
    csv = capfdbinary.readouterr().out
    call("query", place, ASKED, "--format", "json")
    found = json.loads(capfdbinary.readouterr().out)

    assert b"optimiser.lr,interpolated\n0.3,3.5\n0.3333333333333333,\n" == csv.replace(b"\r\n", b"\n")
    assert [{"optimiser.lr": 0.3, "interpolated": 3.5}, {"optimiser.lr": 1 / 3, "interpolated": None}] == found


def test_without_a_query_there_is_the_catalogue(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tables with rows, their columns with units, the view, and what is empty; as a file with --out."""
    code = call("query", place)
    out, _ = capsys.readouterr()
    as_csv = call("query", place, "--tables", "--out", place.parent / "columns.csv")
    ic = pl.read_csv(place.parent / "columns.csv").filter(pl.col("table") == "epochs", pl.col("column") == "ic")

    assert (0, 0) == (code, as_csv)
    assert "epochs, 14 rows" in out
    assert "information centroid (Eq. 7); null if not measured" in " ".join(out.split())
    assert "transitions, computed: one row per trial" in out
    assert "Without rows: horizons" in out
    assert ("timesteps", 14) == ic.select("unit", "rows").row(0)


def test_several_folders_are_asked_together(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trials of both are counted."""
    other = write_sweep(place.parent / "other", [({"optimiser.lr": 3.0}, "finished", TURNING)])
    call("query", place, other.root, "SELECT count(*) AS n FROM trials", "--format", "csv")

    assert "n\n3\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["SELECT * FROM epoch"], "Did you mean 'epochs'?"),
        (["SELECT lr FROM trials"], "Did you mean 'optimiser.lr'?"),
        (["SELCT * FROM epochs"], "SQL is not understood"),
        (["SELECT * FROM epochs", "--tables"], "--tables lists what there is to ask"),
        (["SELECT * FROM epochs", "--out", "/dev/null/x.csv"], "cannot be written"),
        (["nowhere"], "does not exist"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    place: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and the remedy."""
    code = call("query", place, *arguments)
    err = capsys.readouterr().err

    assert 2 == code
    assert words in err
    assert 1 == err.count("\n")


def test_a_query_without_results_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The order of the arguments is told."""
    assert 2 == call("query", "SELECT 1")
    assert "a query comes after results" in capsys.readouterr().err


def test_problems_are_one_line_on_stderr(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A query tells those of its tables, an export all; the answer stays as it is."""
    (place / "tables" / "fisher" / "000001-000001.parquet").write_bytes(b"?")
    asked = call("query", place, "SELECT count(*) AS n FROM fisher", "--format", "csv")
    out, err = capsys.readouterr()
    others = call("query", place, "SELECT count(*) AS n FROM trials", "--format", "csv")
    quiet = capsys.readouterr().err
    exported = call("export", place, place.parent / "a.zip")

    assert (0, 0, 0) == (asked, others, exported)
    assert "n\n0\n" == out
    assert "tic-sweep: warning: 1 segment damaged and passed over (fisher).\n" == err
    assert "" == quiet
    assert "1 segment damaged and passed over (fisher)" in capsys.readouterr().err


def test_export_says_where_and_replaces_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second time it is refused, with the remedy; --force replaces."""
    out = place.parent / "archive"
    first, second = call("export", place, out, "--csv"), call("export", place, out)
    told = capsys.readouterr()

    assert (0, 2, 0) == (first, second, call("export", place, out, "--force"))
    assert "Archive:" in told.out
    assert "--force to replace it" in told.err
    assert not (out / "tables" / "epochs.csv").exists()


def test_a_url_is_asked_as_a_folder_is(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same answer comes from an object store, and the archive of it is the same byte for byte."""
    monkeypatch.setenv("TIC_SWEEP_CACHE", str(tmp_path / "cache"))
    with running_server() as server:
        for name, value in environment_of(server).items():
            monkeypatch.setenv(name, value)
        url = upload(place, server, "results/demo")
        call("query", place, ASKED, "--format", "csv")
        near = capsys.readouterr().out
        call("query", url, ASKED, "--format", "csv")
        far = capsys.readouterr().out
        exported = call("export", url, tmp_path / "far.zip"), call("export", place, tmp_path / "near.zip")
        nowhere = call("query", "s3://science/nowhere", ASKED)

    assert (near, (0, 0), 2) == (far, exported, nowhere)
    assert (tmp_path / "near.zip").read_bytes() == (tmp_path / "far.zip").read_bytes()
    assert open_results(place).trials.collect().height == 2
