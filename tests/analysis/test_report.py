"""The report is one file that loads nothing, runs nothing foreign, and says what it knows at any time."""

import base64
import hashlib
import json
import os
from html.parser import HTMLParser
from pathlib import Path

import pytest
from store.fabricated import (
    DETACHED,
    FULL,
    SPATIAL,
    STAYING,
    TURNING,
    images_trial,
    write_rows,
    write_sweep,
    write_toys,
)

from analysis.report import write_report
from tic_sweep.errors import StoreError


class Page(HTMLParser):
    """Collects a page's text, attributes and scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.scripts: dict[str, str] = {}
        self.attributes: list[tuple[str, str, str]] = []
        self._inside = ("", "")
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the attributes, and remember which element the next text is in."""
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._inside = (tag, dict(attrs).get("id") or str(len(self.scripts)))

    def handle_endtag(self, tag: str) -> None:
        """Leave the element."""
        self._inside = ("", "")

    def handle_data(self, data: str) -> None:
        """Keep text apart from scripts and styles."""
        if self._inside[0] in {"script", "style"}:
            self.scripts[self._inside[1]] = self.scripts.get(self._inside[1], "") + data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        """Return what a reader reads, in one line."""
        return " ".join(" ".join(self.words).split())


def page_of(folder: Path) -> Page:
    """Write the report of a folder and parse it."""
    return Page(write_report(folder).read_text(encoding="utf-8"))


@pytest.fixture
def page(tmp_path: Path) -> Page:
    """The report of two rates, one of which turned, and a diverged third."""
    trials = [(0.3, "finished", TURNING), (0.1, "finished", STAYING)]
    listed = [({"optimiser.lr": lr, "seed": s}, status, ic) for lr, status, ic in trials for s in (0, 1)]
    write_sweep(tmp_path / "r", [*listed, ({"optimiser.lr": 3.0}, "diverged", (4.5,))], reason="loss is nan")
    return page_of(tmp_path / "r")


def test_report_holds_question_finding_table_and_failures(page: Page) -> None:
    """What a reader wants first is there in words, before and without any figure."""
    assert "Does the best learning rate turn first?" in page.text
    assert "Learning rate 0.3 turned first, at epoch 3.5 ± 0.0 (2 of 2 seeds)" in page.text
    assert "none yet" in page.text
    assert "0 of 2" in page.text
    assert "Trials that did not finish" in page.text
    assert "loss is nan" in page.text
    assert "tic-sweep run demo" in page.text


def test_report_defines_its_terms_with_the_numbers_in_use(page: Page) -> None:
    """The definition of the transition carries the constants of the code."""
    assert "1 + 0.5·(P − 1)" in page.text
    assert "1 + 0.25·(T − 1)" in page.text


def test_report_lets_a_reader_explore_its_trials(page: Page) -> None:
    """The explorer's data, figures and columns to colour by lie in the page, between the summary and the figures."""
    data = json.loads(page.scripts["explorer-data"])

    assert page.text.index("Summary") < page.text.index("Which trials do what?") < page.text.index("When does the info")
    assert ["learning rate", "test accuracy"] == [
        one["label"] for one in data["colourings"] if one["name"] in {"optimiser.lr", "best_test_acc"}
    ]
    assert 5 == len(data["keys"]) == len(data["rows"]["reason"])
    assert {"explorer-axes-data", "explorer-curves-data", "film-data"} <= set(page.scripts)


def test_only_the_pages_own_scripts_may_run(page: Page) -> None:
    """The policy names each script that is no data by the hash of its text, and lets no other run."""
    policy = next(value for _, name, value in page.attributes if name == "content" and "default-src" in value)
    own = [
        text for name, text in page.scripts.items() if not name.endswith("-data") and not text.startswith((".", "\n"))
    ]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in own]

    assert 5 == len(hashes)
    assert all(f"'sha256-{one}'" in policy for one in hashes)
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]


def test_report_embeds_its_figures(page: Page) -> None:
    """Figures lie in the page as data, together with the library that draws them."""
    figures = {
        name: json.loads(text)
        for name, text in page.scripts.items()
        if name.endswith("-data") and not name.startswith("explorer")
    }

    assert {"ic-data", "fisher-data", "accuracy-data"} <= set(figures)
    assert all(figure["data"] for figure in figures.values())
    assert any("plotly.js" in text[:2000] for text in page.scripts.values())


def test_report_loads_nothing_from_the_network(page: Page) -> None:
    """No element has an address to fetch from, no style imports, and the browser is told to refuse the rest."""
    addresses = [value for _, name, value in page.attributes if name in {"src", "href", "srcset", "action", "data"}]
    policy = next(value for _, name, value in page.attributes if name == "content" and "default-src" in value)

    assert ["data:,"] == addresses
    assert policy.startswith("default-src 'none'")
    assert not any("@import" in text or "url(http" in text for name, text in page.scripts.items() if name == "0")


def test_tables_are_accessible(page: Page) -> None:
    """Every heading of a table says whether it heads a column or a row."""
    headings = [tag for tag, name, _ in page.attributes if tag == "th" and name == "scope"]

    assert len(headings) > 10
    assert ("html", "lang", "en") in page.attributes


