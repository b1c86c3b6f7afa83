"""The peer of `aggregation.py`: the same trials as Tune's JSON results, read by Ray's own loader into pandas."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl

from analysis import open_results
from tic_sweep.config import TrialConfig, replaced, to_dict
from tic_sweep.transition import CONFIRM, DROP, PLATEAU

SETTING = "config/optimiser/lr"


def write_tune_results(source: Path, place: Path, trials: int) -> None:
    """Write the first trials of a results folder as Tune's `JsonLoggerCallback` would, with Ray's own encoder.

    Each line holds what the trial reported, what Tune adds of its own, and the trial's config, as Tune writes them.
    """
    from ray.tune.utils.util import SafeFallbackEncoder

    results = open_results(source)
    chosen = results.trials.head(trials).select("key", "optimiser.lr", "seed", "timesteps").collect()
    own = chosen.lazy().select("key")
    traces = results.fisher.join(own, on="key", how="semi").group_by("key", "epoch", maintain_order=True)
    lines = (
        results.epochs
        .join(own, on="key", how="semi")
        .drop("session", "seq")
        .join(traces.agg("fisher_trace", "fisher_se"), on=["key", "epoch"], how="left")
        .sort("key", "epoch")
        .collect()
        .partition_by("key", as_dict=True)
    )
    for number, (key, rate, seed, timesteps) in enumerate(chosen.iter_rows()):
        config = to_dict(replaced(TrialConfig(timesteps=timesteps), {"optimiser.lr": rate, "seed": seed}))
        folder = place / f"train_{number:05d}_lr={rate:.4f},seed={seed}"
        folder.mkdir(parents=True)
        (folder / "params.json").write_text(json.dumps(config, indent=2, sort_keys=True, cls=SafeFallbackEncoder))
        text = [
            json.dumps(report | _own_of_tune(number, epoch, report) | {"config": config}, cls=SafeFallbackEncoder)
            for epoch, report in enumerate(lines[key,].to_dicts(), start=1)
        ]
        (folder / "result.json").write_text("\n".join(text) + "\n")


def json_sizes(place: Path, epochs: int) -> tuple[int, int]:
    """Return the bytes of all ``result.json``, and what of them the configs take."""
    written = of_configs = 0
    for file in place.glob("*/result.json"):
        written += file.stat().st_size
        with file.open() as lines:
            config = json.loads(next(lines))["config"]
        of_configs += epochs * len(json.dumps({"config": config}))
    return written, of_configs


def pandas_transitions(place: Path) -> pl.DataFrame:
    """Load every trial with Ray's loader, and sum the transitions up by learning rate with pandas."""
    import pandas as pd
    from pyarrow.fs import LocalFileSystem
    from ray.tune import ExperimentAnalysis

    storage = LocalFileSystem()
    stubs = [
        SimpleNamespace(
            trial_id=folder.name, last_result={}, storage=SimpleNamespace(
                trial_fs_path=str(folder), storage_filesystem=storage)
        )
        for folder in sorted(place.iterdir())
    ]  # fmt: skip
    loader: Any = SimpleNamespace(trials=stubs)
    loader._fetch_trial_dataframe = lambda trial: ExperimentAnalysis._fetch_trial_dataframe(loader, trial)  # noqa: SLF001
    frames = ExperimentAnalysis._fetch_trial_dataframes(loader)  # noqa: SLF001 - as its constructor does
    columns = ["key", "epoch", "ic", "cycle", SETTING, "config/timesteps"]
    rows = pd.concat([frame[columns] for frame in frames.values()], ignore_index=True)
    rows = rows[(rows["cycle"] == 0) & rows["ic"].notna()].sort_values(["key", "epoch"], ignore_index=True)
    found = _transitions(rows)
    return _summed_up(found)


def _transitions(rows: Any) -> Any:
    """Return the transition of each trial, by the definition in `tic_sweep.transition`, one grouped pass per step."""
    import pandas as pd

    by = rows.groupby("key", sort=False)
    before, after, own = by["ic"].shift(1), by["ic"].shift(-1), rows["ic"]
    middle = np.maximum(np.minimum(before, own), np.minimum(np.maximum(before, own), after))
    ends = (own + before.fillna(after)) / 2
    smooth = rows["smooth"] = middle.where(before.notna() & after.notna(), ends)
    highest = rows.groupby("key", sort=False)["smooth"].cummax()
    high_enough = highest >= 1 + PLATEAU * (rows["config/timesteps"] - 1)
    level = (1 + (1 - DROP) * (highest - 1)).where(high_enough, -np.inf)
    above = rows[smooth > level]
    last = pd.Series(above.index, index=above["key"]).groupby(level=0, sort=False).max()
    sizes, ends_at = by.size(), pd.Series(rows.index, index=rows["key"]).groupby(level=0, sort=False).max()
    smoothed = rows.groupby("key", sort=False)["smooth"]
    found = pd.DataFrame({"ic_max": smoothed.max(), "ic_final": smoothed.last(), "observed": by["epoch"].last()})
    found[SETTING] = by[SETTING].first()
    first = last.reindex(found.index) + 1
    turned = first.notna() & (ends_at - first + 1 >= CONFIRM) & (sizes > CONFIRM)
    i = first[turned].astype(int).to_numpy()
    epoch, value = rows["epoch"].to_numpy(), smooth.to_numpy()
    share = (value[i - 1] - level.to_numpy()[i]) / (value[i - 1] - value[i])
    found.loc[turned, "interpolated"] = epoch[i - 1] + share * (epoch[i] - epoch[i - 1])
    return found


def _summed_up(found: Any) -> pl.DataFrame:
    """Return the columns that both sides are compared in, by learning rate."""
    from scipy.stats import t

    by = found.groupby(SETTING)
    n, mean, sd = by["ic_final"].count(), by["ic_final"].mean(), by["ic_final"].std()
    margin = t.ppf(0.975, n - 1) * sd / np.sqrt(n)
    median = found.assign(interpolated=found["interpolated"].fillna(np.inf)).groupby(SETTING)["interpolated"].median()
    table = {
        "optimiser.lr": n.index.to_numpy(), "n_turned": by["interpolated"].count().to_numpy(),
        "ic_max_mean": by["ic_max"].mean().to_numpy(), "ic_final_mean": mean.to_numpy(),
        "ic_final_low": (mean - margin).to_numpy(), "ic_final_high": (mean + margin).to_numpy(),
        "transition_median": median.replace(np.inf, np.nan).to_numpy(),
    }  # fmt: skip
    return pl.DataFrame(table).with_columns(pl.col("transition_median").fill_nan(None))


def _own_of_tune(number: int, epoch: int, report: dict[str, Any]) -> dict[str, Any]:
    """Return what Tune adds to every result, with values as they look in a real one."""
    seconds = report["train_seconds"] + report["eval_seconds"]
    return {
        "timestamp": 1795384108 + epoch, "checkpoint_dir_name": None, "done": False, "training_iteration": epoch,
        "trial_id": f"6b087_{number:05d}", "date": "2026-01-01_12-00-00", "time_this_iter_s": seconds,
        "time_total_s": seconds * epoch, "pid": 6540, "hostname": "node", "node_ip": "192.0.2.2",
        "time_since_restore": seconds * epoch, "iterations_since_restore": epoch,
    }  # fmt: skip
