"""The kernels against the plain path, layer by layer on equal inputs: spikes bit for bit, gradients too or to rounding.

Whole deep networks are compared where the kernels are the plain path's numbers bit for bit; elsewhere one flipped spike
would change everything. Without a GPU, Triton's kernels run in its interpreter.
"""

import math
from itertools import product
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from tic_sweep.config import SURROGATES, NeuronConfig
from tic_sweep.snn import TimeNorm, as_spikes, fused_norm_lif, lif, packed_conv, running
from tic_sweep.snn import kernels as choosing
from tic_sweep.snn.library import NotCompiledError, library

DEVICE = {"compiled": "cpu", "triton": "cuda" if torch.cuda.is_available() else "cpu"}
KERNELS = tuple(DEVICE)
VARIANTS = [
    NeuronConfig(
        tau=tau, reset=reset, reset_gradient=rho, surrogate=surrogate, surrogate_unit_peak=unit, v_threshold=0.9,
        surrogate_width=0.7,
    )
    for tau, reset, rho, (surrogate, unit) in product(
        (2, 4 / 3), ("hard", "soft"), (0.0, 0.5), zip(SURROGATES, (False, True, False, True), strict=True)
    )
] + [NeuronConfig(temporal_gradient=False), NeuronConfig(tau=0.75, reset="soft")]  # fmt: skip


@pytest.fixture(params=KERNELS)
def kernels(request: pytest.FixtureRequest) -> str:
    """Return each kernels' name, where this machine has them."""
    name = request.param
    if name == "triton":
        pytest.importorskip("triton")
    else:
        try:
            library()
        except NotCompiledError as reason:
            pytest.skip(str(reason))
    return name


def module_of(kernels: str) -> ModuleType:
    """Return the module that has the kernels of a name."""
    with running(kernels):
        found = choosing.kernels_for(torch.empty(0, dtype=torch.float32, device=DEVICE[kernels]))
    assert found is not None
    return found


def drawn(*shape: int, kernels: str, seed: int = 0, mean: float = 0.0) -> Tensor:
    """Return normal numbers on the kernels' device."""
    return (torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 2 + mean).to(DEVICE[kernels])


def same_gradient(kernels: str, neuron: NeuronConfig, expected: Tensor, actual: Tensor) -> None:
    """Compiled kernels round as torch does, but for the exponential of the sigmoid; Triton's to rounding."""
    if kernels == "compiled" and neuron.surrogate != "sigmoid":
        assert torch.equal(expected, actual)
    torch.testing.assert_close(actual, expected, rtol=2e-5, atol=2e-5)


def through_lif(x: Tensor, grad_s: Tensor, neuron: NeuronConfig, kernels: str) -> tuple[Tensor, Tensor]:
    """Return spikes and gradient of a layer of neurons."""
    x = x.detach().requires_grad_()
    with running(kernels):
        s = lif(x, neuron)
    s.backward(grad_s)
    return s.detach(), x.grad


@pytest.mark.parametrize("neuron", VARIANTS, ids=str)
def test_neurons_are_the_plain_paths(kernels: str, neuron: NeuronConfig):
    """Spikes are equal bit for bit, for every surrogate, both resets, and with the reset's gradient."""
    x, grad_s = drawn(6, 3, 37, kernels=kernels, mean=0.8), drawn(6, 3, 37, kernels=kernels, seed=1)
    expected_s, expected_grad = through_lif(x, grad_s, neuron, "plain")
    s, grad = through_lif(x, grad_s, neuron, kernels)

    assert torch.equal(expected_s, s)
    assert 0.05 < s.mean() < 0.95
    same_gradient(kernels, neuron, expected_grad, grad)


@pytest.mark.parametrize("timesteps", [1, 2, 40])
def test_any_number_of_timesteps(kernels: str, timesteps: int):
    """One timestep, and more than fit into registers."""
    x, grad_s = drawn(timesteps, 2, 19, kernels=kernels, mean=0.8), drawn(timesteps, 2, 19, kernels=kernels, seed=1)
    expected_s, expected_grad = through_lif(x, grad_s, NeuronConfig(), "plain")
    s, grad = through_lif(x, grad_s, NeuronConfig(), kernels)

    assert torch.equal(expected_s, s)
    same_gradient(kernels, NeuronConfig(), expected_grad, grad)


