"""FGSM and PGD against their definitions, one image at a time, and on a network that has learned something."""

import copy

import pytest
import torch
from cases import FAMILIES, Case
from hypothesis import given, settings
from hypothesis import strategies as st
from probes.probe_cases import frozen, present, seeded, trained, untrained
from torch import Tensor
from torch.nn.functional import cross_entropy

from tic_sweep.probes import FrozenClassifier, fgsm, pgd, random_start

EPS = 8 / 255


def gradient_oracle(case: Case, image_CHW: Tensor, label: Tensor, readout: str = "mean") -> Tensor:
    """Return dL/dx of one image, from the sum or mean of the outputs of all timesteps."""
    x = image_CHW.clone().requires_grad_()
    outputs_TK = case.model(present(x[None]))[:, 0]
    logits_K = outputs_TK.sum(0) if readout == "sum" else outputs_TK.mean(0)
    return torch.autograd.grad(cross_entropy(logits_K[None], label[None]), x)[0]


@pytest.mark.parametrize("readout", ["mean", "sum"])
def test_fgsm_is_its_definition(readout: str):
    """One image after the other: one step along the sign of its gradient, clipped to 0..1."""
    case = untrained()
    expected = []
    for image, label in zip(case.images, case.labels, strict=True):
        expected.append((image + EPS * gradient_oracle(case, image, label, readout).sign()).clip(0, 1))

    attacked = fgsm(frozen(case, readout), case.images, case.labels, EPS)

    torch.testing.assert_close(attacked, torch.stack(expected), rtol=0, atol=1e-12)
    assert 0 < (attacked == case.images).double().mean() < 0.9  # some are clipped, many moved


@pytest.mark.parametrize("starts", ["at the images", "at random"])
def test_pgd_is_its_definition(starts: str):
    """One image and pixel bound after the other: step, return to the bound, clip, from a random start or none."""
    case = untrained(samples=4)
    generator = seeded()
    start = random_start(case.images, seeded()) if starts == "at random" else None
    expected = []
    for image, label in zip(case.images, case.labels, strict=True):
        x = image.clone()
        if start is not None:
            x = (image + EPS * (2 * torch.rand(image.shape, generator=generator).double() - 1)).clip(0, 1)
        for _ in range(5):
            x = x + 4 / 255 * gradient_oracle(case, x, label).sign()
            x = torch.minimum(torch.maximum(x, image - EPS), image + EPS).clip(0, 1)
        expected.append(x)

    attacked = pgd(frozen(case), case.images, case.labels, eps=EPS, step=4 / 255, steps=5, start_NCHW=start)

    torch.testing.assert_close(attacked, torch.stack(expected), rtol=0, atol=1e-12)


def test_one_full_step_of_pgd_is_fgsm():
    """From the images themselves, a single step as long as the bound is FGSM."""
    case = untrained()
    one_step = pgd(frozen(case), case.images, case.labels, eps=EPS, step=EPS, steps=1)

    assert torch.equal(fgsm(frozen(case), case.images, case.labels, EPS), one_step)


def test_no_eps_changes_nothing():
    """With eps 0 both attacks return the very pixels, whatever the step and the start, in either precision."""
    case = untrained(samples=3)
    start = random_start(case.images, seeded())
    for dtype in (torch.float64, torch.float32):
        classifier = FrozenClassifier.of(copy.deepcopy(case.model).to(dtype), present)
        pixels = case.images.to(dtype)

        assert torch.equal(pixels, fgsm(classifier, pixels, case.labels, 0))
        for step in (0.0, 0.1):
            attacked = pgd(classifier, pixels, case.labels, eps=0, step=step, steps=2, start_NCHW=start.to(dtype))
            assert torch.equal(pixels, attacked)


BOUNDED = untrained(samples=2)


@settings(max_examples=20, deadline=None)
@given(eps=st.floats(0, 2), step=st.floats(0, 3), steps=st.integers(1, 3), at_random=st.booleans())
def test_attacks_stay_within_their_bounds(eps: float, step: float, steps: int, at_random: bool):  # noqa: FBT001 - drawn
    """No pixel leaves 0..1 or moves by more than eps, from wherever it starts."""
    classifier, pixels, labels = frozen(BOUNDED), BOUNDED.images, BOUNDED.labels
    start = random_start(pixels, seeded()) if at_random else None

    for attacked in (
        fgsm(classifier, pixels, labels, eps),
        pgd(classifier, pixels, labels, eps=eps, step=step, steps=steps, start_NCHW=start),
    ):
        assert 0 <= attacked.min() <= attacked.max() <= 1
        assert eps + 1e-12 >= (attacked - pixels).abs().max()


