"""Figures 2, 5 and 7, Table 1, capacity, horizons and the toys hold the numbers of the report's verbs."""

import csv
import io
from pathlib import Path

import pytest
from drawn import band, drawings_of, lines, panels, reaches, titles
from store.fabricated import DETACHED, FULL, write_rows, write_toys
from store.fabricated_probes import alpha, probed_trial
from store.fabricated_pruning import PRUNED, capacity_trial, pruning_trial

from analysis import Results, open_results
from analysis.figures.table1 import escaped

T95 = 12.706204736
"""Student's t of 95 % for two values."""


def opened(path: Path, trials: object, varied: tuple[str, ...]) -> Results:
    """Write trials and open them."""
    write_rows(path / "r", trials, varied=varied)  # type: ignore[arg-type]
    return open_results(path / "r")


def test_fig2_draws_the_accuracy_relative_to_the_last_window(tmp_path: Path) -> None:
    """Seeds lose 30 and 20, 20 and 10 points against the last window: 25 ± 5 and 15 ± 5."""
    trials = [
        probed_trial({"seed": 0}, deficits={5: (0.5, 0.6, 0.8)}),
        probed_trial({"seed": 1}, deficits={5: (0.6, 0.7, 0.8)}),
    ]
    (drawing,) = drawings_of(opened(tmp_path, trials, ()), "fig2")
    (panel,) = panels(drawing)
    low, high = band(panel)

    assert ([1, 2, 3], pytest.approx([-25, -15, 0])) == lines(panel)["5"]
    assert (pytest.approx([-30, -20, 0]), pytest.approx([-20, -10, 0])) == (low, high)
    assert ("first noisy timestep $t$", "relative accuracy (points)") == titles(panel)
    assert "noise in 3 timesteps from t on" in drawing.caption
    assert "bands are ± one standard error" in drawing.caption


def test_fig5_draws_the_trace_the_loss_and_the_accuracy(tmp_path: Path) -> None:
    """Traces are averaged geometrically: 1 and 4 give 2; losses and accuracies plainly."""
    trials = [
        probed_trial(
            alpha(a, seed),
            traces={5: (1.0 + 3 * seed, 4.0)},
            epochs={e: {"train_loss_over_t": a + 0.2 * seed, "val_acc": 0.5 + 0.1 * seed} for e in (1, 5)},
        )
        for a in (0.01, 0.1)
        for seed in (0, 1)
    ]
    (drawing,) = drawings_of(opened(tmp_path, trials, ("loss.name", "loss.alpha")), "fig5")
    trace, loss, accuracy = panels(drawing)

    assert ([1, 2], pytest.approx([2.0, 4.0])) == lines(trace)["α = 0.1"]
    assert ([1, 5], pytest.approx([0.2, 0.2])) == lines(loss)["α = 0.1"]
    assert ([1, 5], pytest.approx([0.55, 0.55])) == lines(accuracy)["α = 0.01"]
    assert (pytest.approx([0.5, 0.5]), pytest.approx([0.6, 0.6])) == band(accuracy)
    assert ("timestep $t$", "Fisher trace $I_t$") == titles(trace)
    assert ("epoch", "training loss (nats)") == titles(loss)
    assert ("epoch", "accuracy (fraction)") == titles(accuracy)
    assert ("log", "log", "linear") == tuple(panel.get_yscale() for panel in (trace, loss, accuracy))


@pytest.fixture
def attacked(tmp_path: Path) -> Results:
    """Three α on SVHN; at the lowest, FGSM takes 0.9 down to 0.5 and 0.6, at the others to 0.4."""
    found = {1e-4: (0.5, 0.6), 1e-2: (0.4, 0.4), 7e-2: (0.4, 0.4)}
    trials = [
        probed_trial(alpha(a, s, data__name="svhn"), robustness={5: {"fgsm": {1.0: acc}}})
        for a, both in found.items()
        for s, acc in enumerate(both)
    ]
    return opened(tmp_path, trials, ("loss.name", "loss.alpha"))


