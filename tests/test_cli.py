"""The command line as a user meets it: what it prints, what it refuses, how it exits."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from launch.launch_fakes import by_key, rows, write_sweep

from tic_sweep.cli import main
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.session import run_sweep

ROOT = Path(__file__).parents[1]
LONG = 'space={"optimiser.lr": Grid((0.3, 0.03))}, seeds=(0, 1)'
FAST_CHECKPOINTS = ("--checkpoint-seconds", "0", "--set", "optimiser.epochs=40", "--cpus", "2")


def call(*arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, with its content."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b"" for p in sorted(folder.rglob("*"))}


@contextmanager
def started(*arguments: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the command line as a process of its own; what is left of it at the end is killed."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80", "PYTHONWARNINGS": "ignore"}
    environment = {k: v for k, v in environment.items() if not k.startswith("RAY_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tic_sweep", *arguments],
        cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


def finished(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    """Run the command line as a process of its own; return exit code, stdout and stderr."""
    with started(*arguments, cwd=cwd) as process:
        out, err = process.communicate(timeout=240)
    return process.returncode, out, err


def wait_for_epochs(place: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Wait until a running sweep has stored so many epochs."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if (place / "sweep.json").exists() and rows(place, "epochs").height >= count:
            return
        time.sleep(0.1)
    raise AssertionError("the sweep did not get going")


def numbers(place: Path) -> tuple[object, ...]:
    """Return what a sweep found, but for the time things took and the sessions it took."""
    epochs = rows(place, "epochs").select("key", "epoch", "lr", "train_loss", "val_loss", "ic")
    fisher = rows(place, "fisher").select("key", "epoch", "t", "fisher_trace")
    return sorted(epochs.rows(), key=str), sorted(fisher.rows(), key=str), by_key(place, "weights_digest")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    """Return what the sweep finds when nothing happens to it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    request = Request(sweep=write_sweep(folder, LONG), changes={"optimiser.epochs": 40})
    run_sweep(request, Options(in_process=True), results=folder / "r")
    return numbers(folder / "r")


@pytest.mark.ray
def test_a_killed_driver_loses_nothing(tmp_path: Path, undisturbed: tuple[object, ...]) -> None:
    """After SIGKILL a resume finishes every trial, each once, with the same rows and weights as if nothing had been."""
    place = tmp_path / "r"
    with started("run", write_sweep(tmp_path, LONG), "--results", "r", *FAST_CHECKPOINTS, cwd=tmp_path) as process:
        wait_for_epochs(place, 9, process)
        process.send_signal(signal.SIGKILL)
    statuses = set(by_key(place, "status").values())
    code, out, err = finished("resume", "r", cwd=tmp_path)

    assert (0, "") == (code, err), out
    assert "running" in statuses
    assert {"finished"} == set(by_key(place, "status").values())
    assert undisturbed == numbers(place)
    assert 2 == max(by_key(place, "attempt").values())
    assert rows(place, "epochs").filter(pl.col("session") == 1).height > 0


@pytest.mark.ray
def test_sigterm_ends_as_gracefully_as_ctrl_c(tmp_path: Path) -> None:
    """Within seconds rows are written, trials are marked, and one line says how to go on."""
    place = tmp_path / "r"
    with started("run", write_sweep(tmp_path, LONG), "--results", "r", *FAST_CHECKPOINTS, cwd=tmp_path) as process:
        wait_for_epochs(place, 9, process)
        process.terminate()
        asked = time.monotonic()
        out, err = process.communicate(timeout=60)
    took, found = time.monotonic() - asked, by_key(place, "status")
    journals = list((place / "journal").iterdir())

    assert (143, "") == (process.returncode, err)
    assert "trials done. Continue with: tic-sweep resume r" in out
    assert took < 20
    assert "interrupted" in found.values()
    assert "running" not in found.values()
    assert [] == journals


