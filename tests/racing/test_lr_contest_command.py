"""The contest's command line: what is wrong with it is said in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

CONTEST = Path(__file__).parents[2] / "benchmarks" / "lr_contest.py"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere",), "results folder 'nowhere' does not exist"),
        (("nowhere", "--seeds", "a"), "--seeds must be whole numbers separated by commas, such as 2,3,4, got 'a'."),
    ],
)
def test_bad_input_is_one_line(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    """With exit code 2, and without a traceback."""
    ended = subprocess.run([sys.executable, CONTEST, *words], capture_output=True, text=True, cwd=tmp_path, check=False)

    assert (2, "", 1) == (ended.returncode, ended.stdout, ended.stderr.count("\n"))
    assert ended.stderr.startswith("lr_contest: error: ")
    assert message in ended.stderr
