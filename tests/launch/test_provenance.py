"""Where numbers come from: what is said when trials of one folder ran with different software."""

import pytest

from tic_sweep.launch.provenance import Provenance, Software, told_apart

NOW = Provenance("1.2", "abc", "python 3.11.7, torch 2.14.1", "Linux")
SAME = NOW.software


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process be one of known software."""
    monkeypatch.setattr("tic_sweep.launch.provenance.provenance", lambda: NOW)


@pytest.mark.parametrize(
    ("ran", "said"),
    [
        ([], ""),
        ([SAME], ""),
        ([SAME, SAME._replace(version="1.1")], "ran with tic_sweep 1.1; now it is tic_sweep 1.2. C"),
        ([SAME._replace(git_commit="a+")], "ran with commit a+; now it is commit abc. C"),
        ([SAME._replace(git_commit="")], "ran without commit abc. C"),
        ([SAME._replace(packages=f"{SAME.packages}, abacus 1")], "ran with abacus 1. C"),
        ([SAME._replace(version=v) for v in ("0.10", "0.9")], "ran with tic_sweep 0.10 (and 1 earlier); now"),
    ],
    ids=["nothing ran", "the same", "version", "commit", "no commit", "a package less", "several"],
)
def test_other_software_is_named(ran: list[Software], said: str) -> None:
    """What differs, the newest first; nothing where nothing does."""
    told = told_apart(ran)

    assert said in told
    assert bool(said) == bool(told)
