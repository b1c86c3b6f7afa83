"""One stored trial is run anew from its row alone, and told to be the same or not."""

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from launch.launch_fakes import rows, write_sweep
from store.object_store import environment_of, upload

from tic_sweep.cli import main
from tic_sweep.config import Resources
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.reproducing import Reproduced, find_trial
from tic_sweep.launch.session import run_sweep
from tic_sweep.store import ResultsFolder

TWO = 'space={"optimiser.lr": Grid((0.3, 0.03))}'


def call(*arguments: str | Path) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of two tiny trials whose sweep file, checkpoints and scratch are gone."""
    folder = tmp_path_factory.mktemp("finished")
    sweep = write_sweep(folder, TWO)
    run_sweep(Request(sweep=sweep), Options(in_process=True), results=folder / "r")
    Path(sweep).unlink()
    shutil.rmtree(folder / "r" / "checkpoints")
    return folder / "r"


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """Return a copy to spoil."""
    shutil.copytree(finished, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def key(finished: Path) -> str:
    """Return the key of the trial with the rate 0.3."""
    return str(rows(finished, "trials").filter(pl.col("optimiser.lr") == 0.3)["key"][0])


def change(folder: Path, table: str, how: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Rewrite every segment of a table."""
    for segment in ResultsFolder.open(folder).segments(table):
        how(pl.read_parquet(segment)).write_parquet(segment)


def test_a_trial_comes_out_the_same(finished: Path, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its weights, accuracies and every epoch, by a part of its key, and the results that hold it stay as they are."""
    before = sorted(path for path in finished.rglob("*"))
    code = call("rerun", key[:7], "--results", finished)
    out = capsys.readouterr().out

    assert (0, before) == (code, sorted(path for path in finished.rglob("*")))
    assert f"Trial {key} comes out the same." in out
    assert ["weights_digest", "test_acc", "IC at epoch 2", "epochs that are the same"] == [
        name for name in ("weights_digest", "test_acc", "IC at epoch 2", "epochs that are the same") if name in out
    ]
    assert "differs" not in out
    assert "Both by tic_sweep" in out


def test_a_number_that_was_changed_is_found(
    copy: Path, tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In its last bits, too: the exit code says so, both versions are told, and the new results can be kept."""
    last = pl.col("epoch") == 2
    change(copy, "epochs", lambda t: t.with_columns(ic=pl.when(last).then(pl.col("ic") * (1 + 1e-12)).otherwise("ic")))
    change(copy, "trials", lambda t: t.with_columns(version=pl.lit("0.0.1\x1b[31m"), weights_digest=pl.lit("0123")))
    code = call("rerun", key, "--results", copy, "--into", tmp_path / "again")
    out = capsys.readouterr().out
    verdicts = {
        line.split("  ")[0].strip(): line.rstrip().endswith("differs") for line in out.splitlines() if "  " in line
    }

    assert 1 == code
    assert {"IC at epoch 2", "weights_digest", "epochs that are the same"} <= {n for n, bad in verdicts.items() if bad}
    assert not verdicts["test_acc"]
    assert "Stored by tic_sweep 0.0.1?[31m" in out
    assert "\x1b" not in out
    assert ["finished"] == rows(tmp_path / "again", "trials")["status"].to_list()


@pytest.mark.parametrize(
    ("spoil", "asked", "said"),
    [
        ({}, "zzz", "holds no trial 'zzz'"),
        ({}, "", "holds no trial ''"),
        ({"neuron.tau": pl.lit(3.0)}, None, "is not what its name says"),
        ({"neuron.tau": pl.lit(-3.0)}, None, "neuron.tau must be"),
        ({"weights_digest": pl.lit("")}, None, "has told nothing yet"),
    ],
)
def test_what_cannot_be_rerun_is_one_line(
    copy: Path, key: str, spoil: dict[str, pl.Expr], asked: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No such trial, one whose row was changed, one with nonsense in it, one that never began."""
    change(copy, "trials", lambda table: table.with_columns(**spoil))
    if "weights_digest" in spoil:
        change(copy, "epochs", lambda table: table.clear())
    code = call("rerun", key if asked is None else asked, "--results", copy)
    err = capsys.readouterr().err

    assert 2 == code
    assert said in err
    assert 1 == len(err.splitlines())


def test_a_key_that_begins_two_trials_is_refused(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """More of it is asked for."""
    change(copy, "trials", lambda table: table.with_columns(key=pl.lit("ab") + pl.col("key")))

    assert 2 == call("rerun", "ab", "--results", copy)
    assert "begins the keys of 2 trials" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('{"threads": 3, "precision": "bfloat16", "shell": "rm"}', Resources(threads=3, precision="bfloat16")),
        ('{"threads": "rm"}', Resources(device="cpu")),
        ("[1]", Resources(device="cpu")),
        ("{", Resources()),
        ("", Resources()),
    ],
)
def test_what_a_stranger_says_of_resources_is_data(copy: Path, key: str, said: str, expected: Resources) -> None:
    """Known fields with possible values are taken, all else is left."""
    change(copy, "trials", lambda table: table.with_columns(circumstance=pl.lit(said)))

    assert expected == find_trial(copy, key).resources


def test_a_trial_gets_no_more_threads_than_there_are_cpus(
    copy: Path, key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever its row says: torch would die of a hundred million."""
    given: list[Options] = []
    change(copy, "trials", lambda table: table.with_columns(circumstance=pl.lit('{"threads": 100000000}')))
    monkeypatch.setattr("tic_sweep.launch.preflight.available_cpus", lambda: 1)
    monkeypatch.setattr(
        "tic_sweep.launch.reproducing.reproduce",
        lambda trial, options, *_, **__: given.append(options) or Reproduced(trial, ()),
    )
    code = call("rerun", key, "--results", copy)

    assert 0 == code
    assert [1] == [options.trial_resources.threads for options in given]
    assert "It ran with 100000000 threads, and 1 CPUs are here" in " ".join(capsys.readouterr().out.split())


def test_an_older_folder_will_do(copy: Path, key: str) -> None:
    """One from before rows held their circumstance."""
    change(copy, "trials", lambda table: table.drop("circumstance", "system", "processor", "command"))

    assert Resources() == find_trial(copy, key).resources


def test_a_trial_in_an_object_store(
    finished: Path, key: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found there as it is here."""
    for name, value in environment_of(server).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TIC_SWEEP_CACHE", str(tmp_path / "cache"))
    far, near = find_trial(upload(finished, server, "rerun"), key[:5]), find_trial(finished, key)

    assert (near.row, near.config) == (far.row, far.config)
    assert near.epochs.equals(far.epochs)
