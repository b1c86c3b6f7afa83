"""Claims on noise in time, on α and on robustness: each verdict can be reached, and only where results are about it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from store.fabricated import write_rows
from store.fabricated_probes import alpha, probed_trial

from analysis import open_results
from analysis.claims import check_claims
from analysis.claims_robustness import ROBUSTNESS_CLAIMS

LOSS = ("loss.name", "loss.alpha")
CLAIMS = {claim.id: claim for claim in ROBUSTNESS_CLAIMS}
LOW, MIDDLE, HIGH = 0.001, 0.01, 0.1


def verdicts(path: Path, claim: str, trials: Sequence[Any], varied: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return the verdicts on one claim."""
    write_rows(path / "r", trials, varied=varied)
    return check_claims(open_results(path / "r"), [CLAIMS[claim]]).to_dicts()


def verdict(path: Path, claim: str, trials: Sequence[Any], varied: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the only verdict on one claim."""
    (row,) = verdicts(path, claim, trials, varied)
    return row


def with_costs(*costs: tuple[float, float]) -> list[Any]:
    """Return a trial per pair: points that noise in the first of two windows costs more, after epochs 1 and 20."""
    return [
        probed_trial({"seed": s}, deficits={0: (0.1, 0.8), 1: (0.5 - early / 100, 0.5), 20: (0.8 - late / 100, 0.8)})
        for s, (early, late) in enumerate(costs)
    ]


@pytest.mark.parametrize(
    ("claim", "costs", "ruling", "statistic"),
    [
        ("F2a", ((0, 10), (0, 12)), "UNDECIDED", 11.0),
        ("F2a", ((0, 10), (0, 10.5)), "PASS", 10.25),
        ("F2a", ((0, -3), (0, -3)), "FAIL", -3.0),
        ("F2b", ((0.5, 0), (0.5, 0)), "PASS", 0.5),
        ("F2b", ((5, 0), (5, 0)), "FAIL", 5.0),
        ("F2b", ((0, 0), (3, 0)), "UNDECIDED", 1.5),
    ],
)
def test_F2_compares_the_first_window_with_the_last(
    tmp_path: Path, claim: str, costs: Sequence[tuple[float, float]], ruling: str, statistic: float
) -> None:
    """Late is the last epoch measured, early the first with training; the untrained network is passed over."""
    row = verdict(tmp_path, claim, with_costs(*costs))

    assert (ruling, pytest.approx(statistic), 2) == (row["verdict"], row["statistic"], row["n"])
    assert f"after epoch {20 if claim == 'F2a' else 1}, at a clean accuracy of 90.0%" in row["explanation"]


def test_F2b_falls_back_on_the_untrained_network_and_needs_a_second_epoch(tmp_path: Path) -> None:
    """Early and late cannot be the same epoch."""
    both = [probed_trial({"seed": s}, deficits={0: (0.1, 0.1), 20: (0.5, 0.8)}) for s in (0, 1)]
    late = [probed_trial({"seed": s}, deficits={20: (0.5, 0.8)}) for s in (0, 1)]
    untrained, alone = verdict(tmp_path / "a", "F2b", both), verdict(tmp_path / "b", "F2b", late)

    assert ("PASS", 0.0) == (untrained["verdict"], untrained["statistic"])
    assert "after epoch 0" in untrained["explanation"]
    assert ("UNDECIDED", None, 0) == (alone["verdict"], alone["statistic"], alone["n"])
    assert "not known before the last epoch measured" in alone["explanation"]


def test_F2_is_about_finished_trials_at_the_best_rate(tmp_path: Path) -> None:
    """A rate that trains badly says nothing, and neither does a trial that broke off."""
    trials = [
        probed_trial(
            {"optimiser.lr": lr, "seed": s}, deficits={20: (0.8 - cost / 100, 0.8)}, status=status, val_acc=accuracy
        )
        for lr, s, cost, status, accuracy in (
            (0.3, 0, 10, "finished", 0.9), (0.3, 1, 10, "finished", 0.9), (0.3, 2, -50, "failed", None),
            (0.1, 0, -5, "finished", 0.6), (0.1, 1, -5, "finished", 0.6),
        )
    ]  # fmt: skip
    row = verdict(tmp_path, "F2a", trials, ("optimiser.lr",))

    assert ("PASS", "learning rate 0.3", 2) == (row["verdict"], row["where"], row["n"])


def test_one_seed_is_undecided(tmp_path: Path) -> None:
    """However much it costs."""
    row = verdict(tmp_path, "F2a", with_costs((0, 50)))

    assert ("UNDECIDED", "1 seed: an interval needs at least two.", 1) == (row["verdict"], row["explanation"], row["n"])


def test_F2_is_about_cross_entropy(tmp_path: Path) -> None:
    """The paper trains with another loss for α only (Fig. 5, Table 1)."""
    trials = [probed_trial(alpha(HIGH, s), deficits={20: (0.5, 0.8)}) for s in (0, 1)]

    assert [] == verdicts(tmp_path, "F2a", [*trials, probed_trial({}, test_acc=0.9)], LOSS)


def with_traces(low: Sequence[float], *high: Sequence[float]) -> list[Any]:
    """Return a trial of low α with one trace, and one of high α with another, per seed."""
    pairs = [((LOW, low), (HIGH, own)) for own in high]
    return [probed_trial(alpha(a, s), traces={0: (1.0,) * 4, 9: t}) for s, pair in enumerate(pairs) for a, t in pair]


@pytest.mark.parametrize(
    ("claim", "high", "ruling", "statistic"),
    [
        ("F5a", ((20, 10, 5, 5), (20, 10, 5, 5)), "PASS", 1.0),
        ("F5a", ((0.2, 0.1, 0.1, 0), (0.2, 0.1, 0.1, 0)), "FAIL", -1.0),
        ("F5a", ((20, 10, 5, 5), (0.2, 0.1, 0.1, 0)), "UNDECIDED", 0.0),
        ("F5b", ((0, 0, 50, 50), (0, 0, 50, 50)), "PASS", 2.0),
        ("F5b", ((99, 99, 0.05, 0.05), (99, 99, 0.05, 0.05)), "FAIL", -1.0),
    ],
)
def test_F5_compares_information_after_training(
    tmp_path: Path, claim: str, high: Sequence[Sequence[float]], ruling: str, statistic: float
) -> None:
    """A low α leaves 4 in all and 1 late, after the last epoch; ratios are in decades."""
    row = verdict(tmp_path, claim, with_traces((2, 1, 0.5, 0.5), *high), LOSS)

    assert (ruling, pytest.approx(statistic), 2) == (row["verdict"], row["statistic"], row["n"])
    assert "α 0.1 against 0.001" == row["where"]


@pytest.mark.parametrize(
    ("losses", "ruling", "statistic"),
    [((1.1, 1.1), "PASS", 0.0414), ((5.0, 5.0), "FAIL", 0.699), ((1.0, 4.0), "UNDECIDED", 0.301)],
)
def test_F5c_tells_whether_the_loss_settles_near_alpha(
    tmp_path: Path, losses: Sequence[float], ruling: str, statistic: float
) -> None:
    """Each α has its own verdict; only the last epoch counts."""
    trials = [
        probed_trial(alpha(a, s), epochs={1: {"train_loss_over_t": 9.0}, 2: {"train_loss_over_t": factor * a}})
        for a in (LOW, HIGH)
        for s, factor in enumerate(losses)
    ]
    rows = verdicts(tmp_path, "F5c", trials, LOSS)

    assert ["α 0.001", "α 0.1"] == [row["where"] for row in rows]
    assert [(ruling, pytest.approx(statistic, abs=1e-3))] * 2 == [(row["verdict"], row["statistic"]) for row in rows]


def test_F5c_is_undecided_where_a_trial_diverged(tmp_path: Path) -> None:
    """Two survivors do not make training stable."""
    trials = [
        probed_trial(alpha(a, s), epochs={2: {"train_loss_over_t": a}}, status=status)
        for a, s, status in ((LOW, 0, "finished"), (LOW, 1, "finished"), (HIGH, 0, "finished"), (HIGH, 1, "finished"),
                             (HIGH, 2, "diverged"))
    ]  # fmt: skip
    low, high = verdicts(tmp_path, "F5c", trials, LOSS)

    assert ("PASS", "UNDECIDED") == (low["verdict"], high["verdict"])
    assert "1 of 3 trials diverged: their loss settled nowhere." == high["explanation"]


def with_accuracies(*by_alpha: tuple[float, Sequence[float]], **values: Any) -> list[Any]:
    """Return trials of (α, test accuracy by seed)."""
    return [
        probed_trial(alpha(a, s), test_acc=accuracy, **values)
        for a, accuracies in by_alpha
        for s, accuracy in enumerate(accuracies)
    ]


def test_T1a_compares_each_alpha_with_the_lowest(tmp_path: Path) -> None:
    """Half a point less is the same, five less are not, and what scatters by points is open."""
    trials = with_accuracies((LOW, (0.9, 0.8)), (MIDDLE, (0.895, 0.795)), (HIGH, (0.85, 0.75)), (1.0, (0.93, 0.79)))
    rows = verdicts(tmp_path, "T1a", trials, LOSS)

    assert ["PASS", "FAIL", "UNDECIDED"] == [row["verdict"] for row in rows]
    assert pytest.approx([-0.5, -5.0, 1.0]) == [row["statistic"] for row in rows]
    assert "α 0.01 against 0.001" == rows[0]["where"]


def test_alphas_are_compared_seed_by_seed_among_finished_trials_of_loss_alpha(tmp_path: Path) -> None:
    """Cross-entropy, a seed without a partner, and a trial that diverged are no pairs; the last is told."""
    trials = [
        *with_accuracies((LOW, (0.9, 0.8, 0.7)), (HIGH, (0.9, 0.8))),
        probed_trial(alpha(HIGH, 2), status="diverged"),
        probed_trial(alpha(HIGH, 7), test_acc=0.1),
        *(probed_trial({"seed": s}, test_acc=0.2) for s in (0, 1)),
    ]
    row = verdict(tmp_path, "T1a", trials, LOSS)

    assert ("PASS", 0.0, 2, "paired seeds") == (row["verdict"], row["statistic"], row["n"], row["counted"])
    assert row["explanation"].endswith("1 trial diverged.")


@pytest.mark.parametrize(
    ("high", "ruling", "statistic"),
    [((0.5, 0.5), "PASS", 20.0), ((0.8, 0.8), "FAIL", -10.0), ((0.5, 0.9), "UNDECIDED", 0.0)],
)
def test_T1b_compares_what_corruptions_cost(
    tmp_path: Path, high: Sequence[float], ruling: str, statistic: float
) -> None:
    """A low α loses 20 points; verdicts are per corruption, at multiple 1 after the last epoch measured."""
    trials = [
        probed_trial(
            alpha(a, s), robustness={1: {"pgd": {1.0: 0.1}}, 9: {"pgd": {1.0: own, 2.0: 0.0}, "blur": {1.0: 0.9}}}
        )
        for s, accuracy in enumerate(high)
        for a, own in ((LOW, 0.7), (HIGH, accuracy))
    ]
    found = {row["where"]: row for row in verdicts(tmp_path, "T1b", trials, LOSS)}
    row, blur = (found[f"α 0.1 against 0.001, {name}"] for name in ("PGD", "blur"))

    assert (ruling, pytest.approx(statistic)) == (row["verdict"], row["statistic"])
    assert ("UNDECIDED", 0.0) == (blur["verdict"], blur["statistic"])


def test_each_data_set_has_its_own_verdict(tmp_path: Path) -> None:
    """The lowest α of one is not that of the other."""
    trials = [
        probed_trial(alpha(a, s, data__name=name), test_acc=0.9)
        for name, alphas in (("cifar10", (LOW, HIGH)), ("svhn", (MIDDLE, HIGH)))
        for a in alphas
        for s in (0, 1)
    ]
    rows = verdicts(tmp_path, "T1a", trials, ("data.name", *LOSS))

    assert ["data set cifar10, α 0.1 against 0.001", "data set svhn, α 0.1 against 0.01"] == [
        row["where"] for row in rows
    ]


def test_results_settle_only_what_they_are_about(tmp_path: Path) -> None:
    """A sweep of seeds has no α; one of cross-entropy against a single α compares none; deficits are in neither."""
    rows: dict[str, Any] = {"robustness": {9: {"pgd": {1.0: 0.7}}}, "traces": {9: (1.0,) * 4}}
    seeds = [probed_trial({"seed": s}, test_acc=0.9, **rows) for s in (0, 1)]
    single = [*seeds, *(probed_trial(alpha(LOW, s), test_acc=0.9, **rows) for s in (0, 1))]
    for name, trials, varied in (("a", seeds, ()), ("b", single, LOSS)):
        write_rows(tmp_path / name, trials, varied=varied)

        assert check_claims(open_results(tmp_path / name), ROBUSTNESS_CLAIMS).is_empty()


def test_ids_are_unique_and_come_with_references() -> None:
    """Every claim says where it comes from and what it is set against."""
    assert ["F2a", "F2b", "F5a", "F5b", "F5c", "T1a", "T1b"] == list(CLAIMS)
    assert all(claim.reference and claim.quantity and claim.statement.endswith(".") for claim in ROBUSTNESS_CLAIMS)


def test_trainings_that_no_alpha_touched_are_not_compared(tmp_path: Path) -> None:
    """A loss far above both α leaves the same weights: that their accuracy is the same says nothing about α."""

    def trials(gap: float) -> list[Any]:
        return [
            probed_trial(
                alpha(value, seed), epochs={5: {"train_loss_over_t": 0.5 + seed + (value == HIGH) * gap}}, test_acc=0.6
            )
            for value in (LOW, HIGH)
            for seed in (0, 1)
        ]

    same, apart = (verdict(tmp_path / str(gap), "T1a", trials(gap), LOSS) for gap in (0.0, 1e-6))

    assert ("UNDECIDED", "PASS") == (same["verdict"], apart["verdict"])
    assert "On 2 of 2 seeds training was the same at both α" in same["explanation"]
