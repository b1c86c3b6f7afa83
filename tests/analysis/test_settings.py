"""What settings change, paired by seed; and the figure of the two that end farthest apart."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from store.fabricated import trace_with, write_rows
from store.fabricated_layers import EARLY, HIGH, LATE, ic_trial

from analysis import Results, open_results
from analysis.plot_panels import plot_settings
from analysis.sections import Cell
from analysis.setting_texts import difference_texts
from analysis.settings import contexts_of, paired_differences, reference_of, trial_measures

TAU = "neuron.tau"


def opened(path: Path, *trials: Any, varied: tuple[str, ...] = (TAU,)) -> Results:
    """Write trials and open them."""
    write_rows(path, trials, varied=varied)
    return open_results(path)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Three seeds of τ = 2 (turns at 2.5) and τ = 4 (at 4.5), whose accuracy gains 1, 2 and 3 points; one of τ = 3."""
    trials = [ic_trial({TAU: 2.0, "seed": s}, EARLY, accuracy=0.8 + s / 10) for s in range(3)]
    trials += [ic_trial({TAU: 4.0, "seed": s}, LATE, accuracy=0.81 + s / 10 + s / 100) for s in range(3)]
    return opened(tmp_path / "r", *trials, ic_trial({TAU: 3.0}, HIGH))


def test_measures_of_each_trial(results: Results) -> None:
    """A trial that has not turned counts as turning at the horizon; ic_rel takes IC to 0..1."""
    rows = trial_measures(results, TAU).collect().rows_by_key(TAU, named=True)
    names = ("turn", "turned", "horizon", "ic_final", "ic_rel_final")

    assert (2.5, True, 6, 1.5, pytest.approx(0.5 / 7)) == tuple(rows[2.0][0][name] for name in names)
    assert (6.0, False, 6, 5.0, pytest.approx(4 / 7)) == tuple(rows[3.0][0][name] for name in names)


def test_horizon_is_that_of_the_shortest_trial_of_the_context(tmp_path: Path) -> None:
    """Where one trial was seen to epoch 4 only, a turn at 4.5 elsewhere has not come yet."""
    trials = [ic_trial({TAU: 2.0}, EARLY[:5]), ic_trial({TAU: 4.0}, LATE)]
    rows = trial_measures(opened(tmp_path / "r", *trials), TAU).collect()

    assert [4, 4] == rows["horizon"].to_list()
    assert [2.5, 4.0] == rows["turn"].to_list()


def test_differences_are_paired_by_seed(results: Results) -> None:
    """The spread over seeds, ten times the gain, drops out: 1, 2 and 3 points have mean 2 and sd 1."""
    paper, single, large = paired_differences(results, TAU, "best_test_acc").to_dicts()
    margin = 4.302653 * 0.01 / 3**0.5

    assert [2.0, 3.0, 4.0] == [row[TAU] for row in (paper, single, large)]
    assert pytest.approx((0.02, 0.02 - margin, 0.02 + margin), abs=1e-6) == (
        large["difference"], large["low"], large["high"],
    )  # fmt: skip
    assert (3, 0, None) == (paper["n"], paper["n_pairs"], paper["difference"])
    assert (1, 1, None) == (single["n"], single["n_pairs"], single["difference"])


def test_reference_can_be_chosen(results: Results) -> None:
    """Against τ = 4 the transition at τ = 2 comes two epochs sooner, in every pair."""
    first = paired_differences(results, TAU, "turn", reference=4.0).row(0, named=True)

    assert (2.0, -2.0, -2.0, -2.0, 3) == tuple(first[name] for name in (TAU, "difference", "low", "high", "n_pairs"))


def test_reference_is_the_papers_value_or_the_closest() -> None:
    """Its τ is 2, its weight decay 5e-4, its network ResNet19; without them, the closest number or the first name."""
    assert 2.0 == reference_of(TAU, [0.75, 2.0, 4.0])
    assert 1e-3 == reference_of("optimiser.weight_decay", [1e-3, 1e-2])
    assert "resnet19" == reference_of("model.name", ["alexnet", "resnet19"])
    assert "svhn" == reference_of("data.name", ["svhn", "x"])
    assert "detached" == reference_of("variant", ["detached", "full"])


def test_contexts_are_what_does_not_follow_from_the_field(tmp_path: Path) -> None:
    """Image size follows from the data set, the time constant does not."""
    trials = [
        ic_trial({"data.name": name, "data.image_size": size, TAU: tau}, EARLY)
        for name, size in (("cifar10", 16), ("fashion_mnist", 14))
        for tau in (2.0, 4.0)
    ]
    found = opened(tmp_path / "r", *trials, varied=("data.image_size", "data.name", TAU))

    assert (TAU,) == contexts_of(found, "data.name")
    assert 4 == paired_differences(found, "data.name", "ic_final").height