def test_foreign_text_is_shown_and_never_run(tmp_path: Path) -> None:
    """A question, a reason and a sweep file that hold markup come out as text."""
    attack = "</script><script>alert('pwned')</script><img src=x onerror=alert(1)>"
    write_sweep(tmp_path / "r", [({}, "failed", TURNING)], question=attack, reason=attack, device=attack)
    page = page_of(tmp_path / "r")

    assert 3 == page.text.count("alert('pwned')")
    assert "<b>bold</b>" in page.text
    assert [] == [tag for tag, name, _ in page.attributes if tag == "img" or name.startswith("on")]
    assert not any("pwned" in text for text in page.scripts.values())


def test_report_of_a_running_sweep_says_so(tmp_path: Path) -> None:
    """How many trials have ended is told, and what there is is shown."""
    write_sweep(tmp_path / "r", [({}, "finished", TURNING), ({"seed": 1}, "running", TURNING[:3])], varied=())
    page = page_of(tmp_path / "r")

    assert "Not finished: 1 of 2 known trials have ended." in page.text
    assert "The information centroid turned at epoch 3.5 (one seed)." in page.text


@pytest.mark.parametrize("trials", [[], [({}, "planned", ())], [({}, "diverged", ())]])
def test_report_without_a_finished_trial(
    tmp_path: Path, trials: list[tuple[dict[str, int], str, tuple[float, ...]]]
) -> None:
    """There is always a report; figures come with the first epochs."""
    write_sweep(tmp_path / "r", trials)
    page = page_of(tmp_path / "r")

    assert ("No trial has started yet." if not trials else "No trial has finished yet:") in page.text
    assert [] == [name for name in page.scripts if name.endswith("-data")]


def test_claims_come_first_and_say_their_verdict_in_words(page: Page) -> None:
    """The table of claims stands before the finding, with verdict, numbers, reason and reference as text."""
    assert page.text.index("Claims") < page.text.index("Learning rate 0.3 turned first") < page.text.index("Summary")
    assert "PASS F1a · learning rate 0.1" in page.text or "FAIL F1a · learning rate 0.1" in page.text
    assert "Kim et al. 2023, Fig. 4d" in page.text
    assert ("td", "class", "verdict fail") in page.attributes


def test_report_without_claims_has_no_table_of_them(tmp_path: Path) -> None:
    """A sweep that says nothing of any claim begins with its finding."""
    write_sweep(tmp_path / "r", [({}, "planned", ())])

    assert "What the papers say" not in page_of(tmp_path / "r").text


def test_report_of_a_toy_sweep(tmp_path: Path) -> None:
    """Toy problems have sections of their own, and none of centroids."""
    none, every = [False] * 12, [True] * 12
    blocks = [
        (changes | {"neuron.surrogate_width": width}, {0.01: every, 0.1: every if changes == FULL else none})
        for changes in (DETACHED, FULL, SPATIAL)
        for width in (0.5, 1.0)
    ]
    write_toys(tmp_path / "r", blocks, varied=("neuron.surrogate_width",))
    page = page_of(tmp_path / "r")

    figures = {name for name in page.scripts if name.endswith("-data")}
    assert {"solved-data", "loss-data", "raster-data", "areas-data"} == figures
    assert "PASS R1 · surrogate width 0.5" in page.text
    assert "6 trials: 6 finished." in page.text
    assert "Toy problems" in page.text
    assert "Information centroid" not in page.text


def test_report_of_an_unfinished_toy_sweep(tmp_path: Path) -> None:
    """Until a block has finished there is a count of what there is."""
    write_sweep(tmp_path / "r", [({"task": "spike_train"}, "running", ())], varied=("neuron.reset_gradient",))
    page = page_of(tmp_path / "r")

    assert "No trial has finished yet: 1 running." in page.text
    assert "Not finished: 0 of 1 known trials have ended." in page.text


def test_report_of_a_study_of_variants(tmp_path: Path) -> None:
    """Accuracies with their equivalence test, differences and dynamics stand beside the curves."""
    variants = ((DETACHED, 0.9), (FULL, 0.901), (SPATIAL, 0.8))
    trials = [images_trial(changes | {"seed": s}, accuracy) for changes, accuracy in variants for s in range(3)]
    write_rows(tmp_path / "r", trials)
    page = page_of(tmp_path / "r")

    figures = {name for name in page.scripts if name.endswith("-data")}
    assert {"accuracy-data", "differences-data", "dynamics-data"} == figures
    assert "PASS R2" in page.text
    assert "equivalent" in page.text
    assert "different" in page.text
    assert "Toy problems" not in page.text


def test_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told, and the report of before is still whole."""
    write_sweep(tmp_path / "r", [({}, "planned", ())])
    before = write_report(tmp_path / "r").read_bytes()

    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", refuse)
    with pytest.raises(StoreError, match=r"report\.html cannot be written \(No space left on device\)"):
        write_report(tmp_path / "r")

    assert before == (tmp_path / "r" / "report.html").read_bytes()
