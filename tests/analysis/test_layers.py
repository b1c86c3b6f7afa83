"""Blocks in network order, their shares over time and over each other, and their own centroids."""

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store.fabricated import trace_with, write_rows
from store.fabricated_layers import BLOCKS, EARLY, ic_trial

from analysis import Results, open_results
from analysis.layers import block_centroids, layer_fisher, shallow_and_deep, with_depth
from analysis.plot_layers import plot_layers

TWO = {"blocks.0": 6.0, "blocks.1": 2.0}


def opened(path: Path, *trials: Any, varied: tuple[str, ...] = ()) -> Results:
    """Write trials and open them."""
    write_rows(path, trials, varied=varied)
    return open_results(path)


def test_parts_are_in_network_order() -> None:
    """Block 10 comes after block 2, the stem before and the head behind; a first convolution before the second."""
    parts = ["head", "blocks.10.conv", "blocks.2.conv", "blocks.2.first.conv", "stem.conv"]
    frame = pl.LazyFrame({"key": ["a"] * 5, "epoch": [0] * 5, "level": ["layer"] * 5, "part": parts})
    ordered = with_depth(frame).sort("depth").collect()

    assert ["stem.conv", "blocks.2.first.conv", "blocks.2.conv", "blocks.10.conv", "head"] == ordered["part"].to_list()
    assert [1, 2, 3, 4, 5] == ordered["depth"].to_list()


def test_shares_of_a_part_tell_when_its_information_lies(tmp_path: Path) -> None:
    """Divided by the part's own sum, the trace's scale drops out."""
    trials = [ic_trial({"seed": s}, EARLY, blocks=TWO, scale=1.0 + 9 * s) for s in (0, 1)]
    results = opened(tmp_path / "r", *trials)
    rows = layer_fisher(results, ["sweep"]).filter(pl.col("epoch") == 6, pl.col("part") == "blocks.1").collect()

    assert pytest.approx(trace_with(2.0, 8)) == rows["share"].to_list()
    assert [0.0] * 8 == pytest.approx(rows["share_se"].to_list())
    assert [2] * 8 == rows["n"].to_list()


def test_shares_of_a_timestep_tell_which_part_holds_it(tmp_path: Path) -> None:
    """Divided by the sum over the parts, shares add up to 1 at each t, and the late block holds most of the last."""
    results = opened(tmp_path / "r", ic_trial({}, EARLY, blocks=TWO))
    rows = layer_fisher(results, ["sweep"], normalise="timestep").filter(pl.col("epoch") == 6).collect()
    last = dict(rows.filter(pl.col("t") == 8).select("part", "share").iter_rows())

    assert [1.0] * 8 == pytest.approx(rows.group_by("t").agg(pl.col("share").sum())["share"].to_list())
    late, early = trace_with(6.0, 8)[-1], trace_with(2.0, 8)[-1]
    assert pytest.approx(late / (late + early)) == last["blocks.0"]


def test_block_centroids_are_those_of_the_traces(tmp_path: Path) -> None:
    """Each block's own IC by Eq. 7, shallow blocks first, with the depth they have among all parts."""
    results = opened(tmp_path / "r", *(ic_trial({"seed": s}, EARLY, blocks=BLOCKS) for s in (0, 1)))
    rows = block_centroids(results, ["sweep"]).filter(pl.col("epoch") == 6).collect()

    assert list(BLOCKS) == rows["part"].to_list()
    assert list(BLOCKS.values()) == pytest.approx(rows["ic"].to_list())
    assert [1, 2, 3, 4, 5, 6] == rows["depth"].to_list()


def test_block_without_information_has_no_centroid(tmp_path: Path) -> None:
    """Where no gradient arrives there is nothing to place in time."""
    results = opened(tmp_path / "r", ic_trial({}, EARLY, blocks=TWO, scale=0.0))

    assert block_centroids(results, ["sweep"]).collect().is_empty()
    assert layer_fisher(results, ["sweep"]).collect().is_empty()
    assert [None] == shallow_and_deep(results).collect()["difference"].to_list()


