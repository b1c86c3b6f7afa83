"""Accuracy against timesteps: where networks saturate, and whether the larger one does so first."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store.fabricated import write_rows
from store.fabricated_pruning import capacity_trial

from analysis import Results, open_results
from analysis.capacity import capacity_curves, saturation, saturations
from analysis.claims import check_claims
from analysis.plot_capacity import accuracy_by_timesteps
from analysis.report import render_report
from analysis.report_capacity import capacity_texts

SMALL, LARGE = ("alexnet", 2_500_000), ("resnet19", 26_110_000)
EARLY, LATE = {2: 0.90, 4: 0.91, 8: 0.91}, {2: 0.7, 4: 0.8, 8: 0.9}
"""Saturated at T = 2 (a point below the best is within a point of it), and at 8."""
VARIED = ("timesteps", "model.name")


def grown(
    network: tuple[str, int], accuracies: dict[int, float], seeds: tuple[int, ...] = (0, 1), **changes: Any
) -> Any:
    """Return a network's trials by T, alike on every seed."""
    name, parameters = network
    return [
        capacity_trial(name, t, seed, accuracy, parameters=parameters, changes=changes)
        for t, accuracy in accuracies.items()
        for seed in seeds
    ]


def written(path: Path, *groups: list[Any], varied: tuple[str, ...] = VARIED) -> Results:
    """Write groups of trials and open them."""
    write_rows(path / "r", [trial for group in groups for trial in group], varied=varied)
    return open_results(path / "r")


def judged(results: Results) -> list[dict[str, Any]]:
    """Return the verdicts on D."""
    return check_claims(results).filter(pl.col("claim") == "D").to_dicts()


def test_curves_are_means_over_seeds(tmp_path: Path) -> None:
    """One row per network and T."""
    table = capacity_curves(written(tmp_path, grown(SMALL, LATE), grown(LARGE, EARLY)))

    assert [("alexnet", 2, 2, 0.7), ("alexnet", 4, 2, 0.8)] == table.head(2).select(
        "model.name", "timesteps", "n", "test_acc"
    ).rows()
    assert 6 == table.height


def test_curves_are_at_the_best_rate_of_each_T(tmp_path: Path) -> None:
    """Of two learning rates the one with the better validation accuracy counts."""
    slow = grown(SMALL, {2: 0.1, 4: 0.1}, **{"optimiser.lr": 0.01})
    table = capacity_curves(
        written(tmp_path, grown(SMALL, {2: 0.5, 4: 0.6}), slow, varied=("timesteps", "optimiser.lr"))
    )

    assert [0.5, 0.6] == table["test_acc"].to_list()


def test_saturation_is_the_smallest_T_within_a_point(tmp_path: Path) -> None:
    """0.90 of 0.91 is within, at equality; 0.8 of 0.9 is not, and the largest T tried is no proof."""
    table = saturation(written(tmp_path, grown(SMALL, LATE), grown(LARGE, EARLY)))

    assert [("alexnet", 2_500_000, 2, 8.0, 2), ("resnet19", 26_110_000, 2, 2.0, 0)] == table.select(
        "model.name", "parameters", "n", "saturation", "n_largest"
    ).rows()


def test_saturation_has_an_interval_within_the_T_tried(tmp_path: Path) -> None:
    """Seeds that saturate at 2 and 8: mean 5, and Student's interval would reach far beyond both."""
    results = written(tmp_path, grown(SMALL, LATE, (0,)), grown(SMALL, EARLY, (1,)), varied=("timesteps",))
    row = saturation(results).row(0, named=True)

    assert (5.0, 2.0, 8.0) == (row["saturation"], row["saturation_low"], row["saturation_high"])


def test_a_seed_counts_if_it_finished_at_every_T(tmp_path: Path) -> None:
    """Seed 1 failed at T = 4, which might have been where it saturates."""
    trials = grown(SMALL, LATE)
    trials[3][1]["status"] = "failed"

    assert [0] == saturations(written(tmp_path, trials, varied=("timesteps",)))["seed"].to_list()


