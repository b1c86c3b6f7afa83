"""Cyclic sweeps: the task by hand, its oracle, and that nothing without delays or memory can tell its classes apart."""

import pytest
import torch
from scipy.stats import binom
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tic_sweep.config import NeuronConfig
from tic_sweep.data.cyclic_sweeps import CyclicSweeps, oracle_delays, oracle_kernel, oracle_scores
from tic_sweep.delays import DelayLinear, DelayNetwork, delay_logits
from tic_sweep.errors import DataError

CLEAN = CyclicSweeps(deletion=0, noise=0)
MEMORYLESS = NeuronConfig(tau=1, surrogate="arctan", surrogate_width=0.4)


def drawn(seed: int = 0) -> torch.Generator:
    """Return a fresh generator."""
    return torch.Generator().manual_seed(seed)


def without_delays(hidden: int = 32) -> DelayNetwork:
    """Return a network without delays and without memory."""
    return DelayNetwork(
        16, hidden, 8, 0, neuron=MEMORYLESS, order="charge_first", dropout=0, learn_delays=False, generator=drawn(3)
    )


def chance_range(samples: int, classes: int) -> tuple[int, int]:
    """Return the range of correct answers that guessing stays within in 99.9 % of cases."""
    low, high = binom.interval(0.999, samples, 1 / classes)
    return int(low), int(high)


def test_lags_by_hand():
    """Four channels, two shifts, step 2: up 0 2 4 6 and down 6 4 2 0, then the same begun half-way."""
    task = CyclicSweeps(channels=4, shifts=2, step=2, timesteps=10)

    assert [[0, 2, 4, 6], [6, 4, 2, 0], [4, 6, 0, 2], [2, 0, 6, 4]] == task.lags().tolist()
    assert (4, 6) == (task.classes, task.longest_lag)
    assert [6, 4, 2, 0] == oracle_delays(task)[0].tolist()


def test_every_class_has_the_same_lags_in_another_order():
    """Distinct lags 0..15 in each class, and no two classes alike."""
    lags_CI = CyclicSweeps().lags()

    assert all(list(range(16)) == sorted(lags) for lags in lags_CI.tolist())
    assert 8 == len({tuple(lags) for lags in lags_CI.tolist()})


def test_a_clean_sweep_is_one_spike_per_channel_at_its_lag():
    """Spike times minus the first of them are the class's lags; onsets use all the room there is."""
    spikes_NTI, labels_N = CLEAN.draw(400, drawn())
    moment_NI = spikes_NTI.argmax(1)

    assert (spikes_NTI.sum(1) == 1).all()
    assert torch.equal(CLEAN.lags()[labels_N], moment_NI - moment_NI.min(1, keepdim=True).values)
    assert (0, 39) == (int(moment_NI.min()), int(moment_NI.max()))
    assert [50] * 8 == labels_N.bincount().tolist()


def test_noise_and_deletion_have_their_rates():
    """Of 16·40·2000 places: noise 0.02 and, of the 16 sweep spikes, 0.9, less the overlap; within five sd."""
    task = CyclicSweeps()
    spikes_NTI, _ = task.draw(2000, drawn())
    expected = 1 / 40 * 0.9 + (1 - 1 / 40 * 0.9) * 0.02

    sd = (expected * (1 - expected) / spikes_NTI.numel()) ** 0.5
    assert expected == pytest.approx(float(spikes_NTI.mean()), abs=5 * sd)


def test_a_task_depends_on_its_generator_alone():
    """The same seed gives the same spikes, another others; the global generator is not touched."""
    before = torch.get_rng_state()
    first, again, other = (CyclicSweeps().draw(64, drawn(seed))[0] for seed in (0, 0, 1))

    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(("task", "least"), [(CLEAN, 1.0), (CyclicSweeps(), 0.99)])
def test_the_oracle_solves_the_task(task: CyclicSweeps, least: float):
    """Eight units with the right delays answer at least 99 % rightly under the default noise, all without any."""
    spikes_NTI, labels_N = task.draw(2000, drawn())

    assert least <= float((oracle_scores(spikes_NTI, task).argmax(1) == labels_N).float().mean())


@pytest.mark.parametrize("backend", ["conv", "fft", "gather"])
def test_a_delay_layer_with_the_oracles_delays_solves_it_too(backend: str):
    """The layer's delays run the same way as the task's lags: a mirrored kernel would answer with other classes."""
    task = CyclicSweeps()
    spikes_NTI, labels_N = task.draw(500, drawn())
    layer = DelayLinear(16, 8, task.longest_lag, backend=backend, learn_delays=False)
    with torch.no_grad():
        layer.weight.fill_(1 / 16)
        layer.position.copy_(task.longest_lag / 2 - oracle_delays(task))

    scores_NC = layer(spikes_NTI.transpose(0, 1)).detach().amax(0)

    assert torch.equal(oracle_kernel(task), layer.kernel(hard=True).detach())
    assert torch.allclose(oracle_scores(spikes_NTI, task), scores_NC, atol=1e-5)
    assert 0.99 <= float((scores_NC.argmax(1) == labels_N).float().mean())


