"""Budgets: exact counts at every density."""

import pytest

from tic_sweep.delays import synapse_budget

PUBLISHED = {"hidden": (256, 40), "output": (20, 256)}


@pytest.mark.parametrize(("halvings", "hidden", "output"), [(0, 10240, 5120), (2, 2560, 1280), (9, 20, 10)])
def test_the_published_sparsities(halvings: int, hidden: int, output: int):
    """1 - 2^-k of each layer, as in the published sweep."""
    assert {"hidden": hidden, "output": output} == synapse_budget(PUBLISHED, 2.0**-halvings, "layer")


def test_a_global_budget_is_the_same_sum_in_proportion():
    """A tenth of 15,360 is 1,536, two thirds of it in the larger layer."""
    assert {"hidden": 1024, "output": 512} == synapse_budget(PUBLISHED, 0.1, "global")


def test_erdos_renyi_by_hand():
    """Sizes 4·2 = 8 and 1·4 = 4: half of 12 is shared as (4 + 2) to (1 + 4), 6·6/11 = 3.27 and 2.73: 3 and 3."""
    assert {"a": 3, "b": 3} == synapse_budget({"a": (4, 2), "b": (1, 4)}, 0.5, "erdos_renyi")


def test_erdos_renyi_never_gives_a_layer_more_than_it_has():
    """At 11/12 the second layer would get 5 of its 4; what it cannot take goes to the first."""
    assert {"a": 7, "b": 4} == synapse_budget({"a": (4, 2), "b": (1, 4)}, 11 / 12, "erdos_renyi")
    assert {"a": 8, "b": 4} == synapse_budget({"a": (4, 2), "b": (1, 4)}, 1.0, "erdos_renyi")


def test_erdos_renyi_keeps_the_sum_and_favours_the_small_layer():
    """3,840 in all; densities stand as (296 / 10240) to (276 / 5120)."""
    budget = synapse_budget(PUBLISHED, 0.25, "erdos_renyi")

    assert 3840 == sum(budget.values())
    assert (budget["hidden"] / 10240) / (budget["output"] / 5120) == pytest.approx(
        (296 / 10240) / (276 / 5120), rel=1e-3
    )


def test_nonsense_is_refused():
    """Densities outside (0, 1] and budgets that do not exist."""
    for density, kind, message in ((0.0, "layer", "density must be"), (1.5, "layer", "density"), (0.5, "x", "budget")):
        with pytest.raises(ValueError, match=message):
            synapse_budget(PUBLISHED, density, kind)
