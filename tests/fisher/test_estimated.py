"""The estimators of the Fisher trace: unbiased, with standard errors that hold, and independent of chunks."""

import math

import pytest
import torch
from cases import lively
from torch import Tensor, nn

from tic_sweep.fisher import fisher_trace
from tic_sweep.fisher.estimated import projected
from tic_sweep.fisher.grams import columns
from tic_sweep.models import SpikingNetwork
from tic_sweep.pruning import keep_largest, mask_weights

ESTIMATORS = ["projections", "signs"]


@pytest.fixture(autouse=True)
def every_convolution_is_projected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave no layer to the exact way, however cheap it is there."""
    monkeypatch.setattr("tic_sweep.fisher.estimated.NEXT_TO_NOTHING", 0)


def drawn(seed: int = 0) -> torch.Generator:
    """Return a fresh generator."""
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("family", "draws"), [("small_conv", 1), ("small_conv", 3), ("resnet19", 1), ("alexnet", 2)])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_estimates_are_unbiased(estimator: str, family: str, draws: int):
    """The mean of many estimates is the exact value at every horizon, within its own standard error."""
    case, generator, count = lively(family, samples=16, timesteps=2), drawn(), 60
    exact = fisher_trace(case.model, case.images, case.labels).trace_T
    estimates = torch.stack([
        fisher_trace(
            case.model, case.images, case.labels, estimator=estimator, draws=draws, generator=generator
        ).trace_T
        for _ in range(count)
    ])  # fmt: skip

    assert (estimates.std(0) > 0.001 * exact).all()
    assert ((estimates.mean(0) - exact).abs() < 4 * estimates.std(0) / math.sqrt(count)).all()


def test_more_draws_are_less_noisy():
    """The variance of an estimate falls as one over the number of draws."""
    case = lively("small_conv", samples=16, timesteps=2)

    def spread(estimator: str, draws: int) -> Tensor:
        generator = drawn()
        return torch.stack([
            fisher_trace(
                case.model, case.images, case.labels, estimator=estimator, draws=draws, generator=generator
            ).trace_T
            for _ in range(50)
        ]).std(0)  # fmt: skip

    for estimator in ESTIMATORS:
        ratio = spread(estimator, 1) / spread(estimator, 9)
        assert ((ratio > 1.9) & (ratio < 4.7)).all()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_standard_errors_hold(estimator: str):
    """Over measurements on images drawn anew, the errors told of I_t and IC are the spread that is seen."""
    case, generator, few = lively("small_conv", samples=64, timesteps=3), drawn(), 96
    measured = []
    for _ in range(80):
        chosen = torch.randint(64, (few,), generator=generator)
        images, labels = case.images[chosen], case.labels[chosen]
        measured.append(fisher_trace(case.model, images, labels, chunk=few, estimator=estimator, generator=generator))
    told_T = torch.stack([m.stderr_T.square() for m in measured]).mean(0).sqrt()
    seen_T = torch.stack([m.trace_T for m in measured]).std(0)
    told_ic = torch.tensor([m.ic_stderr for m in measured]).square().mean().sqrt()
    seen_ic = torch.tensor([m.ic for m in measured]).std()

    assert ((told_T / seen_T - 1).abs() < 0.3).all()
    assert 0.6 < float(told_ic / seen_ic) < 1.5


@pytest.mark.parametrize("chunk", [1, 5, 32])
@pytest.mark.parametrize("kind", ["empirical", "sampled"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_chunk_size_changes_nothing(estimator: str, kind: str, chunk: int):
    """Signs belong to images and layers, whatever is measured at once, labels drawn from the model included."""
    case = lively("small_conv", samples=32, timesteps=2)
    whole, chunked = (
        fisher_trace(
            case.model, case.images, case.labels, kind=kind, chunk=size, estimator=estimator, generator=drawn(3)
        )
        for size in (100, chunk)
    )

    torch.testing.assert_close(chunked.units_NT, whole.units_NT, rtol=1e-12, atol=0)


def test_signs_have_a_unit_per_group():
    """40 images are two groups of 16; parts still add up to the whole."""
    case = lively("small_conv", samples=40, timesteps=2)
    measured = fisher_trace(case.model, case.images, case.labels, estimator="signs", layers=True, generator=drawn())

    assert (2, 2) == measured.units_NT.shape
    assert 32 == measured.images
    torch.testing.assert_close(torch.stack(list(measured.layers.values())).sum(0), measured.units_NT)


def test_a_group_by_definition():
    """A unit of estimator signs is the squared norm of Σ_n ε_n ∇ log f(y_n), over 16, with the signs drawn."""
    case = lively("small_conv", samples=16, timesteps=2)
    measured = fisher_trace(case.model, case.images, case.labels, estimator="signs", generator=drawn(4))
    own = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=drawn(4))))
    signs_N = torch.randint(2, (16, 1), generator=own)[:, 0] * 2 - 1
    likelihood_N = case.model(case.images).mean(0).log_softmax(-1)[torch.arange(16), case.labels]
    grads = torch.autograd.grad((signs_N * likelihood_N).sum(), list(case.model.parameters()))

    assert pytest.approx(float(sum(g.square().sum() for g in grads)) / 16, rel=1e-9) == float(measured.trace_T[-1])


@pytest.mark.parametrize(
    "conv",
    [nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Conv2d(3, 4, (3, 2), dilation=(1, 2))],
    ids=str,
)
def test_projections_of_inputs(conv: nn.Conv2d):
    """Aq is what the columns of a layer's inputs give, with the signs of each sample."""
    a_TN = torch.randn(3, 2, 3, 7, 6, generator=drawn(), dtype=torch.float64)
    signs = torch.randint(2, (2, 5, *conv.weight.shape[1:]), generator=drawn(1)).double() * 2 - 1
    expected = columns(conv, a_TN) @ signs.permute(0, 3, 4, 2, 1).flatten(1, 3)

    torch.testing.assert_close(projected(conv, a_TN, signs), expected)


