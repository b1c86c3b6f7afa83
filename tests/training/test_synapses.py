"""Rows of a layer's synapses by hand."""

import pytest
import torch

from tic_sweep.delays import DelayNetwork
from tic_sweep.training.synapses import delay_rows, entropy, synapse_rows


def by_hand() -> DelayNetwork:
    """Return two inputs, two hidden neurons, one class, delays up to 4; the second hidden neuron has no synapse."""
    model = DelayNetwork(2, 2, 1, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        model.hidden.mask[1] = False
        model.hidden.weight.copy_(torch.tensor([[0.5, -2.0], [0.0, 0.0]]))
        model.hidden.position.copy_(torch.tensor([[2.0, -0.4], [0.0, 0.0]]))  # delays 0 and 2.4
    return model


def test_a_layer_by_hand():
    """Delays 0 and 2, once 1 and 2.9: a mean of 1, one bit, a mean shift of ¾; one of two weights excites."""
    first = {"hidden": torch.tensor([[1.0, 2.9], [4.0, 4.0]]), "output": torch.zeros(1, 2)}
    row = next(delay_rows(by_hand(), first, None, "k", 3, timesteps=10))

    assert ("k", 3, "hidden", 4, 2, 0, 0, 2, 1.0) == (
        row.key, row.epoch, row.layer, row.possible, row.active, row.grown, row.pruned, row.survived, row.overlap,
    )  # fmt: skip
    assert [0.75, 1.0, 1.0, 0.5] == pytest.approx([row.shift, row.delay_mean, row.delay_entropy, row.excitatory])
    assert (1, 20) == (row.empty, row.operations)


def test_synapses_by_hand():
    """The two that exist, with signed weights, and delays whole and real."""
    rows = [row for row in synapse_rows(by_hand().layers(), "k", 3) if row.layer == "hidden"]

    assert [(0, 0, 0.5, 0), (0, 1, -2.0, 2)] == [(row.neuron, row.input, row.weight, row.delay) for row in rows]
    assert [0.0, 2.4] == pytest.approx([row.delay_real for row in rows])


def test_fixed_signs_count():
    """A magnitude of negative sign is a negative weight."""
    model = by_hand()
    model.hidden.sign.fill_(-1)

    assert [-0.5, 2.0] == [row.weight for row in synapse_rows({"hidden": model.hidden}, "k", 0)]


@pytest.mark.parametrize(("whole", "bits"), [([3], 0), ([0, 1, 2, 3], 2), ([5, 5, 5, 1], 0.8112781)])
def test_entropy_by_hand(whole: list[int], bits: float):
    """One value has none, four even ones two bits, three to one 0.81."""
    assert bits == pytest.approx(entropy(torch.tensor(whole)))
