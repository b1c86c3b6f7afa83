"""Robustness from accuracies that can be checked by hand, and the paper's Table 1 beside it."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store.fabricated import write_rows
from store.fabricated_probes import alpha, probed_trial

from analysis import Results, open_results
from analysis.paper_table1 import beside_paper, paper_table1
from analysis.plot_robustness import plot_strengths
from analysis.probe_texts import robustness_texts
from analysis.robustness import CORRUPTIONS, robustness_table, strength_curves
from analysis.sections import Cell

FALLING = {0.5: 0.8, 1.0: 0.6, 2.0: 0.3}
VARIED = ("loss.name", "loss.alpha")


def all_corruptions(accuracy: float) -> dict[int, dict[str, dict[float, float]]]:
    """Return the same accuracy under each corruption, after epoch 5."""
    return {5: {corruption: {1.0: accuracy} for corruption in CORRUPTIONS}}


def opened(path: Path, trials: list[Any], varied: tuple[str, ...] = ()) -> Results:
    """Write trials and open them."""
    write_rows(path / "r", trials, varied=varied)
    return open_results(path / "r")


def by_alpha(path: Path, *alphas: float, name: str = "cifar10") -> Results:
    """Return two seeds per α, each losing 20 points under every corruption, and two of cross-entropy."""
    losses = [*(alpha(a, s) for a in alphas for s in (0, 1)), {"seed": 0}, {"seed": 1}]
    trials = [probed_trial(changes | {"data.name": name}, robustness=all_corruptions(0.7)) for changes in losses]
    return opened(path, trials, VARIED)


def test_drop_is_in_points_below_the_clean_accuracy(tmp_path: Path) -> None:
    """From 0.9 to 0.7 and to 0.5 are -20 and -40 points: -30 on average, ± 10 standard error."""
    trials = [
        probed_trial({"seed": 0}, robustness=all_corruptions(0.7)),
        probed_trial({"seed": 1}, robustness=all_corruptions(0.5)),
        probed_trial({"seed": 2}, robustness=all_corruptions(0.1), status="failed"),
    ]
    table = robustness_table(opened(tmp_path, trials)).collect()
    row = table.row(0, named=True)

    assert list(CORRUPTIONS) == table["corruption"].to_list()
    assert (2, 5, 0.9, 0.6, -30.0, 10.0) == pytest.approx(
        tuple(row[name] for name in ("n", "epoch", "clean_accuracy", "accuracy", "drop", "drop_se"))
    )
    assert -30 - 127.062 == pytest.approx(row["drop_low"], rel=1e-5)


def test_only_the_last_epoch_and_multiple_one_make_the_table(tmp_path: Path) -> None:
    """Other strengths are kept apart, earlier epochs left out."""
    trial = probed_trial({}, robustness={1: {"fgsm": {1.0: 0.2}}, 5: {"fgsm": FALLING}})
    results = opened(tmp_path, [trial])
    curves = strength_curves(results.robustness, results.trials, results.settings).collect()

    assert [(5, "fgsm", 0.6)] == robustness_table(results).select("epoch", "corruption", "accuracy").collect().rows()
    assert [(0.5, 0.8), (1.0, 0.6), (2.0, 0.3)] == curves.select("multiple", "accuracy").rows()
    assert pytest.approx([4 / 255, 8 / 255, 16 / 255]) == curves["strength"].to_list()


def test_papers_table_is_whole_and_its_discrepancies_are_known() -> None:
    """Of 36 printed drops, one is not the difference of the printed accuracies, and two miss it by rounding."""
    table = paper_table1().with_columns(
        off=(pl.col("paper_accuracy") - pl.col("paper_clean") - pl.col("paper_drop")).round(2)
    )
    where = ["data.name", "rank", "corruption"]

    assert (36, 36) == (table.height, table.select(where).n_unique())
    assert [
        ("svhn", "intermediate", "blur", 0.11),
        ("cifar100", "low", "pgd", -0.01),
        ("cifar100", "intermediate", "pgd", -0.01),
    ] == table.filter(pl.col("off") != 0).select(*where, "off").rows()


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        (("svhn", "high", "pgd"), (0.07, 95.91, 4.46, -91.45)),
        (("cifar10", "low", "gaussian"), (0.001, 92.04, 69.01, -23.03)),
        (("cifar100", "intermediate", "fgsm"), (0.001, 68.47, 43.39, -25.08)),
    ],
)
def test_papers_numbers(where: tuple[str, ...], numbers: tuple[float, ...]) -> None:
    """A few cells, one of each data set, as they are printed."""
    data, rank, corruption = where
    found = paper_table1().filter(pl.col("data.name") == data, rank=rank, corruption=corruption)

    assert [numbers] == found.select("paper_alpha", "paper_clean", "paper_accuracy", "paper_drop").rows()


def test_results_stand_beside_the_papers_by_rank_of_alpha(tmp_path: Path) -> None:
    """The ranks count, not the values of α; cross-entropy has no counterpart."""
    found = beside_paper(by_alpha(tmp_path, 0.02, 0.2, 2.0)).filter(pl.col("corruption") == "pgd").collect()

    assert [("alpha", 0.02, "low", 74.63), ("alpha", 0.2, "intermediate", 58.65), ("alpha", 2.0, "high", 32.58),
            ("cross_entropy", 0.0, None, None)] == found.select(
        "loss.name", "loss.alpha", "rank", "paper_accuracy").rows()  # fmt: skip


def test_only_ends_are_ranked_beyond_three_values_and_other_data_have_no_counterpart(tmp_path: Path) -> None:
    """Which of two values between the ends would be the intermediate one is nobody's to say."""
    four = beside_paper(by_alpha(tmp_path / "a", 0.01, 0.02, 0.2, 2.0)).filter(pl.col("corruption") == "pgd").collect()
    digits = beside_paper(by_alpha(tmp_path / "b", 0.01, 0.02, name="digits")).collect()

    assert ["low", None, None, "high", None] == four["rank"].to_list()
    assert {"low", "high", None} == set(digits["rank"])
    assert digits["paper_accuracy"].is_null().all()


