"""The summary's table fits its width, and the sparklines stay."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from store.fabricated import STAYING, TURNING, write_sweep

from analysis import open_results
from analysis.tables import summary
from tic_sweep.launch.summary_table import shortened, summary_table, thinned

PRUNED = {"pruning.cycles": 1, "pruning.epochs": 1}
LONG = (*TURNING, *[1.5] * 24)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """Return the summary of two data sets at two T_retrain, two seeds each, curves of 31 reports."""
    place = tmp_path_factory.mktemp("table") / "r"
    trials = [
        (PRUNED | {"data.name": name, "pruning.timesteps": t, "seed": seed}, "finished", LONG)
        for name in ("fashion_mnist", "cifar10")
        for t in (2, 4)
        for seed in (0, 1)
    ]
    write_sweep(place, trials, varied=("data.name", "pruning.timesteps"))
    results = open_results(place)
    return summary(results, ("data.name", "pruning.timesteps")).to_dicts()


def lines_of(rows: list[dict[str, object]], width: int, settings: tuple[str, ...]) -> list[str]:
    """Return the table as a terminal of a width shows it."""
    console = Console(file=io.StringIO(), width=width)
    console.print(summary_table(rows, settings, width))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("width", "heads", "spark"),
    [
        (120, ["data.name", "pruning.timesteps", "IC start", "IC max", "IC final", "turns", "test acc %"], 24),
        (80, ["data.name", "pruning.timesteps", "IC final", "turns", "test acc %"], 8),
        (60, ["name", "timesteps", "IC final", "turns"], 8),
        (40, ["name", "timest…", "IC final"], 8),
    ],
)
def test_figures_and_names_give_way_to_the_curve(
    rows: list[dict[str, object]], width: int, heads: list[str], spark: int
) -> None:
    """No line is too long, there is a line per setting, and each ends in a curve."""
    lines = lines_of(rows, width, ("data.name", "pruning.timesteps"))
    body = [line for line in lines if "▅" in line]

    assert max(map(len, lines)) <= width
    assert 4 == len(body)
    assert {spark} == {len(line.split()[-1]) for line in body}
    assert [*" ".join(heads).split(), "IC"] == lines[1].split()[: len(" ".join(heads).split()) + 1]


def test_nothing_is_cut_where_there_is_room(rows: list[dict[str, object]]) -> None:
    """A single short setting keeps its name and every figure at 80 columns."""
    lines = lines_of(rows[:1], 80, ("pruning.timesteps",))

    assert "…" not in "".join(lines)
    assert " fashion_mnist " in lines_of(rows, 120, ("data.name", "pruning.timesteps"))[5]


def test_thinned_takes_characters_at_equal_distances() -> None:
    """Of eight, the second, fourth, sixth and eighth stand for the four pairs; a short curve stays as it is."""
    assert "▂▄▆█" == thinned("▁▂▃▄▅▆▇█", 4)
    assert "▁█" == thinned("▁█", 4)


def test_shortened_marks_what_was_cut() -> None:
    """The ellipsis counts."""
    assert "fashi…" == shortened("fashion_mnist", 6)
    assert "digits" == shortened("digits", 6)


def test_a_curve_that_stays_up_is_shown_as_such(tmp_path: Path) -> None:
    """The sparkline of the table is that of the summary."""
    write_sweep(tmp_path / "r", [({"optimiser.lr": 0.1}, "finished", STAYING)])
    lines = lines_of(summary(open_results(tmp_path / "r")).to_dicts(), 80, ("sweep",))

    assert "▅▅▅▅▅▅▅" == lines[3].split()[-1]
