"""Figures on disk: valid files of the size asked for, the same bytes each time, and captions beside them."""

import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image
from store.fabricated import STAYING, TURNING, write_sweep

from analysis import Results, open_results
from analysis.figures.catalogue import FIGURES, chosen_figures
from analysis.figures.style import DOUBLE, SINGLE
from analysis.figures.words import part_name, setting_text
from analysis.figures.writing import write_figures
from tic_sweep.errors import StoreError, UserError
from tic_sweep.records import TABLES

AGAIN = """
import sys
from pathlib import Path
from analysis import open_results
from analysis.figures.catalogue import chosen_figures
from analysis.figures.writing import write_figures
list(write_figures(open_results(sys.argv[1]), Path(sys.argv[2]), chosen_figures(["fig4d"])))
"""


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Two rates with two seeds each."""
    trials = [(lr, s, ic) for lr, ic in ((0.3, TURNING), (0.1, STAYING)) for s in (0, 1)]
    write_sweep(tmp_path / "r", [({"optimiser.lr": lr, "seed": s}, "finished", ic) for lr, s, ic in trials])
    return open_results(tmp_path / "r")


def test_files_are_what_their_endings_say(results: Results, tmp_path: Path) -> None:
    """PNG opens with the pixels of its inches, SVG is XML, PDF has one page and embeds TrueType."""
    (written,) = write_figures(results, tmp_path / "f", chosen_figures(["fig4d"]), dpi=100)
    png, svg, pdf = written.files
    with Image.open(png) as image:
        image.load()
        size = image.size
    text = pdf.read_bytes()

    assert ("fig4d.png", "fig4d.svg", "fig4d.pdf") == tuple(path.name for path in written.files)
    assert (int(100 * DOUBLE), 235) == size
    assert "{http://www.w3.org/2000/svg}svg" == ET.fromstring(svg.read_text(encoding="utf-8")).tag  # noqa: S314 - our own
    assert text.startswith(b"%PDF")
    assert 1 == len(re.findall(rb"/Type /Page\b", text))
    assert b"/Subtype /Type3" not in text


@pytest.mark.parametrize("width", [SINGLE, DOUBLE])
@pytest.mark.parametrize("name", ["fig1", "fig4d"])
def test_width_and_dots_can_be_asked_for(results: Results, tmp_path: Path, name: str, width: float) -> None:
    """Of every figure, whatever it would take by itself."""
    figures = chosen_figures([name])
    written = list(write_figures(results, tmp_path / "f", figures, formats=("png",), width=width, dpi=200))

    for one in written:
        with Image.open(one.files[0]) as image:
            assert int(200 * width) == image.width


def test_the_same_results_give_the_same_bytes_in_any_process(results: Results, tmp_path: Path) -> None:
    """Another process, with another seed of Python's hashes, writes the same files."""
    list(write_figures(results, tmp_path / "1", chosen_figures(["fig4d"])))
    command = [sys.executable, "-c", AGAIN, str(tmp_path / "r"), str(tmp_path / "2")]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "7"})
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / place).iterdir()} for place in "12")

    assert {"fig4d.png", "fig4d.svg", "fig4d.pdf", "captions.md"} == set(first)
    assert [] == [name for name, content in first.items() if content != second[name]]


def test_files_tell_nothing_of_when_they_were_made(results: Results, tmp_path: Path) -> None:
    """No date and no program in any of them."""
    (written,) = write_figures(results, tmp_path / "f", chosen_figures(["fig4d"]), dpi=50)
    png, svg, pdf = (path.read_bytes() for path in written.files)

    assert b"CreationDate" not in pdf
    assert b"dc:date" not in svg
    assert not Image.open(io.BytesIO(png)).info.keys() & {"Software", "Creation Time"}