def test_table1_draws_the_drops_with_their_intervals_beside_the_papers(attacked: Results) -> None:
    """A mean drop of 35 points, Student's 95 % interval of two seeds 5 points from it, the paper's −4.34 hollow."""
    (drawing,) = drawings_of(attacked, "table1")
    (panel,) = panels(drawing)
    low = next(line for line in panel.get_lines() if line.get_label() == "α = 0.0001")
    papers = [line for line in panel.get_lines() if line.get_label() == "_paper"]

    assert [pytest.approx(-35)] == list(low.get_ydata())
    assert pytest.approx((-35 - 5 * T95, -35 + 5 * T95)) == reaches(panel)[0]
    assert [-4.34, -18.08, -40.52] == [line.get_ydata()[0] for line in papers]  # type: ignore[index]
    assert {"white"} == {line.get_markerfacecolor() for line in papers}
    assert "change of accuracy (points)" == panel.get_ylabel()
    assert "Hollow marks are the paper's" in drawing.caption


def test_table1_is_a_latex_table_and_csv(attacked: Results) -> None:
    """Numbers, intervals and the paper's row; every row of the table has as many cells; CSV reads back."""
    (drawing,) = drawings_of(attacked, "table1")
    text = drawing.texts["tex"]
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    (first, *_) = csv.DictReader(io.StringIO(drawing.texts["csv"]))

    assert r"$\alpha$ = 0.0001 & 90.0 & -- & -- & 55.0 ($-35.0$) & -- \\" in rows
    assert r"{\scriptsize $[-98.5,\,28.5]$}" in text
    assert r"\textit{paper, low $\alpha$ = 0.0001} & 96.03" in text
    assert r"\textit{91.69} ($-4.34$)" in text
    assert {5} == {row.replace(r"\&", "").count("&") for row in rows}
    assert [r"\toprule", r"\midrule", r"\bottomrule"] == [line for line in text.splitlines() if line.endswith("rule")]
    assert ("svhn", "fgsm", "-4.34") == (first["data.name"], first["corruption"], first["paper_drop"])
    assert pytest.approx(-35) == float(first["drop"])


def test_latex_signs_are_escaped() -> None:
    """What LaTeX would read as its own is written as text."""
    assert r"fashion\_mnist, 5\,\% \& $\alpha$".replace(r"\,", " ") == escaped("fashion_mnist, 5 % & α")


@pytest.fixture
def pruned(tmp_path: Path) -> Results:
    """T_retrain 5 and 3 with two seeds: accuracies 0.8 and 0.9, and half the predicted saving on the clock."""
    trials = [
        pruning_trial({"pruning.timesteps": t, "seed": s}, 0.8 + 0.1 * s, overhead=0.0) for t in (0, 3) for s in (0, 1)
    ]
    return opened(tmp_path, trials, PRUNED)


def test_fig7_draws_accuracy_against_sparsity(pruned: Results) -> None:
    """Five cycles of halving, means of 0.85, the interval ending at 0 and 1; set aside by the same for all points."""
    (drawing,) = drawings_of(pruned, "fig7")
    (panel,) = panels(drawing)
    three, five = lines(panel)["3"], lines(panel)["5"]

    assert [pytest.approx(0.85)] * 5 == three[1] == five[1]
    assert [pytest.approx(0.06)] * 5 == [b - a for a, b in zip(three[0], five[0], strict=True)]
    assert pytest.approx((0.85 - 0.05 * T95, 1.0)) == reaches(panel)[0]
    assert ["50", "75", "87.5", "93.75", "96.9"] == [label.get_text() for label in panel.get_xticklabels()]
    assert ("sparsity (%)", "test accuracy (fraction)") == titles(panel)


