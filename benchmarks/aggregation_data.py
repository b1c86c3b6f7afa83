"""Sweeps made up for `aggregation.py` and `report.py`: curves that turn, with noise in every number.

The noise keeps compression honest.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from analysis.summaries import DEFINITION
from tic_sweep.cli.tidying import tidy
from tic_sweep.config import TrialConfig, flatten
from tic_sweep.store import Manifest, ResultsFolder, schema_of
from tic_sweep.store.segments import write_segment

AT_ONCE = 8
"""Trials that run at the same time, whose rows mingle in the store."""
PART = 250
"""Trials per segment, as a sweep that is not tidied yet would leave them or more."""
RATES = 20
TAUS, DECAYS, SEEDS = 10, 10, 5
"""Of a sweep with many settings: with `RATES`, 2,000 settings of five seeds each, 10,000 trials."""


def fisher_sweep(path: Path, trials: int, epochs: int, timesteps: int) -> ResultsFolder:
    """Write a finished sweep with centroids and Fisher traces in many segments, then tidy it as a run's end does."""
    return _written(path, trials, epochs, timesteps, _by_rate, Manifest(**MADE_UP))


def landscape_sweep(path: Path, trials: int, epochs: int, timesteps: int) -> ResultsFolder:
    """Write such a sweep of many settings: learning rate, time constant and weight decay, said to have been drawn."""
    varied = ("optimiser.lr", "neuron.tau", "optimiser.weight_decay")
    manifest = Manifest(**MADE_UP | {"varied": varied, "samples": trials // SEEDS, "seeds": tuple(range(SEEDS))})
    return _written(path, trials, epochs, timesteps, _by_setting, manifest)


def _written(
    path: Path, trials: int, epochs: int, timesteps: int, config_of: "ConfigOf", manifest: Manifest
) -> ResultsFolder:
    folder = _folder(path, manifest)
    random = np.random.default_rng(0)
    keys = _keys(random, trials)
    seq = 0
    for number, first in enumerate(range(0, trials, PART), start=1):
        own = keys[first : first + PART]
        rows, traces = _reports(random, own, epochs, timesteps, seq)
        write_segment(folder.segment("epochs", 1, number), rows)
        write_segment(folder.segment("fisher", 1, number), traces)
        seq += rows.height + traces.height
        write_segment(folder.segment("trials", 1, number), _trials(random, own, first, timesteps, seq, config_of))
        seq += len(own)
    tidy(folder)
    return folder


def scalar_sweep(path: Path, trials: int, epochs: int, timesteps: int) -> ResultsFolder:
    """Write a finished, tidied sweep without Fisher traces or summaries, directly."""
    folder = _folder(path)
    random = np.random.default_rng(1)
    keys = _keys(random, trials)
    parts = [_reports(random, keys[i : i + PART], epochs, timesteps, 0)[0] for i in range(0, trials, PART)]
    write_segment(folder.segment("epochs", 1, 1), pl.concat(parts), settled="epochs")
    rows = _trials(random, keys, 0, timesteps, trials * epochs)
    write_segment(folder.segment("trials", 1, 1), rows, settled="trials")
    return folder


def summary_sweep(path: Path, trials: int, epochs: int, timesteps: int) -> ResultsFolder:
    """Write a finished, tidied sweep of which only the trials and their summaries are there, directly."""
    folder = _folder(path)
    random = np.random.default_rng(2)
    rows = _trials(random, _keys(random, trials), 0, timesteps, 0)
    turned = random.random(trials) < 0.7
    floats = {name: random.normal(3, 0.5, trials) for name in schema_of("summaries") if name.startswith("ic_")}
    found = rows.select("key", trial_session="session", trial_seq="seq").with_columns(
        definition=pl.lit(DEFINITION), turned=pl.Series(turned), observed=pl.lit(epochs),
        epoch=pl.Series(random.integers(2, epochs, trials)), interpolated=pl.Series(random.uniform(2, epochs, trials)),
        slope=pl.Series(random.normal(-0.3, 0.1, trials)), depth=pl.Series(random.uniform(0.5, 1, trials)),
        **{name: pl.Series(values) for name, values in floats.items()},
    )  # fmt: skip
    crossing = ("epoch", "interpolated", "slope")
    found = found.with_columns(pl.when("turned").then(name).alias(name) for name in crossing).with_columns(
        not_before=pl.col("epoch") - 1, session=pl.lit(1), seq=pl.int_range(trials) + trials
    )
    write_segment(folder.segment("trials", 1, 1), rows, settled="trials")
    write_segment(folder.segment("summaries", 1, 1), _typed(found, "summaries"), settled="summaries")
    return folder


MADE_UP: dict[str, Any] = {"sweep": "made_up", "scale": "paper", "question": "How fast?", "varied": ("optimiser.lr",)}
ConfigOf: TypeAlias = Callable[[np.ndarray], dict[str, pl.Series]]
"""From the numbers of trials to the fields of their configs that vary."""


def _folder(path: Path, manifest: Manifest | None = None) -> ResultsFolder:
    folder = ResultsFolder.create(path)
    (manifest or Manifest(**MADE_UP)).save(folder.manifest)
    return folder


def _by_rate(numbers: np.ndarray) -> dict[str, pl.Series]:
    rates = np.geomspace(0.003, 3, RATES)
    return {"optimiser.lr": pl.Series(rates[numbers % RATES]), "seed": pl.Series(numbers // RATES)}


def _by_setting(numbers: np.ndarray) -> dict[str, pl.Series]:
    settings = numbers // SEEDS
    rates, decays = np.geomspace(0.003, 3, RATES), np.geomspace(1e-5, 1e-2, DECAYS)
    return {
        "optimiser.lr": pl.Series(rates[settings % RATES]),
        "neuron.tau": pl.Series(np.linspace(1.2, 4.8, TAUS)[settings // RATES % TAUS]),
        "optimiser.weight_decay": pl.Series(decays[settings // RATES // TAUS % DECAYS]),
        "seed": pl.Series(numbers % SEEDS),
    }


def _keys(random: np.random.Generator, trials: int) -> np.ndarray:
    numbers = random.choice(2**40, trials, replace=False) if trials < 10**5 else random.permutation(trials) * 2**20
    return np.array([f"{number * 0x9E3779B1 % 2**48:012x}" for number in numbers.tolist()])


def _in_turn(trials: int, epochs: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (trial, epoch) of rows in the order in which trials that run `AT_ONCE` report them."""
    for first in range(0, trials, AT_ONCE):
        own = np.arange(first, min(first + AT_ONCE, trials))
        yield np.tile(own, epochs), np.repeat(np.arange(1, epochs + 1), len(own))


def _reports(
    random: np.random.Generator, keys: np.ndarray, epochs: int, timesteps: int, seq: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the epochs and the Fisher traces of some trials; a trace is tilted to have about its epoch's centroid."""
    trial, epoch = (np.concatenate(part) for part in zip(*_in_turn(len(keys), epochs), strict=True))
    n, t = len(trial), np.arange(1, timesteps + 1)
    middle = random.uniform(5, 1.5 * epochs, len(keys))[trial]
    tilt = 0.35 / (1 + np.exp((epoch - middle) / 4)) - 0.25 + random.normal(0, 0.01, n)
    trace = np.exp(tilt[:, None] * t) * random.gamma(100, 0.01, (n, timesteps))
    total = trace.sum(axis=1)
    ic = (t * trace).sum(axis=1) / total
    noise = {
        name: random.normal(1, 0.1, n)
        for name in ("lr", "train_loss", "train_acc", "objective", "train_loss_over_t", "val_loss", "val_acc", "ic_se",
                     "train_seconds", "eval_seconds", "fisher_seconds")
    }  # fmt: skip
    own = seq + np.arange(n) * (timesteps + 1)
    rows = pl.DataFrame({"key": keys[trial], "epoch": epoch, "ic": ic, "fisher_sum": total} | noise).with_columns(
        ic_rel=(pl.col("ic") - 1) / (timesteps - 1), train_timesteps=pl.lit(timesteps), cycle=pl.lit(0),
        sparsity=pl.lit(0.0), probe_seconds=pl.lit(0.0), session=pl.lit(1), seq=pl.Series(own),
    )  # fmt: skip
    traces = pl.DataFrame({
        "key": np.repeat(keys[trial], timesteps),
        "epoch": np.repeat(epoch, timesteps),
        "t": np.tile(t, n),
        "fisher_trace": trace.ravel(),
        "fisher_se": (trace * random.gamma(10, 0.01, (n, timesteps))).ravel(),
        "seq": (own[:, None] + t).ravel(),
    }).with_columns(level=pl.lit("model"), part=pl.lit(""), session=pl.lit(1))
    return _typed(rows, "epochs"), _typed(traces, "fisher")


def _trials(
    random: np.random.Generator, keys: np.ndarray, first: int, timesteps: int, seq: int, config_of: ConfigOf = _by_rate
) -> pl.DataFrame:
    n = len(keys)
    config: dict[str, Any] = {path: pl.lit(v) for path, v in flatten(TrialConfig(timesteps=timesteps)).items()}
    config |= config_of(np.arange(first, first + n))
    measured = {
        name: pl.Series(random.normal(0.6, 0.05, n))
        for name in ("val_acc", "test_acc", "best_val_acc", "best_test_acc", "wall_seconds", "gpu_seconds")
    }
    frame = pl.DataFrame({"key": keys}).with_columns(
        sweep=pl.lit("made_up"), scale=pl.lit("paper"), status=pl.lit("finished"), reason=pl.lit(""),
        attempt=pl.lit(1), epochs_done=pl.lit(60), best_epoch=pl.Series(random.integers(1, 61, n)),
        parameters=pl.lit(12_000_000), device=pl.lit("cpu"), host=pl.lit("node"), version=pl.lit("0.1.0"),
        weights_digest=pl.Series([f"{v:016x}" for v in random.integers(0, 2**62, n).tolist()]), git_commit=pl.lit(""),
        packages=pl.lit("python 3.11, torch 2.11"), session=pl.lit(1), seq=pl.int_range(n) + seq, **measured, **config,
    )  # fmt: skip
    return _typed(frame, "trials")


def _typed(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema_of(table).items())