def test_a_random_start_is_uniform_and_the_images_own():
    """It fills [-1, 1] evenly, and does not depend on how many images are drawn for at once."""
    images, generator = torch.zeros(40, 1, 16, 16), seeded()
    start = random_start(images, seeded())

    assert -1 <= start.min() < -0.99
    assert 0.99 < start.max() <= 1
    assert pytest.approx(1 / 3, abs=0.01) == start.square().mean().item()
    assert torch.equal(start, torch.cat([random_start(part, generator) for part in images.split(7)]))


def test_attacks_go_back_through_time(monkeypatch: pytest.MonkeyPatch):
    """The gradient reaches every timestep's input; without the temporal gradient it is another one."""
    case = untrained()
    over_time = case.images.expand(4, *case.images.shape)
    gradient_TNCHW = frozen(case).gradient(over_time, case.labels)
    monkeypatch.setitem(FAMILIES, "small_conv", {**FAMILIES["small_conv"], "neuron.temporal_gradient": False})
    spatial_TNCHW = frozen(untrained()).gradient(over_time, case.labels)

    assert (gradient_TNCHW.flatten(1).abs().amax(1) > 0).all()
    torch.testing.assert_close(gradient_TNCHW.sum(0), frozen(case).gradient(case.images, case.labels))
    torch.testing.assert_close(gradient_TNCHW[-1], spatial_TNCHW[-1])  # nothing comes back to T from later
    assert (gradient_TNCHW[:-1] - spatial_TNCHW[:-1]).norm() > 0.1 * gradient_TNCHW[:-1].norm()


@pytest.mark.parametrize("starts", ["at the images", "at random"])
def test_pgd_beats_fgsm_on_a_trained_network(starts: str):
    """At equal eps PGD raises the loss more; its accuracy is no higher beyond two images in a hundred."""
    case = trained()
    classifier, pixels, labels, eps = frozen(case), case.images, case.labels, 2 * EPS
    start = random_start(pixels, seeded()) if starts == "at random" else None
    clean = classifier.score(pixels, labels)
    once = classifier.score(fgsm(classifier, pixels, labels, eps), labels)
    attacked = pgd(classifier, pixels, labels, eps=eps, step=eps / 4, steps=8, start_NCHW=start)
    often = classifier.score(attacked, labels)

    assert clean.acc > 0.8
    assert clean.loss < once.loss < often.loss
    assert often.acc <= once.acc + 0.02


def test_an_attack_beats_noise_of_its_size():
    """Signs of the gradient do more harm than random signs: the direction is uphill."""
    case = trained()
    classifier = frozen(case)
    signs = random_start(case.images, seeded()).sign()
    random = classifier.score((case.images + 2 * EPS * signs).clamp(0, 1), case.labels)
    attacked = classifier.score(fgsm(classifier, case.images, case.labels, 2 * EPS), case.labels)

    assert attacked.loss > 1.5 * random.loss
    assert attacked.acc < random.acc


def test_the_frozen_copy_leaves_no_trace():
    """Modes, buffers, gradients and parameters of the model stay; the copy has no gradients of its own."""
    case = untrained()
    case.model.train()
    case.model.head.weight.grad = torch.ones_like(case.model.head.weight)
    state = copy.deepcopy(case.model.state_dict())
    classifier = frozen(case)
    attacked = fgsm(classifier, case.images, case.labels, EPS)

    assert not attacked.requires_grad
    assert case.model.training
    assert all(p.requires_grad for p in case.model.parameters())
    assert ["head.weight"] == [name for name, p in case.model.named_parameters() if p.grad is not None]
    assert torch.equal(torch.ones_like(case.model.head.weight), case.model.head.weight.grad)
    assert all(torch.equal(state[name], value) for name, value in case.model.state_dict().items())
    assert not any(p.requires_grad for p in classifier.model.parameters())
