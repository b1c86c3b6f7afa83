"""The trials that the paper's claims are about, and how a search of many settings is told."""

import dataclasses
from pathlib import Path

import polars as pl
import pytest
from store.fabricated import FULL, write_rows
from store.fabricated_layers import EARLY, HIGH, ic_trial

from analysis import open_results
from analysis.claims import check_claims
from analysis.claims_settings import SETTINGS_CLAIMS
from analysis.claims_tic import TIC_CLAIMS
from analysis.evidence import early_shares, of_the_paper, over_settings, spread_evenly
from analysis.verdicts import Evidence
from tic_sweep.store import Manifest


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


def test_an_even_spread_knows_odd_timesteps(tmp_path: Path) -> None:
    """Of five timesteps, t ≤ 2.5 are two."""
    write_rows(tmp_path / "r", [ic_trial({"timesteps": 5}, EARLY)])
    words = spread_evenly(open_results(tmp_path / "r"), pl.col("timesteps") / 2)

    assert "that is t ≤ 2 of 5, where 0.4 would lie if it were spread evenly" == words


def test_search_of_single_trials_is_told_in_one_sentence() -> None:
    """A verdict for each of four settings of one trial would say four times that there is none."""
    lone = [Evidence(interval=None, n=1, where=f"setting {i}") for i in range(4)]
    (told,) = over_settings(lone)

    assert "none of 4 settings has two seeds: an interval needs at least two" == told.missing
    assert lone[:3] == over_settings(lone[:3])
    assert 4 == len(over_settings([*lone[:3], Evidence(interval=None, n=2)]))


def test_search_over_several_fields_compares_none_alone(tmp_path: Path) -> None:
    """In a grid data sets are compared at their best rates; drawn with the rate, no pair differs in one field."""
    fields = ("data.name", "optimiser.lr")
    drawn = [("cifar10", 0.1), ("cifar10", 0.2), ("fashion_mnist", 0.3), ("fashion_mnist", 0.4)]
    trials = [
        ic_trial({**dict(zip(fields, values, strict=True)), "seed": s}, EARLY) for values in drawn for s in (0, 1)
    ]
    folder = write_rows(tmp_path / "r", trials, varied=fields)
    planned = check_claims(open_results(tmp_path / "r"), SETTINGS_CLAIMS)["claim"].to_list()
    dataclasses.replace(Manifest.load(folder.manifest), samples=4).save(folder.manifest)

    assert ["F4e"] == planned
    assert check_claims(open_results(tmp_path / "r"), SETTINGS_CLAIMS).is_empty()
