"""Where numbers come from: what is said when trials of one folder ran with different software."""

import polars as pl
import pytest

from tic_sweep.launch.provenance import Provenance, told_apart

NOW = Provenance("1.2", "abc", "python 3.11.7, torch 2.14.1", "Linux")
THEN = {"status": "finished", "session": 1, "version": "1.2", "git_commit": "abc", "packages": NOW.packages}


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process be one of known software."""
    monkeypatch.setattr("tic_sweep.launch.provenance.provenance", lambda: NOW)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{}], ""),
        ([{"status": "planned", "version": "1.1"}], ""),
        ([{"version": ""}], ""),
        ([{"version": "1.1"}], "ran with tic_sweep 1.1; now it is tic_sweep 1.2."),
        ([{"git_commit": "a+"}], "ran with commit a+; now it is commit abc."),
        ([{"git_commit": None}], "ran without commit abc."),
        ([{"packages": f"{NOW.packages}, abacus 1"}], "ran with abacus 1."),
        ([{"version": "0.9"}, {"version": "0.10", "session": 2}], "ran with tic_sweep 0.10 (and 1 earlier); now"),
    ],
    ids=["the same", "only planned", "unknown", "version", "commit", "no commit", "a package less", "several"],
)
def test_other_software_is_named(rows: list[dict], said: str) -> None:
    """What differs, the newest first; nothing where nothing does, or nothing has run, or nothing is known."""
    told = told_apart(pl.LazyFrame([THEN | row for row in rows]))

    assert said in told
    assert bool(said) == bool(told)
