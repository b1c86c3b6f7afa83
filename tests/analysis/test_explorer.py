"""The explorer's trials, curves, colours and axes, on sweeps small enough to check by hand."""

import base64
import math
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store.fabricated import STAYING, TURNING, write_rows, write_sweep, write_toys

from analysis.explorer import BINS, NONE, colouring, explored_trials, thinned_curves
from analysis.plot_animation import FRAMES, SETTINGS, share_film
from analysis.plot_explorer import LINES, MARK, axis_of, curve_frame, parallel_axes
from analysis.report_explorer import explorer_of, packed
from analysis.report_sections import some_settings
from analysis.results import Results, open_results
from tic_sweep.config import TrialConfig, trial_key
from tic_sweep.records import EpochRow


def sweep(path: Path, *trials: tuple[dict[str, Any], str, tuple[float, ...]], **values: Any) -> Results:
    """Fabricate a sweep and open it."""
    write_sweep(path / "r", trials, **values)
    return open_results(path / "r")


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """A rate that turned, one that did not, one that failed at once, and one that was not started."""
    turned, stayed = ({"optimiser.lr": 0.3}, "finished", TURNING), ({"optimiser.lr": 0.1}, "finished", STAYING)
    failed, planned = ({"optimiser.lr": 3.0}, "failed", ()), ({"optimiser.lr": 5.0}, "planned", ())
    return sweep(tmp_path, turned, stayed, failed, planned, reason="no <memory>")


def test_trials_tell_how_they_came_out(results: Results) -> None:
    """TURNING crosses at 3.5 and ends at IC 1.5 of T = 8; a failed trial lacks what it never had."""
    rows = explored_trials(results).select("optimiser.lr", "status", "transition", "ic_rel_final", "label").rows()

    assert [
        (0.1, "finished", None, pytest.approx(4 / 7), "learning rate 0.1"),
        (0.3, "finished", 3.5, pytest.approx(0.5 / 7), "learning rate 0.3"),
        (3.0, "failed", None, None, "learning rate 3.0"),
    ] == rows


def test_toy_problems_have_no_explorer(tmp_path: Path) -> None:
    """There is no centroid to explore."""
    write_toys(tmp_path / "r", [({}, {0.1: [True]})])

    assert explorer_of(open_results(tmp_path / "r")) is None


def curve_of(path: Path, epochs: range) -> Results:
    """Fabricate one trial with a report at each of some epochs."""
    config = TrialConfig(timesteps=8)
    rows = [
        EpochRow(
            key=trial_key(config), epoch=e, val_loss=1.0, val_acc=0.5, ic=1.0 + e / 100, ic_rel=e / 700,
            train_seconds=1, eval_seconds=1, fisher_seconds=1,
        )
        for e in epochs
    ]  # fmt: skip
    write_rows(path / "r", [(config, {}, rows)])
    return open_results(path / "r")


@pytest.mark.parametrize("count", [1, 2, 5, 6, 7, 40])
def test_curves_are_thinned_to_their_ends_and_some_between(tmp_path: Path, count: int) -> None:
    """Up to five points stay as they are; of more, five are kept, the first and the last among them."""
    found = curve_of(tmp_path, range(count))
    epochs = thinned_curves(found, explored_trials(found), 5)["epoch"].to_list()

    assert min(count, 5) == len(epochs)
    assert [0, count - 1] == [epochs[0], epochs[-1]]
    assert epochs == sorted(epochs)
    assert max((b - a for a, b in pairwise(epochs)), default=0) <= math.ceil(count / 4)


def test_few_numbers_have_a_step_each() -> None:
    """Three rates are three steps with their texts; a missing one is the fourth."""
    found = colouring(pl.Series("optimiser.lr", [0.1, None, 0.01, 1.0, 0.1]), "rate")

    assert [1, 3, 0, 2, 1] == list(found.codes)
    assert [(0.0, "0.01"), (1.0, "0.1"), (2.0, "1.0"), (3, "none")] == list(found.texts)
    assert 4 == len(set(found.shades))
    assert NONE == found.shades[-1]


def test_many_numbers_over_decades_have_bins_of_equal_ratio() -> None:
    """From 1 to 10^16 in sixteen bins, each a power of ten; the last holds its upper edge."""
    found = colouring(pl.Series("x", [10.0**i for i in range(17)]), "x")

    assert [*range(16), 15] == list(found.codes)
    assert [(-0.5, "1"), (3.5, "1e+04"), (7.5, "1e+08"), (11.5, "1e+12"), (15.5, "1e+16")] == list(found.texts)
    assert BINS == len(found.shades)


def test_very_many_names_share_the_last_step() -> None:
    """Twenty names: fifteen with a colour of their own, five others."""
    found = colouring(pl.Series("x", [f"n{i:02}" for i in range(20)]), "x")

    assert [*range(15), 15, 15, 15, 15, 15] == list(found.codes)
    assert (15.0, "others") == found.texts[-1]


def test_axes_are_logarithmic_over_decades_and_name_values() -> None:
    """Rates lie at their logarithms, names at their ranks with what they hold shown as text."""
    rates = axis_of(pl.Series("optimiser.lr", [0.01, 1.0, 0.1]))
    names = axis_of(pl.Series("data.name", ["b<i>", "a", "b<i>"]))

    assert pytest.approx([-2, 0, -1]) == list(rates["values"])
    assert ["0.01", "0.1", "1.0"] == rates["ticktext"]
    assert [1, 0, 1] == list(names["values"])
    assert ["a", "b&lt;i&gt;"] == names["ticktext"]


