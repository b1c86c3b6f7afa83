"""Learnt delays and learnt structure: variants, protocols, paired gains, drifts and costs, by hand."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store.fabricated import write_rows
from store.fabricated_delays import DELAYED, delays_trial, variants_of

from analysis import Results, open_results
from analysis.delays import delay_accuracies, delay_contexts, delay_effects, delay_trials, paired_gains
from analysis.rewiring import delay_costs, rounding_gaps, synapse_drifts

T95 = 12.706204736
"""Student's t of 95 % for two values."""
BEST = pl.col("protocol") == "best validation"


def opened(path: Path, *trials: Any, varied: tuple[str, ...] = DELAYED) -> Results:
    """Write trials and open them."""
    write_rows(path / "r", trials, varied=varied)
    return open_results(path / "r")


def test_three_protocols_are_told_apart(tmp_path: Path) -> None:
    """The best epoch by validation, the last epoch, and the best of all epochs on the test set."""
    accuracies = {"best validation": 0.5, "last": 0.4, "published": 0.6}
    table = delay_accuracies(opened(tmp_path, delays_trial({}, accuracies), varied=()))

    assert accuracies == dict(table.select("protocol", "test_acc").iter_rows())


def test_the_published_protocol_takes_the_best_epoch_even_if_it_is_the_last(tmp_path: Path) -> None:
    """Last 0.7 against 0.6 at the epoch before: 0.7."""
    accuracies = {"best validation": 0.5, "last": 0.7, "published": 0.6}

    assert [0.7] == delay_trials(opened(tmp_path, delays_trial({}, accuracies), varied=())).collect()[
        "published"
    ].to_list()


def test_means_have_intervals_over_seeds(tmp_path: Path) -> None:
    """0.4 and 0.6: mean 0.5, standard error 0.1, and the interval ends at 0 and 1."""
    trials = [delays_trial({"seed": seed}, accuracy) for seed, accuracy in enumerate((0.4, 0.6))]
    row = delay_accuracies(opened(tmp_path, *trials, varied=())).row(0, named=True)

    assert (2, pytest.approx(0.5), 0.0, 1.0) == (row["n"], row["test_acc"], row["test_acc_low"], row["test_acc_high"])


def test_at_sparsity_0_fixed_structure_stands_for_learnt(tmp_path: Path) -> None:
    """Both have the same mean there, and only one of them is marked as shared."""
    table = delay_accuracies(opened(tmp_path, *variants_of({0.0: (0.0, 0.1, 0.0), 0.5: (0.1, 0.1, 0.1)})))
    dense = table.filter(BEST, pl.col("delays.sparsity") == 0)

    assert [
        ("fixed", "fixed", pytest.approx(0.5), False), ("fixed", "learnt", pytest.approx(0.5), True),
        ("learnt", "fixed", pytest.approx(0.6), False), ("learnt", "learnt", pytest.approx(0.6), True),
    ] == dense.select("delays", "structure", "test_acc", "shared").sort("delays", "structure").rows()  # fmt: skip


def test_effects_are_paired_by_seed_and_held_apart(tmp_path: Path) -> None:
    """At 0.75: structure +20 with fixed delays and 25 - 5 = +20 with learnt ones, delays +5 and 25 - 20 = +5."""
    table = delay_effects(opened(tmp_path, *variants_of({0.75: (0.2, 0.05, 0.25)}))).filter(BEST)

    assert [
        ("delays", "learnt", "fixed", 3, pytest.approx(5.0)), ("delays", "learnt", "learnt", 3, pytest.approx(5.0)),
        ("structure", "fixed", "learnt", 3, pytest.approx(20.0)),
        ("structure", "learnt", "learnt", 3, pytest.approx(20.0)),
    ] == table.select("effect", "delays", "structure", "n_pairs", "difference").rows()  # fmt: skip


def test_only_seeds_with_both_make_pairs(tmp_path: Path) -> None:
    """Gains of 0 and 20 points on seeds 0 and 1; seed 2 has no fixed structure, and at sparsity 0 nothing is paired."""
    fixed = [delays_trial({"sparsity": 0.5, "seed": seed}, 0.5) for seed in (0, 1)]
    learnt = [
        delays_trial({"sparsity": 0.5, "rule": "deepr", "seed": seed}, accuracy)
        for seed, accuracy in enumerate((0.5, 0.7, 0.9))
    ]
    table = delay_effects(opened(tmp_path, *fixed, *learnt, delays_trial({}, 0.5))).filter(BEST)
    row = table.row(0, named=True)

    assert (1, 2, pytest.approx(10.0)) == (table.height, row["n_pairs"], row["difference"])
    assert pytest.approx(10 - 10 * T95) == row["difference_low"]


def test_rules_and_what_they_differ_in_are_named(tmp_path: Path) -> None:
    """Two rules are told by their names; a field that is about one rule alone is no context for the others."""
    trials = [
        delays_trial({"sparsity": 0.5, "seed": seed} | change, 0.5 + gain)
        for seed in (0, 1)
        for change, gain in (
            ({}, 0.0), ({"rule": "set", "delays.regrow": "random"}, 0.1), ({"rule": "deepr"}, 0.2),
            ({"rule": "deepr", "delays.regrow": "random"}, 0.3),
        )
    ]  # fmt: skip
    results = opened(tmp_path, *trials, varied=("delays.rule", "delays.regrow"))
    table = delay_effects(results).filter(BEST)

    assert () == delay_contexts(results)
    assert {"set, regrow random": 10.0, "deepr, regrow neg_grad": 20.0, "deepr, regrow random": 30.0} == {
        name: round(value, 6) for name, value in table.select("structure", "difference").iter_rows()
    }


