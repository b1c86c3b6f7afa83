"""Masks: exact counts, one ranking over all layers, and weights that stay pruned."""

import pytest
import torch
from cases import FAMILIES, SMALL, lively
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tic_sweep.config import replaced
from tic_sweep.models import build_model
from tic_sweep.pruning import (
    Masks,
    count_remaining,
    keep_largest,
    mask_gradients,
    mask_weights,
    prunable_weights,
    remaining_after,
)


def two_layers() -> nn.Sequential:
    """Return a linear layer and another of one output, with weights 1..4 and -6, 0.5 and biases."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0, -2.0], [3.0, 4.0]]))
        model[1].weight.copy_(torch.tensor([[-6.0, 0.5]]))
    return model


def flat(masks: Masks) -> list[int]:
    """Return all masks in one list."""
    return torch.cat([mask.flatten() for mask in masks.values()]).int().tolist()


def test_the_largest_magnitudes_stay_whatever_their_layer_and_sign():
    """Of 1, -2, 3, 4 | -6, 0.5 three are 3, 4 and -6."""
    assert [0, 0, 1, 1, 1, 0] == flat(keep_largest(two_layers(), {}, 3))


def test_what_is_pruned_stays_pruned():
    """A pruned weight never comes back, however large it may be by now."""
    model = two_layers()
    first = keep_largest(model, {}, 4)
    with torch.no_grad():
        model[0].weight[0, 0] = 100.0

    assert [0, 1, 1, 1, 1, 0] == flat(first)
    assert [0, 0, 0, 1, 1, 0] == flat(keep_largest(model, first, 2))


def test_equal_magnitudes_are_told_apart_by_their_place():
    """With all weights alike, exactly the count stays, the last in the model's order."""
    model = two_layers()
    with torch.no_grad():
        for weight in prunable_weights(model).values():
            weight.fill_(-0.5)

    assert [0, 0, 0, 0, 1, 1] == flat(keep_largest(model, {}, 2))


def test_a_remaining_zero_is_not_a_pruned_weight():
    """A mask is no function of the weight: one that is zero remains, and is pruned in its turn."""
    model = two_layers()
    with torch.no_grad():
        model[1].weight[0, 0] = 0.0
    kept = keep_largest(model, {}, 6)

    assert [1] * 6 == flat(kept)
    assert [1, 1, 1, 1, 0, 1] == flat(keep_largest(model, kept, 5))


@pytest.mark.parametrize("count", [0, 6])
def test_all_and_nothing(count: int):
    """The ends of the range are fine."""
    assert count == sum(flat(keep_largest(two_layers(), {}, count)))


@given(st.integers(1, 10**8), st.floats(0.01, 0.99), st.integers(0, 60))
def test_the_count_is_the_formula_rounded_once(weights: int, share: float, cycle: int):
    """Rounding does not add up over cycles, and a cycle never brings weights back."""
    assert abs(remaining_after(cycle, weights, share) - weights * (1 - share) ** cycle) <= 0.5
    assert remaining_after(cycle + 1, weights, share) <= remaining_after(cycle, weights, share)


def test_five_halvings_leave_a_thirty_second():
    """The paper's 5 cycles of 50 % are a sparsity of 0.96875: exactly, if the count divides."""
    assert [8, 4, 2, 1] == [remaining_after(cycle, 8, 0.5) for cycle in range(4)]
    assert 0.96875 == 1 - remaining_after(5, 32 * 1000, 0.5) / 32_000


@pytest.mark.parametrize("family", FAMILIES)
def test_every_convolution_and_linear_layer_is_prunable(family: str):
    """Stem, shortcuts and head are among them; norms and biases are not."""
    model = lively(family).model
    weights = prunable_weights(model)

    assert {"stem.conv", "head"} <= weights.keys()
    assert all(weight.dim() in {2, 4} for weight in weights.values())
    assert {id(p) for p in model.parameters() if p.dim() > 1} == {id(weight) for weight in weights.values()}


@pytest.mark.parametrize("rule", ["sgd", "adamw"])
def test_neither_momentum_nor_decay_revives_a_weight(rule: str):
    """Pruned weights are zero after every step, the update rule remembers nothing of them, and the others learn."""
    model = build_model(SMALL)
    optimiser = {
        "sgd": torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1),
        "adamw": torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1),
    }[rule]
    masks = keep_largest(model, {}, 1000)
    mask_weights(model, masks)
    before = {name: weight.detach().clone() for name, weight in prunable_weights(model).items()}
    for _ in range(3):
        optimiser.zero_grad()
        model(torch.rand(4, 1, 8, 8) * 4).square().sum().backward()
        mask_gradients(model, masks)
        optimiser.step()
        mask_weights(model, masks)
    for name, weight in prunable_weights(model).items():
        buffers = [value for value in optimiser.state[weight].values() if value.shape == weight.shape]

        assert buffers
        assert all(not tensor[~masks[name]].any() for tensor in (weight, *buffers))
        assert not torch.equal(before[name], weight)


def test_pruned_is_as_if_there_were_no_weight():
    """Two networks that differ only in weights that are pruned away train alike, bit for bit."""
    weights = []
    for other in (1.0, -3.0):
        model = two_layers()
        masks = keep_largest(model, {}, 4)
        with torch.no_grad():
            model[0].weight[0, 0], model[1].weight[0, 1] = other, other
        mask_weights(model, masks)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=0.1)
        for module in model:
            nn.init.zeros_(module.bias)
        for _ in range(3):
            optimiser.zero_grad()
            model(torch.tensor([[1.0, 2.0]])).sum().backward()
            mask_gradients(model, masks)
            optimiser.step()
            mask_weights(model, masks)
        weights.append(torch.cat([p.detach().flatten() for p in model.parameters()]))

    assert torch.equal(weights[0], weights[1])


def test_counts_by_layer():
    """Without masks every weight remains; with them they are counted."""
    model = two_layers()

    assert {"0": (4, 4), "1": (2, 2)} == count_remaining(model, {})
    assert {"0": (4, 2), "1": (2, 1)} == count_remaining(model, keep_largest(model, {}, 3))


def test_the_model_and_the_seed_decide_the_masks():
    """The same network, the same masks, in another order of calls as well."""
    model = build_model(replaced(SMALL, {"seed": 3}))
    first = flat(keep_largest(model, {}, 4000))

    assert first == flat(keep_largest(build_model(replaced(SMALL, {"seed": 3})), {}, 4000))
    assert first == flat(keep_largest(model, keep_largest(model, {}, 6000), 4000))
