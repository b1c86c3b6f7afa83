"""Questions to many trials: the store through polars against Ray Tune's JSON results through pandas.

The sweeps are made up (`aggregation_data.py`) with noise in every number. Every measurement is a process of its own,
which asks twice: the first answer is *cold* (imports aside), the second *warm*, and its peak memory is noted. The sides
take turns, in the other order every round; the table gives medians and the range. Before anything is timed both sides
must give the same numbers (`aggregation_peer.py` is the peer).

    python benchmarks/aggregation.py [--trials 2000] [--rounds 5] [--full] [--place FOLDER]
"""

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import polars as pl
from aggregation_data import fisher_sweep, scalar_sweep, summary_sweep
from aggregation_peer import json_sizes, pandas_transitions, write_tune_results

from analysis import open_results
from analysis.summaries import per_trial
from analysis.transitions import over_seeds, tic_transitions
from tic_sweep.store import ResultsFolder

BY = ["optimiser.lr"]
COMPARED = ("n_turned", "ic_max_mean", "ic_final_mean", "ic_final_low", "ic_final_high", "transition_median")


def from_epochs(place: Path) -> pl.DataFrame:
    """Open a sweep and sum its transitions up by setting, from the centroids of its epochs."""
    results = open_results(place)
    return over_seeds(tic_transitions(results.epochs, results.trials), results.settings).collect()


def from_fisher(place: Path) -> pl.DataFrame:
    """Do the same from the Fisher traces: the centroid of every epoch is computed first (Eq. 7)."""
    results = open_results(place)
    t, i_t = pl.col("t"), pl.col("fisher_trace")
    model = results.fisher.filter(pl.col("level") == "model")
    epochs = model.group_by("key", "epoch").agg(ic=(t * i_t).sum() / i_t.sum()).with_columns(cycle=pl.lit(0))
    return over_seeds(tic_transitions(epochs, results.trials), results.settings).collect()


def from_summaries(place: Path) -> pl.DataFrame:
    """Do the same from the summary of each trial."""
    results = open_results(place)
    return over_seeds(per_trial(results), results.settings).collect()


QUESTIONS: dict[str, Callable[[Path], pl.DataFrame]] = {
    "epochs": from_epochs, "fisher": from_fisher, "summaries": from_summaries, "peer": pandas_transitions,
}  # fmt: skip


def ask(question: str, place: Path) -> None:
    """Answer a question twice, the peer's once, and print how long it took and how much memory."""
    import pandas as pd  # noqa: F401 - no side pays for imports
    import scipy.stats  # noqa: F401

    if question == "peer":
        import ray.tune  # noqa: F401
    seconds, cpu = [], []
    for _ in range(1 if question == "peer" else 2):
        begun = time.perf_counter(), time.process_time()
        answer = QUESTIONS[question](place)
        seconds.append(time.perf_counter() - begun[0])
        cpu.append(time.process_time() - begun[1])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    columns = [name for name in COMPARED if name in answer.columns]
    answers = answer.sort(BY).select(columns).to_dicts()
    print(json.dumps({"seconds": seconds, "cpu": cpu, "memory": memory, "answer": answers}))


