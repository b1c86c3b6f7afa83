"""What noise in a window costs, from accuracies that can be checked by hand."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store.fabricated import write_rows
from store.fabricated_probes import probed_trial

from analysis import open_results
from analysis.deficits import deficit_curves, relative_accuracies
from analysis.plot_deficits import PANELS, plot_deficits

T12 = 12.7062
"""97.5 % quantile of Student's t with one degree of freedom."""


def curves(path: Path, *trials: Any) -> pl.DataFrame:
    """Return the curves of one setting."""
    write_rows(path / "r", trials, varied=())
    results = open_results(path / "r")
    return deficit_curves(results.deficits, results.trials, results.settings).collect()


def test_accuracy_is_relative_to_the_last_window(tmp_path: Path) -> None:
    """0.5 and 0.6 against 0.8 are -30 and -20 points; the last window itself is 0."""
    write_rows(tmp_path / "r", [probed_trial({}, deficits={5: (0.5, 0.6, 0.8)})])
    found = relative_accuracies(open_results(tmp_path / "r").deficits).sort("first").collect()

    assert [-30.0, -20.0, 0.0] == pytest.approx(found["relative"].to_list())
    assert [(1, 3), (2, 4), (3, 5)] == found.select("first", "last").rows()


def test_curves_average_differences_over_seeds(tmp_path: Path) -> None:
    """-30 and -10 points have mean -20, standard error 10 and a Student-t interval of 12.7 standard errors."""
    trials = [probed_trial({"seed": s}, deficits={5: (0.8 - d, 0.8)}) for s, d in ((0, 0.3), (1, 0.1))]
    first = curves(tmp_path, *trials).row(0, named=True)

    assert (5, 1, 3, 2) == tuple(first[name] for name in ("epoch", "first", "last", "n"))
    assert (-20.0, 10.0) == pytest.approx((first["relative"], first["relative_se"]))
    assert (-20 - 10 * T12, -20 + 10 * T12) == pytest.approx((first["relative_low"], first["relative_high"]), rel=1e-5)
    assert (0.6, 0.0, 1.0, 0.9) == pytest.approx(
        tuple(first[name] for name in ("accuracy", "accuracy_low", "accuracy_high", "clean_accuracy"))
    )


def test_failed_trials_and_epochs_that_one_seed_lacks_are_left_out(tmp_path: Path) -> None:
    """A trial that broke off does not count; an epoch that only one seed reached is no mean of both."""
    found = curves(
        tmp_path,
        probed_trial({"seed": 0}, deficits={1: (0.5, 0.5), 5: (0.5, 0.8)}),
        probed_trial({"seed": 1}, deficits={5: (0.5, 0.8)}),
        probed_trial({"seed": 2}, deficits={5: (0.1, 0.9)}, status="diverged"),
    )

    assert [(5, 1, 2), (5, 2, 2)] == found.select("epoch", "first", "n").rows()


def test_one_seed_has_no_interval(tmp_path: Path) -> None:
    """A single seed is drawn, without a spread."""
    row = curves(tmp_path, probed_trial({}, deficits={5: (0.5, 0.8)})).row(0, named=True)

    assert (None, None, None) == (row["relative_se"], row["relative_low"], row["relative_high"])


def test_figure_has_a_line_per_epoch_and_a_panel_per_setting(tmp_path: Path) -> None:
    """Epochs share their colour over panels and stand in the legend once; of more than six settings six are drawn."""
    deficits = {1: (0.5, 0.5), 5: (0.5, 0.8), 20: (0.4, 0.9)}
    rates = [0.01 * (i + 1) for i in range(PANELS + 2)]
    trials = [probed_trial({"optimiser.lr": lr}, deficits=deficits) for lr in rates]
    write_rows(tmp_path / "r", trials, varied=("optimiser.lr",))
    figure: Any = plot_deficits(open_results(tmp_path / "r"))
    means = [trace for trace in figure.data if trace.meta["role"] == "mean"]

    assert 3 * PANELS == len(means)
    assert ["1", "5", "20"] == [trace.name for trace in means if trace.showlegend]
    assert 3 == len({trace.line.color for trace in means})
    assert [0.0, 0.0] == list(means[0].y)
    assert [-50.0, 0.0] == pytest.approx(list(means[2].y))
    texts = [note.text for note in figure.layout.annotations]
    assert ["learning rate 0.01", "2 more settings are not drawn"] == [texts[0], texts[-1]]
    assert "unknown" == means[0].customdata[0][1]
