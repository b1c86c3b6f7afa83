"""The losses against their definitions, and what the alpha loss does to a training (Eq. 8 to 10, Fig. 5)."""

import math

import pytest
import torch
from cases import SMALL
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy
from training.trial_runs import rows_of, run

from tic_sweep.config import LossConfig, replaced
from tic_sweep.data import RawImages
from tic_sweep.records import FisherRow
from tic_sweep.training.loss import horizon_losses, objective

LABELS_N = torch.tensor([0, 2, 1, 1])


def logits() -> torch.Tensor:
    """Return logits of 5 horizons, 4 samples and 3 classes, with a gradient."""
    drawn = torch.Generator().manual_seed(3)
    return torch.randn(5, 4, 3, generator=drawn).requires_grad_()


def test_losses_by_hand():
    """Equal logits of K classes cost log K; a sample's own log-likelihood is what counts, averaged over the batch."""
    logits_TNK = torch.tensor([[[0.0, 0.0], [0.0, 0.0]], [[math.log(3), 0.0], [0.0, 0.0]]])
    losses_T = horizon_losses(logits_TNK, torch.tensor([0, 1]))

    assert pytest.approx([math.log(2), (math.log(4 / 3) + math.log(2)) / 2]) == losses_T.tolist()


def test_cross_entropy_is_that_of_the_last_horizon_to_the_bit():
    """Telling the other horizons changes no bit of the loss or of its gradient."""
    told, alone = logits(), logits()
    loss, losses_T = objective(told, LABELS_N, LossConfig())
    expected = cross_entropy(alone[-1], LABELS_N)
    loss.backward()
    expected.backward()

    assert torch.equal(expected, loss)
    assert torch.equal(losses_T[-1], loss)
    assert torch.equal(alone.grad, told.grad)
    assert not losses_T.requires_grad


def test_a_horizon_that_is_not_minimised_cannot_spoil_the_gradient():
    """Infinite logits at an early horizon are told, and leave the loss at T as it is."""
    early = torch.full((1, 4, 3), math.inf)
    late = logits()
    loss, losses_T = objective(torch.cat([early, late]), LABELS_N, LossConfig())
    loss.backward()

    assert not losses_T[0].isfinite()
    assert late.grad.isfinite().all()


@given(st.floats(0, 4))
def test_alpha_loss_is_its_equation(alpha: float):
    """(1/T) Σ_t |CE_t - α|, CE_t being the mean of the batch at horizon t."""
    logits_TNK = logits()
    loss, losses_T = objective(logits_TNK, LABELS_N, LossConfig(name="alpha", alpha=alpha))
    each = [cross_entropy(logits_NK, LABELS_N).item() for logits_NK in logits_TNK]

    assert pytest.approx(each) == losses_T.tolist()
    assert pytest.approx(sum(abs(ce - alpha) for ce in each) / 5, abs=1e-6) == loss.item()


def test_below_alpha_the_loss_is_raised():
    """The gradient's sign at each horizon is that of CE_t - α."""
    low, high = logits(), logits()
    objective(low, LABELS_N, LossConfig(name="alpha", alpha=0.0))[0].backward()
    objective(high, LABELS_N, LossConfig(name="alpha", alpha=100.0))[0].backward()

    torch.testing.assert_close(low.grad, -high.grad)


def test_a_report_tells_both_losses(digits: RawImages):
    """What is minimised and the original losses stand side by side, whichever is minimised."""
    plain = run(SMALL, digits)[0][1].epoch
    alpha = run(replaced(SMALL, {"loss.name": "alpha", "loss.alpha": 1.0}), digits)[0][1].epoch

    assert plain.objective == plain.train_loss != plain.train_loss_over_t
    assert pytest.approx(alpha.train_loss_over_t - 1.0) == alpha.objective  # every CE_t is above 1 so early


def test_a_larger_alpha_leaves_more_information_in_late_timesteps(digits: RawImages):
    """Trained to the end, the cross-entropy settles near alpha, and I_T is the larger the larger alpha is."""
    late = {}
    for alpha in (0.01, 0.4):
        changes = {
            "optimiser.epochs": 25, "optimiser.batch_size": 8, "fisher.every": 25, "fisher.samples": 40,
            "neuron.tau": 4 / 3, "loss.name": "alpha", "loss.alpha": alpha,
        }  # fmt: skip
        reports, _ = run(replaced(SMALL, changes), digits)
        last = reports[-1]
        late[alpha] = rows_of(last, FisherRow)[-1].fisher_trace

        assert last.epoch.objective < 0.25
        assert pytest.approx(alpha, abs=0.1) == last.epoch.train_loss_over_t
    assert late[0.4] > 1.5 * late[0.01]
