"""Sections of the report appear where the results hold something for them, and their errors are not hidden."""

from pathlib import Path

import plotly.graph_objects as go
import pytest
from store.fabricated import TURNING, write_sweep

from analysis import Results, open_results, report_sections
from analysis.report import write_report
from analysis.report_sections import SECTIONS, filled
from analysis.sections import Cell, Section, Texts

TABLE = Texts(
    caption="Counted", heads=["setting", "count", "drawing", "remark"],
    rows=[["<i>one</i>", Cell(text="1", small="0 to 2"), Cell(text="▁█", drawn="a rise"), "fine"]],
    numbers=1, words=[2, 3], note="A note.",
)  # fmt: skip


def drawn(results: Results) -> go.Figure:
    """Draw one point."""
    return go.Figure(go.Scatter(x=[1], y=[1]), layout={"meta": {"dark": {}}})


def section(**changes: object) -> Section:
    """Return a section that always has something to show."""
    return Section(**{"id": "own", "title": "What is it?", "tables": (), "figure": drawn} | changes)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One finished trial."""
    write_sweep(tmp_path / "r", [({}, "finished", TURNING)], varied=())
    return tmp_path / "r"


def test_ids_are_unique_and_titles_ask_or_name() -> None:
    """Two sections with one anchor would be one figure."""
    assert len(SECTIONS) == len({one.id for one in SECTIONS})
    assert all(one.title and (one.figure or one.table) for one in SECTIONS)


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, 1),
        ({"tables": ("epochs", "fisher")}, 1),
        ({"tables": ("epochs", "pruning")}, 0),
        ({"varied": ("timesteps",)}, 0),
        ({"figure": lambda _: go.Figure()}, 0),
        ({"figure": None, "table": lambda _: None}, 0),
        ({"figure": None, "table": lambda _: Texts(caption="", heads=[], rows=[])}, 0),
        ({"figure": lambda _: go.Figure(), "table": lambda _: TABLE}, 1),
    ],
)
def test_a_section_appears_if_it_has_something_to_show(folder: Path, changes: dict[str, object], count: int) -> None:
    """It takes rows in its tables, fields that vary, and a figure with traces or a table with rows."""
    assert count == len(list(filled(open_results(folder), [section(**changes)])))


def test_a_caption_may_depend_on_the_results(folder: Path) -> None:
    """A function is asked; text stays as it is."""
    sections = [section(caption="as is"), section(caption=lambda results: f"{len(results.manifests)} sweep")]

    assert ["as is", "1 sweep"] == [one.caption for one in filled(open_results(folder), sections)]


def test_a_table_is_written_cell_by_cell(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are headings, numbers stand right, drawings say what they draw, and markup is text."""
    monkeypatch.setattr(report_sections, "SECTIONS", (section(figure=None, table=lambda _: TABLE),))
    page = write_report(folder).read_text(encoding="utf-8")

    assert '<th scope="row" class="whole">&lt;i&gt;one&lt;/i&gt;</th>' in page
    assert '<td class="number">1<span class="small">0 to 2</span></td>' in page
    assert '<td class="blocks" aria-label="a rise">▁█</td>' in page
    assert "<td>fine</td>" in page
    assert '<p class="note" id="own-note">A note.</p>' in page


def test_an_error_in_a_section_is_not_hidden(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report without the section would look as if there were nothing to tell."""

    def broken(results: Results) -> go.Figure:
        raise ZeroDivisionError

    monkeypatch.setattr(report_sections, "SECTIONS", (section(figure=broken),))
    with pytest.raises(ZeroDivisionError):
        write_report(folder)
