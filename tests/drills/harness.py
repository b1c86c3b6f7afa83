"""How a drill is held: real sweeps as real processes, disturbed, then compared with one that nothing disturbed.

A drill counts what it did and what it cost; with ``TIC_SWEEP_DRILLS`` set to a file each adds a line of JSON to it, of
which `benchmarks/drills.py` makes the table in docs/reliability.md.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl

from tic_sweep.records import TABLES
from tic_sweep.store import ResultsFolder, scan

ROOT = Path(__file__).parents[2]
TABLE = os.environ.get("TIC_SWEEP_DRILLS")
"""File to which drills add what they found."""
MARK = "TIC_SWEEP_DRILL"
"""Environment variable by which every process of a drill, Ray's among them, is known."""
SEED = int(os.environ.get("TIC_SWEEP_DRILL_SEED", "0"))
"""Of the random moments; printed by every drill."""
PATIENCE = 240.0
"""Seconds to wait for something that must come, on a machine that does other things besides."""

SWEEP = """
from tic_sweep.config import DataConfig, FisherConfig, ModelConfig, OptimiserConfig, TrialConfig
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

TINY = TrialConfig(
    data=DataConfig(name="digits", augmentation="none", train_samples=100, validation_samples=50, test_samples=50),
    model=ModelConfig(name="small_conv"), optimiser=OptimiserConfig(epochs=EPOCHS, batch_size=32),
    fisher=FisherConfig(samples=8), timesteps=2,
)
SWEEP = Sweep(
    name="drill", question="Does it survive?",
    laptop=Scale(base=TINY, space={"optimiser.lr": Grid(RATES)}, seeds=tuple(range(SEEDS))),
)
"""


def write_sweep(folder: Path, *, rates: int = 2, seeds: int = 2, epochs: int = 60) -> Path:
    """Write the file of a tiny sweep with so many rates, seeds and epochs, and return its path."""
    path = folder / "drill.py"
    values = repr(tuple(round(0.02 + 0.01 * i, 2) for i in range(rates)))
    text = SWEEP.replace("EPOCHS", str(epochs)).replace("RATES", values).replace("SEEDS", str(seeds))
    path.write_text(text, encoding="utf-8")
    return path


@dataclass
class Sweep:
    """A sweep's file and its results folder, and the processes of it that a drill has started."""

    file: Path
    place: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its processes: of Ray, only what this drill says."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        ours = {"PYTHONPATH": str(ROOT), "COLUMNS": "80", "PYTHONWARNINGS": "ignore", "TIC_SWEEP_WANDB": "off"}
        return kept | ours | {MARK: self.mark, "OMP_NUM_THREADS": "1"} | self.extra

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Start the command line; what is left of it at the end, and of its Ray, is killed."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tic_sweep", *arguments],
            cwd=self.file.parent, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        with process:
            try:
                yield process
            finally:
                process.kill()
                self.clear()

    def run(self, *options: str) -> "Said":
        """Run the sweep to its end."""
        with self.started("run", str(self.file), "--results", str(self.place), *options) as process:
            return said_by(process)

    def resume(self, *options: str) -> "Said":
        """Resume the sweep to its end."""
        with self.started("resume", str(self.place), *options) as process:
            return said_by(process)

    def workers(self) -> list[int]:
        """Return the processes in which trials run now."""
        return [pid for pid, name in self.processes().items() if name.startswith("ray::") and "Trainable" in name]

    def processes(self) -> dict[int, str]:
        """Return every process of this drill with its command line."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with suppress(OSError):
                    if f"{MARK}={self.mark}".encode() in (entry / "environ").read_bytes():
                        found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def clear(self) -> None:
        """Kill every process of this drill, and wait until none is left."""
        deadline = time.monotonic() + 30
        while (left := self.processes()) and time.monotonic() < deadline:
            for pid in left:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.2)

    def table(self, name: str) -> pl.DataFrame:
        """Return a table as readers see it now; empty where there is no folder yet."""
        if not (self.place / "sweep.json").exists():
            return pl.DataFrame(schema={"key": pl.String})
        return scan(ResultsFolder.open(self.place), name).collect()

    def await_epochs(self, more: int, process: subprocess.Popen[str]) -> None:
        """Wait until so many more epochs are stored than now, or the process has ended."""
        wanted = self.table("epochs").height + more
        wait_until(lambda: process.poll() is not None or self.table("epochs").height >= wanted)


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float


def said_by(process: subprocess.Popen[str]) -> Said:
    """Wait for a process to end."""
    began = time.monotonic()
    out, err = process.communicate(timeout=2 * PATIENCE)
    return Said(process.returncode, out, err, time.monotonic() - began)


def wait_until(true: Callable[[], bool], seconds: float = PATIENCE, every: float = 0.1) -> None:
    """Wait until something is true; that it never is fails the drill."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(every)


