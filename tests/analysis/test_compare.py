"""Two sweeps side by side: what is matched, what differs throughout, and an effect that is known to differ."""

from pathlib import Path

import pytest
from scipy.stats import ttest_ind
from store.fabricated import write_rows
from store.fabricated_effects import LR, MARGIN, TAU, swept
from store.fabricated_layers import EARLY, HIGH, ic_trial

from analysis import open_results
from analysis.compare import ALL, compare
from analysis.differences import corrected, difference_of
from tic_sweep.errors import StoreError

DECAY = "optimiser.weight_decay"
OTHER = {DECAY: 1e-3}


def first(tau: float, lr: float, seed: int) -> float:
    """Return per cent of a sweep in which τ = 4 gains 9, 10 and 11 by seed."""
    return 50 + 5 * seed + (9 + seed) * (tau == 4) + 10 * lr


def second(tau: float, lr: float, seed: int) -> float:
    """Return per cent of a sweep in which τ = 4 gains 20, and everything has 1 more."""
    return 51 + 5 * seed + 20 * (tau == 4) + 10 * lr


def test_an_effect_that_differs_is_found(tmp_path: Path) -> None:
    """By 11, 10 and 9, so 10 ± 2.48; that of the rate is the same in both."""
    found = compare(swept(tmp_path / "a", first), swept(tmp_path / "b", second, OTHER))
    effects = {row["field"]: row for row in found.effects.filter(outcome="accuracy").to_dicts()}
    tau, rate = effects[TAU], effects[LR]

    assert ({DECAY: (5e-4, 1e-3)}, {TAU, LR}) == (found.differing, set(found.fields))
    assert (4, 0, 0, 0) == (found.shared, found.only_a, found.only_b, found.same_trials)
    assert pytest.approx((10.0, 20.0, 10.0)) == tuple(tau[x] for x in ("effect_a", "effect_b", "difference"))
    assert pytest.approx((10 - MARGIN, 10 + MARGIN), abs=1e-5) == (tau["low"], tau["high"])
    assert (True, 3, "paired t over seeds") == (tau["differs"], tau["n_seeds"], tau["method"])
    assert pytest.approx(0.0, abs=1e-9) == rate["difference"]
    assert not rate["differs"]


def test_settings_are_compared_one_by_one_and_together(tmp_path: Path) -> None:
    """At τ = 2 by 1, at τ = 4 by 12, 11 and 10; over all four settings by 6.5, 6 and 5.5."""
    found = compare(swept(tmp_path / "a", first), swept(tmp_path / "b", second, OTHER))
    rows = found.settings.filter(outcome="accuracy")
    whole = rows.row(0, named=True)

    assert (ALL, None, pytest.approx(6.0)) == (whole["setting"], whole["q"], whole["difference"])
    assert pytest.approx((6 - MARGIN / 2, 6 + MARGIN / 2), abs=1e-5) == (whole["low"], whole["high"])
    assert pytest.approx([1, 1, 11, 11]) == sorted(rows["difference"][1:])


def test_only_shared_settings_count(tmp_path: Path) -> None:
    """B has another τ, where everything is different."""
    found = compare(
        swept(tmp_path / "a", first),
        swept(tmp_path / "b", lambda *x: second(*x) + 30 * (x[0] == 8), OTHER, taus=(2.0, 4.0, 8.0)),
    )

    assert (4, 0, 2) == (found.shared, found.only_a, found.only_b)
    assert ["2.0"] == found.effects.filter(field=TAU)["reference"].unique().to_list()
    assert pytest.approx(6.0) == found.settings.filter(outcome="accuracy", setting=ALL)["difference"].item()


def test_without_shared_seeds_it_is_welch(tmp_path: Path) -> None:
    """The per-seed effects of A are 9, 10, 11, those of B, by seeds 3 to 5, 12 to 14."""
    found = compare(swept(tmp_path / "a", first), swept(tmp_path / "b", first, OTHER, seeds=(3, 4, 5)))
    tau = found.effects.filter(outcome="accuracy", field=TAU).row(0, named=True)
    oracle = ttest_ind([12, 13, 14], [9, 10, 11], equal_var=False)

    assert ("Welch's t over seeds", pytest.approx(3.0)) == (tau["method"], tau["difference"])
    assert pytest.approx(float(oracle.pvalue)) == tau["p"]  # type: ignore[attr-defined]


def test_trials_that_are_the_same_are_no_comparison(tmp_path: Path) -> None:
    """A sweep against itself: no field differs, all trials are the same, and none of the rows has a p-value."""
    a = swept(tmp_path / "a", first)
    found = compare(a, a)

    assert ({}, 12) == (found.differing, found.same_trials)
    assert 0 == found.settings["q"].count() + found.effects["q"].count()
    assert {"the same trials"} == set(found.settings["method"]) | set(found.effects["method"])


