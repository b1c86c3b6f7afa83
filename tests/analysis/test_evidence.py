"""The trials that the paper's claims are about, and how a search of many settings is told."""

from pathlib import Path

import polars as pl
import pytest
from store.fabricated import FULL, write_rows
from store.fabricated_layers import EARLY, HIGH, ic_trial

from analysis import open_results
from analysis.claims import check_claims
from analysis.claims_tic import TIC_CLAIMS
from analysis.evidence import early_shares, of_the_paper, over_settings
from analysis.verdicts import Evidence


def test_F1_is_about_the_papers_training_and_measurement(tmp_path: Path) -> None:
    """Trials of another loss, gradient, estimator or split do not enter, however their centroid behaves."""
    others = ({"loss.name": "alpha"}, FULL, {"fisher.kind": "batch"}, {"fisher.split": "validation"})
    trials = [ic_trial(changes | {"seed": s}, HIGH) for changes in others for s in (0, 1)]
    trials += [ic_trial({"seed": s}, EARLY) for s in (0, 1)]
    varied = ("loss.name", "neuron.reset_gradient", "fisher.kind", "fisher.split")
    write_rows(tmp_path / "r", trials, varied=varied)
    results = open_results(tmp_path / "r")

    rows = check_claims(results, TIC_CLAIMS).select("claim", "where", "verdict", "n").rows()
    assert [("F1a", "", "PASS", 2), ("F1b", "", "PASS", 2)] == rows
    assert 2 == of_the_paper(results, "validation").trials.collect().height


@pytest.mark.parametrize(
    ("field", "values"), [("timesteps", (8, 10)), ("neuron.tau", (2.0, 4.0)), ("probes.test_images", (0, 9))]
)
def test_F1_has_a_verdict_per_setting(tmp_path: Path, field: str, values: tuple[object, ...]) -> None:
    """Whatever else varies is context."""
    trials = [ic_trial({field: value, "seed": s}, EARLY) for value in values for s in (0, 1)]
    write_rows(tmp_path / "r", trials, varied=(field,))
    rows = check_claims(open_results(tmp_path / "r"), TIC_CLAIMS[:1])

    assert (2, ["PASS", "PASS"]) == (rows["where"].n_unique(), rows["verdict"].to_list())


def test_share_after_the_first_training_knows_no_pruning(tmp_path: Path) -> None:
    """At epoch 2, the end of training, IC is 5 of 8; pruning then brings it to 1.5, which does not count."""
    config = {"optimiser.epochs": 2, "pruning.cycles": 1, "pruning.epochs": 2}
    write_rows(tmp_path / "r", [ic_trial(config, (5.0, 5.0, 5.0, 1.5, 1.5))])
    (share,) = early_shares(open_results(tmp_path / "r"), pl.col("timesteps") / 2)

    assert share < 0.5


def test_search_of_single_trials_is_told_in_one_sentence() -> None:
    """A verdict for each of nine settings of one trial would say nine times that there is none."""
    lone = [Evidence(interval=None, n=1, where=f"setting {i}") for i in range(9)]
    (told,) = over_settings(lone)

    assert "none of 9 settings has two seeds: an interval needs at least two" == told.missing
    assert lone[:8] == over_settings(lone[:8])
    assert 9 == len(over_settings([*lone[:8], Evidence(interval=None, n=2)]))
