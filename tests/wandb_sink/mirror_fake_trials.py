"""A driver of its own that mirrors made-up trials: ``FOLDER MODE TRIALS FIRST LAST ATTEMPT``; prints what it was told.

W&B's client reads its settings once per process, so every server to be tried needs a new one.
"""

import json
import sys
import time
from pathlib import Path

from tic_sweep.config import TrialConfig, replaced, trial_key
from tic_sweep.plan import PlannedTrial
from tic_sweep.records import EpochRow, FisherRow, Report, TrialRow
from tic_sweep.store import Manifest, ResultsFolder, ResultsWriter
from tic_sweep.wandb_sink import WandbSink, client


def epoch_report(key: str, epoch: int) -> Report:
    """Return a report whose IC is 1 + epoch / 10."""
    row = EpochRow(
        key=key, epoch=epoch, val_loss=1.0, val_acc=0.5, ic=1 + epoch / 10, train_seconds=0.0, eval_seconds=0.0,
        fisher_seconds=0.0,
    )  # fmt: skip
    fisher = [
        FisherRow(key=key, epoch=epoch, level="model", part="", t=t, fisher_trace=4.0 - t, fisher_se=0.0)
        for t in (1, 2, 3)
    ]
    return Report(epoch=row, rows=tuple(fisher))


def main(root: str, mode: str, trials: int, epochs: range, attempt: int) -> None:
    """Mirror trials one after the other, as a sweep would; store what they tell, as it would."""
    client.INIT_SECONDS = client.FINISH_SECONDS = 3.0
    folder = ResultsFolder.create(Path(root))
    if not folder.manifest.exists():
        Manifest(sweep="tiny", scale="laptop", question="?").save(folder.manifest)
    began = time.monotonic()
    with ResultsWriter(folder) as writer:
        sink = WandbSink(mode, folder, "tiny")
        for seed in range(trials):
            config = replaced(TrialConfig(), {"seed": seed})
            trial = PlannedTrial(trial_key(config), config)
            sink.started(trial, attempt)
            for epoch in epochs:
                report = epoch_report(trial.key, epoch)
                for row in (report.epoch, *report.rows):
                    writer.add(row)
                sink.report(trial, report)
            ended = TrialRow(
                key=trial.key, sweep="tiny", scale="laptop", status="finished", attempt=attempt, epochs_done=epochs[-1]
            )
            writer.add(ended, config)
            sink.ended(trial, ended, None)
        fed = time.monotonic()
        told = sink.close()
    closed = time.monotonic()
    print(json.dumps({"told": told, "feeding": fed - began, "closing": closed - fed}))  # noqa: T201 - read by the test


if __name__ == "__main__":
    place, how, count, first, last, start = sys.argv[1:]
    main(place, how, int(count), range(int(first), int(last) + 1), int(start))
