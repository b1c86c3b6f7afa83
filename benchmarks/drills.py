"""Hold every drill of `tests/drills` and print the table of docs/reliability.md.

Run on quiet cores, it takes about fifteen minutes: ``python benchmarks/drills.py``. ``--from FILE`` makes the table of
what earlier drills have told, without holding any; ``--seed N`` draws other random moments.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HEADS = ("drill", "times", "trials lost", "rows duplicated", "results different", "seconds to recover, median (most)")


def hold(file: Path, seed: int) -> int:
    """Hold the drills, which add to ``file`` what they find; return pytest's exit code."""
    environment = os.environ | {"TIC_SWEEP_DRILLS": str(file), "TIC_SWEEP_DRILL_SEED": str(seed)}
    command = [sys.executable, "-m", "pytest", "tests/drills", "-m", "not browser", "-n", "0", "-q"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 - fixed words


def table(lines: list[dict[str, Any]]) -> str:
    """Return the table: drills of one name are one row, with their counts added up."""
    by_name: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        by_name[line["name"]].append(line)
    rows = [f"| {' | '.join(HEADS)} |", "|---|--:|--:|--:|--:|--:|"]
    for name, drills in by_name.items():
        counts = [added(drill[column] for drill in drills) for column in ("times", "lost", "duplicated", "different")]
        seconds = [second for drill in drills for second in drill["seconds"]]
        rows.append(f"| {' | '.join([name, *counts, took(seconds)])} |")
    return "\n".join(rows)


def added(counts: Iterable[int | None]) -> str:
    """Return a sum of counts; a dash where nothing was counted."""
    known = [count for count in counts if count is not None]
    return str(sum(known)) if known else "–"


def took(seconds: list[float]) -> str:
    """Return ``2.1 (8.4)``: the median, and the longest if there are several."""
    if not seconds:
        return "–"
    median, most = (
        f"{value:.1f}" if value >= 0.1 else f"{value:.3f}" for value in (statistics.median(seconds), max(seconds))
    )
    return median if len(seconds) == 1 else f"{median} ({most})"


def main() -> None:
    """Hold the drills, or read what they told, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="file", type=Path, help="lines of JSON that drills have told")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    given = parser.parse_args()
    file, code = given.file, 0
    if file is None:
        file = Path(tempfile.mkdtemp()) / "drills.jsonl"
        code = hold(file, given.seed)
    print(table([json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]))
    sys.exit(code)


if __name__ == "__main__":
    main()
