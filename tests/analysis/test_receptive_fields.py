"""Receptive fields from stored synapses, and their structure against the nulls; grouping of signs."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from store.fabricated import write_rows
from store.fabricated_delays import CHECKERED, DELAYED, HALVES, delays_trial, ridge

from analysis import Results, open_results
from analysis.field_examples import field_examples
from analysis.field_gains import field_gains, grouping_gains
from analysis.moran import morans_i
from analysis.receptive_fields import field_structures, field_values, fields_of
from analysis.sign_grouping import neighbours, sign_grouping

BEFORE, AFTER = ridge(range(3), CHECKERED), ridge(range(3), HALVES)
"""Three of four neurons, whose signs alternate before and keep together after; the fourth has no synapse."""


def opened(path: Path, *trials: Any, varied: tuple[str, ...] = DELAYED) -> Results:
    """Write trials and open them."""
    write_rows(path / "r", trials, varied=varied)
    return open_results(path / "r")


@pytest.fixture
def trained(tmp_path: Path) -> Results:
    """Two seeds."""
    trials = [delays_trial({"seed": seed}, 0.5, synapses={0: BEFORE, 2: AFTER}) for seed in (0, 1)]
    return opened(tmp_path, *trials, varied=())


def test_a_field_holds_each_weight_at_its_input_and_delay() -> None:
    """Two synapses of two neurons, zeros elsewhere."""
    rows = pl.DataFrame({"neuron": [0, 1], "input": [2, 0], "delay": [1, 3], "weight": [0.5, -2.0]})
    fields = fields_of(rows, (2, 3, 4))

    assert (0.5, -2.0, 2) == (fields[0, 2, 1], fields[1, 0, 3], np.count_nonzero(fields))


def test_values_are_those_of_the_fields(trained: Results) -> None:
    """I of each neuron, and none for the one without a synapse."""
    table = field_values(trained, contiguity="rook", weights="row")
    own = table.filter(pl.col("key") == table["key"][0], pl.col("epoch") == 2)
    rows = pl.DataFrame(AFTER, schema=["neuron", "input", "delay", "weight"], orient="row")
    expected = morans_i(fields_of(rows, (4, 8, 5)), contiguity="rook", weights="row")

    assert (pytest.approx(expected[:3].tolist()), None) == (own["i"].to_list()[:3], own["i"][3])
    assert [8, 8, 8, 0] == own["synapses"].to_list()
    assert {("rook", "row")} == set(table.select("contiguity", "weights").iter_rows())


def test_structure_is_told_against_three_nulls(trained: Results) -> None:
    """Signs that keep together stand out; the neuron without a synapse is counted apart.

    Three pairs of neurons have a p-value of 1/8 at best, and three neurons before training one of 1/4.
    """
    table = field_structures(trained, permutations=99).sort("epoch")
    before, after = table.row(0, named=True), table.row(-1, named=True)

    assert (4, 1, 1) == (after["neurons"], before["n_empty"], after["n_empty"])
    assert before["mean"] < 0 < after["mean"]
    assert before["mean"] == before["band_untrained"] == after["band_untrained"]
    assert max(after["band_grid"], after["band_values"]) < after["mean"]
    assert (None, None) == (before["n_untrained"], before["p_trained"])
    assert (0.125, 0, 3, 3) == (after["p_trained"], after["n_untrained"], after["n_values"], after["n_grid"])
    assert ("queen", "binary", 99) == (after["contiguity"], after["weights"], after["permutations"])
    assert after["max"] == pytest.approx(after["mean"])


def test_tables_are_the_same_each_time_and_not_the_same_for_every_trial(trained: Results) -> None:
    """Permutations are drawn from the key."""
    one, other = field_structures(trained, permutations=19), field_structures(trained, permutations=19)

    assert one.equals(other)
    assert 2 == one.filter(pl.col("epoch") == 2)["band_grid"].n_unique()


def test_a_layer_that_lost_every_synapse_has_no_numbers(tmp_path: Path) -> None:
    """Stored before training only: the row of what is there, without a later one."""
    table = field_structures(opened(tmp_path, delays_trial({}, 0.5, synapses={0: AFTER}), varied=()), permutations=9)

    assert [0] == table["epoch"].to_list()
    assert 0 == field_gains(opened(tmp_path / "b", delays_trial({}, 0.5, synapses={0: AFTER}), varied=())).height


def test_gains_are_trained_less_untrained_over_seeds(trained: Results) -> None:
    """Both seeds have the same fields: an interval that is a point."""
    row = field_gains(trained).row(0, named=True)
    before, after = (
        morans_i(fields_of(pl.DataFrame(rows, schema=["neuron", "input", "delay", "weight"], orient="row"), (4, 8, 5)))
        for rows in (BEFORE, AFTER)
    )

    assert (2, pytest.approx(np.nanmean(before)), pytest.approx(np.nanmean(after))) == (
        row["n"], row["untrained"], row["trained"],
    )  # fmt: skip
    assert row["gain"] == pytest.approx(row["gain_low"]) == pytest.approx(np.nanmean(after) - np.nanmean(before))


def test_neighbours_are_adjacent_in_one_way_and_near_in_the_other() -> None:
    """Inputs 0, 1, 2 with delays 0, 1, 4: (0, 1) in both ways; (1, 2) and (0, 2) are too far apart in time."""
    rows = pl.DataFrame({"neuron": [0, 0, 0, 1], "input": [0, 1, 2, 3], "delay": [0, 1, 4, 4]})
    found = neighbours(rows, reach=2)

    assert {"space": [(0, 1)], "time": [(0, 1)]} == {
        name: list(zip(*(side.tolist() for side in sides), strict=True)) for name, sides in found.items()
    }


def test_near_is_within_reach() -> None:
    """Delays 0 and 2 of adjacent inputs are near within 2, not within 1; so are inputs 0 and 2 with adjacent delays."""
    space = pl.DataFrame({"neuron": [0, 0], "input": [0, 1], "delay": [0, 2]})
    time = pl.DataFrame({"neuron": [0, 0], "input": [0, 2], "delay": [0, 1]})

    assert [0, 1] == [len(neighbours(space, reach)["space"][0]) for reach in (1, 2)]
    assert [0, 1] == [len(neighbours(time, reach)["time"][0]) for reach in (1, 2)]


def test_alternating_signs_repel_and_halves_group(trained: Results) -> None:
    """Eight synapses, four of each sign: shuffled, a pair agrees with probability 3/7."""
    table = sign_grouping(trained, permutations=499).filter(pl.col("direction") == "space").sort("epoch")
    before, after = table.row(0, named=True), table.row(-1, named=True)

    assert (21, 0.0, 1.0) == (before["pairs"], before["same"], before["p"])
    assert (21, pytest.approx(6 / 7), 1 / 500) == (after["pairs"], after["same"], after["p"])
    assert pytest.approx(3 / 7, abs=0.02) == after["shuffled"]
    assert after["low"] < after["shuffled"] < after["high"] < after["same"]


def test_equal_signs_are_no_evidence(tmp_path: Path) -> None:
    """With all synapses excitatory every pair agrees, and so does every shuffle."""
    results = opened(tmp_path, delays_trial({}, 0.5, synapses={0: ridge(range(3))}), varied=())
    row = sign_grouping(results, permutations=9).row(0, named=True)

    assert (1.0, 1.0, 0.0, 1.0) == (row["same"], row["shuffled"], row["excess"], row["p"])


def test_grouping_gains_are_over_seeds(trained: Results) -> None:
    """Alternating signs lie 3/7 below what shuffling gives, halves 6/7 - 3/7 above."""
    row = grouping_gains(trained, permutations=99).filter(pl.col("direction") == "space").row(0, named=True)

    assert (2, pytest.approx(-3 / 7, abs=0.05), pytest.approx(3 / 7, abs=0.05)) == (
        row["n"], row["untrained"], row["trained"],
    )  # fmt: skip
    assert row["gain"] == pytest.approx(row["trained"] - row["untrained"])


def test_examples_are_the_densest_and_the_sparsest(tmp_path: Path) -> None:
    """Learnt structure has fixed structure at sparsity 0 for its dense example; seeds are pooled, the first shown."""
    dense = [delays_trial({"seed": seed}, 0.5, synapses={0: BEFORE, 2: AFTER}) for seed in (0, 1)]
    sparse = [
        delays_trial({"sparsity": s, "rule": "deepr"}, 0.5, synapses={0: BEFORE[:16], 2: AFTER[:16]})
        for s in (0.5, 0.75)
    ]
    found = {setting["structure"]: examples for setting, examples in field_examples(opened(tmp_path, *dense, *sparse))}

    assert {"fixed": [0.0], "learnt": [0.0, 0.75]} == {
        name: [one.sparsity for one in examples] for name, examples in found.items()
    }
    first, last = found["learnt"]
    assert (2, 6, 6, 0) == (first.seeds, len(first.i_before), len(first.i_after), first.seed)
    assert (2, 0, 2) == (len(last.i_after), last.before.epoch, last.after.epoch)
    assert max(last.i_after) == pytest.approx(last.after.i)
