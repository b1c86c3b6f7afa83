"""Pruning: the formula's saving, accuracies by sparsity, and the claims on both."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store.fabricated import TURNING, write_rows, write_sweep
from store.fabricated_pruning import LAYERS, PRUNED, pruning_trial

from analysis import Results, open_results
from analysis.claims import check_claims
from analysis.plot_pruning import accuracy_by_sparsity, layer_map, percent_text, savings
from analysis.pruning import information_ends, layer_sparsities, pruning_table
from analysis.report import render_report
from analysis.report_pruning import pruning_texts

SUGGESTED = ("pruning.suggest",)


def written(path: Path, *trials: Any, varied: tuple[str, ...] = PRUNED) -> Results:
    """Write trials and open them."""
    write_rows(path / "r", trials, varied=varied)
    return open_results(path / "r")


def retrained(losses: dict[int, float], *, seeds: int = 3, **values: Any) -> list[Any]:
    """Return trials by T_retrain (0 is T) that end so much below 0.9, on every seed."""
    return [
        pruning_trial({"pruning.timesteps": t, "seed": seed}, 0.9 - loss, **values)
        for t, loss in losses.items()
        for seed in range(seeds)
    ]


def verdicts(results: Results, claim: str) -> dict[str, dict[str, Any]]:
    """Return the verdicts on a claim by where they hold."""
    rows = check_claims(results).filter(pl.col("claim") == claim).to_dicts()
    return {row["where"]: row for row in rows}


def test_the_papers_example_saves_a_fifth(tmp_path: Path) -> None:
    """N = 300, T = 5, R = 5, N_retrain = 60 and T_retrain = 3: 20 %, predicted and counted."""
    table = pruning_table(written(tmp_path, *retrained({0: 0.0, 3: 0.0})))
    last = table.filter(pl.col("cycle") == 5, pl.col("retrain_timesteps") == 3).row(0, named=True)

    assert (0.2, 0.2, 0.2) == (last["predicted"], pytest.approx(last["counted"]), pytest.approx(last["measured"]))
    assert (3, 3, 3) == (last["n"], last["n_pairs"], last["n_clocked"])
    assert (0.96875, 5, 3.0) == (last["sparsity"], last["timesteps"], last["suggested_timesteps"])


def test_table_has_accuracy_at_both_horizons_with_intervals(tmp_path: Path) -> None:
    """Accuracies 0.9, 0.8 and 0.7 have mean 0.8 and standard error 0.0577; at T they are a point lower here."""
    trials = [pruning_trial({"seed": seed}, accuracy) for seed, accuracy in enumerate((0.9, 0.8, 0.7))]
    row = pruning_table(written(tmp_path, *trials, varied=())).row(1, named=True)

    assert (1, 3, pytest.approx(0.8), pytest.approx(0.79)) == (
        row["cycle"], row["n"], row["test_acc"], row["test_acc_full"],
    )  # fmt: skip
    assert (pytest.approx(0.8 - 4.3027 * 0.057735, abs=1e-4), 1.0) == (row["test_acc_low"], row["test_acc_high"])


def test_a_trial_that_chose_its_timesteps_counts_with_those_that_were_told(tmp_path: Path) -> None:
    """Seeds 0 and 1 were told 3, seeds 1 and 2 chose it: three seeds, since 1 is the same trial twice."""
    told = [pruning_trial({"seed": seed, "pruning.timesteps": 3}, 0.8) for seed in (0, 1)]
    chose = [pruning_trial({"seed": s, "pruning.suggest": True}, 0.8, retrain_timesteps=3) for s in (1, 2)]
    table = pruning_table(written(tmp_path, *told, *chose, varied=(*PRUNED, *SUGGESTED)))

    assert {(3, 3)} == set(table.select("retrain_timesteps", "n").iter_rows())


def test_time_is_compared_on_one_machine(tmp_path: Path) -> None:
    """A pair on two machines counts its timesteps and not its seconds."""
    elsewhere = pruning_trial({"pruning.timesteps": 3}, 0.9, host="b")
    row = pruning_table(written(tmp_path, pruning_trial({}, 0.9), elsewhere)).row(5, named=True)

    assert (1, pytest.approx(0.2), 0, None) == (row["n_pairs"], row["counted"], row["n_clocked"], row["measured"])


def test_trials_that_failed_or_run_are_left_out(tmp_path: Path) -> None:
    """Only what finished is averaged."""
    failed = pruning_trial({"pruning.timesteps": 3, "seed": 9}, 0.1, status="failed")
    running = pruning_trial({"pruning.timesteps": 3, "seed": 8}, [0.1], status="running")
    table = pruning_table(written(tmp_path, *retrained({0: 0.0, 3: 0.0}), failed, running))

    assert {3} == set(table["n"])
    assert [0.9] == table["test_acc"].unique().round(12).to_list()


def test_the_informations_end_is_the_median_over_seeds(tmp_path: Path) -> None:
    """Suggestions of 2, 3 and 3 have median 3, however many trials each seed has."""
    trials = [
        pruning_trial({"seed": seed, "pruning.timesteps": t}, 0.9, suggested=end)
        for seed, end, given in ((0, 2, (0, 2, 3, 4)), (1, 3, (0,)), (2, 3, (0,)))
        for t in given
    ]

    assert [3.0] == information_ends(written(tmp_path, *trials)).collect()["suggested_timesteps"].to_list()


def test_F7_passes_where_the_paper_is_right(tmp_path: Path) -> None:
    """From the end, 3, on accuracy is kept within 0.2 points; below it 5 points are lost; the clock agrees."""
    results = written(tmp_path, *retrained({0: 0.0, 2: 0.05, 3: 0.002, 4: 0.0}))
    kept, lost, saved = (verdicts(results, claim) for claim in ("F7a", "F7b", "F7c"))

    assert {"T_retrain 3": ("PASS", pytest.approx(-0.2)), "T_retrain 4": ("PASS", 0.0)} == {
        where: (row["verdict"], row["statistic"]) for where, row in kept.items()
    }
    assert [("T_retrain 2", "PASS", pytest.approx(5.0))] == [(w, r["verdict"], r["statistic"]) for w, r in lost.items()]
    assert {"T_retrain 2": "PASS", "T_retrain 3": "PASS", "T_retrain 4": "PASS"} == {
        where: row["verdict"] for where, row in saved.items()
    }
    assert "the information ends at 3 of T = 5" in kept["T_retrain 3"]["explanation"]
    assert "measured 20.0 %, counted 20.0 %, predicted 20.0 %" in saved["T_retrain 3"]["explanation"].replace("M", "m")


def test_F7_fails_where_it_is_wrong(tmp_path: Path) -> None:
    """Losing 5 points from the end on, nothing below it, and 20 points of time less than predicted."""
    trials = retrained({0: 0.0}) + retrained({2: 0.0, 3: 0.05}, overhead=0.25)
    results = written(tmp_path, *trials)

    for claim, where in (("F7a", "T_retrain 3"), ("F7b", "T_retrain 2"), ("F7c", "T_retrain 3")):
        assert "FAIL" == verdicts(results, claim)[where]["verdict"]
    assert pytest.approx(-20.0) == verdicts(results, "F7c")["T_retrain 3"]["statistic"]


def test_F7_is_undecided_where_seeds_disagree_or_lack(tmp_path: Path) -> None:
    """Differences of 0 and 4 points say neither; one pair says nothing."""
    spread = [pruning_trial({"pruning.timesteps": 3, "seed": seed}, 0.9 - 0.04 * seed) for seed in (0, 1)]
    single = pruning_trial({"pruning.timesteps": 4}, 0.9)
    found = verdicts(written(tmp_path, *retrained({0: 0.0}), *spread, single), "F7a")

    assert ("UNDECIDED", 2) == (found["T_retrain 3"]["verdict"], found["T_retrain 3"]["n"])
    assert "1 paired seed: an interval needs at least two." == found["T_retrain 4"]["explanation"]


def test_F7_says_what_it_lacks(tmp_path: Path) -> None:
    """No T_retrain below the end, no suggestion at all, and no trial retrained with T are told, not passed over."""
    above = written(tmp_path / "a", *retrained({0: 0.0, 3: 0.0}))
    unknown = written(tmp_path / "b", *retrained({0: 0.0, 3: 0.0}, suggested=None))
    alone = written(tmp_path / "c", *retrained({3: 0.0}), varied=())

    assert "No T_retrain < 5 lies below the information's end, 3." == verdicts(above, "F7b")[""]["explanation"]
    assert "The Fisher trace was not measured" in verdicts(unknown, "F7a")[""]["explanation"]
    assert "No paired seeds" in verdicts(alone, "F7a")["T_retrain 3"]["explanation"]


def test_F7_in_each_context_and_only_where_T_retrain_is_less(tmp_path: Path) -> None:
    """Every network has its verdicts; a sweep that retrains with T, or prunes nothing, has none."""
    trials = [
        pruning_trial({"model.name": name, "pruning.timesteps": t, "seed": seed}, 0.9)
        for name in ("resnet19", "vgg16")
        for t in (0, 3)
        for seed in (0, 1)
    ]
    found = verdicts(written(tmp_path / "a", *trials, varied=("model.name", *PRUNED)), "F7a")
    whole = written(tmp_path / "b", *retrained({0: 0.0}), varied=())
    write_sweep(tmp_path / "c", [({}, "finished", TURNING)])

    assert ["network resnet19, T_retrain 3", "network vgg16, T_retrain 3"] == list(found)
    for results in (whole, open_results(tmp_path / "c")):
        assert not check_claims(results)["claim"].str.starts_with("F7").any()


@pytest.mark.parametrize(
    ("sparsity", "text"), [(0.0, "0"), (0.5, "50"), (0.875, "87.5"), (0.9375, "93.75"), (0.96875, "96.9"), (0.9, "90")]
)
def test_sparsities_are_written_as_in_the_paper(sparsity: float, text: str) -> None:
    """As many digits as it takes, up to two, else one."""
    assert text == percent_text(sparsity)


def test_figures_hold_the_numbers(tmp_path: Path) -> None:
    """A line per T_retrain over the five sparsities, savings of 30 and 20 %, a map of three layers and five cycles."""
    results = written(tmp_path, *retrained({0: 0.0, 2: 0.05, 3: 0.0}))
    lines, saved, layers = accuracy_by_sparsity(results), savings(results), layer_map(results)

    assert ["2", "3", "5"] == [trace.name for trace in lines.data]
    assert ("50", "75", "87.5", "93.75", "96.9") == lines.layout.xaxis.ticktext
    assert pytest.approx([0.85] * 5) == list(lines.data[0].y)
    assert [(30.0, 20.0), (30.0, 20.0)] == [tuple(round(y, 9) for y in trace.y) for trace in saved.data]
    assert (LAYERS, 5) == (tuple(layers.data[0].y), len(layers.data[0].x))
    assert pytest.approx(100 * 0.96875) == layers.data[0].z[-1][-1]


def test_layers_keep_the_networks_order(tmp_path: Path) -> None:
    """From the input to the output, not by name."""
    table = layer_sparsities(written(tmp_path, *retrained({0: 0.0}), varied=()))

    assert list(LAYERS) == table.filter(pl.col("cycle") == 3)["layer"].to_list()


def test_nothing_is_shown_until_a_trial_has_finished(tmp_path: Path) -> None:
    """A cycle of a running trial makes no figure and no table, and no error either."""
    results = written(tmp_path, pruning_trial({"pruning.timesteps": 3}, [0.9], status="running"))

    assert [(), (), ()] == [draw(results).data for draw in (accuracy_by_sparsity, savings, layer_map)]
    assert pruning_texts(results) is None
    assert {} == verdicts(results, "F7a")


def test_report_has_the_sections(tmp_path: Path) -> None:
    """The page shows the three figures, the table and the verdicts."""
    results = written(tmp_path, *retrained({0: 0.0, 2: 0.05, 3: 0.0}))
    page = render_report(results)

    assert all(f'id="{name}-data"' in page for name in ("pruning", "savings", "pruned-layers"))
    assert "F7c · T_retrain 3" in page
    assert "Test accuracy by sparsity, and the training time saved, predicted and measured" in page


def test_report_table_is_sparsity_by_retraining(tmp_path: Path) -> None:
    """A row per T_retrain, a column per sparsity, and the savings at the end."""
    texts = pruning_texts(written(tmp_path, *retrained({0: 0.0, 3: 0.0}), varied=PRUNED))

    assert texts is not None
    assert [
        "T_retrain",
        "seeds",
        "0 %",
        "50 %",
        "75 %",
        "87.5 %",
        "93.75 %",
        "96.9 %",
        "predicted",
        "measured",
    ] == list(texts.heads)
    shown = [[getattr(cell, "text", cell) for cell in row] for row in texts.rows]
    assert [["3", "20.0 %", "20.0 %"], ["5 (T)", "–", "–"]] == [[row[0], *row[-2:]] for row in shown]
