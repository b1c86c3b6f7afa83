"""The driver is killed, or asked to end, at any moment; the lock lets one of two at a time."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from drills.harness import Drill, Sweep, said_by, wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]
QUICK = ("--cpus", "2", "--checkpoint-seconds", "0")


def let_it_run(drill: Drill, sweep: Sweep, process: subprocess.Popen[str], *, at_any_time: bool) -> None:
    """Wait until a random moment: some epochs from now, or some seconds, which may be before anything has begun."""
    if at_any_time:
        time.sleep(drill.draw.uniform(0, 8))
    else:
        sweep.await_epochs(drill.draw.randint(1, 20), process)
        time.sleep(drill.draw.uniform(0, 0.2))


def test_a_driver_killed_at_ten_moments(sweep: Sweep, undisturbed: Path) -> None:
    """Ten times in one sweep, at random, half of them while it may still be starting; then it ends as if not.

    Half of the drivers run their trials on Ray, the others themselves.
    """
    drill = Drill("driver killed (SIGKILL)")
    command = ("run", str(sweep.file), "--results", str(sweep.place), *QUICK)
    for number in range(10):
        before = sweep.table("epochs").height
        with sweep.started(*command, *(["--in-process"] if number % 4 >= 2 else [])) as process:
            let_it_run(drill, sweep, process, at_any_time=number % 2 == 1)
            process.send_signal(signal.SIGKILL)
            process.wait()
        drill.times += 1
        if (sweep.place / "sweep.json").exists():
            command = ("resume", str(sweep.place), *QUICK)
        assert before <= sweep.table("epochs").height
    began = time.monotonic()
    with sweep.started(*command) as process:
        sweep.await_epochs(1, process)
        drill.seconds.append(time.monotonic() - began)
        said = said_by(process)

    assert 0 == said.code, said
    drill.compare(undisturbed, sweep.place)
    drill.end()


def test_a_driver_asked_to_end(sweep: Sweep, undisturbed: Path) -> None:
    """Ctrl-C, SIGTERM and SIGUSR1, as batch systems send them, end it within seconds, in order; a resume goes on."""
    drill = Drill("driver asked to end (SIGINT, SIGTERM, SIGUSR1)")
    command = ("run", str(sweep.file), "--results", str(sweep.place), *QUICK)
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        with sweep.started(*command) as process:
            let_it_run(drill, sweep, process, at_any_time=False)
            process.send_signal(signum)
            asked, said = time.monotonic(), said_by(process)
        drill.times += 1
        drill.seconds.append(time.monotonic() - asked)
        statuses = set(sweep.table("trials")["status"])
        assert (128 + signum, "") == (said.code, said.err), said
        assert "Continue with: tic-sweep resume" in said.out
        assert "running" not in statuses
        assert not list((sweep.place / "journal").iterdir())
        command = ("resume", str(sweep.place), *QUICK)
    said = sweep.resume()

    assert (0, "") == (said.code, said.err)
    drill.compare(undisturbed, sweep.place)
    drill.end()


def test_a_resume_of_what_has_ended_changes_nothing(sweep: Sweep, undisturbed: Path) -> None:
    """Once more, and once more again: no trial runs, no row is written."""
    drill = Drill("resume, and run, after the end")
    shutil.copytree(undisturbed, sweep.place)
    sessions = sweep.table("epochs")["session"].to_list(), sweep.table("trials")["session"].to_list()
    for again in (sweep.resume, sweep.run, sweep.resume):
        said = again()
        drill.times += 1
        drill.seconds.append(said.seconds)
        assert "have ended already" in said.out
    drill.compare(undisturbed, sweep.place)

    assert sessions == (sweep.table("epochs")["session"].to_list(), sweep.table("trials")["session"].to_list())
    drill.end()


def test_of_drivers_at_once_one_wins(sweep: Sweep, undisturbed: Path) -> None:
    """Three that start together, and one that comes late: one runs, each other says in one line who does, and ends."""
    drill = Drill("several drivers on one folder")
    command = ("run", str(sweep.file), "--results", str(sweep.place), *QUICK)
    with sweep.started(*command) as one, sweep.started(*command) as two, sweep.started(*command) as three:
        wait_until(lambda: sum(process.poll() is not None for process in (one, two, three)) >= 2)
        (winner,) = [process for process in (one, two, three) if process.poll() is None]
        sweep.await_epochs(1, winner)
        began = time.monotonic()
        late = subprocess.run(  # not `started`, which would clear away the others
            [*winner.args[:3], *command], env=sweep.environment, cwd=sweep.file.parent,
            text=True, capture_output=True, check=False,
        )  # fmt: skip
        drill.seconds.append(time.monotonic() - began)
        told = [(process.wait(), process.communicate()[1]) for process in (one, two, three) if process is not winner]
        said = said_by(winner)
    drill.times = 4
    for code, err in [*told, (late.returncode, late.stderr)]:
        assert (2, 1) == (code, len(err.splitlines())), err
        assert f"is being written by process {winner.pid}" in err
    assert 0 == said.code, said
    drill.compare(undisturbed, sweep.place)
    drill.end()