def test_projections_of_pruned_weights_are_exact():
    """A mask leaves no shortcut: its layers are measured exactly, and without what is pruned."""
    case = lively("small_conv")
    masks = keep_largest(case.model, {}, 1500)
    mask_weights(case.model, masks)
    exact, estimated = (
        fisher_trace(case.model, case.images, case.labels, masks=masks, estimator=name, generator=drawn())
        for name in ("exact", "projections")
    )

    torch.testing.assert_close(estimated.units_NT, exact.units_NT, rtol=1e-12, atol=0)


def test_signs_leave_pruned_weights_out():
    """With no weight left in a layer, nothing of it is counted."""
    case = lively("small_conv", samples=16)
    masks = {"head": torch.zeros_like(case.model.head.weight, dtype=torch.bool)}
    plain, pruned = (
        fisher_trace(
            case.model, case.images, case.labels, masks=some, estimator="signs", layers=True, generator=drawn()
        )
        for some in ({}, masks)
    )
    case.model.head.weight.requires_grad_(requires_grad=False)
    frozen = fisher_trace(case.model, case.images, case.labels, estimator="signs", layers=True, generator=drawn())

    torch.testing.assert_close(pruned.layers["head"], frozen.layers["head"])
    assert (plain.layers["head"] > pruned.layers["head"]).all()


def test_what_cannot_be_estimated_is_refused():
    """An unknown estimator, one for the published kind or a network of one's own, and too few images are named."""
    case = lively("small_conv")
    own = type("Own", (SpikingNetwork,), {})(case.model.stem, case.model.blocks, case.model.head, 4)

    for options, message in (
        ({"estimator": "hutchinson"}, "got 'hutchinson'"),
        ({"estimator": "signs"}, "at least 16 images, got 5"),
        ({"kind": "batch"}, "at least 16 images, got 5"),
    ):
        with pytest.raises(ValueError, match=message):
            fisher_trace(case.model, case.images, case.labels, **options)
    enough = lively("small_conv", samples=32)
    for options in ({"kind": "batch"}, {"estimator": "signs"}):
        with pytest.raises(ValueError, match=r"precision must be 0 for kind 'batch' and estimator 'signs', got 0.1"):
            fisher_trace(enough.model, enough.images, enough.labels, precision=0.1, **options)
    with pytest.raises(ValueError, match="must be exact for kind 'batch'"):
        fisher_trace(case.model, case.images, case.labels, kind="batch", estimator="projections")
    with pytest.raises(ValueError, match="networks of one's own"):
        fisher_trace(own, case.images, case.labels, estimator="projections")