@pytest.mark.parametrize(
    ("small", "large", "verdict", "statistic"),
    [(LATE, EARLY, "PASS", 6.0), (EARLY, LATE, "FAIL", -6.0), (LATE, LATE, "UNDECIDED", 0.0)],
)
def test_D_compares_seed_by_seed(
    tmp_path: Path, small: dict[int, float], large: dict[int, float], verdict: str, statistic: float
) -> None:
    """Six timesteps earlier in every pair passes, later fails, and no difference is not a smaller one."""
    (row,) = judged(written(tmp_path, grown(SMALL, small), grown(LARGE, large)))

    assert (verdict, statistic, 2) == (row["verdict"], row["statistic"], row["n"])
    assert "alexnet (2,500,000 parameters)" in row["explanation"]


def test_D_asks_both_networks_at_the_same_T(tmp_path: Path) -> None:
    """That the small network gains by T = 16, where the large one was not tried, is no part of it."""
    (row,) = judged(written(tmp_path, grown(SMALL, EARLY | {16: 0.99}), grown(LARGE, EARLY)))

    assert 0.0 == row["statistic"]
    assert "of T = 2, 4, 8" in row["explanation"]


def test_D_of_one_seed_is_undecided(tmp_path: Path) -> None:
    """With its reason."""
    (row,) = judged(written(tmp_path, grown(SMALL, LATE, (0,)), grown(LARGE, EARLY)))

    assert ("UNDECIDED", "1 paired seed: an interval needs at least two that finished at every T.") == (
        row["verdict"], row["explanation"],
    )  # fmt: skip


def test_D_is_about_networks_over_timesteps(tmp_path: Path) -> None:
    """One network, or one T, says nothing of it; a width is a network too, and data sets are contexts."""
    assert [] == judged(written(tmp_path / "a", grown(SMALL, LATE), varied=("timesteps",)))
    assert [] == judged(written(tmp_path / "b", grown(SMALL, {4: 0.8}), grown(LARGE, {4: 0.9}), varied=("model.name",)))
    widths = [
        grown(("resnet19", parameters), curve, **{"model.width": width, "data.name": name})
        for name in ("cifar10", "svhn")
        for width, parameters, curve in ((0.5, 10, LATE), (1.0, 40, EARLY))
    ]
    found = judged(written(tmp_path / "c", *widths, varied=("timesteps", "model.width", "data.name")))

    assert [("data set cifar10", "PASS"), ("data set svhn", "PASS")] == [
        (row["where"], row["verdict"]) for row in found
    ]


def test_figure_marks_where_networks_saturate(tmp_path: Path) -> None:
    """A line and a diamond per network, the diamond on the line."""
    figure = accuracy_by_timesteps(written(tmp_path, grown(SMALL, LATE), grown(LARGE, EARLY)))
    marks = [trace for trace in figure.data if trace.meta["role"] == "saturation"]

    assert ["alexnet", "resnet19"] == [trace.name for trace in figure.data if trace.meta["role"] == "mean"]
    assert [((8.0,), (0.9,)), ((2.0,), (0.9,))] == [(trace.x, tuple(round(y, 9) for y in trace.y)) for trace in marks]


def test_report_has_the_section(tmp_path: Path) -> None:
    """Where timesteps vary, and nowhere else."""
    over_time = written(tmp_path / "a", grown(SMALL, LATE), grown(LARGE, EARLY))
    at_one = written(tmp_path / "b", grown(SMALL, {4: 0.8}), grown(LARGE, {4: 0.9}), varied=("model.name",))

    assert 'id="capacity-data"' in render_report(over_time)
    assert 'id="capacity' not in render_report(at_one)


def test_report_table_has_a_column_per_T(tmp_path: Path) -> None:
    """With parameters, accuracies and the T of saturation."""
    texts = capacity_texts(written(tmp_path, grown(SMALL, LATE), grown(LARGE, EARLY)))

    assert texts is not None
    assert ["alexnet", "2,500,000", "2", "0.700", "0.800", "0.900", "8.0", "2 of 2"] == [
        getattr(cell, "text", cell) for cell in texts.rows[0]
    ]
