"""Mirroring a results folder after the fact: the report's run, trials that were missed, files, and their upload."""

import json
from pathlib import Path
from typing import Any

import pytest
from store.fabricated import STAYING, TURNING, write_sweep
from wandb_sink.drivers import sync
from wandb_sink.wandb_files import written_runs
from wandb_sink.wandb_server import serving

import analysis
from tic_sweep.errors import ResourceError
from tic_sweep.records import TrialRow
from tic_sweep.store import ResultsFolder, ResultsWriter
from tic_sweep.wandb_sink import push
from tic_sweep.wandb_sink.ledger import Mirrored, note, noted
from tic_sweep.wandb_sink.report import chosen_checkpoints
from tic_sweep.wandb_sink.stored import stored_trials

TRIALS = [
    ({"optimiser.lr": lr, "seed": seed}, "finished", TURNING if lr == 0.3 else STAYING)
    for lr in (0.1, 0.3)
    for seed in (0, 1)
]


@pytest.fixture
def folder(tmp_path: Path) -> ResultsFolder:
    """Return a sweep of two learning rates and two seeds, each trial with a checkpoint."""
    made = write_sweep(tmp_path / "r", TRIALS, best_val_acc=0.8)
    made.checkpoints.mkdir()
    for key in keys(made):
        (made.checkpoints / f"{key}.pt").write_text(f"weights of {key}")
    return made


def keys(folder: ResultsFolder) -> list[str]:
    """Return the keys of a folder's trials in the order they were written."""
    return analysis.open_results(folder.root).trials.collect()["key"].to_list()