def test_a_transition_that_has_not_come_lies_above_all_others() -> None:
    """Its tick says so; a missing accuracy lies below all others."""
    late = axis_of(pl.Series("transition", [2.0, None, 12.0]))
    missing = axis_of(pl.Series("best_test_acc", [0.2, None, 0.7]))

    assert pytest.approx([2, 13, 12]) == list(late["values"])
    assert (13, "none yet") == (late["tickvals"][-1], late["ticktext"][-1])
    assert pytest.approx([0.2, 0.15, 0.7]) == list(missing["values"])
    assert (pytest.approx(0.15), "none") == (missing["tickvals"][0], missing["ticktext"][0])
    assert ["2.5", "5", "7.5", "10"] == [text for text in late["ticktext"][:-1] if text.strip(MARK)]


def test_ticks_that_brushes_snap_to_reach_from_end_to_end() -> None:
    """Thirteen rates from 0.003 to 30: texts at powers of ten, ticks at 1 to 9 of each, and at both ends."""
    places = [-2.5 + i / 3 for i in range(13)]
    axis = axis_of(pl.Series("optimiser.lr", [10**place for place in places]))

    assert ["0.01", "0.1", "1", "10"] == [text for text in axis["ticktext"] if text.strip(MARK)]
    assert len(axis["ticktext"]) == len(set(axis["ticktext"]))
    assert pytest.approx([-2.5, 1.5]) == [axis["tickvals"][0], axis["tickvals"][-1]]
    assert any(place == pytest.approx(math.log10(0.05)) for place in axis["tickvals"])
    assert "tickvals" not in axis_of(pl.Series("best_test_acc", [0.2, 0.7]))


def test_figures_hold_an_axis_per_field_and_outcome(results: Results) -> None:
    """Only columns in which trials differ have one; the curves' axis is in timesteps unless T differs."""
    dimensions = parallel_axes(explored_trials(results), results.settings).data[0].dimensions  # type: ignore[attr-defined]

    assert ["optimiser.lr", "transition", "ic_rel_final", "best_test_acc"] == [one.name for one in dimensions]
    assert (1, 8) == curve_frame(relative=False, timesteps=8).layout.yaxis.range
    assert (0, 1) == curve_frame(relative=True, timesteps=8).layout.yaxis.range


def test_of_very_many_trials_some_are_drawn_on_axes_that_reach_as_far_as_all() -> None:
    """Of 2,500 rates in turn with ten decays a thousand are drawn, with each of the ten."""
    rates = [0.1 + i / 1000 for i in range(2500)]
    none = pl.Series([None] * 2500, dtype=pl.Float64)
    columns = {"optimiser.lr": rates, "optimiser.weight_decay": [i % 10 for i in range(2500)]}
    trials = pl.DataFrame(columns | {"transition": none, "ic_rel_final": none, "best_test_acc": rates})
    rate, decay, accuracy = parallel_axes(trials, list(columns)).data[0].dimensions  # type: ignore[attr-defined]

    assert LINES == len(rate.values) == len(accuracy.values)
    assert set(range(10)) == set(decay.values)
    assert accuracy.range[1] > rates[-1]


def test_data_of_the_page_lies_end_to_end(results: Results) -> None:
    """Each trial's points begin where those before it end; the failed trial has none."""
    found = explorer_of(results)
    assert found is not None
    data = found["data"]
    starts = struct.unpack("<4i", base64.b64decode(data["curves"]["starts"]["bdata"]))

    assert (0, 7, 14, 14) == starts
    assert ["failed", "finished", "finished"] == sorted(data["statuses"])
    assert {"key", "optimiser.lr", "seed", "status", "ic_final", "transition"} <= set(data["rows"])


def test_numbers_are_packed_as_plotly_reads_them() -> None:
    """Little-endian, at the width the type says."""
    assert {"dtype": "i4", "bdata": base64.b64encode(b"\x01\0\0\0\x02\0\0\0").decode()} == packed("i", [1, 2])


def test_film_has_a_frame_per_epoch(results: Results) -> None:
    """Two settings, a line and a centroid each, seven epochs; the line of the last is what was measured there."""
    figure = share_film(results)
    frames: Any = figure.frames

    assert [str(epoch) for epoch in range(7)] == [frame.name for frame in frames]
    assert 4 == len(figure.data) == len(frames[0].data)
    assert pytest.approx([1.5, 5.0], abs=1e-3) == sorted(frames[-1].data[i].x[0] for i in (1, 3))
    assert pytest.approx(1.0, abs=1e-3) == sum(frames[3].data[0].y)


def test_film_is_bounded_and_needs_two_epochs(tmp_path: Path) -> None:
    """Of many settings and epochs some are shown; one epoch does not move."""
    many = sweep(tmp_path / "a", *(({"optimiser.lr": 0.1 * i}, "finished", (4.0,) * 50) for i in range(1, 9)))
    one = sweep(tmp_path / "b", ({}, "finished", (4.0,)))

    assert (2 * SETTINGS, FRAMES) == (len(share_film(many).data), len(share_film(many).frames))
    assert 0 == len(share_film(one).data)


def test_some_settings_are_the_same_ones_with_all_their_seeds(tmp_path: Path) -> None:
    """Three of five settings keep both seeds each; few settings are left alone."""
    trials = [({"optimiser.lr": 0.1 * i, "seed": s}, "finished", TURNING) for i in range(1, 6) for s in (0, 1)]
    found = sweep(tmp_path, *trials)
    words, part = some_settings(found, 3)
    counts = part.trials.group_by("optimiser.lr").len().collect()["len"].to_list()

    assert "3 of 5 settings, drawn at random" == words
    assert [2, 2, 2] == counts
    assert part.trials.collect().equals(some_settings(found, 3)[1].trials.collect())
    assert ("", found) == some_settings(found, 5)
