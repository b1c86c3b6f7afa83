"""Sentences on noise, robustness, pruning and capacity say what the numbers are."""

from pathlib import Path

from store.fabricated import write_rows
from store.fabricated_delays import DELAYED, variants_of
from store.fabricated_layers import ic_trial
from store.fabricated_probes import alpha, probed_trial
from store.fabricated_pruning import PRUNED, capacity_trial, pruning_trial

from analysis import open_results
from analysis.claims import check_claims
from analysis.study_findings import LISTED, study_findings
from analysis.tables import finding


def test_noise_early_and_late_in_training(tmp_path: Path) -> None:
    """Noise in the first window costs the same as in the last at epoch 1, and 10 points more at epoch 9."""
    deficits = {0: (0.1, 0.1), 1: (0.5, 0.5), 5: (0.5, 0.6), 9: (0.7, 0.8)}
    write_rows(tmp_path / "r", [probed_trial({"seed": seed}, deficits=deficits) for seed in (0, 1)])

    assert study_findings(open_results(tmp_path / "r")) == [
        "Noise in the first window costs +0.0 after epoch 1 and +10.0 after epoch 9 (points, over noise in the last)."
    ]


def test_robustness_at_the_ends_of_alpha(tmp_path: Path) -> None:
    """From 0.9: blur leaves 0.8 and PGD 0.7 at the lowest, 0.6 and 0.1 at the highest."""
    left = {1e-3: (0.8, 0.7), 1e-2: (0.7, 0.5), 7e-2: (0.6, 0.1)}
    trials = [
        probed_trial(alpha(value), robustness={5: {"blur": {1.0: blur}, "pgd": {1.0: pgd}}})
        for value, (blur, pgd) in left.items()
    ]
    write_rows(tmp_path / "r", trials, varied=("loss.alpha",))

    assert study_findings(open_results(tmp_path / "r")) == [
        "In points of accuracy at α = 0.001 and at 0.07, blur costs +10.0 and +30.0, PGD costs +20.0 and +80.0."
    ]


def test_retraining_with_fewer_timesteps(tmp_path: Path) -> None:
    """The paper's example saves 20 % with T_retrain = 3."""
    trials = [pruning_trial({"pruning.timesteps": t}, acc) for t, acc in ((0, 0.8), (3, 0.75))]
    write_rows(tmp_path / "r", trials, varied=PRUNED)

    (told,) = study_findings(open_results(tmp_path / "r"))
    assert told.startswith("Test accuracy by T_retrain with 96.9% of the weights pruned is 80.0% at 5, 75.0% at 3;")
    assert told.endswith("; training time saved is 20% at 3.")


def test_structure_and_delays(tmp_path: Path) -> None:
    """What each adds, with the other fixed and learnt."""
    write_rows(tmp_path / "r", variants_of({0.875: (0.2, 0.05, 0.22)}), varied=DELAYED)

    (told,) = study_findings(open_results(tmp_path / "r"))
    assert told == (
        "In points of test accuracy by sparsity, delays learnt with structure fixed adds +5.0 at 87.5 %; delays learnt "
        "with structure learnt adds +2.0 at 87.5 %; structure learnt with delays fixed adds +20.0 at 87.5 %; structure "
        "learnt with delays learnt adds +17.0 at 87.5 %."
    )


def test_timesteps_that_networks_need(tmp_path: Path) -> None:
    """One comes within a point of its best at T = 2, the other at T = 4."""
    reached = {"resnet19": (0.7, 0.895, 0.9), "alexnet": (0.5, 0.6, 0.7)}
    trials = [
        capacity_trial(name, t, 0, accuracy, parameters=10)
        for name, accuracies in reached.items()
        for t, accuracy in zip((1, 2, 4), accuracies, strict=True)
    ]
    write_rows(tmp_path / "r", trials, varied=("model.name", "timesteps"))

    assert study_findings(open_results(tmp_path / "r")) == [
        "Network alexnet: test accuracy is within 1 point of its best over T from T = 4.0 on, mean of 1 seed.",
        "Network resnet19: test accuracy is within 1 point of its best over T from T = 2.0 on, mean of 1 seed.",
    ]


def test_a_search_is_not_told_setting_by_setting(tmp_path: Path) -> None:
    """Many settings of one trial each have a table."""
    trials = [
        probed_trial({"optimiser.lr": (1 + i) / 10}, deficits={1: (0.5, 0.5)}, status="finished")
        for i in range(LISTED + 1)
    ]
    write_rows(tmp_path / "r", trials, varied=("optimiser.lr",))

    assert [] == study_findings(open_results(tmp_path / "r"))


def test_centroids_before_and_after_training_show_no_transition(tmp_path: Path) -> None:
    """Where IC is measured at the start and at the end, no claim on its course and no "none yet" are about it."""
    changes = {"optimiser.epochs": 9, "fisher.every": 9}
    trials = [ic_trial(changes | {"timesteps": t, "seed": s}, (4.0, 1.5)) for t in (4, 8) for s in (0, 1)]
    write_rows(tmp_path / "r", trials, varied=("timesteps",))
    results = open_results(tmp_path / "r")

    assert check_claims(results).is_empty()
    assert finding(results).startswith("Test accuracy is within 1 point")