def table(folder: ResultsFolder, value: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Return columns and rows of a table as a run's history points to it."""
    (file,) = folder.wandb.glob(f"offline-run-*/files/{value['path']}")
    content = json.loads(file.read_text())
    return content["columns"], content["data"]


def test_a_push_mirrors_trials_and_the_report(folder: ResultsFolder) -> None:
    """Runs of the trials with their whole histories, and one with tables, claims, figures and the finding."""
    pushed = push(folder)
    runs = written_runs(folder.root)
    report = runs.pop("demo-laptop-report")
    results = analysis.open_results(folder.root)
    columns, rows = table(folder, report.column("report/summary")[0])
    claims, verdicts = table(folder, report.column("report/claims")[0])

    assert (4, 5, "") == (pushed.trials, pushed.offline, pushed.told)
    assert {f"demo-laptop-{key}" for key in keys(folder)} == runs.keys()
    assert [list(STAYING), list(STAYING), list(TURNING), list(TURNING)] == sorted(
        (run.column("ic") for run in runs.values()), reverse=True
    )
    assert {"lr 0.1, seed 0", "lr 0.1, seed 1", "lr 0.3, seed 0", "lr 0.3, seed 1"} == {
        run.about.display_name for run in runs.values()
    }
    assert [0.1, 0.3] == sorted(row[columns.index("optimiser.lr")] for row in rows)
    assert (2, True) == (len(rows), {"claim", "verdict", "explanation"} <= set(claims) and bool(verdicts))
    assert "plotly-file" == report.column("figures/ic")[0]["_type"]
    assert ("report", "demo-laptop", 4) == (
        report.about.job_type, report.about.run_group, report.summary["trials/finished"],
    )  # fmt: skip
    assert analysis.tables.finding(results) == report.summary["finding"]


def test_what_is_mirrored_is_not_missing(folder: ResultsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second push has no trials to mirror; one that has run again since is missing again; all are always all."""
    monkeypatch.setattr("tic_sweep.wandb_sink.pushing.mirror_report", lambda *_, **__: None)
    first = push(folder)
    again = push(folder)
    (one,) = stored_trials(folder, keys(folder)[:1])
    with ResultsWriter(folder) as writer:
        values = {name: getattr(one.row, name) for name in TrialRow.__dataclass_fields__}
        writer.add(TrialRow(**values | {"attempt": 2}), one.trial.config)
    rerun = push(folder)
    everything = push(folder, trials="all")
    nothing = push(folder, trials="none")

    assert [4, 0, 1, 4, 0] == [pushed.trials for pushed in (first, again, rerun, everything, nothing)]


def test_a_pushed_folder_can_be_synced(folder: ResultsFolder, tmp_path: Path) -> None:
    """W&B's own command sends histories, tables and files as they are, and has nothing left to send afterwards."""
    folder.report.write_text("<p>report</p>")
    pushed = push(folder)
    with serving() as backend:
        done = sync(folder.root, home=tmp_path, url=backend.url)
        more = sync(folder.root, home=tmp_path, url=backend.url)
    sent = {name.removeprefix("artifact/"): content for name, content in backend.files.items()}
    best = [row["key"] for row in chosen_checkpoints(analysis.open_results(folder.root), folder, "best")]

    assert 0 == done.returncode, done.stderr
    assert pushed.upload.startswith("wandb sync --yes ")
    assert "No runs to sync" in more.stderr + more.stdout
    assert [True] * 5 == [run.complete for run in backend.runs.values()]
    assert [list(TURNING)] * 2 == [
        [line["ic"] for line in run.history] for run in backend.runs.values() if run.config.get("optimiser.lr") == 0.3
    ]
    assert "results" == backend.artifacts["demo-laptop-results"]
    assert folder.manifest.read_bytes() == sent["demo-laptop-results/sweep.json"]
    assert b"<p>report</p>" == sent["demo-laptop-results/report.html"]
    assert {file.read_bytes() for file in folder.tables.rglob("*.parquet")} <= set(sent.values())
    assert {f"demo-laptop-{key}" for key in best} == {
        name for name, kind in backend.artifacts.items() if kind == "checkpoint"
    }
    assert f"weights of {best[0]}".encode() == sent[f"demo-laptop-{best[0]}/{best[0]}.pt"]


def test_an_artifact_keeps_what_the_file_held(folder: ResultsFolder, tmp_path: Path) -> None:
    """A report that is written anew before the upload does not break it."""
    folder.report.write_text("old")
    push(folder, checkpoints="none")
    folder.report.with_suffix(".new").write_text("new")
    folder.report.with_suffix(".new").replace(folder.report)
    with serving() as backend:
        done = sync(folder.root, home=tmp_path, url=backend.url)

    assert 0 == done.returncode, done.stderr
    assert b"old" == backend.files["artifact/demo-laptop-results/report.html"]


def test_the_best_checkpoint_of_each_setting(folder: ResultsFolder) -> None:
    """One per learning rate; all are all that have one; none are none."""
    results = analysis.open_results(folder.root)
    of_rate = dict(results.trials.select("key", "optimiser.lr").collect().iter_rows())
    (folder.checkpoints / f"{keys(folder)[-1]}.pt").unlink()
    best = chosen_checkpoints(results, folder, "best")

    assert [0.1, 0.3] == sorted(of_rate[row["key"]] for row in best)
    assert keys(folder)[:-1] == [row["key"] for row in chosen_checkpoints(results, folder, "all")]
    assert [] == chosen_checkpoints(results, folder, "none")


def test_a_trial_is_read_back_as_it_was_told(folder: ResultsFolder) -> None:
    """Reports by epoch, each with its own rows; keys that are not there are passed over."""
    (stored,) = stored_trials(folder, ["nobody", keys(folder)[0]])

    assert (keys(folder)[0], "finished", 0.1) == (
        stored.trial.key, stored.row.status, stored.trial.config.optimiser.lr,
    )  # fmt: skip
    assert list(enumerate(STAYING)) == [(r.epoch.epoch, r.epoch.ic) for r in stored.reports if r.epoch]
    assert [8] * len(STAYING) == [len(report.rows) for report in stored.reports]


def test_the_ledger_outlives_a_crash(folder: ResultsFolder) -> None:
    """The last state of a trial counts, and half a line does not."""
    folder.wandb.mkdir()
    for attempt in (1, 2):
        note(folder, TrialRow(key="k", sweep="s", scale="laptop", status="finished", attempt=attempt, epochs_done=3))
    with (folder.wandb / "mirrored.jsonl").open("a") as file:
        file.write('{"key": "k", "sta')

    assert {"k": Mirrored(key="k", status="finished", attempt=2, epochs_done=3)} == noted(folder)


def test_without_wandb_a_push_is_refused(folder: ResultsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy is one line."""
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)

    with pytest.raises(ResourceError, match="wandb cannot be used"):
        push(folder)
