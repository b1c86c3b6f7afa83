"""The Fisher trace against its definition, on every model family."""

import math
from dataclasses import replace

import pytest
import torch
from cases import FAMILIES, lively
from oracles import fisher_units_oracle, masked_fisher_units_oracle
from torch import nn
from torch.nn.functional import cross_entropy

from tic_sweep.centroid import information_centroid
from tic_sweep.config import NeuronConfig
from tic_sweep.fisher import FisherTrace, block_of, fisher_trace
from tic_sweep.fisher.trace import AT_ONCE
from tic_sweep.pruning import keep_largest, mask_weights
from tic_sweep.snn import lif


@pytest.mark.parametrize("readout", ["mean", "sum"])
@pytest.mark.parametrize("family", FAMILIES)
def test_equals_the_oracle_per_sample_and_horizon(family: str, readout: str):
    """In float64 every sample's squared gradient norm at every t equals one autograd pass of its own."""
    case = lively(family)
    measured = fisher_trace(case.model, case.images, case.labels, readout=readout)

    expected = fisher_units_oracle(case.model, case.images, case.labels, readout)

    torch.testing.assert_close(measured.units_NT, expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_float32_equals_the_float64_oracle(family: str):
    """In float32 I_t agrees to 1e-5 relative and IC to 1e-6, where rounding flips no spike."""
    exact, single = lively(family), lively(family, dtype=torch.float32)
    single.model.load_state_dict({name: value.float() for name, value in exact.model.state_dict().items()})
    assert torch.allclose(exact.model(exact.images), single.model(exact.images.float()).double(), atol=1e-4)
    measured = fisher_trace(single.model, exact.images.float(), exact.labels)

    expected = fisher_units_oracle(exact.model, exact.images, exact.labels).mean(0)

    torch.testing.assert_close(measured.trace_T, expected, rtol=1e-5, atol=0)
    assert pytest.approx(information_centroid(expected.tolist()), abs=1e-6) == measured.ic


def test_equals_the_oracle_on_images_that_vary_in_time():
    """Input [T, N, C, H, W] is handled like a static one, sample by sample."""
    case = lively("small_conv")
    moving = case.images * torch.tensor([1.0, 0.2, -1.0, 2.0], dtype=torch.float64)[:, None, None, None, None]
    measured = fisher_trace(case.model, moving, case.labels, chunk=2)

    torch.testing.assert_close(measured.units_NT, fisher_units_oracle(case.model, moving, case.labels))


class Foreign(nn.Module):
    """A user's own network with parameters no rule covers: torch's norm, a grouped and a twice-used convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.grouped = nn.Conv2d(2, 4, 3, groups=2)
        self.norm = nn.BatchNorm2d(4)
        self.twice = nn.Conv2d(4, 4, 3, padding=1)
        self.strided = nn.Conv2d(4, 5, (3, 2), stride=(2, 1), dilation=(1, 2), padding=(1, 0))
        self.scale = nn.Parameter(torch.tensor(1.3))
        self.head = nn.Linear(5, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return outputs per timestep."""
        current = self.scale * self.twice(self.twice(self.norm(self.grouped(images))))
        spikes = lif(current.expand(3, *current.shape), NeuronConfig())
        current = self.strided(spikes.flatten(0, 1)).unflatten(0, spikes.shape[:2])
        return self.head(lif(current * 3, NeuronConfig()).mean((-2, -1)).flatten(0, 1)).unflatten(0, spikes.shape[:2])


def test_equals_the_oracle_on_a_network_of_ones_own():
    """Parameters without a closed form are measured by definition; odd strides and dilations have one."""
    drawn = torch.Generator().manual_seed(5)
    torch.manual_seed(0)
    model = Foreign().double().eval()
    images, labels = torch.randn(4, 2, 9, 9, generator=drawn, dtype=torch.float64), torch.tensor([0, 1, 2, 1])
    measured = fisher_trace(model, images, labels, layers=True)

    torch.testing.assert_close(measured.units_NT, fisher_units_oracle(model, images, labels), rtol=1e-9, atol=0)
    assert {"", "grouped", "norm", "twice", "strided", "head"} == set(measured.layers)
    assert all(units.sum() > 0 for units in measured.layers.values())


class Auxiliary(Foreign):
    """One whose second head is trained by another loss than the one that its outputs come to."""

    def __init__(self) -> None:
        super().__init__()
        self.beside = nn.Linear(5, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return outputs per timestep, and keep the other head's."""
        outputs = super().forward(images)
        self.other = self.beside(outputs.new_ones(len(images), 5))
        return outputs


def test_layers_that_do_not_reach_the_outputs_have_no_information():
    """Their gradient is zero, and so is their trace, with a closed form as without one."""
    torch.manual_seed(0)
    model = Auxiliary().double().eval()
    images, labels = torch.randn(3, 2, 9, 9, dtype=torch.float64), torch.tensor([0, 1, 2])
    measured = fisher_trace(model, images, labels, layers=True)

    assert not measured.layers["beside"].any()
    assert measured.layers["head"].all()


@pytest.mark.parametrize("family", FAMILIES)
def test_pruned_weights_are_no_parameters(family: str, monkeypatch: pytest.MonkeyPatch):
    """Of a pruned network every sample's trace is that over the parameters that are left, in whole or in parts."""
    case = lively(family)
    masks = keep_largest(case.model, {}, 1500)
    mask_weights(case.model, masks)
    expected = masked_fisher_units_oracle(case.model, case.images, case.labels, masks)
    measured = fisher_trace(case.model, case.images, case.labels, masks=masks)
    monkeypatch.setattr("tic_sweep.fisher.sweep.BYTES_KEPT", {"cpu": 10_000})
    in_parts = fisher_trace(case.model, case.images, case.labels, masks=masks)

    torch.testing.assert_close(measured.units_NT, expected, rtol=1e-9, atol=0)
    torch.testing.assert_close(in_parts.units_NT, expected, rtol=1e-9, atol=0)
    assert (fisher_trace(case.model, case.images, case.labels).units_NT >= measured.units_NT).all()


def test_pruned_weights_without_a_closed_form():
    """The same by definition, where a layer has no rule."""
    drawn = torch.Generator().manual_seed(5)
    torch.manual_seed(0)
    model = Foreign().double().eval()
    images, labels = torch.randn(4, 2, 9, 9, generator=drawn, dtype=torch.float64), torch.tensor([0, 1, 2, 1])
    masks = keep_largest(model, {}, 150)
    mask_weights(model, masks)
    measured = fisher_trace(model, images, labels, masks=masks)

    expected = masked_fisher_units_oracle(model, images, labels, masks)

    torch.testing.assert_close(measured.units_NT, expected, rtol=1e-9, atol=0)


def test_pruned_weights_are_left_out_of_the_published_kind():
    """Kind batch with no weight left in the head: what remains of it is its bias."""
    case = lively("small_conv", samples=16)
    masks = {"head": torch.zeros_like(case.model.head.weight, dtype=torch.bool)}
    plain = fisher_trace(case.model, case.images, case.labels, kind="batch", layers=True).layers["head"]
    none_left = fisher_trace(case.model, case.images, case.labels, kind="batch", layers=True, masks=masks)
    gradient = torch.autograd.grad(cross_entropy(case.model(case.images).mean(0), case.labels), case.model.head.bias)[0]

    assert pytest.approx(float(gradient.square().sum())) == float(none_left.layers["head"][0, -1])
    assert (plain > none_left.layers["head"]).all()


@pytest.mark.parametrize("kind", ["empirical", "sampled"])
@pytest.mark.parametrize("chunk", [1, 3, 5])
def test_the_chunk_size_changes_nothing(chunk: int, kind: str):
    """Chunks bound the memory, not the result, labels drawn from the model included."""
    case = lively("resnet19")
    whole, chunked = (
        fisher_trace(
            case.model, case.images, case.labels, kind=kind, chunk=size, generator=torch.Generator().manual_seed(1)
        )
        for size in (100, chunk)
    )

    torch.testing.assert_close(chunked.units_NT, whole.units_NT, rtol=1e-12, atol=0)


def test_a_tight_memory_bound_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    """A layer whose unfolded input may not be kept is unfolded part by part, to the same norms."""
    case = lively("small_conv")
    whole = fisher_trace(case.model, case.images, case.labels)
    monkeypatch.setattr("tic_sweep.fisher.sweep.BYTES_KEPT", {"cpu": 20_000})

    torch.testing.assert_close(fisher_trace(case.model, case.images, case.labels).units_NT, whole.units_NT)


@pytest.mark.parametrize("cheaper", [True, False])
def test_both_identities_give_the_same_norms(monkeypatch: pytest.MonkeyPatch, *, cheaper: bool):
    """The Gram identity and the direct product agree; which one is used is a matter of cost."""
    case = lively("resnet19")
    expected = fisher_units_oracle(case.model, case.images, case.labels)
    monkeypatch.setattr("tic_sweep.fisher.exact.gram_is_cheaper", lambda *_: cheaper)

    measured = fisher_trace(case.model, case.images, case.labels)

    torch.testing.assert_close(measured.units_NT, expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize(("family", "blocks"), [("resnet19", 8), ("resnet34", 16), ("vgg16", 12), ("alexnet", 6)])
def test_parts_add_up_to_the_whole(family: str, blocks: int):
    """The traces of all layers sum to the model's, and so do those of all blocks: the stem, the blocks, the head."""
    case = lively(family, samples=2)
    measured = fisher_trace(case.model, case.images, case.labels, layers=True)

    torch.testing.assert_close(torch.stack(list(measured.layers.values())).sum(0), measured.units_NT)
    torch.testing.assert_close(torch.stack(list(measured.blocks.values())).sum(0), measured.units_NT)
    assert ["stem", *(f"blocks.{i}" for i in range(blocks)), "head"] == list(measured.blocks)


def test_layers_equal_the_oracle_restricted_to_them():
    """The trace of one layer is that of the model with only that layer trainable."""
    case = lively("small_conv")
    measured = fisher_trace(case.model, case.images, case.labels, layers=True).layers["blocks.1.norm"]
    for name, parameter in case.model.named_parameters():
        parameter.requires_grad_(name.startswith("blocks.1.norm"))

    torch.testing.assert_close(measured, fisher_units_oracle(case.model, case.images, case.labels))


def test_frozen_parameters_do_not_count():
    """Only trainable parameters enter the trace."""
    case = lively("small_conv")
    for parameter in case.model.stem.parameters():
        parameter.requires_grad_(requires_grad=False)
    measured = fisher_trace(case.model, case.images, case.labels, layers=True)

    torch.testing.assert_close(measured.units_NT, fisher_units_oracle(case.model, case.images, case.labels))
    assert not any(name.startswith("stem") for name in measured.layers)


def test_sampled_labels_follow_the_models_own_prediction():
    """Kind "sampled" is the oracle's value at the drawn label, so its mean over draws is Eq. 5's expectation."""
    case = lively("small_conv", samples=2)
    every_label = torch.stack([
        fisher_units_oracle(case.model, case.images, torch.full((2,), k)) for k in range(10)
    ])  # fmt: skip
    logits = case.model(case.images).cumsum(0) / torch.arange(1, 5)[:, None, None]
    expected = torch.einsum("knt,tnk->nt", every_label, logits.softmax(2)).detach()
    drawn = torch.Generator().manual_seed(0)
    draws = torch.stack([
        fisher_trace(case.model, case.images, case.labels, kind="sampled", generator=drawn).units_NT for _ in range(300)
    ])  # fmt: skip

    assert ((draws.mean(0) - expected).abs() < 5 * draws.std(0) / math.sqrt(300) + 1e-12).all()


def test_batch_is_the_published_procedure():
    """Kind "batch" is the squared gradient of a batch's mean loss, one forward and backward pass per horizon."""
    case = lively("small_conv", samples=35)
    measured = fisher_trace(case.model, case.images, case.labels, kind="batch")
    expected = torch.zeros(2, 4, dtype=torch.float64)
    for b, t in ((b, t) for b in range(2) for t in range(4)):
        case.model.zero_grad()
        outputs = case.model(case.images[16 * b : 16 * b + 16])[: t + 1]
        cross_entropy(outputs.mean(0), case.labels[16 * b : 16 * b + 16]).backward()
        expected[b, t] = sum(p.grad.square().sum() for p in case.model.parameters())

    torch.testing.assert_close(measured.units_NT, expected)  # two full batches; the three images left over are not used
    assert measured.trace_T.sum() < fisher_trace(case.model, case.images, case.labels).trace_T.sum()


def test_the_model_is_left_as_it_was():
    """Mode of every module, buffers, parameters and gradients are untouched, and no hook stays."""
    case = lively("small_conv")
    case.model.train()
    case.model.stem.eval()
    before = {name: value.clone() for name, value in case.model.state_dict().items()}
    fisher_trace(case.model, case.images, case.labels)

    assert all(torch.equal(value, case.model.state_dict()[name]) for name, value in before.items())
    assert [True, False] == [case.model.training, case.model.stem.training]
    assert all(p.grad is None for p in case.model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in case.model.modules())


def test_standard_errors_are_those_of_the_samples():
    """The standard error of I_t is the deviation over samples by √N; that of IC agrees with the bootstrap."""
    case = lively("small_conv", samples=60)
    measured = fisher_trace(case.model, case.images, case.labels)
    drawn = torch.Generator().manual_seed(0)
    resampled = [
        information_centroid(measured.units_NT[torch.randint(60, (60,), generator=drawn)].mean(0).tolist())
        for _ in range(2000)
    ]

    torch.testing.assert_close(measured.stderr_T, measured.units_NT.std(0) / math.sqrt(60))
    assert pytest.approx(torch.tensor(resampled).std().item(), rel=0.15) == measured.ic_stderr


def test_one_sample_has_no_standard_error():
    """With a single sample the standard errors are NaN rather than zero."""
    case = lively("small_conv", samples=1)
    measured = fisher_trace(case.model, case.images, case.labels)

    assert torch.isnan(measured.stderr_T).all()
    assert math.isnan(measured.ic_stderr)


def test_unknown_kinds_and_too_few_images_are_refused():
    """Mistakes in the call are named."""
    case = lively("small_conv")

    with pytest.raises(ValueError, match="got 'exact'"):
        fisher_trace(case.model, case.images, case.labels, kind="exact")
    with pytest.raises(ValueError, match="at least 16 images, got 5"):
        fisher_trace(case.model, case.images, case.labels, kind="batch")


def test_layers_belong_to_blocks():
    """A numbered child is a block of its own; anything else is named by its first part."""
    assert ["blocks.3", "stem", "head", ""] == [block_of(n) for n in ("blocks.3.first.conv", "stem.conv", "head", "")]


def few_until(enough: float, *, samples: int = 80, **options: object) -> tuple[FisherTrace, FisherTrace]:
    """Return a measurement that ends at a standard error of IC, and one of all images."""
    case = lively("small_conv", samples=samples)
    early, whole = (
        fisher_trace(case.model, case.images, case.labels, layers=True, precision=precision, **options)
        for precision in (enough, 0.0)
    )
    return early, whole


def test_a_measurement_that_is_precise_enough_ends_early():
    """At the error of the first 64 images it has taken exactly these, and knows them as a plain measurement does."""
    _, whole = few_until(0.0)
    first = replace(whole, units_NT=whole.units_NT[:64]).ic_stderr
    assert first < replace(whole, units_NT=whole.units_NT[:32]).ic_stderr, "or 32 would do"
    early, _ = few_until(first * 1.000001)

    assert 64 == early.images
    torch.testing.assert_close(early.units_NT, whole.units_NT[:64], rtol=1e-9, atol=0)
    assert {name: units.shape for name, units in early.layers.items()} == dict.fromkeys(whole.layers, (64, 4))
    assert early.ic_stderr <= first * 1.000001


def test_a_measurement_that_is_never_precise_enough_takes_all():
    """The last, incomplete block is taken, too."""
    early, whole = few_until(1e-9)

    assert 80 == early.images
    torch.testing.assert_close(early.units_NT, whole.units_NT, rtol=1e-9, atol=0)


@pytest.mark.parametrize("chunk", [1, 5, 64])
def test_how_many_images_are_measured_does_not_hang_on_the_chunk(chunk: int):
    """The memory at hand decides nothing."""
    early, _ = few_until(10.0, chunk=chunk)

    assert AT_ONCE == early.images


def test_images_of_batches_are_counted():
    """Kind batch has a unit per 16 images, and leaves out what is over."""
    case = lively("small_conv", samples=40)

    assert 32 == fisher_trace(case.model, case.images, case.labels, kind="batch").images