@pytest.mark.parametrize(("left_out", "halves"), [("", (4.5, 2.5)), ("blocks.1", (5.0, 2.0))])
def test_halves_leave_out_stem_head_and_the_middle(tmp_path: Path, left_out: str, halves: tuple[float, float]) -> None:
    """Of blocks 5, 4, 3, 2 the halves have means 4.5 and 2.5; of 5, 3, 2 the middle counts for neither."""
    blocks = {name: ic for name, ic in BLOCKS.items() if name != left_out}
    row = shallow_and_deep(opened(tmp_path / "r", ic_trial({}, EARLY, blocks=blocks))).collect().row(0, named=True)

    assert pytest.approx((*halves, halves[0] - halves[1])) == (row["shallow"], row["deep"], row["difference"])
    assert (6, 4 - bool(left_out)) == (row["epoch"], row["blocks"])


def test_epochs_of_pruning_do_not_count(tmp_path: Path) -> None:
    """With 4 epochs of training and one cycle of 2, the last epoch is 4."""
    config = {"optimiser.epochs": 4, "pruning.cycles": 1, "pruning.epochs": 2}
    results = opened(tmp_path / "r", ic_trial(config, EARLY, blocks=TWO))

    assert 4 == shallow_and_deep(results).collect()["epoch"].item()
    assert 4 == layer_fisher(results, ["sweep"]).collect()["epoch"].max()
    assert 3 * ["<b>"] == [note.text[:3] for note in plot_layers(results).layout.annotations]


def test_figure_shows_three_epochs_with_shallow_blocks_on_top(tmp_path: Path) -> None:
    """The epochs of the highest IC, of the transition at 2.5 and the last; marks lie at the blocks' centroids."""
    figure: Any = plot_layers(opened(tmp_path / "r", ic_trial({}, EARLY, blocks=BLOCKS)))
    maps = [trace for trace in figure.data if trace.meta["role"] == "map"]
    marks = [trace for trace in figure.data if trace.meta["role"] == "centroid"]

    assert [f"<b>epoch {epoch}</b>" for epoch in (0, 3, 6)] == [note.text for note in figure.layout.annotations]
    assert ("stem", "block 0", "block 1", "block 2", "block 10", "head") == figure.layout.yaxis.ticktext
    assert (6.5, 0.5) == figure.layout.yaxis.range
    assert pytest.approx(trace_with(2.0, 8)) == list(maps[2].z[4])
    assert list(BLOCKS.values()) == pytest.approx(list(marks[2].x))


def test_menus_choose_normalisation_and_setting(tmp_path: Path) -> None:
    """One fills all maps with other shares; the other shows another setting, with its own rows."""
    trials = [ic_trial({"model.name": name}, EARLY, blocks=b) for name, b in (("alexnet", TWO), ("resnet19", BLOCKS))]
    figure: Any = plot_layers(opened(tmp_path / "r", *trials, varied=("model.name",)))
    shares, settings = figure.layout.updatemenus
    filled = shares.buttons[1].args

    assert ["network alexnet", "network resnet19"] == [button.label for button in settings.buttons]
    assert [False] * 6 + [True] * 6 == list(settings.buttons[1].args[0]["visible"])
    assert [6.5, 0.5] == settings.buttons[1].args[1]["yaxis.range"]
    assert ["heatmap"] * 6 == [figure.data[number].type for number in filled[2]]
    assert [1.0] * 8 == pytest.approx([sum(column) for column in zip(*filled[0]["z"][0], strict=True)])


def test_colours_have_twins_and_no_blocks_no_traces(tmp_path: Path) -> None:
    """What is not grey changes with the page; results without blocks draw nothing."""
    figure = json.loads(str(plot_layers(opened(tmp_path / "r", ic_trial({}, EARLY, blocks=TWO))).to_json()))
    twins = figure["layout"]["meta"].pop("dark")
    colours = set(re.findall(r'"(#[0-9a-f]{3,6}|rgba?\([^)]*\))"', json.dumps(figure)))
    both = {"rgba(0,0,0,0)", "rgba(128, 128, 128, 0.22)", "rgba(128, 128, 128, 0.8)", "#f6f8fa", "#8c959f", "#24292f"}

    assert set() == colours - set(twins) - both
    assert () == plot_layers(opened(tmp_path / "s", ic_trial({}, EARLY))).data
