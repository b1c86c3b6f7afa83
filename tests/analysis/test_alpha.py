"""Traces, losses and accuracies by α."""

from pathlib import Path
from typing import Any

import pytest
from store.fabricated import write_rows
from store.fabricated_probes import alpha, probed_trial

from analysis import Results, open_results
from analysis.alpha import alpha_contexts, alphas_of, fisher_over_t, ranks_of
from analysis.plot_alpha import plot_alpha

VARIED = ("data.name", "loss.name", "loss.alpha")


def results_of(path: Path, *, names: tuple[str, ...] = ("digits",)) -> Results:
    """Return α of 0.001 and 0.1 with two seeds each, whose traces differ tenfold, and one trial of cross-entropy."""
    trials = [
        probed_trial(
            alpha(a, s, data__name=name),
            traces={0: (5.0, 5.0), 9: (scale * a, scale * a / 10)},
            epochs={0: {}, 1: {"train_loss_over_t": 1.0, "val_acc": 0.5}, 9: {"train_loss_over_t": 1.2 * a}},
        )
        for name in names
        for a in (0.001, 0.1)
        for s, scale in ((0, 1.0), (1, 100.0))
    ]
    write_rows(path / "r", [*trials, probed_trial({}, traces={9: (7.0, 7.0)})], varied=VARIED)
    return open_results(path / "r")


def test_cross_entropy_has_no_alpha(tmp_path: Path) -> None:
    """Its column says 0, and it is not compared."""
    results = results_of(tmp_path, names=("digits", "svhn"))

    assert [0.001, 0.1] == alphas_of(results)
    assert ("data.name",) == alpha_contexts(results)


def test_ranks_name_ends_and_a_single_middle() -> None:
    """One value alone is neither low nor high."""
    assert {} == ranks_of([0.1])
    assert {0.1: "low", 0.2: "high"} == ranks_of([0.1, 0.2])
    assert {1: "low", 2: "intermediate", 3: "high"} == ranks_of([1, 2, 3])
    assert {1: "low", 4: "high"} == ranks_of([1, 2, 3, 4])


def test_trace_is_the_geometric_mean_after_the_last_epoch(tmp_path: Path) -> None:
    """Of a and 100·a the geometric mean is 10·a; the standard error is a decade."""
    results = results_of(tmp_path)
    found = fisher_over_t(results.fisher, results.trials, ["loss.name", "loss.alpha"]).collect()
    first = found.row(0, named=True)

    assert [("alpha", 0.001, 9, 1), ("alpha", 0.001, 9, 2)] == found.select(
        "loss.name", "loss.alpha", "epoch", "t"
    ).rows()[:2]
    assert (0.01, 0.001, 0.1) == pytest.approx((
        first["fisher_trace"],
        first["fisher_trace_low"],
        first["fisher_trace_high"],
    ))


def test_figure_has_three_panels_and_dotted_lines_at_alpha(tmp_path: Path) -> None:
    """Trace, loss and accuracy of each α in the same colour, and nothing of cross-entropy."""
    figure: Any = plot_alpha(results_of(tmp_path))
    means = [trace for trace in figure.data if trace.meta["role"] == "mean"]
    guides = [trace for trace in figure.data if trace.meta["role"] == "guide"]

    assert ["0.001"] * 3 + ["0.1"] * 3 == [trace.name for trace in means]
    assert ["0.001", "0.1"] == [trace.name for trace in means if trace.showlegend]
    assert ([0.01, 0.001], [1, 2]) == (pytest.approx(list(means[0].y)), list(means[0].x))
    assert ([1.0, 0.0012], [1, 9]) == (pytest.approx(list(means[1].y)), list(means[1].x))
    assert [[0.001] * 2, [0.1] * 2] == [list(trace.y) for trace in guides]
    assert means[1].line.color == guides[0].line.color
    assert ("log", "log", None) == (figure.layout.yaxis.type, figure.layout.yaxis2.type, figure.layout.yaxis3.type)


def test_menu_holds_the_contexts(tmp_path: Path) -> None:
    """One data set is shown at a time."""
    figure: Any = plot_alpha(results_of(tmp_path, names=("digits", "svhn")))

    assert ["data set digits", "data set svhn"] == [b.label for b in figure.layout.updatemenus[0].buttons]
    assert len(figure.data) == 2 * sum(trace.visible for trace in figure.data)