@dataclass
class Drill:
    """What a drill did, and what it cost: compared with an undisturbed sweep, row by row."""

    name: str
    times: int = 0
    lost: int | None = None
    """Trials; None, here and below, until something has been compared."""
    duplicated: int | None = None
    different: int | None = None
    seconds: list[float] = field(default_factory=list)
    """From each disturbance, or the start of the command that mends it, to the end of that command or to new rows."""

    def __post_init__(self) -> None:
        """Draw the moments of this drill from a seed that is told."""
        print(f"{self.name}: seed {SEED}")  # noqa: T201 - whoever repeats it needs it
        self.draw = random.Random(f"{self.name}/{SEED}")  # noqa: S311 - moments of a drill

    def compare(self, undisturbed: Path, disturbed: Path, *, but: set[str] = frozenset()) -> None:
        """Count the trials lost, the rows there twice, and those that are other than in the undisturbed sweep.

        Args:
            undisturbed: results of a sweep that nothing happened to.
            disturbed: results of the drill.
            but: keys of trials that were meant to end otherwise.
        """
        expected, found = contents(undisturbed, but), contents(disturbed, but)
        finished = {key for (table, key, *_), row in found.items() if table == "trials" and row["status"] == "finished"}
        lost = len({key for table, key, *_ in expected if table == "trials"} - finished)
        twice = sum(rows_twice(disturbed, table) for table in TABLES)
        other = sum(found.get(name) != row for name, row in expected.items()) + len(found.keys() - expected)
        self.lost, self.duplicated = (self.lost or 0) + lost, (self.duplicated or 0) + twice
        self.different = (self.different or 0) + other

    def end(self) -> None:
        """Tell what was found, and fail unless nothing was lost, doubled or changed."""
        told = asdict(self)
        print(json.dumps(told))  # noqa: T201
        if TABLE:
            with Path(TABLE).open("a", encoding="utf-8") as file:
                file.write(json.dumps(told) + "\n")
        assert self.times > 0
        assert not any((self.lost, self.duplicated, self.different))


PASSING = {
    "session", "seq", "attempt", "remark", "command", "circumstance", "host", "gpu_seconds", "git_commit", "packages",
}  # fmt: skip
"""Columns that tell how the numbers were come by."""


def contents(place: Path, but: set[str] = frozenset()) -> dict[tuple, dict]:
    """Return every row of every table by table and identity, without what time and disturbances may change."""
    found = {}
    for table, declared in TABLES.items():
        if table == "summaries":
            continue
        for row in scan(ResultsFolder.open(place), table).collect().iter_rows(named=True):
            if row["key"] not in but:
                kept = {k: repr(v) for k, v in row.items() if k not in PASSING and not k.endswith("_seconds")}
                found[(table, *(row[column] for column in declared.identity))] = kept
    return {
        name: row | ({"status": row["status"].strip("'")} if name[0] == "trials" else {}) for name, row in found.items()
    }


def rows_twice(place: Path, table: str) -> int:
    """Return how many rows lie in a table's files of an identity that lies there already.

    A sweep that is over has merged what was told again; `scan` would hide it.
    """
    files = ResultsFolder.open(place).segments(table)
    if not files:
        return 0
    found = pl.read_parquet(files, columns=list(TABLES[table].identity))
    return found.height - found.unique().height
