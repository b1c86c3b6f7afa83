"""Watching: it looks until the sweep ends or somebody leaves, and never touches more than it shows."""

import io
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
from launch.launch_fakes import epoch_row, new_recorder, new_writer, planned, report
from rich.console import Console

from tic_sweep.config import TrialConfig, flatten
from tic_sweep.launch.watching import Watcher, watch
from tic_sweep.records import Outcome
from tic_sweep.store import Manifest, ResultsFolder, schema_of
from tic_sweep.store.segments import write_segment


def played(*acts: Callable[[], object]) -> Callable[[threading.Event, float], bool]:
    """Return a wait in which one thing after the other happens, and that ends early as a real one would."""
    left = iter(acts)

    def wait(event: threading.Event, _seconds: float) -> bool:
        next(left)()
        return event.is_set()

    return wait


def test_it_follows_a_sweep_to_its_end(tmp_path: Path) -> None:
    """A line at each look, the last state is complete, and it ends by itself."""
    trial = planned(seed=0)
    console = Console(file=io.StringIO(), width=200)
    with new_writer(tmp_path / "r") as writer:
        recorder = new_recorder(writer, [trial])
        acts = (
            lambda: recorder.started(trial.key),
            lambda: recorder.report(trial.key, report(trial.key, 1)),
            lambda: recorder.ended(trial.key, Outcome(status="finished", epochs_done=2)),
        )
        state, stop = watch(ResultsFolder.open(tmp_path / "r"), console, every=1.0, wait=played(*acts))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]

    assert state.complete
    assert not stop
    assert ["(1 planned). 0%", "(1 running). 0%", "(1 running). 50%"] == [
        line.partition("done ")[2].partition(",")[0] for line in lines
    ]


def test_a_sweep_that_nobody_runs_is_not_waited_for(tmp_path: Path) -> None:
    """The writer has gone, with a trial in the plan: one look is enough."""
    with new_writer(tmp_path / "r") as writer:
        new_recorder(writer, [planned(seed=0)])
    console = Console(file=io.StringIO())
    state, _ = watch(ResultsFolder.open(tmp_path / "r"), console, every=1.0, wait=played())

    assert (False, False) == (state.at_work, state.complete)
    assert "" == console.file.getvalue()  # type: ignore[attr-defined]


def test_a_signal_leaves_and_the_terminal_is_given_back(tmp_path: Path) -> None:
    """On a terminal the other screen is entered and left; the state says that the sweep goes on."""
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True)
    with new_writer(tmp_path / "r") as writer:
        new_recorder(writer, [planned(seed=0)])
        state, stop = watch(
            ResultsFolder.open(tmp_path / "r"), console, every=1.0,
            wait=played(lambda: os.kill(os.getpid(), signal.SIGINT)),
        )  # fmt: skip
    text = console.file.getvalue()  # type: ignore[attr-defined]

    assert (True, signal.SIGINT) == (state.at_work, stop.signum)
    assert 0 <= text.find("\x1b[?1049h") < text.find("tiny, laptop: 0 of 1 trials") < text.rfind("\x1b[?1049l")
    assert text.rfind("\x1b[?25l") < text.rfind("\x1b[?25h")


def test_ten_thousand_trials_are_watched_without_their_fisher_rows(tmp_path: Path) -> None:
    """10^4 trials of 20 epochs: what is neither a trial nor an epoch is not opened (its files are no Parquet at all).

    Looks that bring one more epoch are a fraction of a second each on a free core.
    """
    folder = ResultsFolder.create(tmp_path / "r")
    Manifest(sweep="big", scale="laptop", question="?", varied=("optimiser.lr",)).save(folder.manifest)
    numbers = pl.DataFrame({"number": range(10_000)}).with_columns(key=pl.format("k{}", "number"), session=1)
    config = {path: pl.lit(value) for path, value in flatten(TrialConfig(timesteps=2)).items() if value is not None}
    own = {"optimiser.lr": pl.col("number") // 2 / 1e4, "seed": pl.col("number") % 2, "seq": pl.col("number")}
    said = {"status": pl.lit("running"), "reason": pl.lit(""), "sweep": pl.lit("big"), "scale": pl.lit("laptop")}
    write_segment(folder.segment("trials", 1, 1), shaped(numbers.with_columns(**config | own | said), "trials"))
    row = {n: pl.lit(v) for n, v in row_of(1).items() if v is not None and n not in {"key", "epoch"}}
    epochs = numbers.join(pl.DataFrame({"epoch": range(20)}), how="cross").with_columns(**row, seq=pl.lit(1))
    write_segment(folder.segment("epochs", 1, 1), shaped(epochs, "epochs"))
    for table in ("fisher", "horizons", "dynamics"):
        poison = folder.segment(table, 1, 1)
        poison.parent.mkdir(parents=True)
        poison.write_bytes(b"whoever reads this warns, and a warning is an error here")
    watcher = Watcher(folder)
    watcher.look()
    later = numbers.head(1).with_columns(**row, epoch=pl.lit(20), seq=pl.lit(2))
    write_segment(folder.segment("epochs", 1, 2), shaped(later, "epochs"))
    began = time.process_time()
    state = watcher.look()
    took = time.process_time() - began

    assert (10_000, 5000, 19 * 10_000 + 1) == (state.total, state.settings_count, state.epochs)
    assert took < 5


def row_of(epoch: int) -> dict[str, object]:
    """Return the values of an epoch row."""
    row = epoch_row("k", epoch)
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def shaped(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return a frame with the columns of a table; those it lacks are null."""
    schema = schema_of(table)
    known = [pl.col(n).cast(d) if n in frame.columns else pl.lit(None, d).alias(n) for n, d in schema.items()]
    return frame.select(known)
