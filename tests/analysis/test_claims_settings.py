"""Claims on what settings change: each verdict can come out, and only where results are about it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from store.fabricated import DETACHED, FULL, write_rows
from store.fabricated_layers import BLOCKS, EARLY, HIGH, LATE, ic_trial

from analysis import open_results
from analysis.claims import check_claims
from analysis.claims_settings import SETTINGS_CLAIMS

Curve = Sequence[float]
FLIPPED = {"blocks.0": 2.0, "blocks.1": 4.0}
SETTINGS = {
    "F4a": ("timesteps", 10, 8),
    "F4b": ("neuron.tau", 4.0, 2.0),
    "F4c": ("optimiser.weight_decay", 0.0, 5e-4),
    "F4e": ("data.name", "fashion_mnist", "cifar10"),
    "F4f": ("model.name", "resnet19", "alexnet"),
    "F4g": ("model.name", "alexnet", "resnet34"),
    "F4h": ("model.name", "resnet34", "alexnet"),
    "H1": ("fisher.split", "validation", "train"),
    "H2": ("fisher.split", "validation", "train"),
}
"""What each claim is about: a field and two of its values."""


def checked(path: Path, trials: Sequence[Any], varied: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Return the verdicts on trials by claim, the last one of each."""
    write_rows(path, trials, varied=varied)
    return {row["claim"]: row for row in check_claims(open_results(path), SETTINGS_CLAIMS).to_dicts()}


def verdict(path: Path, claim: str, own: Sequence[Curve], other: Sequence[Curve]) -> dict[str, Any]:
    """Return the verdict on a claim from the ICs over epochs of its two values, one curve per seed."""
    field, *values = SETTINGS[claim]
    trials = [
        ic_trial({field: value, "seed": seed}, curve)
        for value, curves in zip(values, (own, other), strict=True)
        for seed, curve in enumerate(curves)
    ]
    return checked(path, trials, (field,))[claim]


@pytest.mark.parametrize(
    ("claim", "passing", "failing"),
    [
        ("F4a", (LATE, EARLY), (EARLY, LATE)),
        ("F4b", (HIGH, EARLY), (EARLY, HIGH)),
        ("F4c", (EARLY, LATE), (HIGH, EARLY)),
        ("F4e", (EARLY, LATE), (HIGH, EARLY)),
        ("F4f", (LATE, EARLY), (EARLY, LATE)),
        ("F4g", (HIGH, EARLY), (EARLY, HIGH)),
        ("F4h", (EARLY, HIGH), (HIGH, EARLY)),
        ("H1", (EARLY, HIGH), (HIGH, EARLY)),
        ("H2", (EARLY, LATE), (HIGH, EARLY)),
    ],
)
def test_each_verdict_can_come_out(
    tmp_path: Path, claim: str, passing: tuple[Curve, Curve], failing: tuple[Curve, Curve]
) -> None:
    """Two seeds that agree settle it either way; two that contradict each other do not."""
    found = [
        verdict(tmp_path / "pass", claim, *([curve] * 2 for curve in passing)),
        verdict(tmp_path / "fail", claim, *([curve] * 2 for curve in failing)),
        verdict(tmp_path / "split", claim, *zip(passing, failing, strict=True)),
    ]

    assert ["PASS", "FAIL", "UNDECIDED"] == [row["verdict"] for row in found]
    assert [2, 2, 2] == [row["n"] for row in found]
    assert None not in [row["statistic"] for row in found]


@pytest.mark.parametrize(
    ("claim", "own", "other", "reason"),
    [
        ("F4a", LATE, EARLY, "1 paired seed: an interval needs at least two."),
        ("F4c", EARLY, EARLY, "1 paired seed: an interval needs at least two."),
        ("F4e", EARLY, EARLY, "Fewer than two seeds with IC on cifar10, fashion_mnist."),
        ("F4h", EARLY, EARLY, "1 seed: an interval needs at least two."),
    ],
)
def test_one_seed_is_undecided_with_a_reason(tmp_path: Path, claim: str, own: Curve, other: Curve, reason: str) -> None:
    """One seed has no interval, whatever it shows."""
    row = verdict(tmp_path / "r", claim, [own], [other])

    assert ("UNDECIDED", None, 1, reason) == (row["verdict"], row["statistic"], row["n"], row["explanation"])


def test_claims_appear_only_for_the_sweeps_they_are_about(tmp_path: Path) -> None:
    """Seeds alone settle none; each field settles its own claims; other networks say nothing of AlexNet."""
    fields = {
        "timesteps": (8, 10), "fisher.split": ("validation", "train"), "seed": (2, 3),
        "model.name": ("small_conv", "vgg16"),
    }  # fmt: skip
    about = {
        field: set(checked(tmp_path / field, [ic_trial({field: value}, EARLY) for value in values], (field,)))
        for field, values in fields.items()
    }

    assert {"F4a"} == about["timesteps"]
    assert {"H1", "H2"} == about["fisher.split"]
    assert (set(), set()) == (about["seed"], about["model.name"])


def test_failed_trials_are_left_out_and_their_pair_with_them(tmp_path: Path) -> None:
    """Of three seeds at T = 10 one diverged: two pairs are left."""
    trials = [
        ic_trial({"timesteps": t, "seed": seed}, LATE if t == 10 else EARLY,
                 status="diverged" if (t, seed) == (10, 2) else "finished")
        for t in (8, 10)
        for seed in range(3)
    ]  # fmt: skip
    row = checked(tmp_path / "r", trials, ("timesteps",))["F4a"]

    assert ("PASS", 2.0, 2, "paired seeds") == (row["verdict"], row["statistic"], row["n"], row["counted"])
    assert "by epoch 6 turned 2 of 2 at timesteps T 10 and 3 of 3 at timesteps T 8" in row["explanation"]


