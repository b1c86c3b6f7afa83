"""Secrets of the environment and of addresses are in nothing that a sweep writes, says or sends."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from launch.launch_fakes import rows, write_sweep
from store.fabricated import TURNING
from store.fabricated import write_sweep as write_results
from store.object_store import client_of, environment_of, stored_under

from tic_sweep.cli import main

ROOT = Path(__file__).parents[2]
SECRET = "hunter2hunter2hunter2hunter2hunter2hunte"  # noqa: S105 - nobody's
KEYS = ("WANDB_API_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN", "MY_PASSWORD")


def call(*arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    "words",
    [
        ("run", "quickstart", "--storage", f"s3://me:{SECRET}@bucket/x"),
        ("run", "quickstart", "--storage", f"s3://bucket/x?secret_key={SECRET}"),
        ("run", "quickstart", "--storage", f"gs://me:{SECRET}@bucket/x", "--in-process"),
        ("run", "quickstart", "--results", f"s3://me:{SECRET}@bucket/x"),
        ("run", "quickstart", "--results", f"https://me:{SECRET}@host/x"),
        ("run", "quickstart", "--address", f"me:{SECRET}@head:6379"),
        ("run", "quickstart", "--address", f"ray://me:{SECRET}@head:6379"),
        ("tune-lr", "--storage", f"s3://me:{SECRET}@bucket/x"),
        ("rerun", "abc", "--results", f"s3://me:{SECRET}@bucket/x"),
        ("status", f"s3://me:{SECRET}@bucket/x"),
        ("report", f"https://me:{SECRET}@host/x", "--out", "page.html"),
        ("export", f"s3://me:{SECRET}@bucket/x", "archive.zip"),
        ("run", "quickstart", "--data", f"s3://me:{SECRET}@bucket/x"),
        ("run", "quickstart", "--data", f"https:/me:{SECRET}@host/x"),
        ("run", f"s3://me:{SECRET}@bucket/x.py"),
        ("plan", f"s3://me:{SECRET}@bucket/x"),
        ("run", "quickstart", "--in-process", "--address", f"me:{SECRET}@head:6379"),
        ("resume", f"s3://me:{SECRET}@bucket/x"),
        ("compact", f"s3://me:{SECRET}@bucket/x"),
        ("wandb", f"s3://me:{SECRET}@bucket/x"),
        ("rerun", "abc", "--results", "r", "--into", f"s3://me:{SECRET}@bucket/x"),
        ("status", f"s3://me:{SECRET}\u2100@bucket/x"),  # Python's own error would repeat it
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line without it, and nothing is written anywhere."""
    monkeypatch.chdir(tmp_path)
    code = call(*words)
    told = capsys.readouterr()

    assert 2 == code
    assert 1 == len(told.err.splitlines())
    assert SECRET not in told.out + told.err
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "quickstart", "--data", "{}"), "'--data': {} is a URL, and a local folder is needed: give its path."),
        (("run", "{}"), "sweep: {} is a URL, and a local file is needed: give its path."),
        (("resume", "{}"), "'RESULTS': {} is a URL, and a local folder is needed: give its path."),
        (("report", "r", "--out", "{}"), "'--out': {} is a URL, and a local file is needed: give its path."),
        (("export", "r", "{}"), "'OUT': {} is a URL, and a local file is needed: give its path."),
    ],
)
@pytest.mark.parametrize("url", ["s3://bucket/x", "https://host/x", "file:///x"])
def test_a_url_is_no_local_path(
    words: tuple[str, ...], said: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """One without a secret is named, and what to give instead; no folder of its name is made."""
    monkeypatch.chdir(tmp_path)
    write_results(tmp_path / "r", [({}, "finished", TURNING)])
    before = sorted(tmp_path.rglob("*"))
    code = call(*(word.format(url) for word in words))
    err = capsys.readouterr().err

    assert 2 == code
    assert err.startswith("tic-sweep: error: ")
    assert err.endswith(f"{said.format(url)}\n")
    assert before == sorted(tmp_path.rglob("*"))


def test_a_secret_that_an_older_version_stored_is_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that started the sweep holds it: what is wrong with it is said, and where it stands."""
    folder = write_results(tmp_path / "r", [({}, "running", TURNING)])
    command = f"tic-sweep run quickstart --data s3://me:{SECRET}@bucket/x"
    replace(folder.load_manifest(), command=command).save(folder.manifest)
    code = call("resume", str(folder.root))
    err = capsys.readouterr().err

    assert 2 == code
    assert "sweep.json: field 'command' is not understood (Invalid value for '--data'" in err
    assert SECRET not in err


@pytest.mark.slow
@pytest.mark.ray
def test_a_run_keeps_the_secrets_of_its_environment(tmp_path: Path, server: str) -> None:
    """On Ray, mirrored, with checkpoints in a store that needs a key: no file, line or object holds a secret.

    One of the trials diverges and a second run is refused, so that reasons and errors are looked at, too.
    """
    client_of(server)
    secrets = dict.fromkeys(KEYS, SECRET)
    known = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment = known | environment_of(server) | secrets | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    del environment["AWS_SESSION_TOKEN"]  # the server would not know it
    sweep = write_sweep(tmp_path, 'space={"optimiser.lr": Grid((1e20, 0.1))}')
    words = ("run", sweep, "--results", "r", "--storage", "s3://science/secrets", "--wandb", "offline", "--cpus", "2")
    done = subprocess.run(
        [sys.executable, "-m", "tic_sweep", *words, "--checkpoint-seconds", "0"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    again = subprocess.run(
        [sys.executable, "-m", "tic_sweep", "run", sweep, "--results", "r", "--in-process", "--seeds", "0,1"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    values = {SECRET, environment["AWS_SECRET_ACCESS_KEY"], environment["AWS_ACCESS_KEY_ID"]}
    files = [path for path in (tmp_path / "r").rglob("*") if path.is_file()]
    kept = stored_under(server, "secrets")
    found = [(path, value) for path in files for value in values if value.encode() in path.read_bytes()]
    told = done.stdout + done.stderr + again.stdout + again.stderr

    assert (0, "") == (done.returncode, done.stderr), done.stdout
    assert {"diverged", "finished"} == set(rows(tmp_path / "r", "trials")["status"].to_list())
    assert [] == found
    assert not [value for value in values if value in told]
    assert not [value for value in values for content in kept.values() if value.encode() in content]
    assert 2 == len(kept)
    assert {".parquet", ".html", ".json", ".wandb"} <= {path.suffix for path in files}
    assert 2 == again.returncode
    assert "leave --in-process out" in again.stderr