def test_a_static_current_is_charged_alike_in_every_layout(kernels: str):
    """A view shared by all timesteps, channels last, a transposed current: same spikes, same gradients."""
    x = drawn(3, 4, 5, 5, kernels=kernels, mean=0.8)
    for current in (
        x.expand(6, *x.shape),
        x.contiguous(memory_format=torch.channels_last).expand(6, *x.shape),
        drawn(3, 6, 4, 5, kernels=kernels, mean=0.8).transpose(0, 1),
    ):
        grad_s = drawn(*current.shape, kernels=kernels, seed=1).mT
        grad_s = grad_s.reshape(current.shape)
        expected_s, expected_grad = through_lif(current, grad_s, NeuronConfig(), "plain")
        s, grad = through_lif(current, grad_s, NeuronConfig(), kernels)

        assert torch.equal(expected_s, s)
        same_gradient(kernels, NeuronConfig(), expected_grad, grad)


def test_one_current_for_all_timesteps_gathers_its_gradient(kernels: str):
    """What the stem uses in training: the gradient is the sum over time."""
    x, grad_s = drawn(3, 4, 5, 5, kernels=kernels, mean=0.8), drawn(6, 3, 4, 5, 5, kernels=kernels, seed=1)
    expected_s, expected_grad = through_lif(x.expand(6, *x.shape), grad_s, NeuronConfig(), "plain")
    module = module_of(kernels)
    s = module.fire(x, NeuronConfig(), 6)

    assert torch.equal(expected_s, s)
    torch.testing.assert_close(module.descend(x, grad_s, NeuronConfig(), 6), expected_grad.sum(0), rtol=2e-5, atol=2e-5)


def norms_of(kernels: str, kind: str, channels: int, count: int) -> list[TimeNorm]:
    """Return norms that are not the identity, alike in every call."""
    norms = [TimeNorm(channels, kind=kind, v_threshold=0.9).to(DEVICE[kernels]) for _ in range(count)]
    for i, norm in enumerate(norms):
        norm.weight.data.copy_(drawn(channels, kernels=kernels, seed=10 + i).abs() / 2 + 0.5)
        norm.bias.data.copy_(drawn(channels, kernels=kernels, seed=20 + i) / 4 + 0.3)
    return norms


def through_norms(
    inputs: list[Tensor], grad_s: Tensor, kind: str, neuron: NeuronConfig, kernels: str, *, fused: bool
) -> dict[str, Tensor]:
    """Return everything that a normalised layer of neurons tells: spikes, gradients, running statistics."""
    y, *others = [x.detach().requires_grad_() for x in inputs]
    norms = norms_of(kernels, kind, y.shape[2], 2)
    is_spikes = bool(others) and bool(((others[0] == 0) | (others[0] == 1)).all())
    other = others[0] if others else None
    if fused:
        s = fused_norm_lif(module_of(kernels), y, norms[0], neuron, other, None if is_spikes else norms[1])
    else:
        current = norms[0](y)
        if other is not None:
            current = current + (other if is_spikes else norms[1](other))
        s = lif(current, neuron)
    s.backward(grad_s)
    told = {"s": s.detach(), "y": y.grad, "mean": norms[0].running_mean, "var": norms[0].running_var}
    told |= {f"{name} {i}": p.grad for i, norm in enumerate(norms) for name, p in norm.named_parameters()}
    if other is not None:
        told["other"] = other.grad
    return {name: value for name, value in told.items() if value is not None}


@pytest.mark.parametrize("shape", [(5, 3, 6, 4, 5), (5, 3, 16, 4, 5)], ids=str)
@pytest.mark.parametrize("neuron", [NeuronConfig(v_threshold=0.9), VARIANTS[-3]], ids=str)
@pytest.mark.parametrize("kind", ["batch", "tdbn"])
@pytest.mark.parametrize("second", ["none", "spikes", "norm"])
def test_norm_and_neurons_in_one_are_the_plain_paths(
    kernels: str, kind: str, second: str, neuron: NeuronConfig, shape: tuple[int, ...]
):
    """Statistics, their running means, spikes, and the gradients of inputs, γ and β, with either kind of shortcut."""
    the_plain_paths(kernels, kind, second, neuron, shape)


@pytest.mark.parametrize(
    "shape", [(3, 2, 1, 24, 24), (2, 3, 2, 31, 29), (1, 2, 70, 24, 24), (26, 1, 3, 3, 3), (1, 2, 5, 3, 3)], ids=str
)
@pytest.mark.parametrize(("kind", "second"), [("batch", "spikes"), ("tdbn", "norm")])
def test_norms_of_every_size_are_the_plain_paths(kernels: str, kind: str, second: str, shape: tuple[int, ...]):
    """One channel, more channels and rows than a program takes, more timesteps than it holds, a single timestep."""
    the_plain_paths(kernels, kind, second, NeuronConfig(v_threshold=0.9), shape)