def test_table_tells_differences_below_the_means(results: Results) -> None:
    """Accuracies in percent and points; a setting that has not turned says so, one pair has no interval."""
    texts = difference_texts(results)
    assert texts is not None
    cells = [[cell.text if isinstance(cell, Cell) else cell for cell in row] for row in texts.rows]
    last = [cell.small for cell in texts.rows[2] if isinstance(cell, Cell)]

    assert ["2.0", "2.5 ± 0.0", "1.50 ± 0.00", "0.071 ± 0.000", "90.0 ± 10.0", "3"] == cells[0]
    assert ["3.0", "none yet", "5.00", "0.571", "90.0", "1"] == cells[1]
    assert ["+2.0 (2.0 to 2.0)", "+2.0 (−0.5 to 4.5)"] == [last[0], last[3]]
    assert "time constant τ 2.0" in texts.caption


@pytest.mark.parametrize(
    ("reference", "other", "bound"), [(EARLY, HIGH, "≥ +"), (HIGH, EARLY, "≤ −"), (HIGH, HIGH, "+0")]
)
def test_table_bounds_what_has_not_turned(
    tmp_path: Path, reference: tuple[float, ...], other: tuple[float, ...], bound: str
) -> None:
    """A transition that is yet to come makes a difference at least so late; that of the reference, so early."""
    trials = [ic_trial({TAU: tau, "seed": s}, ic) for tau, ic in ((2.0, reference), (4.0, other)) for s in (0, 1)]
    texts = difference_texts(opened(tmp_path / "r", *trials))
    cell = texts.rows[1][1] if texts else ""

    assert isinstance(cell, Cell)
    assert cell.small.startswith(bound)


def test_table_needs_something_to_compare(tmp_path: Path) -> None:
    """Seeds alone are no comparison, and single seeds no pairs."""
    assert (
        difference_texts(opened(tmp_path / "a", ic_trial({}, EARLY), ic_trial({"seed": 1}, EARLY), varied=())) is None
    )
    assert difference_texts(opened(tmp_path / "b", *(ic_trial({TAU: tau}, EARLY) for tau in (2.0, 4.0)))) is None


def test_figure_shows_the_settings_that_end_farthest_apart(results: Results) -> None:
    """τ = 2 ends at 1.5 and τ = 3 at 5; IC is highest at epoch 0, they are farthest apart from epoch 4 on."""
    figure: Any = plot_settings(results)
    low = ["<b>time constant τ 2.0</b>   epoch 0   IC 5.00", "epoch 4   IC 1.50", "epoch 6   IC 1.50"]
    high = ["<b>time constant τ 3.0</b>   epoch 0   IC 5.00", "epoch 4   IC 5.00", "epoch 6   IC 5.00"]

    assert low + high == [note.text for note in figure.layout.annotations]
    assert pytest.approx(trace_with(1.5, 8)) == list(figure.data[2].y)
    assert pytest.approx(trace_with(5.0, 8)) == list(figure.data[5].y)


def test_menu_chooses_the_context(tmp_path: Path) -> None:
    """Each data set has its own pair and its own centroids."""
    trials = [
        ic_trial({"data.name": name, TAU: tau}, curve)
        for name, curves in (("cifar10", (EARLY, HIGH)), ("svhn", (HIGH, EARLY)))
        for tau, curve in zip((2.0, 4.0), curves, strict=True)
    ]
    figure: Any = plot_settings(opened(tmp_path / "r", *trials, varied=("data.name", TAU)))
    first, second = figure.layout.updatemenus[0].buttons

    assert ("data set cifar10", "data set svhn") == (first.label, second.label)
    assert [False] * 6 + [True] * 6 == list(second.args[0]["visible"])
    assert second.args[1]["annotations"][0]["text"].startswith("<b>time constant τ 4.0</b>")


def test_one_setting_has_nothing_beside_it(tmp_path: Path) -> None:
    """There is no figure of a single setting, nor of none."""
    assert () == plot_settings(opened(tmp_path / "a", ic_trial({}, EARLY), varied=())).data
    assert () == plot_settings(opened(tmp_path / "b", ic_trial({}, (), status="planned"), varied=())).data


def test_every_colour_has_a_twin_for_dark_pages(results: Results) -> None:
    """What is not grey changes with the page."""
    figure = json.loads(str(plot_settings(results).to_json()))
    twins = figure["layout"]["meta"].pop("dark")
    colours = set(re.findall(r'"(#[0-9a-f]{3,6}|rgba?\([^)]*\))"', json.dumps(figure)))

    both = {"rgba(0,0,0,0)", "rgba(128, 128, 128, 0.22)", "rgba(128, 128, 128, 0.8)", "#888"}

    assert set() == colours - set(twins) - both
