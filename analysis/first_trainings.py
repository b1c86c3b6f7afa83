"""Results without pruning: what trials share that differ in it alone."""

import dataclasses

import polars as pl

from analysis.layers import first_training
from analysis.results import Results
from tic_sweep.config import TrialConfig, flatten

TABLES = ("fisher", "horizons", "dynamics", "deficits", "robustness")
"""Tables besides that of epochs with rows of pruning cycles."""


def first_trainings(results: Results) -> Results:
    """Return the results up to the end of each trial's first training, trials that differ in pruning only as one.

    These share that training bit for bit, so that to count them all would pretend to more seeds, or to settings that
    do not differ. Kept is one that has finished, if there is one. Fields of pruning hold their defaults. Tables of
    pruning itself are those of the trials kept. Results without pruning are returned as they are.
    """
    config = {path: value for path, value in flatten(TrialConfig()).items() if path in results.trials.collect_schema()}
    cycles = pl.col("pruning.cycles")
    if not results.trials.select((cycles > 0).any()).collect().item():
        return results
    defaults = {path: value for path, value in config.items() if path.startswith("pruning.")}
    others = [path for path in config if path not in defaults]
    kept = results.trials.sort(pl.col("status") != "finished", maintain_order=True).unique(
        others, keep="first", maintain_order=True
    )
    part = results.where(pl.col("key").is_in(kept.select("key").collect()["key"].to_list()))
    return dataclasses.replace(
        part,
        trials=part.trials.with_columns(
            pl.lit(value, part.trials.collect_schema()[path]).alias(path) for path, value in defaults.items()
        ),
        epochs=part.epochs.filter(pl.col("cycle").fill_null(0) == 0),
        **{table: first_training(getattr(part, table), part.trials) for table in TABLES},
    )
