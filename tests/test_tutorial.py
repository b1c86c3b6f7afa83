"""The tutorial runs from top to bottom, says what it promises, and is small and clean as it is committed."""

import re
from pathlib import Path
from typing import Any

import pytest
import tutorial

from tic_sweep.sweep import load_sweep

KILOBYTES = 300
PICTURES = 2
"""IC by learning rate, and by width."""


def sources(notebook: Any) -> list[str]:
    """Return the code of a notebook's cells."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.slow
@pytest.mark.ray
def test_the_tutorial_runs(tmp_path: Path) -> None:
    """In an empty folder every cell runs, and each question gets its answer; its code is that which is committed."""
    done = tutorial.executed_apart(tmp_path)
    text = tutorial.printed(done)

    assert sources(tutorial.read()) == sources(done)
    assert [] == tutorial.foreign(text)
    assert PICTURES == len(tutorial.pictures(done))
    assert re.search(r"^(PASS|FAIL|UNDECIDED) ", text, flags=re.MULTILINE)
    assert re.search(r"\d+ of 10 trials turned\.", text)
    assert "before training" in text
    assert re.search(r"turn: width 0\.5 against 1\.0, .* 3 seeds: (undecided|beyond zero)", text)
    assert "tables/epochs.parquet" in text
    assert (tmp_path / "wider_ic.csv").read_text(encoding="utf-8").startswith("model.width,epoch,")


def test_the_committed_notebook_shows_its_figures() -> None:
    """It is committed with every cell executed in order, with its pictures, small, and without a trace of a machine."""
    notebook = tutorial.read()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert list(range(1, len(cells) + 1)) == [cell.execution_count for cell in cells]
    assert [] == [o for cell in cells for o in cell.outputs if o.output_type == "error" or o.get("name") == "stderr"]
    assert PICTURES == len(tutorial.pictures(notebook))
    assert [] == tutorial.foreign(tutorial.printed(notebook))
    assert tutorial.NOTEBOOK.stat().st_size < KILOBYTES * 1000


def test_its_sweep_file_is_a_sweep(tmp_path: Path) -> None:
    """The file that the tutorial writes declares two widths by three seeds."""
    (cell,) = [source for source in sources(tutorial.read()) if source.startswith("%%writefile")]
    path = tmp_path / "wider.py"
    path.write_text(cell.partition("\n")[2], encoding="utf-8")
    sweep, _ = load_sweep(str(path))

    assert sweep.laptop is not None
    assert (0.5, 1.0) == sweep.laptop.space["model.width"].values  # type: ignore[union-attr]
    assert (0, 1, 2) == sweep.laptop.seeds


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("File: /home/somebody/x", "an absolute path: '/home/'"),
        ("at 12:34:56", "a time of day: '12:34:56'"),
        ("2026-01-31", "a date: '2026-01-31'"),
        ("FutureWarning: x", "a warning: 'Warning'"),
    ],
)
def test_what_belongs_to_a_machine_is_noticed(text: str, found: str) -> None:
    """Paths, times and warnings are found; relative paths and fractions are none."""
    assert [found] == tutorial.foreign(text)
    assert [] == tutorial.foreign("results/first/report.html 1/2 tables/tmp")
