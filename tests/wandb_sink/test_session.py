"""A real sweep with its mirror on: what a user gets, and what a server that refuses the key changes of it."""

import base64
import hashlib
import sys
from pathlib import Path

import pytest
from launch.launch_fakes import by_key, write_sweep
from wandb_sink.drivers import finished
from wandb_sink.test_online import leaks
from wandb_sink.wandb_files import written_runs
from wandb_sink.wandb_server import serving

from analysis import claims, open_results
from tic_sweep.cli import main
from tic_sweep.errors import ResourceError
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.session import run_sweep

TWO = 'space={"optimiser.lr": Grid((0.3, 0.03))}, seeds=(0,)'


def test_a_sweep_mirrors_itself(tmp_path: Path) -> None:
    """Both trials and the report are runs of one group, and the store knows nothing of it."""
    ended = run_sweep(
        Request(sweep=write_sweep(tmp_path, TWO)), Options(in_process=True, wandb="offline"), results=tmp_path / "r"
    )
    runs = written_runs(tmp_path / "r")
    report = runs.pop("tiny-laptop-report")

    assert ((), 2) == (ended.problems, ended.done)
    assert {f"tiny-laptop-{key}" for key in by_key(tmp_path / "r", "status")} == runs.keys()
    assert [[0, 1, 2]] * 2 == [run.column("epoch") for run in runs.values()]
    assert {"lr 0.3, seed 0", "lr 0.03, seed 0"} == {run.about.display_name for run in runs.values()}
    assert {"tiny-laptop"} == {run.about.run_group for run in (report, *runs.values())}
    assert 2 == report.summary["trials/finished"]
    assert "table-file" == report.column("report/summary")[0]["_type"]
    assert ["checkpoint", "checkpoint", "results"] == sorted(
        artifact.type for artifact in report.artifacts if artifact.type != "run_table"
    )


def test_the_report_that_was_written_is_mirrored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the command line report.html, whole, is one of the results' files, the settled tables are others."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["run", write_sweep(tmp_path, TWO), "--in-process", "--wandb", "offline", "--results", "r"])
    report = written_runs(tmp_path / "r")["tiny-laptop-report"]
    (results,) = [artifact for artifact in report.artifacts if artifact.type == "results"]
    files = {entry.path: entry.digest for entry in results.manifest.contents}
    page = (tmp_path / "r" / "report.html").read_bytes()

    assert 0 == ended.value.code
    assert base64.b64encode(hashlib.md5(page, usedforsecurity=False).digest()).decode() == files["report.html"]
    assert {f"tables/trials/{file.name}" for file in (tmp_path / "r" / "tables" / "trials").iterdir()} == {
        name for name in files if name.startswith("tables/trials/")
    }


def test_what_is_worked_out_for_the_report_is_not_for_the_mirror(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claims are checked once: the report and its run share the results, and what was found in them."""
    checked: list[str] = []
    real = claims.judge
    monkeypatch.setattr(claims, "judge", lambda claim, found: (checked.append(claim.id), real(claim, found))[1])
    options = ["--in-process", "--wandb", "offline", "--results", str(tmp_path / "r")]
    with pytest.raises(SystemExit):
        main(["run", write_sweep(tmp_path, TWO), *options])
    rows = claims.check_claims(open_results(tmp_path / "r")).height

    assert rows > 0
    assert 2 * rows == len(checked)  # once for both, once more just now


def test_a_wrong_key_costs_a_line_and_is_nowhere(tmp_path: Path) -> None:
    """The sweep ends as ever, exit code 0; the key stands in no file and no output."""
    sweep = write_sweep(tmp_path, TWO)
    with serving("refuses") as backend:
        ended = finished(
            sys.executable, "-m", "tic_sweep", "run", sweep, "--in-process", "--wandb", "online", "--results",
            tmp_path / "r", home=tmp_path, url=backend.url,
        )  # fmt: skip
    told = [line for line in (ended.stdout + ended.stderr).splitlines() if "W&B" in line or "wandb" in line]

    assert 0 == ended.returncode, ended.stderr
    assert ["finished"] * 2 == list(by_key(tmp_path / "r", "status").values())
    upload = "wandb sync --yes r/wandb"
    assert [f"W&B did not take 3 runs (CommError: permission denied); upload what was kept with: {upload}"] == told
    assert "" == ended.stderr
    assert [] == leaks(tmp_path, ended.stdout, ended.stderr)


def test_offline_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the library and of the command line alike; the variable says otherwise, nonsense is refused."""
    from tic_sweep.cli.running import run

    def chosen() -> tuple[str, str]:
        return Options().wandb, run.make_context("run", ["quickstart"]).params["wandb"]

    monkeypatch.delenv("TIC_SWEEP_WANDB")
    assert ("offline", "offline") == chosen()
    monkeypatch.setenv("TIC_SWEEP_WANDB", "off")
    assert ("off", "off") == chosen()
    with pytest.raises(ResourceError, match="--wandb must be one of off, offline, online, got 'sometimes'"):
        Options(wandb="sometimes")
