"""Mean curves are means of the same trials at every epoch."""

import math

import polars as pl
import pytest

from analysis.curves import mean_curves


def curves(statuses: dict[str, str], values: dict[str, list[float | None]]) -> list[tuple[int, int, float]]:
    """Return (epoch, n, mean) of one setting from statuses and values by epoch, per trial."""
    trials = pl.LazyFrame({"key": list(statuses), "lr": 0.1, "seed": 0, "status": list(statuses.values())})
    rows = [{"key": key, "epoch": e, "ic": ic} for key, column in values.items() for e, ic in enumerate(column)]
    epochs = pl.LazyFrame(rows, schema={"key": pl.String, "epoch": pl.Int64, "ic": pl.Float64})
    return mean_curves(epochs, trials, ["lr"], "ic").select("epoch", "n", "mean").collect().rows()


def test_mean_and_standard_error() -> None:
    """Values 1 and 3 have mean 2 and standard error √2/√2 = 1."""
    trials = pl.LazyFrame({"key": ["a", "b"], "lr": 0.1, "seed": [0, 1], "status": "finished"})
    epochs = pl.LazyFrame({"key": ["a", "b"], "epoch": 0, "ic": [1.0, 3.0]})
    row = mean_curves(epochs, trials, ["lr"], "ic").collect().row(0, named=True)

    assert pytest.approx((2.0, 1.0, 1.0, 3.0)) == (row["mean"], row["se"], row["low"], row["high"])


def test_only_finished_trials_enter_once_one_has_finished() -> None:
    """A seed still at work, and one that diverged, do not cut the curve short."""
    found = curves({"a": "finished", "b": "running", "c": "diverged"}, {"a": [4.0, 2.0], "b": [5.0], "c": [9.0]})

    assert [(0, 1, 4.0), (1, 1, 2.0)] == found


def test_trials_at_work_stand_in_until_one_has_finished() -> None:
    """Up to the epoch that all of them have reached."""
    found = curves({"a": "running", "b": "interrupted", "c": "stopped"}, {"a": [4.0, 2.0], "b": [5.0], "c": [4.5, 2]})

    assert [(0, 3, 4.5)] == found


@pytest.mark.parametrize("missing", [None, math.nan])
def test_epoch_that_one_trial_lacks_is_left_out(missing: float | None) -> None:
    """Neither a null nor a NaN becomes part of a mean, and the other trial's value is not taken for one."""
    assert [(0, 2, 3.0)] == curves({"a": "finished", "b": "finished"}, {"a": [4.0, 2.0], "b": [2.0, missing]})