def test_settings_of_a_user_do_not_reach_the_figures(results: Results, tmp_path: Path) -> None:
    """Nor do ours reach the user's."""
    figures = chosen_figures(["fig4d"])
    (plain,) = write_figures(results, tmp_path / "a", figures, formats=("png",), dpi=50)
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9}):
        (own,) = write_figures(results, tmp_path / "b", figures, formats=("png",), dpi=50)

        assert 30 == mpl.rcParams["font.size"]
    first, second = (np.asarray(Image.open(drawn.files[0]).convert("L"), dtype=float) for drawn in (plain, own))
    assert first.shape == second.shape
    assert 1.0 > np.abs(first - second).mean()  # of 255; text may lie a fraction of a pixel apart


def test_captions_are_written_in_the_order_of_the_paper_and_kept(results: Results, tmp_path: Path) -> None:
    """A caption per figure; one that is not drawn again stays, one that is, is not there twice."""
    for name in ("fig4d", "fig1", "fig4d"):
        list(write_figures(results, tmp_path, chosen_figures([name]), formats=("svg",)))
    text = (tmp_path / "captions.md").read_text(encoding="utf-8")

    assert ["fig1-learning-rate-0-1", "fig1-learning-rate-0-3", "fig4d"] == re.findall(
        r"^## (\S+)$", text, re.MULTILINE
    )
    assert "\nFig. 4d: learning rate.\n\n(a) Information centroid IC against training epoch" in text


def test_results_without_rows_write_nothing(tmp_path: Path) -> None:
    """No folder either."""
    write_sweep(tmp_path / "r", [({}, "planned", ())])

    assert [] == list(write_figures(open_results(tmp_path / "r"), tmp_path / "f"))
    assert not (tmp_path / "f").exists()


def test_running_sweeps_are_drawn_from_what_there_is(tmp_path: Path) -> None:
    """Trials at work, of which one has reported nothing."""
    trials = [({"optimiser.lr": 0.1}, "running", TURNING[:3]), ({"optimiser.lr": 0.3}, "running", ())]
    write_sweep(tmp_path / "r", trials)
    written = list(write_figures(open_results(tmp_path / "r"), tmp_path / "f", formats=("png",), dpi=50))

    assert {"fig1"} == {one.figure.name for one in written}


def test_place_that_cannot_be_written_is_named(results: Results, tmp_path: Path) -> None:
    """One line with the remedy."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match=r"cannot be written .*: give --out a place you may write to"):
        list(write_figures(results, tmp_path / "file" / "f", chosen_figures(["fig4d"]), formats=("png",)))


def test_catalogue_names_are_unique_and_its_tables_exist() -> None:
    """Two figures of a name would be one file."""
    assert len(FIGURES) == len({figure.name for figure in FIGURES})
    assert all(set(figure.tables) <= set(TABLES) for figure in FIGURES)


def test_figures_are_chosen_by_name() -> None:
    """In the order of the paper; fig4 is all of its panels, and no name is everything."""
    assert ["fig1", "fig4b"] == [figure.name for figure in chosen_figures(["fig4b", "fig1"])]
    assert [f"fig4{panel}" for panel in "abcdef"] == [figure.name for figure in chosen_figures(["fig4"])]
    assert FIGURES == chosen_figures([])


def test_unknown_figure_is_refused_with_a_near_miss() -> None:
    """By name."""
    with pytest.raises(UserError, match=r"there is no figure 'fgi4b'\. Did you mean 'fig4b'\?"):
        chosen_figures(["fig1", "fgi4b"])


@pytest.mark.parametrize(
    ("setting", "text", "part"),
    [
        ({"data.name": "cifar10", "neuron.tau": 0.75}, "CIFAR-10, τ = 0.75", "cifar-10-tau-0-75"),
        ({"timesteps": 4}, "$T$ = 4", "t-4"),
        ({"optimiser.weight_decay": 5e-4}, "weight decay 0.0005", "weight-decay-0-0005"),
        ({}, "", ""),
    ],
)
def test_settings_in_words_and_in_file_names(setting: dict[str, object], text: str, part: str) -> None:
    """Data sets by their names, symbols where the field has them."""
    assert (text, part) == (setting_text(setting), part_name(setting))