def test_fields_of_learnt_delays_are_no_context_of_fixed_ones(tmp_path: Path) -> None:
    """Fixed delays have no rate: they are the reference of learnt ones at any rate."""
    trials = [
        delays_trial({"seed": seed} | change, 0.5 + gain)
        for seed in (0, 1)
        for change, gain in (
            ({"learn": False}, 0.0), ({"delays.position_lr": 0.01}, 0.1), ({"delays.position_lr": 0.1}, 0.2),
        )
    ]  # fmt: skip
    results = opened(tmp_path, *trials, varied=("delays.learn", "delays.position_lr"))
    table = delay_effects(results).filter(BEST)

    assert [("position lr 0.01", 10.0), ("position lr 0.1", 20.0)] == [
        (name, round(value, 6)) for name, value in table.select("delays", "difference").iter_rows()
    ]


def test_what_varies_besides_is_context(tmp_path: Path) -> None:
    """Each size of the network has its own pairs."""
    trials = [
        delays_trial({"delays.hidden": hidden, "learn": learn, "seed": seed}, 0.5 + 0.1 * learn)
        for hidden in (4, 8) for learn in (False, True) for seed in (0, 1)
    ]  # fmt: skip
    results = opened(tmp_path, *trials, varied=("delays.hidden", "delays.learn"))

    assert ("delays.hidden",) == delay_contexts(results)
    assert [(4, 2), (8, 2)] == delay_effects(results).filter(BEST).select("delays.hidden", "n_pairs").rows()


def test_a_budget_belongs_to_sparse_networks(tmp_path: Path) -> None:
    """Dense trials, which have no budget to choose, stay in the context of the sparse ones with one budget."""
    sparse = variants_of({0.5: (0.1, 0.0, 0.1)})
    changed = [
        delays_trial({"sparsity": 0.5, "delays.budget": "erdos_renyi", "rule": rule}, 0.5)
        for rule in ("static", "deepr")
    ]
    one = opened(tmp_path / "a", *changed, delays_trial({}, 0.5), varied=(*DELAYED, "delays.budget"))
    two = opened(tmp_path / "b", *changed, *sparse, varied=(*DELAYED, "delays.budget"))

    assert () == delay_contexts(one)
    assert ("delays.budget",) == delay_contexts(two)


def test_trials_that_failed_or_run_are_left_out(tmp_path: Path) -> None:
    """Only what finished counts, and with nothing finished the tables are empty."""
    running = delays_trial({"sparsity": 0.5, "rule": "deepr"}, 0.1, status="running")
    results = opened(tmp_path, running, delays_trial({"sparsity": 0.5}, 0.5, status="failed"))

    assert 0 == paired_gains(results).height == delay_accuracies(results).height == delay_costs(results).height


def test_turnover_is_told_as_shares(tmp_path: Path) -> None:
    """Of 16 synapses 4 are exchanged in each of two epochs: 0.25 grown, 0.75 then 0.5 kept; output has 1 of 8 empty."""
    table = synapse_drifts(opened(tmp_path, delays_trial({"sparsity": 0.5, "rule": "deepr"}, 0.5), varied=())).collect()
    hidden = table.filter(pl.col("layer") == "hidden")
    last = table.filter(pl.col("layer") == "output", pl.col("epoch") == 2).row(0, named=True)

    assert ([0.0, 0.25, 0.25], [1.0, 0.75, 0.5]) == (hidden["grown"].to_list(), hidden["survived"].to_list())
    assert ([1.0, 0.75, 0.5], [0.0, 0.5, 1.0]) == (hidden["overlap"].to_list(), hidden["shift"].to_list())
    assert 1 / 8 == last["empty"]


def test_rounding_costs_what_the_spread_had(tmp_path: Path) -> None:
    """A tenth at epoch 1 and a twentieth at epoch 2; trials with fixed delays have no gap."""
    trials = [delays_trial({"learn": learn}, 0.5, gap=0.1) for learn in (True, False)]
    table = rounding_gaps(opened(tmp_path, *trials)).collect()

    assert [("learnt", 0, 0.0), ("learnt", 1, 10.0), ("learnt", 2, 5.0)] == [
        (name, epoch, round(gap, 9)) for name, epoch, gap in table.select("delays", "epoch", "gap").iter_rows()
    ]


def test_operations_fall_with_sparsity_and_seconds_need_not(tmp_path: Path) -> None:
    """Half of 64 synapses times 16 timesteps, in the same time; two machines are counted."""
    trials = [delays_trial({"sparsity": sparsity}, 0.5, seconds=2.0) for sparsity in (0.0, 0.5)]
    elsewhere = delays_trial({"sparsity": 0.5, "seed": 1}, 0.5, seconds=2.0, host="b")
    table = delay_costs(opened(tmp_path, *trials, elsewhere))

    assert [(0.0, 1024.0, 2.0, 20.0, 1), (0.5, 512.0, 2.0, 20.0, 2)] == table.select(
        "delays.sparsity", "operations", "epoch_seconds", "wall_seconds", "devices"
    ).rows()
