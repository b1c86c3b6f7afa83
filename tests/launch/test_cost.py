"""What a plan will cost, from the seconds that an image takes."""

from typing import Any

import pytest
from cases import SMALL

from tic_sweep.config import Resources, TrialConfig, replaced
from tic_sweep.launch.cost import estimate

BASE = replaced(SMALL, {"fisher.every": 0, "timesteps": 6, "optimiser.epochs": 3})
"""80 training, 40 validation and 40 test images: 3 * 80 steps, (4 + 2) * 40 evaluations at a third of a step."""


@pytest.fixture(autouse=True)
def _seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a training step of one image take a second, and a Fisher measurement of one two."""
    monkeypatch.setattr("tic_sweep.launch.cost.seconds_per_image", lambda *_: (1.0, 2.0))


def seconds(changes: dict[str, Any]) -> float:
    """Return the estimate for the trial with some changes."""
    return estimate([replaced(BASE, changes)], Resources(device="cpu")).seconds


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        # After epochs 0 and 2 and, as the last, 3.
        ({"fisher.every": 2}, 3 * 12 * 2),
        ({"probes.dynamics_every": 1, "probes.dynamics_samples": 5}, 4 * 5),
        # Retraining at T costs an epoch each, and an evaluation after it; cycles and the first training are tested.
        ({"pruning.cycles": 2, "pruning.epochs": 1}, 2 * 80 + (2 * 40 + 3 * 40) / 3),
        ({"pruning.cycles": 2, "pruning.epochs": 1, "pruning.timesteps": 3}, 80 + (2 * 40 + 3 * 40) / 3),
        ({"pruning.cycles": 2, "pruning.epochs": 0}, 3 * 40 / 3),
        # Four windows of three timesteps, and the clean images.
        ({"probes.deficit_epochs": "1,3", "probes.test_images": 9}, 2 * 9 * 5 / 3),
        # The clean images; then, at each strength, four evaluations, a step of FGSM and ten of PGD.
        ({"probes.robustness_epochs": "3", "probes.strengths": "1,2"}, 40 * (1 / 3 + 2 * (4 / 3 + 11))),
    ],
)
def test_what_a_trial_adds_to_its_cost(changes: dict[str, Any], more: float) -> None:
    """Measurements, retraining at T_retrain and probes are counted in training steps of one image."""
    plain = seconds({})

    assert pytest.approx(3 * 80 + 6 * 40 / 3) == plain
    assert pytest.approx(plain + more) == seconds(changes)


@pytest.mark.parametrize(("learn", "looks"), [(True, 2), (False, 1)])
def test_sequences_are_trained_and_looked_at_whole_and_spread(
    monkeypatch: pytest.MonkeyPatch, *, learn: bool, looks: int
) -> None:
    """Three epochs of 80; validation, twice where delays are learnt, and test at 0 to 3; two more tests."""
    monkeypatch.setattr("tic_sweep.launch.cost.seconds_per_sequence", lambda *_: (1.0, 2.0))
    sizes = {"sequences.train_samples": 80, "sequences.validation_samples": 40, "sequences.test_samples": 20}
    config = replaced(
        TrialConfig(),
        {
            "task": "sequences", "timesteps": 20, "delays.max_delay": 4, "delays.learn": learn, **sizes,
            "optimiser.epochs": 3, "fisher.every": 2, "fisher.samples": 12,
        },
    )  # fmt: skip

    expected = 3 * 80 + (4 * (looks * 40 + 20) + 2 * 20) / 3 + 3 * 12 * 2

    assert pytest.approx(expected) == estimate([config], Resources(device="cpu")).seconds


def test_kinds_too_many_to_measure_are_spread_over_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of sixteen kinds, eight cheap ones before eight of ten times their cost, as many of each are measured."""
    costs = {"small_conv": (1.0, 0.0), "resnet19": (10.0, 0.0)}
    monkeypatch.setattr("tic_sweep.launch.cost.seconds_per_image", lambda config, _: costs[config.model.name])
    configs = [replaced(BASE, {"model.name": name, "timesteps": t}) for name in costs for t in range(3, 11)]
    cost = estimate(configs, Resources(device="cpu"))

    assert (16, 8) == (cost.kinds, cost.measured)
    assert pytest.approx(8 * 11 * (3 * 80 + 6 * 40 / 3)) == cost.seconds