def test_savings_draws_the_prediction_and_the_clock(pruned: Results) -> None:
    """N = 300, T = 5, five cycles of 60 epochs with 3 timesteps: 20 %."""
    (panel,) = panels(drawings_of(pruned, "savings")[0])

    assert ([3], pytest.approx([20.0])) == lines(panel)["predicted"]
    assert ([3], pytest.approx([20.0])) == lines(panel)["measured"]
    assert (r"$T_\mathrm{retrain}$ (timesteps)", "training time saved (%)") == titles(panel)


def test_capacity_draws_accuracy_against_t_and_saturation(tmp_path: Path) -> None:
    """AlexNet is within a point of its best from T = 2 on, ResNet19 from T = 4."""
    found = {"alexnet": {1: 0.5, 2: 0.8, 4: 0.805}, "resnet19": {1: 0.5, 2: 0.8, 4: 0.9}}
    trials = [
        capacity_trial(name, t, seed, acc, parameters=10)
        for name, own in found.items()
        for t, acc in own.items()
        for seed in (0, 1)
    ]
    (panel,) = panels(drawings_of(opened(tmp_path, trials, ("model.name", "timesteps")), "capacity")[0])
    diamonds = [line.get_xydata().tolist() for line in panel.get_lines() if line.get_marker() == "D"]  # type: ignore[union-attr]

    assert ([1, 2, 4], pytest.approx([0.5, 0.8, 0.805])) == lines(panel)["AlexNet"]
    assert [[[2.0, pytest.approx(0.8)]], [[4.0, pytest.approx(0.9)]]] == diamonds
    assert ("timesteps $T$", "test accuracy (fraction)") == titles(panel)


def test_horizons_draws_accuracy_by_t_and_the_timesteps_needed(tmp_path: Path) -> None:
    """0.8 is reached at t = 3; at epoch 0 chance is all there is, and one timestep is enough."""
    trials = [
        probed_trial(
            {"seed": s}, horizons={0: (0.1,) * 4, 5: (0.1, 0.2 + 0.2 * s, 0.8, 0.8)},
            epochs={0: {"ic": 2.5}, 5: {"ic": 2.0}},
        )
        for s in (0, 1)
    ]  # fmt: skip
    (drawing,) = drawings_of(opened(tmp_path, trials, ()), "horizons")
    (panel,) = panels(drawing)
    diamonds = [line.get_xydata().tolist() for line in panel.get_lines() if line.get_marker() == "D"]  # type: ignore[union-attr]

    assert ([1, 2, 3, 4], pytest.approx([0.1, 0.3, 0.8, 0.8])) == lines(panel)["last"]
    assert (pytest.approx([0.1, 0.2, 0.8, 0.8]), pytest.approx([0.1, 0.4, 0.8, 0.8])) == band(panel, 1)
    assert [[[1.0, pytest.approx(0.1)]], [[3.0, pytest.approx(0.8)]]] == diamonds
    assert ("horizon $t$ (timesteps)", "validation accuracy") == titles(panel)
    assert "(0, 5)" in drawing.caption


def test_reset_draws_the_solved_share_by_learning_rate(tmp_path: Path) -> None:
    """Half of two problems at 0.1, with Wilson's 95 % interval 9.5 % to 90.5 %."""
    solved = {0.1: (True, False), 1.0: (True, True)}
    write_toys(tmp_path / "r", [(DETACHED, solved), (FULL, {0.1: (False, False), 1.0: (True, True)})])
    (drawing,) = drawings_of(open_results(tmp_path / "r"), "reset")
    (panel,) = panels(drawing)
    low, high = band(panel)

    assert ([0.1, 1.0], [0.5, 1.0]) == lines(panel)["detached"]
    assert ([0.1, 1.0], [0.0, 1.0]) == lines(panel)["full"]
    assert (pytest.approx(0.0945, abs=1e-3), pytest.approx(0.9055, abs=1e-3)) == (low[0], high[0])
    assert ("learning rate", "share of problems solved") == titles(panel)
    assert "detached 0.75, full 0.50" in drawing.caption
