"""The mirror of a running sweep, with the real client offline: what it wrote is read back."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from launch.launch_fakes import new_writer, planned, report
from wandb_sink.wandb_files import WrittenRun, written_runs

from tic_sweep.plan import PlannedTrial
from tic_sweep.records import Report, TrialRow
from tic_sweep.store import ResultsWriter
from tic_sweep.wandb_sink import WandbSink
from tic_sweep.wandb_sink.client import NotTakenError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def writer(tmp_path: Path) -> ResultsWriter:
    """Return a writer on a new results folder."""
    return new_writer(tmp_path / "r")


def ended(trial: PlannedTrial, **values: object) -> TrialRow:
    """Return the row of a finished trial."""
    return TrialRow(**{"key": trial.key, "sweep": "tiny", "scale": "laptop", "status": "finished", **values})


def tell(sink: WandbSink, writer: ResultsWriter, trial: PlannedTrial, told: Report) -> None:
    """Store a report and pass it on, as the recorder does."""
    for row in (told.epoch, *told.rows):
        if row is not None:
            writer.add(row)
    sink.report(trial, told)


def only_run(writer: ResultsWriter) -> WrittenRun:
    """Return the only run of a results folder."""
    (run,) = written_runs(writer.folder.root).values()
    return run


def test_a_trial_becomes_a_run(writer: ResultsWriter) -> None:
    """Config, epochs with IC and I_t, and the outcome are what the trial told, over epochs as steps."""
    trial = planned(lr=0.125)
    sink = WandbSink("offline", writer.folder, "tiny", "laptop", ("optimiser.lr",))
    sink.started(trial, 1)
    for epoch in range(3):
        sink.report(trial, report(trial.key, epoch, ic=1.5 + epoch))
    sink.ended(trial, ended(trial, test_acc=0.5), None)
    told = sink.close()
    run = only_run(writer)

    assert [f"W&B: 1 run kept offline; upload with: wandb sync --yes {writer.folder.wandb}"] == told
    assert ("tic_sweep", "tiny-laptop", "trial", "lr 0.125, seed 0") == (
        run.about.project, run.about.run_group, run.about.job_type, run.about.display_name,
    )  # fmt: skip
    assert (0.125, 1, trial.key) == (run.config["optimiser.lr"], run.config["attempt"], run.config["key"])
    assert [(0, 1.5, 2.0), (1, 2.5, 2.0), (2, 3.5, 2.0)] == [
        (line["epoch"], line["ic"], line["fisher/t01"]) for line in run.history
    ]
    assert [0, 1, 2] == run.column("_step")
    assert {"_type": "histogram", "values": [100.0], "bins": [0.5, 1.5]} == run.history[0]["fisher/share_over_t"]
    assert ("finished", 0.5, 0) == (run.summary["status"], run.summary["test_acc"], run.exit_code)
    assert run.file.parent.name.startswith("offline-run-")


def test_a_retry_goes_on_with_the_open_run(writer: ResultsWriter) -> None:
    """A trial that dies after epoch 2 and tells epoch 2 again from its checkpoint has every epoch once."""
    trial = planned()
    sink = WandbSink("offline", writer.folder, "tiny")
    for attempt, epochs in ((1, range(3)), (2, range(2, 5))):
        sink.started(trial, attempt)
        for epoch in epochs:
            sink.report(trial, report(trial.key, epoch))
    sink.ended(trial, ended(trial, attempt=2), None)
    (told,) = sink.close()
    run = only_run(writer)

    assert told.startswith("W&B: 1 run kept offline")
    assert [0, 1, 2, 3, 4] == run.column("epoch")
    assert 2 == run.config["attempt"]


def test_a_later_session_writes_the_whole_run_again(writer: ResultsWriter) -> None:
    """The newer of two run folders with one id holds the epochs of both sessions, so that it can replace the older."""
    trial = planned()
    for attempt, epochs in ((1, range(3)), (2, range(2, 5))):
        sink = WandbSink("offline", writer.folder, "tiny")
        sink.started(trial, attempt)
        for epoch in epochs:
            tell(sink, writer, trial, report(trial.key, epoch, ic=1.5 + epoch))
        row = ended(trial, attempt=attempt, status="interrupted" if attempt == 1 else "finished")
        writer.add(row, trial.config)
        sink.ended(trial, row, None)
        assert 1 == len(sink.close())
    folders = list(writer.folder.wandb.glob("offline-run-*"))
    run = only_run(writer)

    assert 2 == len(folders)
    assert [0, 1, 2, 3, 4] == run.column("epoch")
    assert [1.5, 2.5, 3.5, 4.5, 5.5] == run.column("ic")
    assert ("finished", 2) == (run.summary["status"], run.config["attempt"])


def test_a_trial_that_fails_at_once_is_a_run(writer: ResultsWriter) -> None:
    """It has no epochs, a reason, and an exit code."""
    trial = planned()
    sink = WandbSink("offline", writer.folder, "tiny")
    sink.started(trial, 1)
    sink.ended(trial, ended(trial, status="failed", reason="ValueError: half"), None)
    (told,) = sink.close()
    run = only_run(writer)

    assert told.startswith("W&B: 1 run kept offline")
    assert ([], "failed", "ValueError: half", 1) == (
        run.history, run.summary["status"], run.summary["reason"], run.exit_code,
    )  # fmt: skip


def test_a_client_that_fails_costs_one_line(writer: ResultsWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever W&B raises, the sink goes on and tells it once, when it closes, without the key."""
    monkeypatch.setenv("WANDB_API_KEY", "verysecret")
    trial = planned()
    sink = WandbSink("offline", writer.folder, "tiny")
    monkeypatch.setattr(sink, "_expect", lambda *_: (_ for _ in ()).throw(OSError("no verysecret\nspace")))
    for attempt in (1, 2):
        sink.started(trial, attempt)
    sink.report(trial, report(trial.key))
    told = [*sink.close(), *sink.close()]

    assert ["W&B: 2 messages were not mirrored, the first because of OSError: no ***"] == told


