"""Figures 1, 3 and 4 hold the numbers of the report's verbs, and say what their axes are."""

from pathlib import Path

import pytest
from drawn import band, bars, captioned, drawings_of, lines, panels, titles
from store.fabricated import STAYING, TURNING, trace_with, write_rows, write_sweep
from store.fabricated_layers import BLOCKS, EARLY, HIGH, ic_trial

from analysis import Results, open_results

HIGHER = tuple(ic + 0.4 for ic in STAYING)
SHARE = r"$I_t\,/\,\Sigma_t\,I_t$"


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Two rates with two seeds each: 0.3 turns at 3.5, 0.1 stays up, 0.4 timesteps apart."""
    trials = [(0.3, 0, TURNING), (0.3, 1, TURNING), (0.1, 0, STAYING), (0.1, 1, HIGHER)]
    write_sweep(tmp_path / "r", [({"optimiser.lr": lr, "seed": s}, "finished", ic) for lr, s, ic in trials])
    return open_results(tmp_path / "r")


def test_fig1_has_a_file_per_setting_the_first_to_turn_first(results: Results) -> None:
    """Files are told apart by the learning rate."""
    drawings = drawings_of(results, "fig1")

    assert ["learning-rate-0-3", "learning-rate-0-1"] == [drawing.part for drawing in drawings]
    assert captioned(drawings)


def test_fig1_draws_ic_with_its_band_and_the_traces(results: Results) -> None:
    """The mean of 0.1 lies 0.2 above its lower seed, ± 0.2; bars are the trace of each of the four epochs."""
    fast, slow = drawings_of(results, "fig1")
    curve, *epochs = panels(slow)
    low, high = band(curve)

    assert pytest.approx([ic + 0.2 for ic in STAYING]) == lines(curve)["IC"][1]
    assert (list(STAYING), list(HIGHER)) == (pytest.approx(low), pytest.approx(high))
    assert 4 == len(epochs)
    assert pytest.approx(trace_with(1.5, 8)) == bars(panels(fast)[-1])
    assert ("epoch", "IC (timesteps)") == titles(curve)
    assert ("timestep $t$", SHARE) == titles(epochs[0])


def test_fig1_marks_the_transition_where_the_line_turned(results: Results) -> None:
    """Of the rate 0.3: at epoch 3.5, where the mean is 3."""
    curve = panels(drawings_of(results, "fig1")[0])[0]
    diamonds = [line.get_xydata().tolist() for line in curve.get_lines() if line.get_marker() == "D"]  # type: ignore[union-attr]

    assert [[[3.5, 3.0]]] == diamonds


def test_fig4_draws_a_line_per_value_and_the_two_that_end_farthest_apart(results: Results) -> None:
    """0.3 ends lower and is on top; its last epoch is the trace with a centroid of 1.5, the other's that of 5.2."""
    (drawing,) = drawings_of(results, "fig4d")
    curve, *rest = panels(drawing)
    last = [panel for panel in rest if bars(panel)]

    assert {"0.1", "0.3"} == set(lines(curve))
    assert list(TURNING) == pytest.approx(lines(curve)["0.3"][1])
    assert pytest.approx([ic + 0.2 for ic in STAYING]) == lines(curve)["0.1"][1]
    assert 6 == len(last)
    assert pytest.approx(trace_with(1.5, 8)) == bars(last[2])
    assert ("epoch", "information centroid (timesteps)") == titles(curve)
    assert "± one standard error" in drawing.caption
    assert "learning rate 0.3" in drawing.caption


@pytest.mark.parametrize("name", ["fig4a", "fig4b", "fig4c", "fig4e", "fig4f"])
def test_fig4_of_another_field_is_not_drawn(results: Results, name: str) -> None:
    """What the trials do not differ in has no figure."""
    assert [] == drawings_of(results, name)


def test_fig4_has_a_file_per_context(tmp_path: Path) -> None:
    """Rates are compared within each data set; a value's line looks the same in each, and differs from others'."""
    tasks = [(name, lr) for name in ("cifar10", "svhn") for lr in (0.1, 0.3)]
    trials = [({"data.name": name, "optimiser.lr": lr}, "finished", TURNING) for name, lr in tasks]
    write_sweep(tmp_path / "r", trials, varied=("data.name", "optimiser.lr"))
    drawings = drawings_of(open_results(tmp_path / "r"), "fig4d")
    looks = [
        [(line.get_color(), str(line._dash_pattern)) for line in panels(drawing)[0].get_lines()[:1]]
        for drawing in drawings
    ]

    assert ["cifar-10", "svhn"] == [drawing.part for drawing in drawings]
    assert looks[0] == looks[1]


def test_fig3_draws_each_blocks_share_of_its_own_information(tmp_path: Path) -> None:
    """Rows are blocks by depth, columns timesteps; diamonds lie at the blocks' centroids; T = 8."""
    write_rows(tmp_path / "r", [ic_trial({"seed": seed}, EARLY, blocks=BLOCKS) for seed in (0, 1)], varied=())
    (drawing,) = drawings_of(open_results(tmp_path / "r"), "fig3")
    first, *_, bar = panels(drawing)
    (mesh,) = [c for c in first.collections if c.get_array() is not None]
    grid = mesh.get_array().reshape(len(BLOCKS), 8)  # type: ignore[union-attr]
    (diamonds,) = [line for line in first.get_lines() if line.get_marker() == "D"]

    assert [pytest.approx(trace_with(ic, 8)) for ic in BLOCKS.values()] == [list(row) for row in grid]
    assert pytest.approx(list(BLOCKS.values())) == list(diamonds.get_xdata())
    assert ["stem", "block 0", "block 1", "block 2", "block 10", "head"] == [
        label.get_text() for label in first.get_yticklabels()
    ]
    assert "timestep $t$" == first.get_xlabel()
    assert "share of the\nblock's own $I_t$" == bar.get_ylabel()


def test_lines_can_be_told_apart_in_grey(tmp_path: Path) -> None:
    """Five values have five dashes."""
    rates = (0.01, 0.03, 0.1, 0.3, 1.0)
    write_sweep(tmp_path / "r", [({"optimiser.lr": lr}, "finished", HIGH) for lr in rates])
    curve = panels(drawings_of(open_results(tmp_path / "r"), "fig4d")[0])[0]
    dashes = {str(line._unscaled_dash_pattern) for line in curve.get_lines() if line.get_label() in lines(curve)}

    assert len(rates) == len(dashes)