def asked(question: str, place: Path) -> dict:
    """Return what `ask` prints in a process of its own."""
    command = [sys.executable, __file__, "--ask", question, "--place", str(place)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    return json.loads(told.splitlines()[-1])


def check_equal(ours: dict, theirs: dict) -> None:
    """Refuse to compare sides that do not say the same, to twelve digits."""
    for own, other in zip(ours["answer"], theirs["answer"], strict=True):
        for name in COMPARED:
            same = own[name] == other[name] or abs(own[name] - other[name]) <= 1e-12 * abs(other[name])
            assert same, f"{name}: {own[name]} and {other[name]}"


def size_of(folder: Path) -> int:
    """Return the bytes of the tables in a results folder."""
    return sum(file.stat().st_size for file in folder.rglob("*.parquet"))


def main() -> None:
    """Make the sweeps, ask every side in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=2000, help="of the sweep with Fisher traces")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--timesteps", type=int, default=10)
    parser.add_argument("--peer-trials", type=int, help="of these, read by the peer; all, with --full 2000")
    parser.add_argument("--scalar-trials", type=int, help="of the sweep without traces; ten times --trials")
    parser.add_argument("--summary-trials", type=int, help="of the sweep of summaries; a hundred times --trials")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--full", action="store_true", help="10,000 trials")
    parser.add_argument("--place", type=Path, help="folder to work in; sweeps that are there are used again")
    parser.add_argument("--ask", choices=QUESTIONS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        ask(given.ask, given.place)
        return
    place = given.place or Path(tempfile.mkdtemp(prefix="aggregation-"))
    try:
        measure(given, place)
    finally:
        if given.place is None:
            shutil.rmtree(place)


def measure(given: argparse.Namespace, place: Path) -> None:
    """Make the sweeps in a folder, and ask."""
    trials = 10_000 if given.full else given.trials
    peers = min(given.peer_trials or (2000 if given.full else trials), trials)
    scalars, summaries = given.scalar_trials or 10 * trials, given.summary_trials or 100 * trials
    shape = (given.epochs, given.timesteps)
    print("Making the sweeps.", file=sys.stderr)
    whole = made(fisher_sweep, place / f"whole-{trials}", trials, shape)
    part = whole if peers == trials else made(fisher_sweep, place / f"whole-{peers}", peers, shape)
    tune = place / f"tune-{peers}"
    if not tune.exists():
        write_tune_results(part, tune, peers)
    only_scalars = made(scalar_sweep, place / f"scalars-{scalars}", scalars, shape)
    only_summaries = made(summary_sweep, place / f"summaries-{summaries}", summaries, shape)
    reports = f"{trials:,} x {given.epochs}"
    cases = [
        (f"Tune's JSON, pandas: {peers:,} x {given.epochs}", "peer", tune),
        (f"the same {peers:,} x {given.epochs} in the store", "epochs", part),
        (f"transitions, {reports}", "epochs", whole),
        (f"transitions from I_t, {trials * given.epochs * given.timesteps:,} rows", "fisher", whole),
        (f"transitions by summaries, {trials:,}", "summaries", whole),
        (f"scalars, {scalars:,} x {given.epochs}", "epochs", only_scalars),
        (f"summaries, {summaries:,} trials", "summaries", only_summaries),
    ]
    check_equal(asked("epochs", part), asked("peer", tune))
    check_equal(asked("summaries", whole), asked("epochs", whole))
    runs: dict[str, list[dict]] = {name: [] for name, _, _ in cases}
    for number in range(given.rounds):
        print(f"Round {number + 1} of {given.rounds}, load {os.getloadavg()[0]:.1f}.", file=sys.stderr)
        for name, question, folder in cases if number % 2 else cases[::-1]:
            runs[name].append(asked(question, folder))
    tell(runs, trials / peers)
    stored = size_of(part)
    json_bytes, config_bytes = json_sizes(tune, given.epochs)
    lean = json_bytes - config_bytes
    print(
        f"\nOn disk, {peers:,} trials: store {stored / 2**20:.0f} MiB, Tune's result.json {json_bytes / 2**20:.0f} MiB "
        f"({json_bytes / stored:.1f} times), without the config in every line {lean / 2**20:.0f} MiB "
        f"({lean / stored:.1f} times)."
    )


def made(make: Callable[..., ResultsFolder], path: Path, trials: int, shape: tuple[int, int]) -> Path:
    """Return the folder of a sweep, made unless it is there."""
    return path if path.exists() else make(path, trials, *shape).root


def tell(runs: dict[str, list[dict]], scale: float) -> None:
    """Print the table, and how much slower the peer is."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("polars", "pandas", "ray"))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}; ", end="")
    rounds = next(len(own) for own in runs.values())
    print(f"medians of {rounds} rounds, smallest and largest in brackets\n")
    print("| what | cold, s | warm, s | warm, CPU s | peak memory, MiB |\n|---|---|---|---|---|")
    for name, own in runs.items():
        warm = spread([run["seconds"][1] for run in own]) if len(own[0]["seconds"]) > 1 else ""
        memory = statistics.median(run["memory"] for run in own)
        cpu = spread([run["cpu"][-1] for run in own])
        print(f"| {name} | {spread([run['seconds'][0] for run in own])} | {warm} | {cpu} | {memory:.0f} |")
    peer, same, whole = (list(runs.values())[i] for i in range(3))
    print(f"\nTune's JSON through pandas takes {times(peer, same, 1)} as long as the store on the same trials.")
    if scale != 1:
        print(f"Scaled linearly by {scale:g} to the whole sweep: {times(peer, whole, scale)}.")


def times(peer: list[dict], own: list[dict], scale: float) -> str:
    """Return how many times as long the peer takes, by the clock and in CPU time, round by round."""
    by_clock, by_cpu = (
        [scale * a[unit][0] / b[unit][1] for a, b in zip(peer, own, strict=True)] for unit in ("seconds", "cpu")
    )
    return f"{spread(by_clock, 0)} times (CPU {spread(by_cpu, 0)})"


def spread(values: list[float], digits: int = 3) -> str:
    """Return median and range."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


if __name__ == "__main__":
    main()
