"""How early IC turned, as one number per trial that a search can follow (`tic_sweep.racing.tic_score`)."""

from typing import Any

import polars as pl

from tic_sweep.racing import Look, sight, tic_score


def tic_scores(epochs: pl.LazyFrame, trials: pl.LazyFrame) -> pl.LazyFrame:
    """Return the transition score of every trial with a report of IC, in epochs; lower is better.

    The epoch of the transition where IC has turned and is clear of the level, else a number beyond the trial's
    ``optimiser.epochs``. It is that of the first training. Columns: key, tic_score.
    """
    first_training = pl.col("cycle").fill_null(0) == 0
    measured = pl.col("ic").is_not_null() & pl.col("ic").is_not_nan()
    looks = epochs.filter(first_training & measured).group_by("key").agg(looks=pl.struct("epoch", "ic", "ic_se"))
    scored = pl.struct("looks", "timesteps", "optimiser.epochs").map_elements(_score, return_dtype=pl.Float64)
    return trials.join(looks, on="key", maintain_order="left").select("key", tic_score=scored)


def _score(row: dict[str, Any]) -> float:
    looks = [Look(**look) for look in sorted(row["looks"], key=lambda look: look["epoch"])]
    return tic_score(sight(looks, row["timesteps"]), max(row["optimiser.epochs"], 1))