def test_transition_that_has_not_come_counts_at_the_horizon(tmp_path: Path) -> None:
    """From 2.5 to "not by 6" are at least 3.5 epochs, and said so; if neither has turned nothing is known."""
    late = verdict(tmp_path / "a", "F4a", [HIGH] * 2, [EARLY] * 2)
    never = verdict(tmp_path / "b", "F4a", [HIGH] * 2, [HIGH] * 2)

    assert ("PASS", 3.5) == (late["verdict"], late["statistic"])
    assert "the others count as turning there" in late["explanation"]
    assert ("UNDECIDED", None) == (never["verdict"], never["statistic"])
    assert "No seed has turned by epoch 6, neither at 10 nor at 8." == never["explanation"]


def test_largest_time_constant_is_set_against_the_mean_of_the_others(tmp_path: Path) -> None:
    """5 less the mean of 1.5 and 5 is 1.75."""
    trials = [
        ic_trial({"neuron.tau": tau, "seed": seed}, curve)
        for tau, curve in ((0.75, HIGH), (2.0, EARLY), (4.0, HIGH))
        for seed in (0, 1)
    ]
    row = checked(tmp_path / "r", trials, ("neuron.tau",))["F4b"]

    assert ("PASS", 1.75) == (row["verdict"], row["statistic"])
    assert "τ = 4.0 against 0.75, 2.0" in row["explanation"]


def test_what_follows_from_a_data_set_is_no_context(tmp_path: Path) -> None:
    """Each data set has its own image size; they are compared all the same, per time constant."""
    images = ({"data.name": "cifar10", "data.image_size": 16}, {"data.name": "fashion_mnist", "data.image_size": 14})
    trials = [
        ic_trial(changes | {"neuron.tau": tau, "seed": seed}, EARLY)
        for changes in images
        for tau in (2.0, 4.0)
        for seed in (0, 1)
    ]
    write_rows(tmp_path / "r", trials, varied=("data.image_size", "data.name", "neuron.tau"))
    table = check_claims(open_results(tmp_path / "r"), SETTINGS_CLAIMS)
    rows = [(row["where"], row["verdict"]) for row in table.to_dicts() if row["claim"] == "F4e"]

    assert [("time constant τ 2.0", "PASS"), ("time constant τ 4.0", "PASS")] == rows


def test_settings_are_compared_at_one_learning_rate(tmp_path: Path) -> None:
    """It is the one that is best on validation images over both values."""
    trials = [
        ic_trial({"optimiser.lr": lr, "timesteps": t, "seed": seed}, curve, accuracy=accuracy)
        for lr, accuracy, curves in ((0.3, 0.9, (EARLY, LATE)), (0.1, 0.5, (LATE, EARLY)))
        for t, curve in zip((8, 10), curves, strict=True)
        for seed in (0, 1)
    ]
    row = checked(tmp_path / "r", trials, ("optimiser.lr", "timesteps"))["F4a"]

    assert ("learning rate 0.3", "PASS", 2.0) == (row["where"], row["verdict"], row["statistic"])


@pytest.mark.parametrize(
    ("blocks", "seeds", "expected"),
    [((BLOCKS,) * 2, 2, "PASS"), ((FLIPPED,) * 2, 2, "FAIL"), ((BLOCKS, FLIPPED), 2, "UNDECIDED"),
     ((BLOCKS,), 1, "UNDECIDED")],
)  # fmt: skip
def test_F3_compares_halves_of_the_blocks(tmp_path: Path, blocks: Any, seeds: int, expected: str) -> None:
    """4.5 less 2.5 is 2 timesteps; the other way round it fails; one seed is too few."""
    trials = [ic_trial({"seed": seed}, EARLY, blocks=own) for seed, own in enumerate(blocks)]
    row = checked(tmp_path / "r", trials, ())["F3"]

    assert (expected, seeds) == (row["verdict"], row["n"])
    if blocks == (BLOCKS,) * 2:
        assert 2.0 == pytest.approx(row["statistic"])
        assert "mean IC 4.50 in the shallower, 2.50 in the deeper half of 4 blocks" in row["explanation"]


def test_other_gradients_losses_and_estimators_are_not_asked(tmp_path: Path) -> None:
    """The claims are on the paper's training and measurement."""
    others = ({"loss.name": "alpha", "loss.alpha": 0.1}, {"fisher.kind": "sampled"}, FULL)
    trials = [
        ic_trial(changes | {"timesteps": t, "seed": seed}, LATE if t == 10 else EARLY)
        for changes in (*others, DETACHED)
        for t in (8, 10)
        for seed in (0, 1)
    ]
    varied = ("loss.name", "loss.alpha", "fisher.kind", "neuron.reset_gradient", "timesteps")
    write_rows(tmp_path / "r", trials, varied=varied)

    assert [("F4a", "")] == check_claims(open_results(tmp_path / "r"), SETTINGS_CLAIMS).select("claim", "where").rows()


def test_thresholds_and_references_are_declared() -> None:
    """Ids are unique, statements are sentences, every claim names its source."""
    assert len(SETTINGS_CLAIMS) == len({claim.id for claim in SETTINGS_CLAIMS})
    assert all(claim.reference and claim.quantity and claim.statement.endswith(".") for claim in SETTINGS_CLAIMS)
