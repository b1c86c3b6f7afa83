"""The network: its order of layers by hand, what it reads out, and that nothing is drawn behind one's back."""

import pytest
import torch
from delays.delay_cases import MEMORYLESS, drawn, small_network
from torch.nn.functional import cross_entropy

from tic_sweep.delays import DelayNetwork, delay_logits, leaky_sum, weight_penalty
from tic_sweep.snn import lif


def test_the_leaky_sum_is_its_recursion():
    """m[t] = 0.75·m[t-1] + i[t] at τ = 4, and i itself at τ = 1."""
    current = torch.randn(5, 2, 3, generator=drawn())
    m, expected = torch.zeros(2, 3), []
    for i in current:
        m = 0.75 * m + i
        expected.append(m)

    assert torch.allclose(torch.stack(expected), leaky_sum(current, 4.0), atol=1e-6)
    assert torch.equal(current, leaky_sum(current, 1.0))


def test_evaluation_is_its_parts_in_order():
    """Delays, batch norm by running statistics, LIF at τ times the current, delays, leaky integrators."""
    model = small_network(order="charge_first", neuron=MEMORYLESS, readout_tau=3.0).eval()
    x_NTI = torch.randn(2, 9, 4, generator=drawn(1))

    current = model.hidden(x_NTI.transpose(0, 1))
    normed = (current - model.norm.running_mean) / (model.norm.running_var + 1e-5).sqrt()
    expected = leaky_sum(model.output(lif(normed.contiguous(), MEMORYLESS)), 3.0)

    assert torch.allclose(expected, model(x_NTI), atol=1e-5)


def test_training_normalises_over_time_and_batch():
    """The hidden currents have mean 0 and deviation 1 over (T, N), not per timestep."""
    model = small_network().train()
    seen = []
    model.lif.register_forward_hook(lambda _module, args, _output: seen.append(args[0].detach()))

    model(torch.randn(8, 9, 4, generator=drawn(1)) + torch.arange(9.0)[:, None])

    assert torch.allclose(torch.zeros(6), seen[0].mean((0, 1)), atol=1e-5)
    assert torch.allclose(torch.ones(6), seen[0].std((0, 1), correction=0), atol=1e-3)
    assert seen[0].mean(1).abs().max() > 0.5


def test_dropout_has_one_mask_for_all_timesteps():
    """A hidden neuron that is left out of a sample is so at every t; the others count 1 / (1 - p)."""
    model = small_network(dropout=0.5, order="charge_first").train()
    with torch.no_grad():
        model.norm.bias.fill_(10)  # every neuron fires at every timestep
    seen = []
    model.output.register_forward_hook(lambda _module, args, _output: seen.append(args[0].detach()))

    model(torch.randn(50, 9, 4, generator=drawn(1)), drawn(2))

    assert torch.equal(seen[0][:1].expand(9, 50, 6), seen[0])
    assert {0.0, 2.0} == set(seen[0].unique().tolist())
    assert 0.35 < float((seen[0] == 0).float().mean()) < 0.65


def test_dropout_is_drawn_from_what_it_is_given_and_only_in_training():
    """Without a generator training is refused, evaluation not; the global generator is never touched."""
    model, x_NTI, before = small_network(dropout=0.5), torch.randn(3, 9, 4, generator=drawn(1)), torch.get_rng_state()

    with pytest.raises(ValueError, match="needs a generator"):
        model.train()(x_NTI)
    first, second = (small_network(dropout=0.5).train()(x_NTI, drawn(2)) for _ in range(2))
    model.eval()(x_NTI)

    assert torch.equal(first, second)
    assert torch.equal(before, torch.get_rng_state())


def test_the_published_network_has_the_published_size():
    """40·256 and 256·20 weights, as many positions, and γ and β."""
    model = DelayNetwork(40, 256, 20, 24)

    assert 2 * (10240 + 5120) + 512 == sum(p.numel() for p in model.parameters())
    assert 25 == model.hidden.kernel().shape[-1]


def test_outputs_at_a_horizon_do_not_depend_on_later_inputs():
    """In evaluation, for either order of the neuron."""
    x_NTI = torch.randn(3, 12, 4, generator=drawn(1)) * 2
    other_NTI = x_NTI.clone()
    other_NTI[:, 7:] += 3
    for order in ("charge_first", "published"):
        model = small_network(order=order).eval()

        before, after = model(x_NTI), model(other_NTI)

        assert torch.allclose(before[:7], after[:7], atol=1e-6)
        assert not torch.allclose(before[7:], after[7:], atol=1e-3)


def test_softmax_sum_by_hand_and_its_loss():
    """Two timesteps of equal outputs give m_T = (1, 1), and log 2 of loss; m never exceeds t."""
    outputs = torch.zeros(2, 1, 2)

    logits = delay_logits(outputs, "softmax_sum")

    assert [[0.5, 0.5], [1.0, 1.0]] == logits[:, 0].tolist()
    assert cross_entropy(logits[-1], torch.tensor([0])).item() == pytest.approx(0.6931472)
    assert delay_logits(torch.randn(7, 5, 3) * 50, "softmax_sum")[-1].max() <= 7 + 1e-5


def test_the_repositorys_readouts_are_offered_too():
    """Sum and mean of the outputs 1..t."""
    outputs = torch.tensor([[[1.0, 0.0]], [[3.0, 2.0]]])

    assert [4, 2] == delay_logits(outputs, "sum")[-1, 0].tolist()
    assert [2, 1] == delay_logits(outputs, "mean")[-1, 0].tolist()
    with pytest.raises(ValueError, match="readout must be one of"):
        delay_logits(outputs, "max")


def test_the_penalty_is_a_sum_and_leaves_absent_synapses_alone():
    """0.1·Σ|w|, with the sign as gradient and none at zero."""
    model = small_network()
    with torch.no_grad():
        model.hidden.weight.fill_(-2.0)
        model.output.weight.zero_()

    penalty = weight_penalty(model, 0.1)
    penalty.backward()

    assert 0.1 * 24 * 2 == pytest.approx(penalty.item())
    assert model.hidden.weight.grad is not None
    assert model.output.weight.grad is not None
    assert model.hidden.weight.grad.unique().tolist() == pytest.approx([-0.1])
    assert 0 == model.output.weight.grad.abs().sum()


def test_sigma_and_clamp_reach_both_layers():
    """What holds for the network holds for each of its layers."""
    model = small_network()
    model.set_sigma(1.5)
    with torch.no_grad():
        model.output.position.fill_(100.0)

    model.clamp_()

    assert [1.5, 1.5] == [layer.sigma for layer in model.layers().values()]
    assert 2.0 == float(model.output.position.detach().max())


def test_nonsense_is_refused():
    """Orders and shares that do not exist."""
    for options, message in (({"order": "random"}, "order must be one of"), ({"dropout": 1.0}, "dropout must be")):
        with pytest.raises(ValueError, match=message):
            small_network(**options)
