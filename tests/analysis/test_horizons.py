"""How many timesteps a readout needs, from accuracies that can be checked by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from store.fabricated import write_rows
from store.fabricated_probes import probed_trial

from analysis import Results, open_results
from analysis.horizons import horizon_curves, needed_around, needed_by_trial, needed_timesteps
from analysis.plot_horizons import plot_horizons, telling_epochs
from analysis.probe_texts import horizon_texts

IC = (2.5, 3.5, 3.5, 3.5, 1.5, 1.2, 1.2)
"""Of T = 4: plateau 3.5 until epoch 3, level 2.25, so turned at the report of epoch 4."""
LATE, EARLY = (0.1, 0.2, 0.3, 0.5), (0.1, 0.9, 0.9, 0.9)
"""Accuracies that need four timesteps, and two."""


def opened(path: Path, *horizons: Mapping[int, Sequence[float]], ic: Sequence[float] = IC) -> Results:
    """Write a trial per seed with its accuracies by epoch and horizon, and open them."""
    epochs = {epoch: {"ic": value} for epoch, value in enumerate(ic)}
    trials = [probed_trial({"seed": s}, horizons=own, epochs=epochs) for s, own in enumerate(horizons)]
    write_rows(path / "r", trials, varied=())
    return open_results(path / "r")


@pytest.mark.parametrize(
    ("accuracies", "needed"),
    [
        ((0.5, 0.89, 0.90, 0.90), 2),
        ((0.5, 0.95, 0.88, 0.90), 4),
        ((0.95, 0.93, 0.91, 0.90), 1),
        ((0.1, 0.1, 0.1, 0.1), 1),
        ((0.1, 0.2, 0.3, 0.9), 4),
    ],
)
def test_needed_is_the_first_t_from_which_nothing_is_lacking(
    tmp_path: Path, accuracies: tuple[float, ...], needed: int
) -> None:
    """A point below that at T is within tolerance, a later dip is not forgiven, and more than at T is no lack."""
    found = needed_by_trial(opened(tmp_path, {3: accuracies}).horizons).collect()

    assert [(3, needed, accuracies[-1])] == found.select("epoch", "needed", "accuracy").rows()


def test_curves_and_needed_timesteps_average_over_seeds(tmp_path: Path) -> None:
    """Two seeds that need 4 and 2 need 3 on average; a wider tolerance needs less."""
    results = opened(tmp_path, {3: LATE}, {3: EARLY})
    frames = (results.horizons, results.trials, results.settings)
    row = needed_timesteps(*frames).collect().row(0, named=True)
    curve = horizon_curves(*frames).collect()

    assert (3, 2, 3.0, 1.0, 0.7) == pytest.approx(
        tuple(row[c] for c in ("epoch", "n", "needed", "needed_se", "accuracy"))
    )
    assert pytest.approx([0.1, 0.55, 0.6, 0.7]) == curve["accuracy"].to_list()
    assert 1.0 == needed_timesteps(*frames, tolerance=0.9).collect()["needed"].item()


def test_needed_before_and_after_the_transition(tmp_path: Path) -> None:
    """Epochs 1 to 3 are before, 4 to 6 after; the untrained network is neither."""
    horizons = {0: EARLY, 1: LATE, 3: LATE, 4: EARLY, 6: EARLY}
    results = opened(tmp_path, horizons, horizons)
    found = needed_around(results, results.settings).collect()

    assert [("before", 2, 4.0), ("after", 2, 2.0)] == found.select("phase", "n", "needed").rows()
    texts = horizon_texts(results)
    assert texts is not None
    assert ["demo", "2", "0.500", "0.900"] == [text for text in texts.rows[0] if isinstance(text, str)]


def test_trials_that_have_not_turned_have_no_phases(tmp_path: Path) -> None:
    """Nothing is said of before and after what has not come."""
    results = opened(tmp_path, {1: LATE, 6: EARLY}, ic=(2.5, 3.5, 3.5, 3.5, 3.5, 3.5, 3.5))

    assert needed_around(results, results.settings).collect().is_empty()
    assert horizon_texts(results) is None


def test_telling_epochs_are_first_highest_turned_and_last() -> None:
    """Epochs that are two things say both; what is unknown is left out."""
    ic = {0: 2.0, 2: 5.0, 4: 3.0, 8: 1.0}

    assert {0: ["first"], 2: ["IC highest"], 4: ["IC has turned"], 8: ["last"]} == telling_epochs([8, 4, 2, 0], ic, 2.5)
    assert {2: ["first", "IC highest"], 4: ["IC has turned", "last"]} == telling_epochs([2, 4], ic, 2.5)
    assert {1: ["first"], 3: ["last"]} == telling_epochs([1, 3], {}, None)
    nearly = {1: 4.0, 2: 5.0, 3: 5.0 + 4e-15}
    assert {1: ["first"], 2: ["IC highest"], 3: ["last"]} == telling_epochs([1, 2, 3], nearly, None)


def test_figure_draws_telling_epochs_and_marks_what_is_needed(tmp_path: Path) -> None:
    """At epoch 1 all four timesteps are needed, at epoch 6 two; the marks lie on the lines."""
    horizons = {0: (0.1,) * 4, 1: LATE, 4: EARLY, 6: EARLY}
    figure: Any = plot_horizons(opened(tmp_path, horizons, horizons))
    means, marks = ([t for t in figure.data if t.meta["role"] == role] for role in ("mean", "needed"))

    assert ["epoch 0 (first)", "epoch 1 (IC highest)", "epoch 4 (IC has turned)", "epoch 6 (last)"] == [
        t.name for t in means
    ]
    assert list(LATE) == pytest.approx(list(means[1].y))
    assert [(1.0, 0.1), (4.0, 0.5), (2.0, 0.9), (2.0, 0.9)] == [(t.x[0], pytest.approx(t.y[0])) for t in marks]
    assert "2.0 timesteps needed (95 % interval" in marks[3].hovertemplate
