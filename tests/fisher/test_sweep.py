"""The backward sweep part by part: rows, convolutions backwards, Gram matrices; and its agreement with autograd."""

from dataclasses import replace

import pytest
import torch
from cases import FAMILIES, Case, lively
from oracles import fisher_units_oracle, masked_fisher_units_oracle
from torch import Tensor, nn

from tic_sweep.fisher import fisher_trace
from tic_sweep.fisher.exact import Direct, Gram, exact_share, gram_is_cheaper, output_pixels
from tic_sweep.fisher.rows import Rows
from tic_sweep.fisher.sweep import can_sweep
from tic_sweep.fisher.transposed import input_gradient
from tic_sweep.models import LIF, SpikingNetwork
from tic_sweep.pruning import keep_largest, mask_weights


def drawn(*shape: int, seed: int = 0) -> Tensor:
    """Return normal numbers in float64."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def by_autograd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no model be swept."""
    monkeypatch.setattr("tic_sweep.fisher.trace.can_sweep", lambda _model: False)


def test_rows_by_hand():
    """T = 3: a timestep's horizons lie side by side, and a horizon's timesteps are found among them."""
    rows = Rows(3)
    names_TS = torch.tensor([[10 * s + t for s in range(3)] for t in range(3)])[:, :, None]
    stacked = rows.stacked(names_TS)

    assert [0, 1, 2, 11, 12, 22] == stacked[:, 0].tolist()
    assert [[0, 1, 2], [11, 12], [22]] == [rows.of_step(stacked, s)[:, 0].tolist() for s in range(3)]
    assert [[0], [1, 11], [2, 12, 22]] == [rows.of_horizon(stacked, t)[0].tolist() for t in range(3)]
    assert [0, 12, 36] == rows.summed(stacked)[:, 0].tolist()


def test_static_rows_are_copies():
    """Horizons that share a timestep have a row each, which what is done to it leaves as it was."""
    rows, x_RN = Rows(3, static=True), drawn(3, 2)
    taken = rows.of_horizon(x_RN, 1)
    taken.zero_()

    assert 1 == rows.steps
    assert (2, 1) == taken.shape
    assert (x_RN != 0).all()


CONVOLUTIONS = [
    {"kernel_size": 3, "padding": 1},
    {"kernel_size": 3, "padding": 1, "stride": 2},
    {"kernel_size": 1, "stride": 2},
    {"kernel_size": 1},
    {"kernel_size": 3, "stride": (3, 2)},
    {"kernel_size": 3, "stride": 2, "dilation": (1, 2), "padding": (0, 1)},
    {"kernel_size": (3, 2), "dilation": (1, 2), "padding": (2, 0)},
    {"kernel_size": 1, "padding": 1},
]
SIZED = [(c, side) for c in CONVOLUTIONS for side in (1, 5, 8) if side > 1 or c.get("padding") == 1]
"""One pixel alone gives an output only where it is padded."""


@pytest.mark.parametrize("wide", [1, 1000], ids=["tiles", "plain"])
@pytest.mark.parametrize(("options", "side"), SIZED, ids=str)
def test_convolutions_backwards_equal_autograd(options: dict, side: int, wide: int, monkeypatch: pytest.MonkeyPatch):
    """By tiles, as a turned convolution or as the library's own gradient: it is the same, times the scale."""
    monkeypatch.setattr("tic_sweep.fisher.transposed.WIDE", wide)
    conv = nn.Conv2d(3, 4, **options, bias=False).double()
    x, scale_D = drawn(2 * 3, 3, side, side + 1).requires_grad_(), drawn(4, seed=1)
    y = conv(x)
    grad_y = drawn(*y.shape, seed=2)
    (expected,) = torch.autograd.grad(y * scale_D[:, None, None], x, grad_y)

    got = input_gradient(conv, grad_y.permute(0, 2, 3, 1).unflatten(0, (2, 3)).contiguous(), scale_D, x.shape[1:])

    torch.testing.assert_close(got.flatten(0, 1).permute(0, 3, 1, 2), expected, rtol=1e-10, atol=1e-12)


def test_tiles_are_exact_enough_in_float32(monkeypatch: pytest.MonkeyPatch):
    """Of a wide convolution the tiles' gradient is within 1e-5 of its norm."""
    conv = nn.Conv2d(128, 128, 3, padding=1, bias=False)
    grad, size = drawn(4, 16, 16, 128), torch.Size((128, 16, 16))
    tiled = input_gradient(conv, grad.float(), torch.ones(128), size)
    monkeypatch.setattr("tic_sweep.fisher.transposed.WIDE", 1000)
    expected = input_gradient(conv.double(), grad, torch.ones(128, dtype=torch.float64), size)

    assert 1e-7 < float((tiled - expected).norm() / expected.norm()) < 1e-5


