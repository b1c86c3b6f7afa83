"""Nodes of a cluster die, leave in order, and come; the trials move."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from drills.harness import Drill, Sweep, said_by, wait_until, write_sweep

pytestmark = [pytest.mark.ray, pytest.mark.slow]
NODES = Path(__file__).with_name("nodes.py")


@dataclass
class Nodes:
    """The process that holds the cluster."""

    process: subprocess.Popen[str]
    address: str

    def do(self, what: str) -> None:
        """Tell it what to do, and wait until it is done."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        assert self.process.stdout is not None
        assert "done" == self.process.stdout.readline().strip()


@contextmanager
def nodes_for(sweep: Sweep) -> Iterator[Nodes]:
    """Start a cluster of two nodes whose processes are known by the sweep's mark, and end it with it."""
    sweep.extra |= {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", str(NODES)], env=sweep.environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield Nodes(process, process.stdout.readline().strip())
        finally:
            process.kill()
            sweep.clear()


@contextmanager
def at_work(sweep: Sweep, *options: str) -> Iterator[tuple[Nodes, subprocess.Popen[str]]]:
    """Start a sweep on a cluster of its own."""
    with nodes_for(sweep) as nodes:
        command = ("run", str(sweep.file), "--results", str(sweep.place), "--checkpoint-seconds", "0")
        with sweep.started(*command, "--address", nodes.address, *options) as process:
            yield nodes, process


def ended(sweep: Sweep) -> int:
    """Return how many trials have finished."""
    trials = sweep.table("trials")
    return trials.filter(status="finished").height if "status" in trials.columns else 0


def test_two_hundred_trials_lose_a_node_and_get_one(tmp_path: Path) -> None:
    """A node dies when a quarter is done, another one comes at half; every trial ends, each row is there once."""
    drill = Drill("200 trials: node killed, node added")
    file = write_sweep(tmp_path, rates=100, epochs=1)
    calm, sweep = Sweep(file, tmp_path / "calm"), Sweep(file, tmp_path / "r")
    assert 0 == calm.run("--in-process").code
    with at_work(sweep) as (nodes, process):
        wait_until(lambda: process.poll() is not None or ended(sweep) >= 50)
        nodes.do("kill 0")
        drill.times += 1
        killed, done = time.monotonic(), ended(sweep)
        wait_until(lambda: process.poll() is not None or ended(sweep) >= done + 5)
        drill.seconds.append(time.monotonic() - killed)
        wait_until(lambda: process.poll() is not None or ended(sweep) >= 100)
        nodes.do("add")
        drill.times += 1
        said = said_by(process)

    assert 0 == said.code, said
    assert 200 == ended(sweep)
    drill.compare(calm.place, sweep.place)
    drill.end()


def test_nodes_leave_and_die_until_there_is_none_and_one_comes(tmp_path: Path, undisturbed: Path) -> None:
    """Of three one leaves in order, the others die at once; trials wait, and go on from their checkpoints on a new."""
    drill = Drill("node left, all others killed at once, node added")
    sweep = Sweep(write_sweep(tmp_path), tmp_path / "r")
    with at_work(sweep, "--retries", "4") as (nodes, process):
        nodes.do("add")
        sweep.await_epochs(drill.draw.randint(5, 15), process)
        nodes.do("leave 1")
        sweep.await_epochs(drill.draw.randint(5, 15), process)
        nodes.do("kill 0")
        nodes.do("kill 2")
        time.sleep(4)
        nodes.do("add")
        drill.times += 4
        came = time.monotonic()
        sweep.await_epochs(1, process)
        drill.seconds.append(time.monotonic() - came)
        said = said_by(process)

    assert 0 == said.code, said
    drill.compare(undisturbed, sweep.place)
    drill.end()


def test_a_node_taken_away_with_notice(long_sweep: Sweep, undisturbed_long: Path) -> None:
    """What Ray was told of is no fault of a trial's: it goes on elsewhere although it may not be retried."""
    drill = Drill("node preempted with 2 s notice, no retries")
    sweep = long_sweep
    with at_work(sweep, "--retries", "0") as (nodes, process):
        wait_until(lambda: process.poll() is not None or 2 == sweep.table("epochs")["key"].n_unique())
        sweep.await_epochs(drill.draw.randint(5, 15), process)
        nodes.do("preempt 0 2")
        assert {"running"} == set(sweep.table("trials")["status"])
        drill.times += 1
        taken = time.monotonic()
        wait_until(lambda: process.poll() is not None or 2 in sweep.table("trials")["attempt"])
        drill.seconds.append(time.monotonic() - taken)
        said = said_by(process)

    assert 0 == said.code, said
    assert 2 == sweep.table("trials")["attempt"].max()
    drill.compare(undisturbed_long, sweep.place)
    drill.end()
