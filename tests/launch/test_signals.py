"""Being asked to stop: once is in order, twice is at once, and the clock may ask, too."""

import os
import signal
import time
from pathlib import Path

import pytest
from launch.launch_fakes import rows, write_sweep

from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.session import resume_sweep, run_sweep
from tic_sweep.launch.signals import stop_on_signals

ONE = "seeds=(0,)"


def wait_for(stop: object) -> None:
    """Wait until the stop is set."""
    deadline = time.monotonic() + 60
    while not stop and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.mark.parametrize("seconds", [0.05, 0.0, -3.0])
def test_the_clock_asks_as_a_signal_does(seconds: float) -> None:
    """Also when the time is up already; afterwards nothing is left of it."""
    with stop_on_signals(seconds) as stop:
        wait_for(stop)

    assert (True, "its time limit", 142) == (bool(stop), stop.name, stop.exit_code)
    assert (0.0, 0.0) == signal.getitimer(signal.ITIMER_REAL)
    assert signal.SIG_DFL == signal.getsignal(signal.SIGALRM)


def test_the_clock_asks_nobody_who_is_stopping() -> None:
    """A second request kills, and must come from somebody."""
    with stop_on_signals(0.3) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        wait_for(stop)
        time.sleep(0.5)

    assert ("SIGTERM", 143) == (stop.name, stop.exit_code)


def test_a_run_ends_in_order_at_its_limit(tmp_path: Path) -> None:
    """What was told is stored, the trial says why it ended, and a resume without a limit finishes it."""
    request = Request(sweep=write_sweep(tmp_path, ONE), changes={"optimiser.epochs": 30})
    first = run_sweep(request, Options(in_process=True, stop_after=0.05), results=tmp_path / "r")
    before = rows(tmp_path / "r", "trials").to_dicts()[0]
    second = resume_sweep(tmp_path / "r", None, Options(in_process=True))

    assert (142, 0) == (first.stop.exit_code, first.done)
    assert before["status"] in {"planned", "interrupted"}
    assert before["reason"] in {"", "stopped by its time limit"}
    assert (1, False) == (second.done, bool(second.stop))
    assert list(range(31)) == sorted(rows(tmp_path / "r", "epochs")["epoch"].to_list())
