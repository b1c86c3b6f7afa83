"""Tiny trials, and stand-ins for `Training`, in a module that Ray's workers can import, too."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from tic_sweep.config import Resources, TrialConfig, replaced, trial_key
from tic_sweep.data import RawImages
from tic_sweep.launch.recorder import Listener, Recorder
from tic_sweep.plan import PlannedTrial
from tic_sweep.records import EpochRow, FisherRow, Outcome, Report
from tic_sweep.store import Manifest, ResultsFolder, ResultsWriter, scan
from tic_sweep.training import load_checkpoint, save_checkpoint

TINY = replaced(
    TrialConfig(),
    {
        "data.name": "digits", "data.augmentation": "none", "data.train_samples": 100, "data.validation_samples": 50,
        "data.test_samples": 50, "model.name": "small_conv", "timesteps": 2, "fisher.samples": 8,
        "optimiser.epochs": 2, "optimiser.batch_size": 32,
    },
)  # fmt: skip

SWEEP_FILE = """
from tic_sweep.config import DataConfig, FisherConfig, ModelConfig, OptimiserConfig, TrialConfig
from tic_sweep.space import Choice, Grid, IntUniform, LogUniform
from tic_sweep.sweep import Scale, Sweep

TINY = TrialConfig(
    data=DataConfig(name="digits", augmentation="none", train_samples=100, validation_samples=50, test_samples=50),
    model=ModelConfig(name="small_conv"), optimiser=OptimiserConfig(epochs=2, batch_size=32),
    fisher=FisherConfig(samples=8), timesteps=2,
)
SWEEP = Sweep(name="tiny", question="Does it run?", laptop=Scale(base=TINY, {rest}))
"""
GRID = 'space={"optimiser.lr": Grid((0.3, 0.03))}, seeds=(0, 1)'
ADAPTIVE = """
    space={"optimiser.lr": LogUniform(0.01, 1.0), "timesteps": IntUniform(1, 2)},
    samples=3, searcher="tpe", seeds=(0,)
"""


def write_sweep(folder: Path, rest: str = GRID) -> str:
    """Write a sweep file and return its path."""
    path = folder / "tiny.py"
    path.write_text(SWEEP_FILE.replace("{rest}", rest), encoding="utf-8")
    return str(path)


def planned(**changes: object) -> PlannedTrial:
    """Return a tiny trial with fields changed; ``lr`` and ``epochs`` are short for the optimiser's."""
    paths = {"lr": "optimiser.lr", "epochs": "optimiser.epochs"}
    config = replaced(TINY, {paths.get(name, name): value for name, value in changes.items()})
    return PlannedTrial(trial_key(config), config)


def epoch_row(key: str = "k", epoch: int = 0, ic: float | None = 1.5, val_acc: float = 0.5) -> EpochRow:
    """Return an epoch row."""
    return EpochRow(
        key=key,
        epoch=epoch,
        val_loss=1.0,
        val_acc=val_acc,
        ic=ic,
        train_seconds=0.0,
        eval_seconds=0.0,
        fisher_seconds=0.0,
    )


def report(key: str = "k", epoch: int = 0, ic: float | None = 1.5) -> Report:
    """Return a report with one Fisher row."""
    fisher = FisherRow(key=key, epoch=epoch, level="model", part="", t=1, fisher_trace=2.0, fisher_se=0.1)
    return Report(epoch=epoch_row(key, epoch, ic), rows=(fisher,))


def new_writer(folder: Path) -> ResultsWriter:
    """Return a writer on a new results folder."""
    made = ResultsFolder.create(folder)
    if not made.manifest.exists():
        Manifest(sweep="tiny", scale="laptop", question="?").save(made.manifest)
    return ResultsWriter(made)


def new_recorder(writer: ResultsWriter, trials: Sequence[PlannedTrial] = (), *listeners: Listener) -> Recorder:
    """Return a recorder that has planned some trials."""
    recorder = Recorder(writer, "tiny", "laptop", listeners=listeners)
    for trial in trials:
        recorder.planned(trial)
    return recorder


def rows(folder: Path, table: str) -> pl.DataFrame:
    """Return a table of a results folder."""
    return scan(ResultsFolder.open(folder), table).collect()


def by_key(folder: Path, column: str) -> dict[str, object]:
    """Return a column of the trials by key."""
    return dict(rows(folder, "trials").select("key", column).iter_rows())


class FakeTraining:
    """Reports as many epochs as the config says, at once, and remembers them in its checkpoint."""

    def __init__(self, config: TrialConfig, images: RawImages, resources: Resources, checkpoint: Path) -> None:
        self.config, self.images, self.resources, self.checkpoint = config, images, resources, checkpoint
        self.key, self.halted = trial_key(config), {}
        self.continued = checkpoint.exists()
        self.next = self.began = int(checkpoint.read_text()) + 1 if self.continued else 0

    def reports(self) -> Iterator[Report]:
        """Yield reports, each followed by the checkpoint that covers it, as the real one does."""
        while self.next <= self.config.optimiser.epochs:
            self.during(self.next)
            yield self.told(self.next)
            self.save()
            self.next += 1

    def save(self) -> None:
        """Keep the last epoch that was reported."""
        self.checkpoint.parent.mkdir(exist_ok=True)
        self.checkpoint.with_suffix(".part").write_text(str(self.next))
        self.checkpoint.with_suffix(".part").replace(self.checkpoint)

    def told(self, epoch: int) -> Report:
        """Return the report of an epoch."""
        return report(self.key, epoch, ic=1 + self.config.optimiser.lr)

    def during(self, epoch: int) -> None:
        """Do something in an epoch."""

    def halt(self, status: str, reason: str) -> None:
        """Keep the checkpoint and how it ended."""
        self.checkpoint.parent.mkdir(exist_ok=True)
        self.checkpoint.write_text(str(self.next))
        self.halted = {"status": status, "reason": reason, "epochs_done": self.next}

    @property
    def outcome(self) -> Outcome:
        """Return a finished trial, or a halted one."""
        return Outcome(
            **{"status": "finished", "epochs_done": self.next - 1, "val_acc": 0.5, "wall_seconds": 1.0} | self.halted
        )