@pytest.mark.ray
def test_a_cluster_can_be_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --address the trials run on a Ray that was started elsewhere, and it is left running.

    Who has another token than the cluster, or none, is told so at once, in a line that does not hold it.
    """
    right, wrong = "ab" * 32, "cd" * 32
    cluster = (
        "import sys\nfrom ray.cluster_utils import Cluster\n"
        "c = Cluster(initialize_head=True, head_node_args={'num_cpus': 2})\n"
        "print(c.address, flush=True)\nsys.stdin.read()\nc.shutdown()\n"
    )
    token = tmp_path / ".ray" / "auth_token"
    token.parent.mkdir()
    token.write_text(right)
    monkeypatch.setenv("HOME", str(tmp_path))  # where Ray looks for a token
    environment = os.environ | {
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": right, "RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", cluster], env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as head:  # fmt: skip
        assert head.stdout is not None
        address = head.stdout.readline().strip()
        code, out, err = finished(
            "run", write_sweep(tmp_path), "--results", "r", "--seeds", "0", "--address", address, cwd=tmp_path
        )
        too_much = finished(
            "run", write_sweep(tmp_path), "--results", "r2", "--cpus-per-trial", "3", "--address", address, cwd=tmp_path
        )
        token.write_text(wrong)
        another = finished("run", write_sweep(tmp_path), "--results", "r2", "--address", address, cwd=tmp_path)
        token.unlink()
        none = finished("run", write_sweep(tmp_path), "--results", "r2", "--address", address, cwd=tmp_path)
        still_there = head.poll() is None
        head.communicate("")

    assert (0, "") == (code, err), out
    assert (2, 2) == (another[0], none[0])
    assert "the cluster asks for a token, and the one known here is another. Set RAY_AUTH_MODE=token" in another[2]
    assert "the cluster asks for a token, and none is known here. Set RAY_AUTH_MODE=token" in none[2]
    assert [1, 1] == [len(told[2].splitlines()) for told in (another, none)]
    assert not [told for told in (another, none) if right in told[2] or wrong in told[2]]
    assert {"finished"} == set(by_key(tmp_path / "r", "status").values())
    assert still_there
    assert 2 == too_much[0]
    assert "has 2 CPUs" in too_much[2]
    assert not (tmp_path / "r2").exists()


def test_a_run_prints_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Progress, a table within 80 columns, the finding and the report; status, report and resume then follow suit."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    code = call("run", write_sweep(tmp_path), "--in-process")
    out, err = capsys.readouterr()

    assert (0, "") == (code, err)
    assert "tiny: 4 of 4 trials, 100%" in out
    assert " lr " in out
    assert "Report: results/tiny-laptop/report.html" in out
    assert (tmp_path / "results/tiny-laptop/report.html").is_file()
    assert max(map(len, out.splitlines()[2:])) <= 80

    assert 0 == call("status", "results/tiny-laptop")
    assert "tiny, laptop: 4 of 4 trials done (4 finished)." in capsys.readouterr().out
    assert 0 == call("resume", "results/tiny-laptop")
    assert "All 4 trials have ended already in results/tiny-laptop.\n" in capsys.readouterr().out
    assert 0 == call("run", write_sweep(tmp_path), "--in-process")
    assert "already in results/tiny-laptop; --rerun runs them again.\n" in capsys.readouterr().out
    assert 0 == call("report", "results/tiny-laptop")
    assert "Report: results/tiny-laptop/report.html" in capsys.readouterr().out


def test_a_run_that_is_interrupted_at_its_report_does_not_deny_its_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every trial has run by then, and is stored."""

    def interrupt(*_: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr("analysis.report.write_report", interrupt)
    code = call("run", write_sweep(tmp_path), "--in-process", "--wandb", "off", "--results", str(tmp_path / "r"))

    assert (130, "tic-sweep: error: interrupted.") == (code, capsys.readouterr().err.strip())
    assert {"finished"} == set(by_key(tmp_path / "r", "status").values())


def test_a_failed_trial_shows_in_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A resume that finds failed trials exits with 1 and says where to look."""
    from launch.launch_fakes import new_recorder, new_writer, planned

    trial = planned()
    with new_writer(tmp_path / "r") as writer:
        recorder = new_recorder(writer, [trial])
        recorder.started(trial.key)
        recorder.failed(trial.key, "ValueError: nonsense")

    assert 1 == call("resume", str(tmp_path / "r"))
    assert "1 of 1 trials failed" in capsys.readouterr().err
    assert 0 == call("status", str(tmp_path / "r"))
    assert "1 failed: ValueError: nonsense" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["list"], "quickstart"),
        (["fields"], "neuron.tau = 2"),
        (["--help"], "resume"),
        (["run", "--help"], "--gpus-per-trial"),
    ],
)
def test_looking_around(arguments: Sequence[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What exists can be listed without running anything."""
    code = call(*arguments)

    assert 0 == code
    assert expected in capsys.readouterr().out


def test_plan_shows_trials_and_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every trial with what sets it apart, the epochs, and an estimate that says it is one; nothing is written."""
    monkeypatch.setattr("tic_sweep.launch.cost.seconds_per_image", lambda *_: (0.01, 0.005))
    path = write_sweep(tmp_path)
    before = tree(tmp_path)
    monkeypatch.chdir(tmp_path)
    code = call("plan", path, "--cpus", "2", "--set", "neuron.tau=3")
    out = capsys.readouterr().out

    assert 0 == code
    assert "lr 0.03, seed 1" in out
    assert "4 trials, 8 epochs." in out
    # 4 trials of 2 * 100 + (3 * 50 + 2 * 50) / 3 image passes and 3 * 8 images measured, on 2 workers
    assert "Estimate: about 6 s on 2 workers" in out
    assert before == {name: content for name, content in tree(tmp_path).items() if "__pycache__" not in name}


BAD_INPUT = {
    "unknown sweep": (["run", "quikstart"], "Did you mean 'quickstart'?"),
    "missing file": (["run", "nowhere.py"], "does not exist"),
    "broken file": (["run", "broken.py"], "broken.py, line 1: NameError"),
    "empty grid": (["run", "empty.py"], "Grid(()) is empty"),
    "unknown scale": (["run", "quickstart", "--scale", "huge"], "--scale must be one of laptop"),
    "unknown field": (["run", "quickstart", "--set", "neuron.tua=2"], "neuron.tua is not a field"),
    "wrong type": (["run", "quickstart", "--set", "timesteps=many"], "timesteps must be a whole number"),
    "tau 0.5": (["run", "quickstart", "--set", "neuron.tau=0.5"], "greater than 0.5 timesteps, got 0.5"),
    "T 0": (["run", "quickstart", "--set", "timesteps=0"], "timesteps must be"),
    "nan rate": (["run", "quickstart", "--set", "optimiser.lr=NaN"], "optimiser.lr must be a finite number"),
    "unknown data": (["run", "quickstart", "--set", "data.name=mnist"], "data.name must be one of"),
    "unknown model": (["run", "quickstart", "--set", "model.name=vgg"], "model.name must be one of"),
    "no equals": (["run", "quickstart", "--set", "timesteps"], "must be path=value"),
    "seeds": (["run", "quickstart", "--seeds", "0,a"], "separated by commas"),
    "same seeds": (["run", "quickstart", "--seeds", "1,1"], "seeds must differ"),
    "samples": (["run", "quickstart", "--samples", "3"], "samples must be 0"),
    "gpu": (["run", "quickstart", "--gpus-per-trial", "1"], "--gpus-per-trial 1: this machine has 0 GPUs"),
    "gpu here": (["run", "quickstart", "--in-process", "--device", "cuda"], "no GPU that torch can use"),
    "cpus": (["run", "quickstart", "--cpus-per-trial", "64", "--cpus", "2"], "this machine has 2 CPUs"),
    "no data folder": (["run", "learning_rate"], "needs a data folder"),
    "no data": (["run", "learning_rate", "--data", "empty"], "cifar10: data_batch_1"),
    "file as results": (["run", "quickstart", "--results", "broken.py"], "is a file"),
    "below a file": (["run", "quickstart", "--results", "broken.py/r"], "is a file"),
    "foreign results": (["run", "quickstart", "--results", "foreign"], "not a sweep's results"),
    "no cluster": (["run", "quickstart", "--address", "127.0.0.1:1"], "nothing answers there"),
    "odd address": (["run", "quickstart", "--address", "ray://head"], "must be auto or host:port"),
    "unknown flag": (["run", "quickstart", "--gpu", "1"], "No such option"),
    "unknown command": (["go"], "No such command"),
    "resume nothing": (["resume", "nowhere"], "does not exist"),
    "resume foreign": (["resume", "foreign"], "not a results folder"),
    "status nothing": (["status", "nowhere"], "does not exist"),
    "report foreign": (["report", "foreign"], "not a results folder"),
}


@pytest.mark.parametrize(("arguments", "said"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_is_one_line(
    arguments: Sequence[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It names what is wrong and what to do, exits with 2, and nothing is written."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "letter.txt").write_text("dear")
    (tmp_path / "broken.py").write_text("SWEEP = Sweep(")
    (tmp_path / "broken.py").write_text("SWEEP = Sweep()")
    write_sweep(tmp_path, 'space={"optimiser.lr": Grid(())}')
    (tmp_path / "tiny.py").rename(tmp_path / "empty.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TIC_SWEEP_DATA", raising=False)
    before = tree(tmp_path)
    code = call(*arguments)
    out, err = capsys.readouterr()

    assert 2 == code
    assert "" == out
    assert 1 == len(err.splitlines())
    assert err.startswith("tic-sweep: error: ")
    assert said in err
    assert before == {name: content for name, content in tree(tmp_path).items() if "__pycache__" not in name}


def test_an_unwritable_place_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A results folder where no one may write, not even root, is refused before anything runs."""
    code = call("run", "quickstart", "--results", "/proc/results")

    assert 2 == code
    assert "give a place you may write to" in capsys.readouterr().err


def test_a_resume_reads_the_command_that_started_the_sweep(tmp_path: Path) -> None:
    """Options, changes and paths survive the way into the manifest and back, from any directory."""
    from tic_sweep.cli.running import _started_with, circumstance, command_line, run

    given = [
        "quickstart", "--set", "optimiser.lr=0.1", "--set", "model.name=small_conv", "--seeds", "0,2", "--data", "here",
        "--gpus-per-trial", "0.5", "--checkpoint-seconds", "7", "--in-process", "--wandb", "offline",
        "--kernels", "plain",
    ]  # fmt: skip
    context = run.make_context("run", list(given))
    back = _started_with(command_line(context, "run", "quickstart"))

    assert (("optimiser.lr", 0.1), ("model.name", "small_conv")) == back["changes"]
    assert ((0, 2), Path("here").absolute(), 0.5, True) == tuple(
        back[name] for name in ("seeds", "data", "gpus_per_trial", "in_process")
    )
    resources = circumstance(back | {"in_process": False}).resources
    assert (7, "plain") == (resources.checkpoint_seconds, resources.kernels)
    assert {} == _started_with("")


def test_an_unexpected_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is no user's fault: it is not dressed up as one."""

    def fail(*_arguments: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("tic_sweep.sweep.sweep_names", fail)
    with pytest.raises(KeyError, match="a bug"):
        main(["list"])


def test_claims_of_a_toy_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A toy sweep needs no data, ends with its own table, and settles its claim."""
    small = ["--set", "toy.problems=3", "--set", "toy.updates=5", "--set", "toy.lr_count=2"]
    code = call("run", "reset_toy", *small, "--in-process", "--results", str(tmp_path / "r"))
    told = capsys.readouterr().out

    assert 0 == code
    assert "decades (95 %)" in told
    assert 0 == call("claims", str(tmp_path / "r"))
    assert "R1, surrogate width 0.2" in capsys.readouterr().out