@pytest.mark.parametrize("block", [1, 30, 1000])
@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.Conv2d(3, 4, 3, padding=1), (3, 5, 4)),
        (nn.Conv2d(3, 4, 3, padding=1), (3, 1, 1)),
        (nn.Conv2d(3, 4, 3, padding=1, stride=2), (3, 5, 4)),
        (nn.Conv2d(3, 4, 1, stride=2), (3, 5, 4)),
        (nn.Linear(3, 4), (3,)),
    ],
    ids=str,
)
def test_both_identities_are_the_squared_gradient(
    module: nn.Conv2d | nn.Linear, shape: tuple[int, ...], block: int, monkeypatch: pytest.MonkeyPatch
):
    """At every horizon, in blocks of any size: ‖Σ_s g_s a_sᵀ‖² of each sample, scaled per output channel."""
    monkeypatch.setattr("tic_sweep.fisher.grams.BLOCK", {"cpu": block})
    module, scale_D = module.double(), drawn(4, seed=3)
    a_TN = drawn(4, 2, *shape)
    pixels = output_pixels(module, a_TN)
    direct, gram = Direct(module, a_TN), Gram(module, a_TN)
    for steps in range(1, 5):
        out = module(a_TN[:steps].flatten(0, 1))
        g_NLD = drawn(2, steps * pixels, 4, seed=steps)
        by_sample = g_NLD.unflatten(1, (steps, pixels)).permute(1, 0, 3, 2).reshape(out.shape) * scale_D.view(
            4, *(1,) * (out.dim() - 2)
        )
        expected = [
            torch.autograd
            .grad((out * by_sample).unflatten(0, (steps, 2))[:, n].sum(), module.weight, retain_graph=True)[0]
            .square()
            .sum()
            for n in range(2)
        ]

        for rule in (direct, gram):
            torch.testing.assert_close(rule(g_NLD, scale_D), torch.stack(expected), rtol=1e-10, atol=0)


def test_the_identity_is_chosen_by_its_cost():
    """Few pixels and wide kernels call for Gram matrices, many pixels or narrow layers for the gradient itself."""
    wide, narrow = nn.Conv2d(64, 64, 3, padding=1), nn.Conv2d(2, 4, 3, padding=1)
    few, many = torch.zeros(4, 1, 64, 2, 2), torch.zeros(4, 1, 2, 16, 16)

    assert gram_is_cheaper(wide, few, 4)
    assert not gram_is_cheaper(narrow, many, 4)
    assert exact_share(wide, few, 4) < 0.1
    assert 1 == exact_share(narrow, many, 4)


def test_what_is_estimated_does_not_hang_on_the_device():
    """Where a GPU would take the other identity, a layer's share is still a CPU's: it decides on what is measured."""
    conv, on_cpu = nn.Conv2d(64, 64, 3, padding=1), torch.zeros(4, 1, 64, 4, 4)
    elsewhere = on_cpu.to("meta")

    assert gram_is_cheaper(conv, on_cpu, 4)
    assert not gram_is_cheaper(conv, elsewhere, 4)
    assert exact_share(conv, on_cpu, 4) == exact_share(conv, elsewhere, 4)


def spatial(case: Case) -> Case:
    """Cut the gradient's path through time."""
    for module in case.model.modules():
        if isinstance(module, LIF):
            module.neuron = replace(module.neuron, temporal_gradient=False)
    return case


@pytest.mark.parametrize("readout", ["mean", "softmax_sum"])
def test_without_a_gradient_through_time(readout: str):
    """Where the trial cuts it, the trace is cut, too."""
    case, whole = spatial(lively("resnet19", samples=3)), lively("resnet19", samples=3)
    measured = fisher_trace(case.model, case.images, case.labels, readout=readout).units_NT

    expected = fisher_units_oracle(case.model, case.images, case.labels, readout)

    torch.testing.assert_close(measured, expected, rtol=1e-9, atol=0)
    assert not torch.allclose(measured, fisher_trace(whole.model, whole.images, whole.labels, readout=readout).units_NT)


