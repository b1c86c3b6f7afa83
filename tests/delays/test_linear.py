"""`DelayLinear`: real delays in training, whole ones in evaluation, and parameters that evaluation never touches."""

import pytest
import torch
from delays.delay_cases import drawn, one_synapse, sequences

from tic_sweep.delays import DelayLinear


def test_evaluation_rounds_delays_and_touches_nothing():
    """A delay of 2.4 spreads an impulse in training and passes it whole after 2 timesteps in evaluation."""
    layer = DelayLinear(1, 1, 6, interpolation="linear")
    with torch.no_grad():
        layer.weight.fill_(1)
        layer.position.fill_(3 - 2.4)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    x_TNI = torch.zeros(6, 1, 1)
    x_TNI[0] = 1

    trained, evaluated = layer.train()(x_TNI)[:, 0, 0], layer.eval()(x_TNI)[:, 0, 0]

    assert [0, 0, 0.6, 0.4, 0, 0] == pytest.approx(trained.tolist(), abs=1e-6)
    assert [0, 0, 1, 0, 0, 0] == evaluated.tolist()
    assert all(torch.equal(before[name], value) for name, value in layer.state_dict().items())


def test_a_delays_gradient_is_that_of_the_loss_by_finite_difference():
    """Under gauss, for every synapse, in float64 and through the whole layer."""
    layer = DelayLinear(3, 2, 6, generator=drawn()).double()
    layer.sigma = 1.0
    x_TNI = sequences(inputs=3, dtype=torch.float64)

    def loss() -> torch.Tensor:
        return layer(x_TNI).pow(3).mean()

    loss().backward()
    assert layer.position.grad is not None
    for place in ((0, 0), (1, 2), (0, 1)):
        values = []
        for nudge in (1e-6, -1e-6):
            with torch.no_grad():
                layer.position[place] += nudge
                values.append(float(loss()))
                layer.position[place] -= nudge
        assert (values[0] - values[1]) / 2e-6 == pytest.approx(float(layer.position.grad[place]), rel=1e-5)


def test_first_delays_are_even_and_first_weights_bounded():
    """Of 100,000 synapses each of the 7 whole delays has a seventh (±5 sd), and weights stay within √(6 / I)."""
    layer = DelayLinear(100, 1000, 6, generator=drawn())

    counts = torch.bincount(layer.delays(hard=True).flatten(), minlength=7)

    expected, sd = 1e5 / 7, (1e5 * 1 / 7 * 6 / 7) ** 0.5
    assert (counts - expected).abs().max() < 5 * sd
    assert 0.99 * (6 / 100) ** 0.5 < float(layer.weight.detach().abs().max()) <= (6 / 100) ** 0.5


def test_the_same_generator_gives_the_same_layer_and_nothing_global_is_drawn():
    """Initialisation depends on its generator alone."""
    before = torch.get_rng_state()
    first, second = (DelayLinear(3, 4, 6, generator=drawn(5)) for _ in range(2))

    assert torch.equal(first.weight, second.weight)
    assert torch.equal(first.position, second.position)
    assert torch.equal(before, torch.get_rng_state())


def test_clamping_brings_delays_back():
    """Positions beyond ±3 are delays below 0 and above 6."""
    layer = DelayLinear(2, 1, 6)
    with torch.no_grad():
        layer.position.copy_(torch.tensor([[7.0, -7.0]]))

    layer.clamp_()

    assert [[0.0, 6.0]] == layer.delays().tolist()


def test_fixed_delays_are_whole_and_not_trained():
    """Without learning, positions have no gradient, are whole from the start, and the soft kernel is not used."""
    layer = DelayLinear(5, 4, 7, learn_delays=False, generator=drawn())

    assert not layer.position.requires_grad
    assert torch.equal(layer.delays(), layer.delays(hard=True).float())
    assert torch.equal(layer.train()(sequences(inputs=5)), layer.eval()(sequences(inputs=5)))


def test_receptive_fields_hold_signed_weights_at_their_delays():
    """A weight of 1 with negative sign at delay 2 of 6; a synapse that does not exist leaves its row empty."""
    layer = one_synapse(2)
    layer.sign.fill_(-1)

    assert [[[0, 0, -1, 0, 0, 0, 0]]] == layer.receptive_fields().tolist()
    layer.mask.fill_(value=False)
    assert 0 == layer.receptive_fields().abs().sum()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_delay": -1}, "max_delay not negative"),
        ({"interpolation": "spline"}, "interpolation must be one of"),
        ({"backend": "cuda"}, "backend must be auto or one of"),
        ({"backend": "gather"}, "whole delays only"),
    ],
)
def test_nonsense_is_refused(options: dict, message: str):
    """What a layer cannot be is said when it is made."""
    with pytest.raises(ValueError, match=message):
        DelayLinear(2, 2, options.pop("max_delay", 4), **options)
