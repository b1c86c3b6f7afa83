"""A search over several fields: its draws in order, what it has found, and how fields go with IC."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from store.fabricated import write_rows
from store.fabricated_layers import EARLY, HIGH, ic_trial

from analysis import Results, open_results
from analysis.plot_search import plot_search, search_texts
from analysis.report_sections import filled
from analysis.search import drawn_fields, draws, rank_correlation
from analysis.tables import finding
from tic_sweep.store import Manifest

FIELDS = ("data.image_size", "data.name", "loss.name", "loss.alpha", "optimiser.lr")


def opened(path: Path, *, samples: int = 4) -> Results:
    """Return a search of three finished trials and one that diverged; the best has the second rate."""
    drawn: list[tuple[Any, ...]] = [
        (16, "cifar10", "cross_entropy", 0.0, 0.1, HIGH), (14, "fashion_mnist", "alpha", 0.01, 0.2, EARLY),
        (16, "cifar10", "alpha", 0.02, 0.3, HIGH), (14, "fashion_mnist", "alpha", 0.03, 0.4, EARLY),
    ]  # fmt: skip
    trials = [ic_trial(dict(zip(FIELDS, values, strict=True)), ic, accuracy=0.8) for *values, ic in drawn]
    trials[-1][1]["status"] = "diverged"
    folder = write_rows(path, trials, varied=FIELDS)
    manifest = dataclasses.replace(Manifest.load(folder.manifest), samples=samples, objective="ic_rel")
    manifest.save(folder.manifest)
    return open_results(path)


@pytest.fixture
def search(tmp_path: Path) -> Results:
    """Return the search."""
    return opened(tmp_path / "r")


def test_fields_that_follow_from_a_name_are_not_drawn(search: Results) -> None:
    """Each data set has its own image size."""
    assert ["data.name", "loss.name", "loss.alpha", "optimiser.lr"] == drawn_fields(search)


def test_a_grid_is_no_search(tmp_path: Path) -> None:
    """Without samples there is nothing drawn, and no section."""
    grid = opened(tmp_path / "g", samples=0)

    assert [] == drawn_fields(grid)
    assert "search" not in {one.section.id for one in filled(grid)}


def test_draws_come_best_first_with_alpha_where_it_means_something(search: Results) -> None:
    """IC ends at 1.5 of 8, or stays at 5; cross-entropy has no α."""
    table = draws(search)

    assert [0.2, 0.3, 0.1] == table["optimiser.lr"].to_list()
    assert [0.01, 0.02, None] == table["loss.alpha"].to_list()
    assert pytest.approx([0.5 / 7, 4 / 7, 4 / 7]) == table["ic_rel_final"].to_list()


def test_finding_names_the_best_draw(search: Results) -> None:
    """One sentence, not one per setting."""
    assert finding(search) == (
        "Best of 3 finished trials, with (IC − 1) / (T − 1) = 0.071, test accuracy 80.0%: data set fashion_mnist, "
        "loss alpha, α 0.01, learning rate 0.2."
    )


def test_figure_and_table_have_every_field_and_draw(search: Results) -> None:
    """A panel per field; α's panel lacks the trial without one."""
    figure: Any = plot_search(search)
    texts = search_texts(search)

    assert [3, 3, 2, 3] == [len(trace.x) for trace in figure.data]
    assert texts is not None
    assert ["1", "2", "3"] == [row[0] for row in texts.rows]


def test_rank_correlation_needs_three_trials_and_two_values(search: Results) -> None:
    """Two α are too few."""
    table = draws(search)

    assert rank_correlation(table, "loss.alpha", "ic_rel_final") is None
    assert (pytest.approx(0.0), 3) == rank_correlation(table, "optimiser.lr", "ic_rel_final")