def test_texts_have_the_shape_of_table_1(tmp_path: Path) -> None:
    """A row per loss; accuracy and drop in a cell, interval and the paper's below."""
    texts = robustness_texts(by_alpha(tmp_path, 0.001, 0.07))
    assert texts is not None
    low, high, usual = texts.rows

    assert ["setting", "seeds", "epoch", "clean", *CORRUPTIONS.values()] == texts.heads
    assert [Cell(text="α = 0.001", small="low α"), "2", "5", Cell(text="90.0", small="paper 92.04")] == list(low[:4])
    assert Cell(text="70.0 (−20.0)", small="−20.00 to −20.00\npaper 69.01 (−23.03)") == low[4]
    assert Cell(text="α = 0.07", small="high α") == high[0]
    assert Cell(text="cross-entropy") == usual[0]
    assert Cell(text="70.0 (−20.0)", small="−20.00 to −20.00") == usual[4]


def test_lines_begin_at_the_clean_accuracy(tmp_path: Path) -> None:
    """Attacks are told in steps of an 8-bit pixel, and a blur of factor 1 is none."""
    rows = {5: dict.fromkeys(CORRUPTIONS, FALLING)}
    trials = [
        probed_trial({"optimiser.lr": lr, "data.name": name}, robustness=rows)
        for name in ("digits", "svhn")
        for lr in (0.1, 0.3)
    ]
    figure: Any = plot_strengths(opened(tmp_path, trials, ("data.name", "optimiser.lr")))
    means = [trace for trace in figure.data if trace.meta["role"] == "mean" and trace.visible]
    by_panel = {trace.xaxis: list(trace.x) for trace in means}

    assert (8, ["0.1", "0.3"]) == (len(means), [trace.name for trace in means if trace.showlegend])
    assert [0.0, 0.25, 0.5, 1.0] == by_panel["x"]
    assert [1.0, 1.5, 2.0, 3.0] == by_panel["x2"]
    assert pytest.approx([0.0, 4.0, 8.0, 16.0]) == by_panel["x4"]
    assert [0.9, 0.8, 0.6, 0.3] == list(means[0].y)
    assert ["data set digits", "data set svhn"] == [b.label for b in figure.layout.updatemenus[0].buttons]
