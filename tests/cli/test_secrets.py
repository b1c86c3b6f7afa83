"""Secrets of the environment and of addresses are in nothing that a sweep writes, says or sends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from launch.launch_fakes import rows, write_sweep
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