def test_a_wandb_that_cannot_be_imported_costs_one_line(writer: ResultsWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep goes on without it."""
    monkeypatch.setitem(sys.modules, "wandb", None)
    trial = planned()
    sink = WandbSink("offline", writer.folder, "tiny")
    sink.started(trial, 1)
    sink.report(trial, report(trial.key))
    (line,) = sink.close()

    assert "ResourceError: wandb cannot be used" in line


def test_closing_does_not_wait_for_ever(writer: ResultsWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that hangs is left behind after a while."""
    released = threading.Event()
    monkeypatch.setattr("tic_sweep.wandb_sink.sink.CLOSE_SECONDS", 0.1)
    sink = WandbSink("online", writer.folder, "tiny")
    monkeypatch.setattr(sink, "_expect", lambda *_: released.wait())
    sink.started(planned(), 1)
    (line,) = sink.close()
    released.set()

    assert line.startswith("W&B: gave up waiting")


def test_memory_is_bounded(writer: ResultsWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """While W&B hangs, no more than so many messages wait."""
    released = threading.Event()
    monkeypatch.setattr("tic_sweep.wandb_sink.sink.WAITING", 5)
    sink = WandbSink("online", writer.folder, "tiny")
    monkeypatch.setattr(sink, "_expect", lambda *_: released.wait())
    monkeypatch.setattr(sink, "_log", lambda *_: None)
    sink.started(planned(), 1)
    for epoch in range(100):
        sink.report(planned(), report("k", epoch))
    waiting = sink._queue.qsize()
    released.set()
    (line,) = sink.close()

    assert 5 == waiting
    assert line.endswith("the first because of too many waiting")


def test_a_server_is_not_asked_for_every_trial(writer: ResultsWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """After two runs in a row that W&B does not take, all others are offline at once."""
    from tic_sweep.wandb_sink.client import Client
    from tic_sweep.wandb_sink.naming import Naming

    asked: list[str] = []

    def fail(_client: Client, _spec: object, mode: str) -> str:
        asked.append(mode)
        if mode == "online":
            raise ConnectionError("no route")
        return "run"

    monkeypatch.setattr(Client, "_init", fail)
    client, naming = Client(folder=writer.folder, mode="online"), Naming(sweep="tiny", scale="laptop")
    for seed in range(5):
        try:
            client.open(naming.trial(planned(seed=seed), 1))
        except NotTakenError:
            continue

    assert ["online", "online", "offline", "offline", "offline"] == asked
    assert (3, "ConnectionError: no route") == (client.offline, client.reason)


def test_off_never_imports_wandb(tmp_path: Path) -> None:
    """A fresh interpreter that mirrors nothing never loads the client, and makes no folder for it."""
    code = (
        "import sys; from pathlib import Path; from tic_sweep.wandb_sink import WandbSink\n"
        "from tic_sweep.store import ResultsFolder\n"
        f"folder = ResultsFolder.create({str(tmp_path)!r}); s = WandbSink('off', folder, 'x')\n"
        "s.started(None, 1); told = s.close(report=True)\n"
        "print('wandb' in sys.modules, folder.wandb.exists(), told)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert "False False []" == done.stdout.strip()