@pytest.mark.parametrize("family", ["resnet19", "vgg16", "alexnet"])
def test_images_that_vary_in_time(family: str, monkeypatch: pytest.MonkeyPatch):
    """A stem that sees another image at every t is measured like any layer, by tiles too."""
    monkeypatch.setattr("tic_sweep.fisher.transposed.WIDE", 1)
    case = lively(family, samples=2)
    moving = case.images * torch.tensor([1.0, 0.2, -1.0, 2.0], dtype=torch.float64)[:, None, None, None, None]
    measured = fisher_trace(case.model, moving, case.labels)

    torch.testing.assert_close(
        measured.units_NT, fisher_units_oracle(case.model, moving, case.labels), rtol=1e-9, atol=0
    )


@pytest.mark.usefixtures("by_autograd")
@pytest.mark.parametrize("family", FAMILIES)
def test_autograd_gives_the_same(family: str):
    """Networks that cannot be swept are measured with a graph, to the same norms."""
    case = lively(family, samples=3)
    measured = fisher_trace(case.model, case.images, case.labels)

    torch.testing.assert_close(
        measured.units_NT, fisher_units_oracle(case.model, case.images, case.labels), rtol=1e-9, atol=0
    )


@pytest.mark.usefixtures("by_autograd")
@pytest.mark.parametrize("cheaper", [True, False])
@pytest.mark.parametrize("kept", [1 << 30, 10_000])
def test_autograd_by_either_identity_and_in_parts(monkeypatch: pytest.MonkeyPatch, kept: int, *, cheaper: bool):
    """Which identity is used, and how much may be kept, changes nothing; nor with pruned weights."""
    case = lively("small_conv")
    masks = keep_largest(case.model, {}, 1500)
    mask_weights(case.model, masks)
    monkeypatch.setattr("tic_sweep.fisher.exact.gram_is_cheaper", lambda *_: cheaper)
    monkeypatch.setattr("tic_sweep.fisher.per_sample.BYTES_KEPT", kept)
    plain, pruned = (fisher_trace(case.model, case.images, case.labels, masks=some) for some in ({}, masks))

    expected = masked_fisher_units_oracle(case.model, case.images, case.labels, masks)

    torch.testing.assert_close(pruned.units_NT, expected, rtol=1e-9, atol=0)
    torch.testing.assert_close(
        plain.units_NT, fisher_units_oracle(case.model, case.images, case.labels), rtol=1e-9, atol=0
    )


class Own(SpikingNetwork):
    """A user's network, which may do anything in its forward pass."""

    def forward(self, images: Tensor) -> Tensor:
        """Return twice the outputs."""
        return 2 * super().forward(images)


def test_networks_of_ones_own_are_not_swept():
    """They are measured by autograd, and rightly.

    A subclass, a network two of whose layers share a weight, convolutions with a bias or other borders.
    """
    own, shared, biased, circular = (lively("small_conv", samples=2) for _ in range(4))
    model = own.model
    assert isinstance(model, SpikingNetwork)
    assert can_sweep(model)
    model.__class__ = Own
    shared.model.blocks[1].norm.weight = shared.model.blocks[0].norm.weight

    for case, options in ((biased, {"bias": True}), (circular, {"bias": False, "padding_mode": "circular"})):
        old = case.model.blocks[0].conv
        case.model.blocks[0].conv = nn.Conv2d(
            old.in_channels, old.out_channels, 3, padding=1, dtype=torch.float64, **options
        )

    for case in (own, shared, biased, circular):
        assert not can_sweep(case.model)
        torch.testing.assert_close(
            fisher_trace(case.model, case.images, case.labels).units_NT,
            fisher_units_oracle(case.model, case.images, case.labels),
            rtol=1e-9,
            atol=0,
        )


@pytest.mark.parametrize("family", FAMILIES)
def test_half_precision_moves_the_trace_little(family: str):
    """With gradients in bfloat16 I_t is within 2 % of the oracle and IC within 0.01: the spikes are the same."""
    exact, single = lively(family), lively(family, dtype=torch.float32)
    single.model.load_state_dict({name: value.float() for name, value in exact.model.state_dict().items()})
    measured = fisher_trace(single.model, exact.images.float(), exact.labels, bfloat16=True)
    whole = fisher_trace(exact.model, exact.images, exact.labels)

    torch.testing.assert_close(measured.trace_T, whole.trace_T, rtol=0.02, atol=0)
    assert not torch.allclose(measured.trace_T, whole.trace_T, rtol=1e-5)
    assert pytest.approx(whole.ic, abs=0.01) == measured.ic