def the_plain_paths(kernels: str, kind: str, second: str, neuron: NeuronConfig, shape: tuple[int, ...]) -> None:
    """Demand that a normalised layer of neurons tells what the plain path does."""
    inputs = [drawn(*shape, kernels=kernels, mean=1.0)]
    if second != "none":
        other = drawn(*shape, kernels=kernels, seed=2)
        inputs.append((other > 0).float() if second == "spikes" else other)
    grad_s = drawn(*shape, kernels=kernels, seed=1)
    expected = through_norms(inputs, grad_s, kind, neuron, kernels, fused=False)
    actual = through_norms(inputs, grad_s, kind, neuron, kernels, fused=True)

    assert expected.keys() == actual.keys()
    assert torch.equal(expected["s"], actual["s"])
    for name, value in expected.items():
        if kernels == "compiled" and neuron.surrogate != "sigmoid":
            assert torch.equal(value, actual[name]), name
        torch.testing.assert_close(actual[name], value, rtol=1e-4, atol=1e-4 * float(value.abs().max()))


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # NumPy, in Triton's interpreter
@pytest.mark.parametrize("surrogate", SURROGATES)
def test_what_is_no_number_is_not_hidden(kernels: str, surrogate: str):
    """A current that is not finite gives the gradients that it gives on the plain path: NaN stays NaN."""
    x = torch.tensor([[math.nan, math.inf, -math.inf, 0.5]] * 3).to(DEVICE[kernels])
    neuron = NeuronConfig(surrogate=surrogate)
    _, expected = through_lif(x, torch.ones_like(x), neuron, "plain")
    _, grad = through_lif(x, torch.ones_like(x), neuron, kernels)

    assert expected.isnan().any()
    torch.testing.assert_close(grad, expected, rtol=2e-5, atol=2e-5, equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_torchs_default_precision_changes_nothing(kernels: str, dtype: torch.dtype):
    """Kernels write float32 where the currents are, whatever new tensors would be."""
    inputs = [drawn(4, 3, 6, 5, 5, kernels=kernels, mean=1.0), drawn(4, 3, 6, 5, 5, kernels=kernels, seed=2)]
    grad_s = drawn(4, 3, 6, 5, 5, kernels=kernels, seed=1)
    told = []
    for default in (torch.float32, dtype):
        norms = norms_of(kernels, "batch", 6, 2)
        inputs = [x.detach().requires_grad_() for x in inputs]
        torch.set_default_dtype(default)
        try:
            s = fused_norm_lif(module_of(kernels), inputs[0], norms[0], NeuronConfig(), inputs[1], norms[1])
            s.backward(grad_s)
            alone = through_lif(inputs[0], grad_s, NeuronConfig(), kernels)
        finally:
            torch.set_default_dtype(torch.float32)
        told.append([s.detach(), *alone, *(x.grad for x in inputs), *(norm.running_var for norm in norms)])

    assert all(torch.float32 == x.dtype for x in told[1])
    assert all(torch.equal(a, b) for a, b in zip(*told, strict=True))


def test_spikes_that_lie_as_they_should_stay_themselves(kernels: str):
    """What kernels are given in their own layout they take as it is, with the bits that are kept of it."""
    module = module_of(kernels)
    s = as_spikes(module.laid_out((drawn(3, 2, 5, 7, 7, kernels=kernels) > 1).float()))
    transposed = drawn(2, 3, 5, 1, 1, kernels=kernels).transpose(0, 1)

    assert s is module.laid_out(s)
    laid = module.laid_out(transposed)
    assert torch.equal(transposed, laid)
    assert laid.data_ptr() == laid.flatten(0, 1).data_ptr()


@pytest.mark.parametrize("shape", [(3, 4, 16, 8, 8), (2, 3, 21, 5, 7), (1, 2, 3, 2, 2)], ids=str)
def test_moments_are_torchs(shape: tuple[int, ...]):
    """Means, variances and running statistics, to the last bit where this torch sums as ours was seen to."""
    compiled = module_of("compiled")
    y = torch.randn(shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    ours, torchs = ([torch.zeros(shape[2]), torch.ones(shape[2])] for _ in range(2))
    got = [*compiled._moments(y, *ours), *ours]
    expected = [*compiled._moments_by_torch(y, *torchs), *torchs]

    exactly = {"rtol": 0, "atol": 0} if compiled._sums_as_torch() else {"rtol": 1e-6, "atol": 1e-7}
    torch.testing.assert_close(got, expected, **exactly)


def test_another_torchs_sums_stand_in_for_ours(monkeypatch: pytest.MonkeyPatch):
    """Where a build of torch sums otherwise, its own sums are taken: the plain path's numbers remain."""
    compiled = module_of("compiled")
    y = torch.randn((2, 3, 10, 4, 4), generator=torch.Generator().manual_seed(2))
    monkeypatch.setattr(compiled, "_sums_as_torch", lambda: False)
    norms = [TimeNorm(10, kind="batch", v_threshold=1.0) for _ in range(2)]
    with running("compiled"):
        got = fused_norm_lif(compiled, y, norms[0], NeuronConfig())

    torch.testing.assert_close(got, lif(norms[1](y), NeuronConfig()), rtol=0, atol=0)
    torch.testing.assert_close(norms[0].state_dict(), norms[1].state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(3, 2, 5, 7, 7), (2, 3, 8, 4, 4)])
def test_spikes_are_kept_as_bits_and_come_back(kernels: str, shape: tuple[int, ...]):
    """Packing and unpacking give the very spikes, and a convolution from them the same gradients, for any size."""
    module = module_of(kernels)
    s = module.laid_out((drawn(*shape, kernels=kernels) > 1).float())
    conv = nn.Conv2d(shape[2], 4, 3, stride=2, padding=1, bias=False).to(DEVICE[kernels])
    x, y = s.detach().requires_grad_(), s.detach().requires_grad_()
    out = packed_conv(module, x, conv)
    out.square().sum().backward()
    gradient, conv.weight.grad = conv.weight.grad, None
    conv(y.flatten(0, 1)).square().sum().backward()
    bits = module.pack(s)

    assert -(-s.numel() // 8) == bits.numel()
    assert torch.equal(s, module.unpack(bits, s.shape, s.stride(), s.dtype))
    torch.testing.assert_close(x.grad, y.grad)
    torch.testing.assert_close(gradient, conv.weight.grad)


@pytest.mark.parametrize("kernels", ["triton"], indirect=True)
def test_half_precision_keeps_its_type_and_charges_in_float32(kernels: str):
    """Triton's kernels take bfloat16 currents and give bfloat16 spikes, those of the same currents in float32."""
    x = drawn(5, 3, 37, kernels=kernels, mean=0.8).bfloat16()
    s = module_of(kernels).fire(x, NeuronConfig())

    assert torch.bfloat16 == s.dtype
    assert torch.equal(lif(x.float(), NeuronConfig()), s.float())


@pytest.mark.parametrize("kernels", ["triton"], indirect=True)
@pytest.mark.parametrize("second", ["none", "spikes", "norm"])
def test_normalised_half_precision_is_near_float32(kernels: str, second: str):
    """Of the same bfloat16 inputs: nearly all spikes are equal, and gradients differ by the rounding of bfloat16."""
    shape = (5, 3, 16, 4, 5)
    inputs = [drawn(*shape, kernels=kernels, mean=1.0).bfloat16()]
    if second != "none":
        other = drawn(*shape, kernels=kernels, seed=2)
        inputs.append(((other > 0).float() if second == "spikes" else other).bfloat16())
    grad_s = drawn(*shape, kernels=kernels, seed=1).bfloat16()
    half = through_norms(inputs, grad_s, "batch", NeuronConfig(), kernels, fused=True)
    whole = through_norms([x.float() for x in inputs], grad_s.float(), "batch", NeuronConfig(), kernels, fused=True)

    assert torch.equal(whole["s"], half["s"].float())
    for name, value in whole.items():
        torch.testing.assert_close(half[name].float(), value, rtol=2e-2, atol=1e-2 * float(value.abs().max()))


@pytest.mark.parametrize("kernels", ["compiled"], indirect=True)
def test_threads_share_a_layer_and_leave_no_trace(kernels: str):
    """Spikes, gradients and bits of a layer that is worth sharing are those of one thread."""
    x, grad_s = drawn(5, 4, 7, 30, 31, kernels=kernels, mean=0.8), drawn(5, 4, 7, 30, 31, kernels=kernels, seed=1)
    other = drawn(*x.shape, kernels=kernels, seed=2)
    told = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        try:
            s, grad = through_lif(x, grad_s, NeuronConfig(), kernels)
            joined = through_norms([x, other], grad_s, "tdbn", NeuronConfig(), kernels, fused=True)
            told.append([s, grad, joined["s"], module_of(kernels).pack(s)])
        finally:
            torch.set_num_threads(1)

    assert all(torch.equal(one, shared) for one, shared in zip(*told, strict=True))
