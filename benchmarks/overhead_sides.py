"""The sides of `overhead.py`: each runs a sweep in this process, which is the driver, and says what that took."""

import json
import logging
import os
import resource
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from overhead_trials import LAYERS, SMALLEST, PlainTrainable, TimedTraining, TrivialTraining, made_up_report

from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

CPUS = 2
WARM = 0.25
"""Share of the trials after which time and memory are looked at."""


class Gauge:
    """Notes time, CPU time and memory of this process whenever a trial ends."""

    def __init__(self) -> None:
        self.begun = time.perf_counter()
        self.first: float | None = None
        self.marks: list[tuple[float, float, float]] = []

    def started(self, *_told: object) -> None:
        """Note when the first trial starts."""
        if self.first is None:
            self.first = time.perf_counter()

    def report(self, *_told: object) -> None:
        """Note nothing."""

    def ended(self, *_told: object) -> None:
        """Note the state of the driver."""
        self.marks.append((time.perf_counter(), time.process_time(), _resident_kib()))

    def told(self) -> dict[str, Any]:
        """Return what a trial took from one end to the next, once all workers are there, and over the whole session.

        The growth is the slope of the memory over the number of trials that have ended.
        """
        count = len(self.marks)
        late = np.array(self.marks[int(WARM * count) :])
        (seconds, cpu, _) = (late[-1] - late[0]) / (len(late) - 1)
        assert self.first is not None
        return {
            "trials": count,
            "before": self.first - self.begun,
            "seconds": float(seconds),
            "cpu": float(cpu),
            "slope_kib": float(np.polyfit(np.arange(len(late)), late[:, 2], 1)[0]),
            "rss_mib": self.marks[-1][2] / 1024,
            "total": (time.perf_counter() - self.begun) / count,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


def _resident_kib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def _sweep(trials: int) -> Sweep:
    rates = tuple(float(rate) for rate in np.geomspace(0.001, 1.0, 8))
    seeds = tuple(range(-(-trials // len(rates))))
    scale = Scale(base=SMALLEST, space={"optimiser.lr": Grid(rates)}, seeds=seeds)
    return Sweep(name="overhead", question="What does a trial cost besides its training?", laptop=scale)


def run_ours(place: Path, trials: int, training: type, *, wandb: str, ending: bool) -> dict[str, Any]:
    """Run a sweep as `tic-sweep run` does, with what trains replaced; ``ending``: tidy up and write the report."""
    from tic_sweep.cli import running
    from tic_sweep.cli.options import make_console
    from tic_sweep.launch import ray_tune
    from tic_sweep.launch.options import Options, Request
    from tic_sweep.launch.session import run_sweep

    gauge, run_on_ray, console = Gauge(), ray_tune.run_on_ray, make_console()

    def run(*arguments: Any, recorder: Any, **given: Any) -> None:
        recorder.listeners = [*recorder.listeners, gauge]
        run_on_ray(*arguments, recorder=recorder, training=training, **given)

    ray_tune.run_on_ray = run
    then = partial(running._tell, console=console, opens=False) if ending else None  # noqa: SLF001
    ended = run_sweep(
        Request(sweep=_sweep(trials)), Options(cpus=CPUS, wandb=wandb), results=place, console=console, then=then
    )
    assert ended.done == ended.total == len(gauge.marks), ended
    return gauge.told() | {"disk": _sizes(place, ended.total), "problems": list(ended.problems)}


def run_real(place: Path, trials: int) -> dict[str, Any]:
    """Run the smallest real trials and say what a slot spends on one besides its reports."""
    from tic_sweep.store import ResultsFolder, scan

    told = run_ours(place, trials, TimedTraining, wandb="off", ending=False)
    rows = scan(ResultsFolder.open(place), "trials").select("host").collect().rows()
    trials_by_worker: dict[int, list[dict[str, float]]] = {}
    for trial in sorted((json.loads(host) for (host,) in rows), key=lambda trial: trial["age"]):
        trials_by_worker.setdefault(trial["pid"], []).append(trial)
    later = [trial for trials in trials_by_worker.values() for trial in trials[1:]]
    work = float(np.median([trial["work"] for trial in later]))
    return told | {
        "processes": len(trials_by_worker),
        "first_age": max(trials[0]["age"] for trials in trials_by_worker.values()),
        "start_later": float(np.median([trial["start"] for trial in later])),
        "start_most": max(trial["start"] for trial in later),
        "work": work,
        "beside": told["seconds"] * CPUS - work,
    }


def run_plain(place: Path, trials: int, *, reuse: bool) -> dict[str, Any]:
    """Run the trivial trials on Ray Tune alone, with its default loggers."""
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
    import ray
    from ray import tune

    gauge = Gauge()

    class Watch(tune.Callback):
        def on_trial_start(self, *_told: object, **_info: Any) -> None:
            gauge.started()

        def on_trial_complete(self, *_told: object, **_info: Any) -> None:
            gauge.ended()

    ray.init("local", num_cpus=CPUS, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    results = tune.Tuner(
        tune.with_resources(PlainTrainable, {"cpu": 1}),
        param_space={"seed": tune.grid_search(list(range(trials)))},
        tune_config=tune.TuneConfig(reuse_actors=reuse),
        run_config=tune.RunConfig(
            name="plain", storage_path=str(place.absolute()), callbacks=[Watch()], verbose=0,
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    ).fit()  # fmt: skip
    assert trials == len(gauge.marks) == len(results) - results.num_errors
    ray.shutdown()
    return gauge.told() | {"disk": {"tune": _size(place) / trials}}


def time_writing(place: Path, reports: int, layers: int) -> dict[str, Any]:
    """Say what the driver pays for a report with ``layers`` traces of its own that has come over from a worker."""
    import pickle

    from tic_sweep.config import trial_key
    from tic_sweep.launch.recorder import Recorder
    from tic_sweep.launch.trainable import report_from_dict, report_to_dict
    from tic_sweep.plan import PlannedTrial
    from tic_sweep.store import Manifest, ResultsFolder, ResultsWriter

    folder = ResultsFolder.create(place)
    Manifest(sweep="overhead", scale="laptop", question="?").save(folder.manifest)
    key = trial_key(SMALLEST)
    came = [pickle.dumps(report_to_dict(made_up_report(key, epoch, layers))) for epoch in range(reports)]
    with ResultsWriter(folder) as writer:
        recorder = Recorder(writer, "overhead", "laptop")
        recorder.planned(PlannedTrial(key, SMALLEST))
        recorder.started(key)
        writer.flush()
        begun = time.perf_counter(), time.process_time()
        for content in came:
            values = pickle.loads(content)  # noqa: S301 - made above
            recorder.report(key, report_from_dict(values))
        writer.flush()
        seconds, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    return {"rows": 1 + (layers + 1) * 10, "reports": reports, "seconds": seconds / reports, "cpu": cpu / reports,
            "bytes": sum(map(len, came)) / reports}  # fmt: skip


def _size(place: Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in place.rglob("*") if path.is_file() and not path.is_symlink())


def _sizes(place: Path, trials: int) -> dict[str, float]:
    parts = {path.name: _size(path) if path.is_dir() else path.stat().st_size for path in place.iterdir()}
    return {name: size / trials for name, size in parts.items()}


SIDES: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "sweep": lambda place, n: run_ours(place, n, TrivialTraining, wandb="off", ending=True),
    "mirrored": lambda place, n: run_ours(place, n, TrivialTraining, wandb="offline", ending=True),
    "real": run_real,
    "plain": lambda place, n: run_plain(place, n, reuse=True),
    "fresh": lambda place, n: run_plain(place, n, reuse=False),
    "writing": lambda place, n: time_writing(place, n, LAYERS),
    "writing-20": lambda place, n: time_writing(place, n, 20),
}


def run_side(side: str, place: Path, trials: int, profile: Path | None = None) -> None:
    """Run a side and print what it took as the last line."""
    warnings.simplefilter("ignore")
    if profile is not None:
        import cProfile

        watching = cProfile.Profile()
        told = watching.runcall(SIDES[side], place, trials)
        watching.dump_stats(profile)
    else:
        told = SIDES[side](place, trials)
    print(json.dumps(told))
