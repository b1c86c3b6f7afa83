"""Many short trials in one session: every row is there, the driver does not grow, and little is left on disk."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from launch.launch_fakes import TINY, TellingTraining, rows

from tic_sweep.config import replaced
from tic_sweep.launch import ray_tune
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.session import run_sweep
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

TRIALS = 2000
KIB_OF_MEMORY = 48
"""Bound on what a trial may add to the driver's memory, in KiB (docs/performance.md)."""
KIB_ON_DISK = 15
"""Bound on what a trial may leave on disk, in KiB."""


class Scales:
    """A listener that weighs this process whenever a trial ends."""

    def __init__(self) -> None:
        self.kib: list[float] = []

    def started(self, *_told: object) -> None:
        """Hear nothing."""

    def report(self, *_told: object) -> None:
        """Hear nothing."""

    def ended(self, *_told: object) -> None:
        """Weigh."""
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        self.kib.append(pages * os.sysconf("SC_PAGE_SIZE") / 1024)

    @property
    def growth(self) -> float:
        """KiB per trial, of the last three quarters of them."""
        late = np.array(self.kib[len(self.kib) // 4 :])
        return float(np.polyfit(np.arange(len(late)), late, 1)[0])


def weighed(scales: Scales, run: Callable[..., None]) -> Callable[..., None]:
    """Return a runner that trains nothing and lets the scales listen."""

    def run_weighed(*trials: Any, recorder: Any, **given: Any) -> None:
        recorder.listeners = [*recorder.listeners, scales]
        run(*trials, recorder=recorder, training=TellingTraining, **given)

    return run_weighed


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.usefixtures("ray_here")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Ray leaves sockets to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read where Linux tells it")
def test_a_long_sweep_neither_loses_a_row_nor_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials of two reports of 51 rows each, through a whole session on a real Ray."""
    scales = Scales()
    monkeypatch.setattr(ray_tune, "run_on_ray", weighed(scales, ray_tune.run_on_ray))
    base = replaced(TINY, {"optimiser.epochs": 1})
    space = {"optimiser.lr": Grid((0.1, 0.2, 0.3, 0.4))}
    sweep = Sweep(name="soak", question="?", laptop=Scale(base=base, space=space, seeds=tuple(range(TRIALS // 4))))
    place = tmp_path / "r"
    ended = run_sweep(Request(sweep=sweep), Options(cpus=2, wandb="off"), results=place)
    told = {name: rows(place, name).height for name in ("trials", "epochs", "fisher")}
    on_disk = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())

    assert ({"finished": TRIALS}, ()) == (dict(ended.statuses), ended.problems)
    assert {"trials": TRIALS, "epochs": 2 * TRIALS, "fisher": 2 * 50 * TRIALS} == told
    assert TRIALS == len(scales.kib)
    assert scales.growth <= KIB_OF_MEMORY
    assert on_disk <= KIB_ON_DISK * 1024 * TRIALS
