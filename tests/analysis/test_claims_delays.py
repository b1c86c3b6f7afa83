"""Claims on learnt delays and structure: PASS where the captions are right, FAIL where wrong, else UNDECIDED."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store.fabricated import TURNING, write_rows, write_sweep
from store.fabricated_delays import CHECKERED, DELAYED, HALVES, delays_trial, ridge, variants_of

from analysis import Results, open_results
from analysis.claims import check_claims
from analysis.claims_delays import HUGE, OBVIOUS

SCATTER = (-0.01, 0.0, 0.01)
"""A point to either side: a mean of three seeds has a 95 % interval of ± 2.5 points, and one of ± 1.7 at 90 %."""


def opened(path: Path, trials: Sequence[Any], varied: tuple[str, ...] = DELAYED) -> Results:
    """Write trials and open them."""
    write_rows(path / "r", trials, varied=varied)
    return open_results(path / "r")


def verdicts(results: Results, claim: str) -> dict[str, dict[str, Any]]:
    """Return the verdicts on a claim by where they hold."""
    rows = check_claims(results).filter(pl.col("claim") == claim).to_dicts()
    return {row["where"]: row for row in rows}


def rulings(path: Path, claim: str, gains: Mapping[float, tuple[float, float, float]]) -> dict[str, str]:
    """Return the rulings on a claim by where, of `variants_of` gains with `SCATTER`."""
    results = opened(path, variants_of(gains, scatter=SCATTER))
    return {where: row["verdict"] for where, row in verdicts(results, claim).items()}


def test_thresholds_are_those_written_down() -> None:
    """Five points are huge and three obvious; whoever changes them after results are seen changes the claims."""
    assert (5.0, 3.0) == (HUGE, OBVIOUS)


@pytest.mark.parametrize(("gain", "ruling"), [(0.01, "PASS"), (0.10, "FAIL"), (0.05, "UNDECIDED")])
def test_S1a_asks_at_the_least_sparse_point_with_both(tmp_path: Path, gain: float, ruling: str) -> None:
    """Within five points at sparsity 0.5, whatever happens at 0.625; both with fixed and with learnt delays."""
    found = rulings(tmp_path, "S1a", {0.0: (0.0, 0.0, 0.0), 0.5: (gain, 0.0, gain), 0.625: (0.3, 0.0, 0.3)})

    assert ruling == found["delays fixed, structure learnt, sparsity 0.5"]
    assert 2 == len(found)


def test_S1a_says_where_nothing_is_dense_enough(tmp_path: Path) -> None:
    """From 75 % on networks are sparse, and there is nothing to ask."""
    row = verdicts(opened(tmp_path, variants_of({0.75: (0.0, 0.0, 0.0)})), "S1a")["delays fixed, structure learnt"]

    assert "UNDECIDED" == row["verdict"]
    assert "have sparsity 0.75, none is below 0.75" in row["explanation"]


def test_S1b_asks_at_every_sparsity_from_three_quarters_on(tmp_path: Path) -> None:
    """Ten points pass, ten lost fail, one is undecided; half of the synapses is not sparse."""
    found = rulings(
        tmp_path,
        "S1b",
        {0.5: (0.1, 0.0, 0.1), 0.75: (0.1, 0.0, 0.1), 0.875: (-0.1, 0.0, -0.1), 0.9375: (0.01, 0, 0.01)},
    )

    assert {"sparsity 0.75": "PASS", "sparsity 0.875": "FAIL", "sparsity 0.9375": "UNDECIDED"} == {
        where.removeprefix("delays fixed, structure learnt, "): ruling
        for where, ruling in found.items()
        if where.startswith("delays fixed")
    }


def test_S2_asks_with_fixed_structure_dense_networks_included(tmp_path: Path) -> None:
    """Each sparsity by itself."""
    found = rulings(tmp_path, "S2", {0.0: (0.0, 0.1, 0.0), 0.5: (0.0, -0.1, 0.0), 0.75: (0.0, 0.01, 0.0)})

    assert {
        "delays learnt, structure fixed, sparsity 0.0": "PASS",
        "delays learnt, structure fixed, sparsity 0.5": "FAIL",
        "delays learnt, structure fixed, sparsity 0.75": "UNDECIDED",
    } == found


def test_S3_asks_with_learnt_structure(tmp_path: Path) -> None:
    """Both together less learnt structure alone: nothing more passes, ten points fail, three are undecided."""
    found = rulings(tmp_path, "S3", {0.5: (0.1, 0.0, 0.1), 0.75: (0.1, 0.0, 0.2), 0.875: (0.1, 0.0, 0.13)})

    assert {
        "delays learnt, structure learnt, sparsity 0.5": "PASS",
        "delays learnt, structure learnt, sparsity 0.75": "FAIL",
        "delays learnt, structure learnt, sparsity 0.875": "UNDECIDED",
    } == {where: found[where] for where in found}


def test_claims_are_settled_by_validation_and_tell_the_rest(tmp_path: Path) -> None:
    """What the best epoch on the test set would say stands beside, and decides nothing."""
    accuracies = {"best validation": 0.5, "last": 0.6, "published": 0.8}
    trials = [
        trial
        for seed in (0, 1, 2)
        for trial in (
            delays_trial({"learn": False, "seed": seed}, 0.5 + 0.001 * seed), delays_trial({"seed": seed}, accuracies)
        )
    ]  # fmt: skip
    row = verdicts(opened(tmp_path, trials), "S2")["delays learnt, structure fixed, sparsity 0.0"]

    assert (pytest.approx(-0.1), "UNDECIDED") == (row["statistic"], row["verdict"])
    assert "by other protocols last +9.9, published +29.9 points" in row["explanation"]


def test_one_pair_is_too_few(tmp_path: Path) -> None:
    """The row says so."""
    row = verdicts(opened(tmp_path, variants_of({0.75: (0.1, 0.1, 0.1)}, seeds=(0,))), "S1b")

    assert {"UNDECIDED"} == {one["verdict"] for one in row.values()}
    assert "1 paired seed: an interval needs at least two." == next(iter(row.values()))["explanation"]


FIELDS = {"PASS": (CHECKERED, HALVES), "FAIL": (HALVES, CHECKERED)}


@pytest.mark.parametrize("ruling", FIELDS)
@pytest.mark.parametrize("sparsity", [0.0, 0.5])
def test_M1_asks_over_seeds(tmp_path: Path, ruling: str, sparsity: float) -> None:
    """Signs that come to keep together pass, and fail if they part; in dense and in sparse networks."""
    before, after = FIELDS[ruling]
    trials = [
        delays_trial(
            {"sparsity": sparsity, "seed": s}, 0.5, synapses={0: ridge(range(2), before), 2: ridge([0], after)}
        )
        for s in (0, 1)
    ]
    row = verdicts(opened(tmp_path, trials, ()), "M1")[f"delays learnt, structure fixed, sparsity {sparsity}"]

    assert (ruling, 2, "seeds") == (row["verdict"], row["n"], row["counted"])
    assert "with the eight cells around each as neighbours" in row["explanation"]


def test_M1_is_undecided_where_seeds_disagree(tmp_path: Path) -> None:
    """One gains what the other loses."""
    trials = [
        delays_trial({"seed": s}, 0.5, synapses={0: ridge([0], before), 2: ridge([0], after)})
        for s, (before, after) in enumerate(FIELDS.values())
    ]

    assert ["UNDECIDED"] == [row["verdict"] for row in verdicts(opened(tmp_path, trials, ()), "M1").values()]


def test_M1_counts_neurons_where_there_is_one_trial(tmp_path: Path) -> None:
    """Four neurons that all gain by the same; the verdict says what it counts."""
    fields = {0: ridge(range(4), CHECKERED), 2: ridge(range(4), HALVES)}
    (row,) = verdicts(opened(tmp_path, [delays_trial({}, 0.5, synapses=fields)], ()), "M1").values()

    assert ("PASS", 4, "neurons of one trial") == (row["verdict"], row["n"], row["counted"])


def test_M1_needs_fields_before_and_after(tmp_path: Path) -> None:
    """What was stored at the end alone shows no rise, and there is no verdict."""
    trials = [delays_trial({}, 0.5, synapses={2: ridge([0])})]

    assert {} == verdicts(opened(tmp_path, trials, ()), "M1")


def test_images_are_about_something_else(tmp_path: Path) -> None:
    """A sweep of images has none of these claims, and sequences have none of the others'."""
    write_sweep(tmp_path / "i", [({"seed": s}, "finished", TURNING) for s in (0, 1)])
    own = {"S1a", "S1b", "S2", "S3", "M1"}
    images = check_claims(open_results(tmp_path / "i"))["claim"].to_list()
    sequences = check_claims(opened(tmp_path, variants_of({0.5: (0.1, 0.1, 0.1)})))["claim"].to_list()

    assert not own & set(images)
    assert set(sequences) <= own