def test_what_has_not_finished_is_counted(tmp_path: Path) -> None:
    """Two trials of B diverged: they are left out, and the comparison says how many."""
    for name, lost in (("a", 0), ("b", 2)):
        trials = [
            ic_trial({TAU: tau, "seed": s} | (OTHER if name == "b" else {}), EARLY,
                     status="diverged" if tau == 4 and s < lost else "finished")
            for tau in (2.0, 4.0) for s in range(3)
        ]  # fmt: skip
        write_rows(tmp_path / name, trials, varied=(TAU,))
    found = compare(open_results(tmp_path / "a"), open_results(tmp_path / "b"))

    assert ((0, 2), 2) == (found.unfinished, found.shared)


def test_one_setting_each_is_enough(tmp_path: Path) -> None:
    """Sweeps of seeds alone, apart in one field."""
    sides = [
        swept(tmp_path / name, lambda tau, _lr, seed: 50 + seed + (9 + seed) * (tau > 2), taus=(tau,), rates=(0.3,))
        for name, tau in (("a", 2.0), ("b", 4.0))
    ]
    found = compare(*sides)
    row = found.settings.filter(outcome="accuracy").row(0, named=True)

    assert ({TAU: (2.0, 4.0)}, (), 1) == (found.differing, found.fields, found.shared)
    assert pytest.approx(10.0) == row["difference"]
    assert found.effects.is_empty()


def test_transitions_have_the_horizon_of_both(tmp_path: Path) -> None:
    """A was seen to epoch 6, B to epoch 4 only: a turn at 2.5 is 1.5 before what B can say."""
    for name, ic, base in (("a", EARLY, {}), ("b", HIGH[:5], OTHER)):
        write_rows(tmp_path / name, [ic_trial({"seed": s, **base}, ic) for s in range(2)], varied=())
    found = compare(open_results(tmp_path / "a"), open_results(tmp_path / "b"))
    row = found.settings.filter(outcome="transition").row(0, named=True)

    assert (2.5, 4.0, 1.5) == (row["a"], row["b"], row["difference"])


def test_nothing_in_common_says_why(tmp_path: Path) -> None:
    """One line that names a field and its values; or the side without trials."""
    a = swept(tmp_path / "a", first)
    b = swept(tmp_path / "b", first, taus=(3.0, 5.0))
    unfinished = write_rows(tmp_path / "c", [ic_trial({}, EARLY, status="planned")])

    with pytest.raises(StoreError, match=r"time constant τ is 2\.0, 4\.0 in A and 3\.0, 5\.0 in B"):
        compare(a, b)
    with pytest.raises(StoreError, match="B has no finished trial"):
        compare(a, open_results(unfinished.root))


def test_differences_that_are_all_equal_are_no_evidence() -> None:
    """Two seeds that both gain a coarse step; but no difference at all is p = 1."""
    step, none = difference_of({0: 1.0, 1: 2.0}, {0: 1.5, 1: 2.5}), difference_of({0: 1.0, 1: 2.0}, {0: 1.0, 1: 2.0})

    assert (0.5, 0.5, 0.5, None) == (step.difference, step.low, step.high, step.p)
    assert (0.0, 1.0) == (none.difference, none.p)


@pytest.mark.parametrize(("own", "other"), [({0: 1.0}, {0: 2.0}), ({0: 1.0, 1: 2.0}, {5: 2.5}), ({0: 1.0}, {1: 2.0})])
def test_single_seeds_have_no_interval(own: dict[int, float], other: dict[int, float]) -> None:
    """A difference, and that is all."""
    gain = difference_of(own, other)

    assert (1.0, None, None, None, "too few seeds") == (gain.difference, gain.low, gain.high, gain.p, gain.method)


def test_welch_of_a_side_without_scatter() -> None:
    """Of 1, 1 against 2, 3, 4: SciPy's test, and no warning; two sides without scatter are no evidence."""
    gain = difference_of({0: 1.0, 1: 1.0}, {5: 2.0, 6: 3.0, 7: 4.0})
    step = difference_of({0: 1.0, 1: 1.0}, {5: 2.0, 6: 2.0})

    assert pytest.approx(2 - 4.302653 / 3**0.5, abs=1e-5) == gain.low  # two degrees of freedom, all of one side
    assert (1.0, None, "no scatter over seeds") == (step.difference, step.p, step.method)


def test_p_values_are_corrected_together() -> None:
    """Benjamini and Hochberg by hand: of 0.01, 0.02 and 0.5 the first two become 0.03."""
    assert [pytest.approx(0.03), None, pytest.approx(0.03), pytest.approx(0.5)] == corrected([0.01, None, 0.02, 0.5])
    assert [None] == corrected([None])
