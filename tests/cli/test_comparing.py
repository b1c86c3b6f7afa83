"""``tic-sweep effects`` and ``compare`` as a user meets them."""

from pathlib import Path

import pytest
from store.fabricated_effects import swept

from tic_sweep.cli import main

DECAY = "optimiser.weight_decay"


def call(*arguments: object) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in arguments])
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """τ = 4 gains 9, 10 and 11 points."""
    swept(tmp_path / "a", lambda tau, lr, seed: 50 + 5 * seed + (9 + seed) * (tau == 4) + 10 * lr)
    return tmp_path / "a"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """τ = 4 gains 20 points, at another weight decay."""
    swept(tmp_path / "b", lambda tau, lr, seed: 51 + 5 * seed + 20 * (tau == 4) + 10 * lr, {DECAY: 1e-3})
    return tmp_path / "b"


def line_of(text: str, *words: str) -> str:
    """Return the one line that begins with some words, single spaces between its own."""
    found = [" ".join(line.split()) for line in text.splitlines()]
    (line,) = [line for line in found if line.startswith(" ".join(words))]
    return line


def test_effects_are_printed_with_intervals(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """10 ± 2.48 over three seeds; within 80 columns; the ranking first."""
    code = call("effects", sweep, "--outcome", "accuracy")
    out = capsys.readouterr().out

    assert 0 == code
    assert "time constant τ 4.0 vs 2.0 +10.0 7.5 to 12.5 3" == line_of(out, "time constant τ 4.0 vs")
    assert out.index("What moves what") < out.index("Effects on test accuracy (points)")
    assert "transition" not in out
    assert max(map(len, out.splitlines())) <= 80


def test_effects_of_every_outcome(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Transitions come with the horizon and with who had turned: all, at 2.5."""
    call("effects", sweep)
    out = capsys.readouterr().out

    assert "Effects on transition epoch (epochs, seen to epoch 6)" in out
    assert "12 of 12 trials have all outcomes; 3 seeds." in out
    assert "time constant τ 4.0 vs 2.0 +0.0 0.0 to 0.0 3 100%, 100%" in " ".join(out.split())


@pytest.mark.parametrize(
    ("asked", "told"), [((), "nothing but the seed varies"), (("--outcome", "robustness"), "an outcome of robustness")]
)
def test_effects_of_nothing_are_one_line(
    tmp_path: Path, sweep: Path, capsys: pytest.CaptureFixture[str], asked: tuple[str, ...], told: str
) -> None:
    """No field varies, or nothing was measured: exit code 2."""
    swept(tmp_path / "one", lambda *_: 50.0, taus=(2.0,), rates=(0.3,))
    code = call("effects", sweep if asked else tmp_path / "one", *asked)
    err = capsys.readouterr().err

    assert 2 == code
    assert told in err
    assert 1 == len(err.splitlines())


def test_compare_says_what_was_matched_and_what_differs(
    sweep: Path, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The effect of τ differs by 10 ± 2.48; of four effects on three outcomes two are of accuracy."""
    code = call("compare", sweep, other)
    out = capsys.readouterr().out
    tau = line_of(out.split("Effects: test accuracy")[1], "time constant τ 4.0 vs")

    assert 0 == code
    assert "They differ throughout in: weight decay 0.0005 in A, 0.001 in B." in out
    assert "4 settings are in both" in out
    assert "0 only in A, 0 only in B" in out
    assert tau.startswith("time constant τ 4.0 vs 2.0 +10.0 +20.0 +10.0 7.5 to 12.5 0.0")
    assert "comparisons of effects, 1 differ." in out


def test_compare_can_print_everything(sweep: Path, other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Settings that do not differ, too."""
    call("compare", sweep, other, "--all")
    out = capsys.readouterr().out

    assert "Settings: test accuracy (points)" in out
    assert "Settings: (IC − 1) / (T − 1) at the end (fraction)" in out


def test_nothing_in_common_is_one_line(tmp_path: Path, sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and why."""
    swept(tmp_path / "b", lambda *_: 50.0, taus=(3.0, 5.0))
    code = call("compare", sweep, tmp_path / "b")
    err = capsys.readouterr().err

    assert 2 == code
    assert "time constant τ is 2.0, 4.0 in A and 3.0, 5.0 in B" in err
    assert 1 == len(err.splitlines())


def test_results_that_are_none_are_one_line(tmp_path: Path, sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither command invents a folder."""
    for arguments in (("effects", tmp_path / "no"), ("compare", sweep, tmp_path / "no")):
        assert 2 == call(*arguments)
    assert 2 == len(capsys.readouterr().err.splitlines())
