"""Kernels: each interpolation by hand, whole taps, and which way round time runs."""

import pytest
import torch
from delays.delay_cases import drawn

from tic_sweep.delays import INTERPOLATIONS
from tic_sweep.delays.kernel import hard_kernel, integer_delays, interpolated, soft_kernel


def at(position: float) -> torch.Tensor:
    """Return one position, of one synapse, in float64."""
    return torch.tensor([[position]], dtype=torch.float64)


def test_linear_and_triangle_share_one_between_two_taps():
    """With p = -0.75 + 2 = 1.25, one lies a quarter of the way from tap 1 to tap 2."""
    for kind in ("linear", "triangle"):
        taps = interpolated(at(-0.75), 4, kind, 0.0)[0, 0]

        assert [0, 0.75, 0.25, 0, 0] == pytest.approx(taps.tolist(), abs=1e-6)


def test_max_is_a_wider_triangle():
    """relu(2 - |i - 2|) = 0, 1, 2, 1, 0 over its sum of 4."""
    assert [0, 0.25, 0.5, 0.25, 0] == pytest.approx(interpolated(at(0.0), 4, "max", 1.0)[0, 0].tolist(), abs=1e-6)


def test_gauss_by_hand():
    """With σ = 0.23 the width is ½: exp(-2 d²) at d = 1, 0, 1 is 0.1353, 1, 0.1353."""
    tails = 0.1353352832366127
    total = 1 + 2 * tails

    taps = interpolated(at(0.0), 2, "gauss", 0.23)[0, 0].tolist()

    assert [tails / total, 1 / total, tails / total] == pytest.approx(taps, abs=1e-6)


@pytest.mark.parametrize("kind", INTERPOLATIONS)
@pytest.mark.parametrize("sigma", [0.0, 0.23, 3.0])
def test_a_kernel_holds_its_weight_wherever_the_delay_lies(kind: str, sigma: float):
    """Taps sum to the weight, also where the kernel reaches over the longest or shortest delay."""
    position_OI = torch.linspace(-4, 4, 33, dtype=torch.float64)[None]
    weight_OI = torch.randn(1, 33, generator=drawn(), dtype=torch.float64)

    taps = soft_kernel(weight_OI, position_OI, 8, kind, sigma).sum(-1)

    assert weight_OI[0].tolist() == pytest.approx(taps[0].tolist(), rel=1e-6)


def test_an_unknown_interpolation_is_refused():
    """The message names what there is."""
    with pytest.raises(ValueError, match="must be one of gauss, max, triangle, linear, got 'spline'"):
        interpolated(at(0.0), 2, "spline", 1.0)


def test_the_hard_kernel_is_one_hot_and_holds_exactly_the_weight():
    """Every synapse has one tap, which is its weight bit for bit, at the delay that `integer_delays` says."""
    weight_OI = torch.randn(5, 7, generator=drawn(1))
    position_OI = (torch.rand(5, 7, generator=drawn(2)) * 2 - 1) * 6

    kernel_OIK = hard_kernel(weight_OI, position_OI, 12)

    assert ((kernel_OIK != 0).sum(-1) == 1).all()
    assert torch.equal(weight_OI, kernel_OIK.sum(-1))
    assert torch.equal(12 - kernel_OIK.abs().argmax(-1), integer_delays(position_OI, 12))


def test_the_latest_position_is_no_delay():
    """P = +c is delay 0, P = -c the longest; odd ranges have positions at halves."""
    assert [[0, 3, 6]] == integer_delays(torch.tensor([[3.0, 0.0, -3.0]]), 6).tolist()
    assert [[0, 1, 3]] == integer_delays(torch.tensor([[1.5, 0.5, -1.5]]), 3).tolist()


@pytest.mark.parametrize("kind", ["max", "triangle", "linear"])
def test_at_whole_delays_and_no_width_soft_and_hard_are_the_same(kind: str):
    """What training converges to is what evaluation uses."""
    weight_OI, position_OI = torch.randn(3, 4, generator=drawn()), torch.randint(-3, 4, (3, 4), generator=drawn(1))

    soft = soft_kernel(weight_OI, position_OI.float(), 6, kind, 0.0)

    assert torch.allclose(hard_kernel(weight_OI, position_OI.float(), 6), soft, atol=1e-6)


@pytest.mark.parametrize(("kind", "sigma"), [("gauss", 0.23), ("gauss", 3.0), ("triangle", 0.0), ("max", 1.5),
                                             ("linear", 0.0)])  # fmt: skip
def test_a_delays_gradient_is_the_slope_of_its_kernel(kind: str, sigma: float):
    """dK/dP agrees with a central difference in float64, for weights too, away from the kinks of the piecewise ones."""
    weight_OI = torch.randn(3, 4, generator=drawn(), dtype=torch.float64).requires_grad_()
    position_OI = (torch.rand(3, 4, generator=drawn(5), dtype=torch.float64) * 5.8 - 2.9).requires_grad_()

    assert torch.autograd.gradcheck(lambda w, p: soft_kernel(w, p, 6, kind, sigma), (weight_OI, position_OI), eps=1e-7)
