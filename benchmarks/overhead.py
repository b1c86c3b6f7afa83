"""What does a trial cost besides its training, and does the driver grow? The platform beside Ray Tune alone.

Trivial trials (`overhead_trials.py`) train nothing and report twice, with the Fisher traces of a network and of four
layers at T = 10. They run through a whole session, on real Ray Tune with 2 CPUs, from the plan to the report; and on
Ray Tune alone as one would write them for it, with its default loggers, with and without `reuse_actors`. The smallest
real trials (digits, one epoch) tell what a slot spends on a trial besides its reports. Every side is a process of its
own, which is its driver; sides take turns, in the other order every round.

    python benchmarks/overhead.py [--trials 2000] [--rounds 1] [--sides sweep,plain] [--place FOLDER]
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from overhead_sides import SIDES, run_side

NAMES = {
    "sweep": "this platform, W&B off", "mirrored": "this platform, W&B offline", "plain": "Ray Tune, reused actors",
    "fresh": "Ray Tune, new actors", "real": "smallest real trials",
}  # fmt: skip


def _counts(trials: int) -> dict[str, int]:
    """Return how many trials each side runs, or reports it writes."""
    few = max(trials // 100, 8)
    return {
        "writing": 5000, "writing-20": 2000, "sweep": trials, "plain": trials, "mirrored": max(trials // 10, 20),
        "real": max(trials // 20, 20), "fresh": few,
    }  # fmt: skip


def _ask(side: str, place: Path, count: int, profile: Path | None) -> dict[str, Any]:
    """Run a side in a process of its own."""
    here = Path(__file__).parent
    code = [sys.executable, str(Path(__file__)), "--side", side, "--count", str(count), "--place", str(place)]
    paths = [str(here), str(here.parent), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    code += ["--profile", str(profile)] if profile else []
    done = subprocess.run(code, env=environment, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        raise SystemExit(f"{side} failed:\n{done.stdout}")
    return json.loads(done.stdout.splitlines()[-1])


def _median(found: list[dict[str, Any]], name: str, digits: int = 1, factor: float = 1.0) -> str:
    values = sorted(one[name] * factor for one in found)
    middle = f"{statistics.median(values):.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({values[0]:.{digits}f}-{values[-1]:.{digits}f})"


def _print(found: dict[str, list[dict[str, Any]]]) -> None:
    """Print the tables."""
    print("\n| Trials | | trial to trial, ms | driver CPU, ms | whole, ms | growth, KiB | driver, MiB |")
    print("|---|---|---|---|---|---|---|")
    for side, name in NAMES.items():
        if told := found.get(side):
            cells = [
                _median(told, "seconds", factor=1e3), _median(told, "cpu", factor=1e3),
                _median(told, "total", factor=1e3), _median(told, "slope_kib"), _median(told, "rss_mib", 0),
            ]  # fmt: skip
            print(f"| {told[0]['trials']} | {name} | " + " | ".join(cells) + " |")
    for side in ("writing", "writing-20"):
        if told := found.get(side):
            print(f"A report of {told[0]['rows']} rows on the driver: {_median(told, 'cpu', 3, 1e3)} ms of CPU time, "
                  f"{_median(told, 'seconds', 3, 1e3)} ms by the clock.")  # fmt: skip
    for told in found.get("real", []):
        work, beside, start, most = (round(told[n] * 1e3) for n in ("work", "beside", "start_later", "start_most"))
        print(f"Real trials: {work} ms at work, besides which a slot spends {beside} ms on each; of these the start in "
              f"a used worker takes {start} ms, at most {most}; the first trials of the {told['processes']} processes "
              f"began {told['first_age']:.1f} s after these.")  # fmt: skip
    for side, name in NAMES.items():
        for told in found.get(side, [])[:1]:
            parts = {part: size for part, size in told["disk"].items() if size >= 1}
            print(f"Bytes on disk per trial, {name}: " + ", ".join(f"{p} {size:.0f}" for p, size in parts.items()))


def main() -> None:
    """Run the sides and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--sides", default=",".join(SIDES), help="which, and in which order")
    parser.add_argument("--place", type=Path, help="folder to work in")
    parser.add_argument("--profile", type=Path, help="folder for profiles of the drivers, which slows them down")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        run_side(given.side, given.place, given.count, given.profile)
        return
    print(
        f"{platform.machine()}, Python {platform.python_version()}, ray {version('ray')}, load {os.getloadavg()[0]:.1f}"
    )
    counts, found = _counts(given.trials), dict[str, list[dict[str, Any]]]()
    place = given.place or Path(tempfile.mkdtemp(prefix="overhead-"))
    try:
        for number in range(given.rounds):
            for side in given.sides.split(",")[:: -1 if number % 2 else 1]:
                profile = given.profile / f"{side}.prof" if given.profile else None
                told = _ask(side, place / f"{side}-{number}", counts[side], profile)
                found.setdefault(side, []).append(told)
                print(side, json.dumps(told), flush=True)
        _print(found)
        print(f"load {os.getloadavg()[0]:.1f}")
    finally:
        if given.place is None:
            shutil.rmtree(place)


if __name__ == "__main__":
    main()
