"""``tic-sweep figures`` as a user meets it."""

from pathlib import Path

import pytest
from PIL import Image
from store.fabricated import STAYING, TURNING, write_sweep

from analysis.figures.catalogue import FIGURES
from tic_sweep.cli import main
from tic_sweep.store import ResultsFolder


def call(*arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two rates with a seed each."""
    trials = [({"optimiser.lr": lr}, "finished", ic) for lr, ic in ((0.3, TURNING), (0.1, STAYING))]
    write_sweep(tmp_path / "r", trials)
    return tmp_path / "r"


def test_figures_go_into_the_results_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line per figure, how many there are, where the captions lie; the folder is still a results folder."""
    monkeypatch.chdir(folder.parent)

    assert 0 == call("figures", "r", "--dpi", "50", "--format", "png,pdf")
    assert capsys.readouterr().out.splitlines() == [
        "fig1-learning-rate-0-3 (png, pdf): Fig. 1: IC and I_t over training",
        "fig1-learning-rate-0-1 (png, pdf): Fig. 1: IC and I_t over training",
        "fig4d (png, pdf): Fig. 4d: learning rate",
        f"2 of {len(FIGURES)} figures drawn. The results hold nothing for the other {len(FIGURES) - 2}.",
        "Captions: r/figures/captions.md",
    ]
    assert ResultsFolder.create(folder).figures == folder / "figures"
    assert {"fig4d.png", "fig4d.pdf", "captions.md"} <= {path.name for path in (folder / "figures").iterdir()}


def test_figures_can_be_chosen_sized_and_put_elsewhere(folder: Path, tmp_path: Path) -> None:
    """One column at 100 dots per inch is 350 pixels wide."""
    assert 0 == call(
        "figures", str(folder), "--only", "fig4", "--out", str(tmp_path / "f"), "--format", "png", "--width", "single",
        "--dpi", "100",
    )  # fmt: skip
    with Image.open(tmp_path / "f" / "fig4d.png") as image:
        assert 350 == image.width
    assert ["captions.md", "fig4d.png"] == sorted(path.name for path in (tmp_path / "f").iterdir())
    assert not (folder / "figures").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "fig4b,fgi1"), "there is no figure 'fgi1'. Did you mean 'fig1'?"),
        (("--format", "png,sgv"), "'sgv' is none of png, svg, pdf. Did you mean 'svg'?"),
        (("--only", ","), "'' is none of"),
        (("--width", "triple"), "'triple' is not one of 'single', 'double'"),
    ],
)
def test_nonsense_costs_a_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    """It names the value, exits with 2, and nothing is written."""
    assert 2 == call("figures", str(folder), *arguments)
    error = capsys.readouterr().err

    assert 1 == len(error.splitlines())
    assert said in error
    assert not (folder / "figures").exists()


def test_folder_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line."""
    assert 2 == call("figures", str(tmp_path / "nothing"))
    assert "does not exist: give the folder of a sweep." in capsys.readouterr().err