class TellingTraining(FakeTraining):
    """Reports a Fisher trace of the network and of four layers, with ten timesteps each."""

    def told(self, epoch: int) -> Report:
        """Return a report of 51 rows, with other numbers in each."""
        parts = [("model", ""), *(("layer", f"layers.{number}") for number in range(4))]
        rows = tuple(
            FisherRow(
                key=self.key, epoch=epoch, level=level, part=part, t=t, fisher_trace=1 / (t + epoch), fisher_se=0.1
            )
            for level, part in parts
            for t in range(1, 11)
        )
        return Report(epoch=epoch_row(self.key, epoch), rows=rows)


class DyingTraining(FakeTraining):
    """Is killed once, in epoch 1, before its report is out."""

    def during(self, epoch: int) -> None:
        """Kill this worker, the first time."""
        self.checkpoint.parent.mkdir(exist_ok=True)
        mark = self.checkpoint.with_suffix(".died")
        if epoch == 1 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


class MovingTraining(FakeTraining):
    """Is killed in epoch 2 unless it was continued from a checkpoint, so that it ends only where one is found again."""

    def during(self, epoch: int) -> None:
        """Kill this worker, if this attempt began anew."""
        if epoch == 2 and not self.continued:
            os.kill(os.getpid(), signal.SIGKILL)

    @property
    def outcome(self) -> Outcome:
        """Tell where it was continued from, and where it ran."""
        where = os.environ.get("TIC_SWEEP_TEST_NODE", "")
        return Outcome(status="finished", epochs_done=self.next - 1, reason=f"from {self.began}", host=where)


class KeepingTraining(MovingTraining):
    """The same, with checkpoints that are read before they are gone on from, as the real one's."""

    def __init__(self, config: TrialConfig, images: RawImages, resources: Resources, checkpoint: Path) -> None:
        self.config, self.images, self.resources, self.checkpoint = config, images, resources, checkpoint
        self.key, self.halted = trial_key(config), {}
        self.continued = checkpoint.exists()
        self.next = self.began = load_checkpoint(checkpoint)["epoch"] + 1 if self.continued else 0

    def save(self) -> None:
        """Keep the last epoch that was reported."""
        save_checkpoint(self.checkpoint, {"key": self.key, "epoch": self.next})


class MeetingTraining(MovingTraining):
    """Waits in its first epoch until a trial has come as far on each of two nodes, so that both have their share."""

    def during(self, epoch: int) -> None:
        """Leave a mark for this node, which tells where workers keep copies, and wait for the other's."""
        if epoch == 1:
            place = Path(os.environ["TIC_SWEEP_TEST_MEETING"])
            (place / os.environ["TIC_SWEEP_TEST_NODE"]).write_text(tempfile.gettempdir())
            deadline = time.monotonic() + 200
            while len(list(place.iterdir())) < 2 and time.monotonic() < deadline:
                time.sleep(0.05)
        super().during(epoch)


class FailingTraining(FakeTraining):
    """Fails in epoch 1 whenever the learning rate is 0.5."""

    def during(self, epoch: int) -> None:
        """Raise."""
        if epoch == 1 and self.config.optimiser.lr == 0.5:
            raise ValueError("half is not a rate\nsecond line")


class LookingTraining(FakeTraining):
    """Tells in its outcome what it saw of its data and resources."""

    @property
    def outcome(self) -> Outcome:
        """Return what was seen, in the reason."""
        pixels = self.images.train_images
        resources = f"{self.resources.threads} {self.resources.device}"
        seen = f"{pixels.flags.writeable} {int(pixels.sum())} {resources} {os.getpid()}"
        return Outcome(status="finished", reason=seen)


class LearningTraining(FakeTraining):
    """Learns in proportion to its rate: of two trials the one with the higher rate is better at every epoch."""

    def told(self, epoch: int) -> Report:
        """Return a report whose accuracy is the rate times the share of the epochs."""
        accuracy = self.config.optimiser.lr * epoch / self.config.optimiser.epochs
        return Report(epoch=epoch_row(self.key, epoch, val_acc=accuracy))


class CutOffTraining(LearningTraining):
    """Has the driver go out, as if by Ctrl-C twice, at the report number ``at`` of all trials together."""

    at, reports_made = 0, 0

    def during(self, epoch: int) -> None:
        """Count, and go out."""
        type(self).reports_made += 1
        if self.reports_made == self.at:
            raise KeyboardInterrupt
