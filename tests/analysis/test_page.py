"""docs/analysis.md says what is so: its Python runs, its SQL answers, its commands parse."""

import re
import shlex
from pathlib import Path

import pytest
from store.fabricated import STAYING, TURNING, write_sweep

from analysis import open_results
from analysis.query import query
from tic_sweep.cli import cli
from tic_sweep.records import TABLES

SD = 0.005 * 2**0.5
"""Of 0.92 and 0.93."""
PAGE = (Path(__file__).parents[2] / "docs" / "analysis.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two sweeps where the page says that they lie."""
    folder = tmp_path_factory.mktemp("page")
    ended = [({"optimiser.lr": 0.1}, STAYING), ({"optimiser.lr": 0.3}, TURNING)]
    trials = [(changes | {"seed": seed}, "finished", ic) for changes, ic in ended for seed in (0, 1)]
    lost = ({"optimiser.lr": 3.0}, "diverged", TURNING[:2])
    write_sweep(folder / "results" / "quickstart-laptop", [*trials, lost])
    write_sweep(folder / "results" / "other-laptop", [({"optimiser.lr": 1.0}, "finished", TURNING)])
    return folder


def test_python_runs_from_top_to_bottom(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each block runs after those before it; the two sweeps hold six trials, and 0.3 turned at 3.5."""
    monkeypatch.chdir(place)
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, "docs/analysis.md", "exec"), names)  # noqa: S102 - our own page
    out = capsys.readouterr().out

    assert "\n6\n14\n" in out
    assert "3.5" in out


@pytest.mark.parametrize(
    ("start", "rows"),
    [
        ("SELECT optimiser.lr, avg(best", [(0.1, 0.925, pytest.approx(SD), 2), (0.3, 0.925, pytest.approx(SD), 2)]),
        ("SELECT optimiser.lr, avg(inter", [(0.1, None, 0, 2), (0.3, 3.5, 2, 2), (3.0, None, 0, 1)]),
        ("SELECT t.optimiser.lr", 16),
        ("SELECT sum(train", [(30.0, pytest.approx(3.0), pytest.approx(6.0))]),
        ("SELECT status, reason", [("diverged", "", 1)]),
    ],
)  # fmt: skip
def test_sql_answers(place: Path, start: str, rows: int | list[tuple[object, ...]]) -> None:
    """Four trials of seven epochs and one of two: each query's answer, or its number of rows, is known."""
    (sql,) = [block for block in blocks("sql") if block.startswith(start)]
    answer = query(open_results(place / "results" / "quickstart-laptop"), sql).collect()

    assert rows == (answer.height if isinstance(rows, int) else sorted(answer.rows(), key=lambda row: str(row[0])))


def test_every_query_is_tried() -> None:
    """There are five, and the test above names each."""
    assert 5 == len(blocks("sql"))


COMMANDS = [line for block in blocks("bash") for line in block.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_understood(command: str) -> None:
    """Each line names a command and options that exist."""
    name, *arguments = shlex.split(command)[1:]

    assert name == cli.commands[name].make_context(name, arguments).info_name


def test_the_tables_named_are_those_there_are() -> None:
    """The sentence that lists them lists all."""
    (listed,) = re.findall(r"frame of that name: (.*?)\.\n", PAGE)

    assert list(TABLES) == re.findall(r"`(\w+)`", listed)