@pytest.mark.parametrize("readout", ["sum", "softmax_sum"])
def test_without_delays_and_memory_every_clean_sample_has_the_same_answer(readout: str):
    """Whatever the weights, the sum over time is the same for all classes and onsets, and so no training can help."""
    spikes_NTI, _ = CLEAN.draw(200, drawn())
    model = without_delays().eval()
    model.norm.bias.data.uniform_(0, 1, generator=drawn(4))
    rates = []
    model.lif.register_forward_hook(lambda _module, _args, spikes: rates.append(float(spikes.detach().mean())))

    logits_NK = delay_logits(model(spikes_NTI).detach(), readout)[-1]

    assert 0.01 < rates[0] < 0.5
    assert (logits_NK - logits_NK[0]).abs().max() <= 1e-4


def test_delays_or_memory_break_that_symmetry():
    """The same network with delays, or with leaky neurons, does answer differently: the proof needs both."""
    spikes_NTI, _ = CLEAN.draw(50, drawn())
    with_delays = DelayNetwork(16, 32, 8, 16, neuron=MEMORYLESS, order="charge_first", dropout=0, generator=drawn(3))
    leaky = DelayNetwork(
        16, 32, 8, 0, neuron=NeuronConfig(tau=10), order="charge_first", readout_tau=1, dropout=0, generator=drawn(3)
    )
    for model in (with_delays, leaky):
        logits_NK = delay_logits(model.eval()(spikes_NTI).detach(), "sum")[-1]

        assert (logits_NK - logits_NK[0]).abs().max() > 0.1


def test_no_probe_of_counts_or_rates_tells_the_classes_apart():
    """Least squares on spikes per channel, or per timestep, stays within what guessing would on 4,000 new samples."""
    task = CyclicSweeps()
    (train, labels), (test, truth) = task.draw(4000, drawn(1)), task.draw(4000, drawn(2))
    low, high = chance_range(4000, 8)
    for features in (lambda x: x.sum(1), lambda x: x.sum(2)):
        assert low <= int((_probe(features(train), labels, features(test)) == truth).sum()) <= high


@pytest.mark.slow
def test_training_without_delays_stays_at_chance():
    """Twenty epochs on noisy sweeps: correct answers on 4,000 new samples stay within what guessing would give."""
    task, model = CyclicSweeps(), without_delays()
    (train, labels), (test, truth) = task.draw(2048, drawn(1)), task.draw(4000, drawn(2))
    _train(model, train, labels, epochs=20)
    low, high = chance_range(4000, 8)

    answers = delay_logits(model.eval()(test).detach(), "sum")[-1].argmax(1)

    assert low <= int((answers == truth).sum()) <= high


@pytest.mark.slow
def test_training_with_delays_does_not():
    """The same network with delays answers more than half of the noisy sweeps rightly after twenty epochs."""
    task = CyclicSweeps()
    model = DelayNetwork(16, 32, 8, 16, neuron=MEMORYLESS, order="charge_first", dropout=0, generator=drawn(3))
    (train, labels), (test, truth) = task.draw(2048, drawn(1)), task.draw(1000, drawn(2))
    model.set_sigma(0.23)
    _train(model, train, labels, epochs=20)

    answers = delay_logits(model.eval()(test).detach(), "sum")[-1].argmax(1)

    assert 0.5 < float((answers == truth).float().mean())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timesteps": 15}, "timesteps must be greater than .* = 15, got 15"),
        ({"shifts": 3}, "shifts must divide channels = 16"),
        ({"shifts": 16}, "shifts must divide channels = 16"),
        ({"step": 0}, "step must be at least 1"),
        ({"noise": 1.0}, "noise must be a probability below 1"),
        ({"deletion": float("nan")}, "deletion must be a probability"),
    ],
)
def test_nonsense_is_refused(options: dict, message: str):
    """One line names field, value and remedy."""
    with pytest.raises(DataError, match=message):
        CyclicSweeps(**options)


def _probe(train_NF: Tensor, labels_N: Tensor, test_NF: Tensor) -> Tensor:
    """Return the answers of a linear classifier fitted by least squares."""
    ones = [torch.cat([x, torch.ones(len(x), 1)], 1).double() for x in (train_NF, test_NF)]
    weights = torch.linalg.lstsq(ones[0], nn.functional.one_hot(labels_N).double(), driver="gelsd").solution
    return (ones[1] @ weights).argmax(1)


def _train(model: DelayNetwork, x_NTI: Tensor, labels_N: Tensor, *, epochs: int) -> None:
    """Train with Adam on batches of 64, positions a hundred times as fast as weights."""
    positions = {id(layer.position) for layer in model.layers().values()}
    groups = [
        {"params": [p for p in model.parameters() if (id(p) in positions) == chosen and p.requires_grad], "lr": lr}
        for chosen, lr in ((False, 5e-3), (True, 0.1))
    ]
    optimiser = torch.optim.Adam([group for group in groups if group["params"]])
    for epoch in range(epochs):
        for chosen in torch.randperm(len(labels_N), generator=drawn(100 + epoch)).split(64):
            optimiser.zero_grad()
            cross_entropy(delay_logits(model.train()(x_NTI[chosen]), "sum")[-1], labels_N[chosen]).backward()
            optimiser.step()
            model.clamp_()
