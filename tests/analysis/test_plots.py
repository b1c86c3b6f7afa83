"""Figures hold the numbers they should; every colour has a twin for dark pages."""

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store.fabricated import STAYING, TURNING, trace_with, write_sweep

from analysis import Results, open_results
from analysis.plot_fisher import fisher_shares, telling_epochs
from analysis.plots import accuracy_by_epoch, fisher_bars, ic_by_epoch

HIGHER = tuple(ic + 0.4 for ic in STAYING)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Two rates with two seeds each: 0.3 turns at 3.5, 0.1 stays up."""
    trials = [(0.3, 0, TURNING), (0.3, 1, TURNING), (0.1, 0, STAYING), (0.1, 1, HIGHER)]
    write_sweep(tmp_path / "r", [({"optimiser.lr": lr, "seed": s}, "finished", ic) for lr, s, ic in trials])
    return open_results(tmp_path / "r")


def traces(figure: Any, role: str) -> list[Any]:
    """Return the traces of a figure that play a role."""
    return [trace for trace in figure.data if trace.meta["role"] == role]


def test_ic_by_epoch_draws_means_seeds_and_bands(results: Results) -> None:
    """Each rate has a mean, a band of ± standard error (0.2 for values 0.4 apart) and its seeds."""
    figure = ic_by_epoch(results)
    slow, fast = traces(figure, "mean")
    band = traces(figure, "band")[0]

    assert ("0.1", "0.3") == (slow.name, fast.name)
    assert pytest.approx([ic + 0.2 for ic in STAYING]) == list(slow.y)
    assert list(TURNING) == pytest.approx(list(fast.y))
    assert pytest.approx([ic + 0.4 for ic in STAYING]) == list(band.y[: len(STAYING)])
    assert 4 == len(traces(figure, "seed"))


def test_ic_by_epoch_marks_where_a_line_turned(results: Results) -> None:
    """The mark lies on the mean at epoch 3.5, where it is 3; the rate that stayed up has none."""
    (mark,) = traces(ic_by_epoch(results), "transition")

    assert ([3.5], [3.0]) == (list(mark.x), list(mark.y))
    assert "0.3 turned at epoch 3.5 ± 0.0 (2 of 2 seeds)" in mark.hovertemplate


def test_axes_say_what_they_show_in_which_unit(results: Results) -> None:
    """Titles carry units, and IC spans 1 to T."""
    figure = ic_by_epoch(results)

    assert "information centroid IC (timesteps)" == figure.layout.yaxis.title.text
    assert "epoch" == figure.layout.xaxis.title.text
    assert (1, 8) == figure.layout.yaxis.range
    assert "validation accuracy (fraction)" == accuracy_by_epoch(results).layout.yaxis.title.text


def test_second_field_makes_panels(tmp_path: Path) -> None:
    """A rate has the same colour in each data set's panel, and one entry in the legend."""
    tasks = [(name, lr) for name in ("cifar10", "svhn") for lr in (0.1, 0.3)]
    trials = [({"data.name": name, "optimiser.lr": lr}, "finished", TURNING) for name, lr in tasks]
    write_sweep(tmp_path / "r", trials, varied=("data.name", "optimiser.lr"))
    figure = ic_by_epoch(open_results(tmp_path / "r"))
    means = traces(figure, "mean")

    assert ["data set cifar10", "data set svhn"] == [note.text for note in figure.layout.annotations]
    assert {"x", "x2"} == {trace.xaxis for trace in means}
    assert 2 == len({(trace.name, trace.line.color) for trace in means})
    assert 2 == sum(trace.showlegend for trace in means)


def test_many_lines_have_a_scale_in_place_of_a_legend(tmp_path: Path) -> None:
    """Twenty rates are means only, with a bar of colours."""
    trials = [({"optimiser.lr": 0.01 * (i + 1)}, "finished", TURNING) for i in range(20)]
    write_sweep(tmp_path / "r", trials)
    figure = ic_by_epoch(open_results(tmp_path / "r"))

    assert not figure.layout.showlegend
    assert (20, 0, 1) == tuple(len(traces(figure, role)) for role in ("mean", "seed", "scale"))


def test_many_seeds_are_a_band_and_no_lines(tmp_path: Path) -> None:
    """Eleven seeds of one setting are not drawn one by one."""
    write_sweep(tmp_path / "r", [({"seed": seed}, "finished", TURNING) for seed in range(11)])
    figure = ic_by_epoch(open_results(tmp_path / "r"))

    assert (1, 1, 0) == tuple(len(traces(figure, role)) for role in ("mean", "band", "seed"))


def test_broken_off_trial_is_drawn_and_not_averaged(tmp_path: Path) -> None:
    """A diverged seed is a thin line; the mean is that of the finished seed."""
    write_sweep(tmp_path / "r", [({}, "finished", TURNING), ({"seed": 1}, "diverged", (8.0, 8.0))])
    figure = ic_by_epoch(open_results(tmp_path / "r"))

    assert [list(TURNING)] == [pytest.approx(list(trace.y)) for trace in traces(figure, "mean")]
    assert 2 == len(traces(figure, "seed"))


def test_fisher_shares_are_those_of_the_trace(results: Results) -> None:
    """Shares sum to 1 at every epoch and their centroid is the IC that the trace was made for."""
    shares = fisher_shares(results, ["optimiser.lr"]).collect()
    one = shares.filter(shares["optimiser.lr"] == 0.3, shares["epoch"] == 4)

    assert pytest.approx(trace_with(2.0, 8)) == one["share"].to_list()
    assert pytest.approx(2.0) == one["ic"][0]
    assert [0.0] * 8 == pytest.approx(one["sd"].to_list())


def test_fisher_bars_open_on_the_setting_that_turned_first(results: Results) -> None:
    """Its first epoch, that of the highest IC, the first after the transition at 3.5, and its last."""
    figure = fisher_bars(results)
    shown = [trace for trace in figure.data if trace.visible]

    titles = [note.text for note in figure.layout.annotations]
    assert [f"<b>epoch {e}</b>   IC {ic}" for e, ic in ((0, "4.50"), (1, "5.00"), (4, "2.00"), (6, "1.50"))] == titles
    assert [4.5, 5.0, 2.0, 1.5] == pytest.approx([line.x0 for line in figure.layout.shapes])
    assert pytest.approx(trace_with(1.5, 8)) == list(shown[3].y)
    assert list(range(1, 9)) == list(shown[3].x)


def test_fisher_bars_menu_shows_another_setting(results: Results) -> None:
    """Each button shows its own four panels and its own centroids."""
    figure = fisher_bars(results)
    first, second = figure.layout.updatemenus[0].buttons

    assert ("learning rate 0.3", "learning rate 0.1") == (first.label, second.label)
    assert [False] * 4 + [True] * 4 == list(second.args[0]["visible"])
    assert "IC 5.20" in second.args[1]["annotations"][-1]["text"]


def test_fisher_bars_of_chosen_epochs(results: Results) -> None:
    """Epochs can be asked for."""
    titles = [note.text for note in fisher_bars(results, epochs=(2, 3)).layout.annotations]

    assert ["<b>epoch 2</b>   IC 5.00", "<b>epoch 3</b>   IC 4.00"] == titles


@pytest.mark.parametrize("draw", [ic_by_epoch, accuracy_by_epoch, fisher_bars])
def test_every_colour_has_a_twin_for_dark_pages(results: Results, draw: Any) -> None:
    """What is not grey changes with the page; greys read on both, and so does the menu's own box."""
    figure = json.loads(draw(results).to_json())
    twins = figure["layout"]["meta"].pop("dark")
    colours = set(re.findall(r'"(#[0-9a-f]{3,6}|rgba?\([^)]*\))"', json.dumps(figure)))
    both = {"rgba(0,0,0,0)", "rgba(128, 128, 128, 0.22)", "rgba(128, 128, 128, 0.8)", "#888"}
    box = {"#f6f8fa", "#8c959f", "#24292f"}

    assert set() == colours - set(twins) - both - box


@pytest.mark.parametrize("draw", [ic_by_epoch, accuracy_by_epoch, fisher_bars])
def test_figures_of_a_sweep_without_reports_are_empty(tmp_path: Path, draw: Any) -> None:
    """Nothing to draw is no error."""
    write_sweep(tmp_path / "r", [({}, "planned", ())])

    assert () == draw(open_results(tmp_path / "r")).data


def test_the_highest_epoch_does_not_hang_on_a_last_digit() -> None:
    """Means of the same numbers, added in another order, are the same height: the first of them is the highest."""
    noise = 4e-16
    own = pl.DataFrame({"epoch": [0, 1, 2, 3, 4, 5], "ic": [4.5, 5.0, 5.0 + 8 * noise, 5.0 - noise, 5.0, 2.0]})

    assert {0, 1, 5} <= set(telling_epochs(own, None))
