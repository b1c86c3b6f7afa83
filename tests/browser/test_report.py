"""The report in a real browser: it opens from disk, draws everything, and its views follow each other."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from store.fabricated import STAYING, TURNING, write_rows, write_sweep
from store.fabricated_delays import DELAYED, HALVES, delays_trial, ridge, variants_of

from analysis.report import write_report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
ATTACK = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
PATIENCE = 40_000
"""Milliseconds for a page with three WebGL canvases on a busy machine without a GPU."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of twelve trials: three rates with three seeds, one of them failed with markup for a reason."""
    path = tmp_path_factory.mktemp("browser") / "r"
    trials = [(0.3, "finished", TURNING), (0.1, "finished", STAYING), (0.01, "finished", STAYING)]
    listed = [({"optimiser.lr": lr, "seed": s}, status, ic) for lr, status, ic in trials for s in range(3)]
    write_sweep(path, [*listed, ({"optimiser.lr": 3.0}, "failed", TURNING[:3])], reason=ATTACK, question=ATTACK)
    return write_report(path).as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


class Opened:
    """A page with what it complained about and what it asked the network for."""

    def __init__(self, browser, address: str, **context) -> None:  # noqa: ANN001, ANN003 - playwright is optional
        self.context = browser.new_context(offline=True, **({"viewport": {"width": 1400, "height": 900}} | context))
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address, wait_until="commit")
        self.page.wait_for_selector("#provenance", state="attached")

    def explore(self) -> None:
        """Go to the explorer and wait until its views are joined."""
        self.page.evaluate("document.getElementById('explorer').scrollIntoView()")
        self.page.wait_for_selector("#explorer-table[data-joined]")

    def told(self, text: str) -> None:
        """Wait until the explorer tells how many trials are chosen."""
        self.page.wait_for_function("text => document.getElementById('explorer-told').textContent === text", arg=text)

    def colours(self) -> list[str]:
        """Return the colours of the curves."""
        return self.page.evaluate("document.getElementById('explorer-curves').data.slice(0, -1).map(t => t.line.color)")

    def points(self) -> int:
        """Return how many points of curves there are."""
        every = "document.getElementById('explorer-curves').data.slice(0, -1).flatMap(t => t.y)"
        return self.page.evaluate(f"{every}.filter(y => y !== null).length")

    def filter(self, head: str, text: str) -> None:
        """Type into a column's filter, over what stands there."""
        field = self.page.get_by_label(f"filter {head}")
        field.press("Control+a")
        field.press("Delete")
        field.press_sequentially(text)

    def brush(self, axis: int, start: float, end: float) -> None:
        """Drag along an axis of the parallel coordinates, from and to shares of its length from the top."""
        x, y, height = self.page.evaluate(
            """axis => {
              const brushes = document.querySelectorAll("#explorer-axes .axis-brush .background");
              const box = brushes[axis].getBoundingClientRect();
              return [box.x + box.width / 2, box.y, box.height];
            }""",
            axis,
        )
        mouse = self.page.mouse
        mouse.move(x, y + start * height)
        mouse.down()
        mouse.move(x, y + (start + end) / 2 * height, steps=4)
        mouse.move(x, y + end * height, steps=4)
        mouse.up()


@pytest.fixture
def opened(browser: object, address: str) -> Iterator[Opened]:
    """The report on a wide, light screen."""
    one = Opened(browser, address)
    yield one
    one.context.close()


def test_page_opens_from_disk_and_draws_every_figure(opened: Opened) -> None:
    """No error, no breach of the page's policy, no request but for the file; a drawing for every figure."""
    page = opened.page
    for number in range(page.locator(".plot").count()):
        page.locator(".plot").nth(number).scroll_into_view_if_needed()
        page.locator(".plot").nth(number).locator(".main-svg").first.wait_for(state="attached")

    assert page.locator(".plot").count() >= 5
    assert [] == opened.complaints
    assert [] == [url for url in opened.asked if not url.startswith(("file:", "data:", "blob:"))]


def test_the_study_of_delays_draws_every_figure_and_its_menus(browser: object, tmp_path: Path) -> None:
    """Four figures without a complaint; another variant's fields come with titles of their own."""
    fields = {0: ridge(range(3)), 2: ridge(range(3), HALVES)}
    kept = [delays_trial({"learn": learn, "seed": 9}, 0.6, synapses=fields) for learn in (True, False)]
    write_rows(tmp_path / "r", [*variants_of({0.0: (0, 0.1, 0), 0.75: (0.1, 0.1, 0.2)}), *kept], varied=DELAYED)
    one = Opened(browser, write_report(tmp_path / "r").as_uri())
    for name in ("delays", "fields", "drifts", "rounding"):
        plot = one.page.locator(f".plot[data-figure={name}-data]")
        plot.scroll_into_view_if_needed()
        plot.locator(".main-svg").first.wait_for(state="attached")
    fields_plot = one.page.locator(".plot[data-figure=fields-data]")
    fields_plot.locator(".updatemenu-header").click()
    fields_plot.locator(".updatemenu-dropdown-button").nth(1).click()
    fields_plot.locator(".updatemenu-header", has_text="delays fixed").wait_for(state="attached")

    assert [] == one.complaints
    one.context.close()


def test_claims_come_before_plots(opened: Opened) -> None:
    """What the papers say stands above the first figure."""
    order = "document.querySelector('.claims').compareDocumentPosition(document.querySelector('.plot'))"

    assert opened.page.evaluate(f"({order}) & Node.DOCUMENT_POSITION_FOLLOWING")


def test_brushed_axes_choose_curves_and_rows(opened: Opened) -> None:
    """The upper half of the axis of rates leaves 0.1, 0.3 and 3, whose seven trials have 45 points; a click lets go."""
    opened.explore()
    opened.told("all 10 trials")
    assert 9 * 7 + 3 == opened.points()

    opened.brush(0, 0.0, 0.65)
    opened.told("7 of 10 trials")
    assert 6 * 7 + 3 == opened.points()
    assert 7 == opened.page.locator("#explorer-table .tabulator-row").count()

    brushes = "document.getElementById('explorer-axes').data[0].dimensions.filter(axis => axis.constraintrange).length"
    opened.page.get_by_label("Colour by").select_option(label="seed")
    opened.page.wait_for_function("document.getElementById('explorer-curves').data.length === 4")
    assert 1 == opened.page.evaluate(brushes)

    opened.page.get_by_role("button", name="Choose all").click()
    opened.told("all 10 trials")
    assert 0 == opened.page.evaluate(brushes)


def test_filters_of_the_table_choose_curves(opened: Opened) -> None:
    """Filters understand comparisons for numbers and parts of words; the curves follow."""
    opened.explore()
    opened.filter("learning rate", "<=0.1")
    opened.told("6 of 10 trials")
    assert 6 * 7 == opened.points()

    opened.filter("learning rate", "")
    opened.filter("status", "fail")
    opened.told("1 of 10 trials")


def test_table_sorts_by_mouse_and_by_keyboard(opened: Opened) -> None:
    """A heading sorts up, then down, whether clicked or entered."""
    opened.explore()
    cells = "#explorer-table .tabulator-cell[tabulator-field=seed]"
    seeds = f"[...document.querySelectorAll('{cells}')].map(cell => Number(cell.textContent))"
    head = opened.page.locator("#explorer-table .tabulator-col[tabulator-field=seed] .tabulator-col-content")
    head.locator(".tabulator-col-title").click()
    opened.page.wait_for_function(f"{seeds}.every((s, i, all) => i === 0 || all[i - 1] <= s)")

    head.focus()
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_function(f"{seeds}.every((s, i, all) => i === 0 || all[i - 1] >= s)")


def test_trials_are_downloaded_as_csv(opened: Opened) -> None:
    """The file holds the chosen trials under the headings of the table."""
    opened.explore()
    opened.filter("seed", "2")
    opened.told("3 of 10 trials")
    with opened.page.expect_download() as waiting:
        opened.page.get_by_role("button", name="Download CSV").click()
    lines = Path(waiting.value.path()).read_text(encoding="utf-8-sig").splitlines()

    assert "demo-trials.csv" == waiting.value.suggested_filename
    assert 4 == len(lines)
    assert lines[0].startswith('"trial","learning rate","seed","status","IC start"')


def test_menu_and_dark_mode_change_colours(opened: Opened) -> None:
    """Four rates have four colours, three seeds three, and a dark page other ones for each."""
    opened.explore()
    by_rate = opened.colours()
    opened.page.get_by_label("Colour by").select_option(label="seed")
    opened.page.wait_for_function("document.getElementById('explorer-curves').data.length === 4")
    by_seed = opened.colours()
    paper = "getComputedStyle(document.body).backgroundColor"
    light = opened.page.evaluate(paper)
    opened.page.emulate_media(color_scheme="dark")
    opened.page.wait_for_function(
        "light => document.getElementById('explorer-curves').data[0].line.color !== light", arg=by_seed[0]
    )

    assert 4 == len(set(by_rate))
    assert 3 == len(set(by_seed))
    assert light != opened.page.evaluate(paper)
    assert [] == opened.complaints


def test_film_moves_only_when_asked(opened: Opened) -> None:
    """The slider chooses an epoch, by any key; the button plays and stops; nothing plays by itself."""
    page = opened.page
    page.locator("#film").scroll_into_view_if_needed()
    controls = page.locator(".film")
    controls.wait_for(state="visible")
    first = "document.querySelector('[data-figure=film-data]').data[0].y.join()"
    start = page.evaluate(first)
    assert "epoch 0" == controls.locator("output").inner_text()

    controls.locator("input").focus()
    page.keyboard.press("End")
    page.wait_for_function(f"start => {first} !== start", arg=start)
    assert "epoch 6" == controls.locator("output").inner_text()
    assert "Play" == controls.locator("button").inner_text()


@pytest.mark.parametrize("width", [400, 1400])
def test_page_never_scrolls_sideways(browser: object, address: str, width: int) -> None:
    """However narrow the screen, the page is as wide as it; tables and axes scroll in themselves."""
    one = Opened(browser, address, viewport={"width": width, "height": 800})
    one.explore()

    assert width >= one.page.evaluate("document.documentElement.scrollWidth")
    assert [] == one.complaints
    one.context.close()


def test_print_shows_tables_and_text_and_no_controls(opened: Opened) -> None:
    """On paper the verdicts, the summary and a note stand; what needs a hand is left out."""
    opened.explore()
    opened.page.emulate_media(media="print")

    assert opened.page.locator(".claims").is_visible()
    assert opened.page.locator(".static.note").is_visible()
    assert opened.page.locator("#explorer-curves").is_visible()
    assert not opened.page.locator("#explorer-table").is_visible()
    assert not opened.page.locator("#explorer-colour").is_visible()


def test_page_reads_without_scripts(browser: object, address: str) -> None:
    """Verdicts, finding, summary and failures are there; nothing that would need a script is."""
    one = Opened(browser, address, java_script_enabled=False)

    assert one.page.locator(".claims").is_visible()
    assert one.page.locator(".static.note").is_visible()
    assert not one.page.locator("#explorer-colour").is_visible()
    assert 0 == one.page.locator("table button, table input, .rows").count()
    one.context.close()


def test_foreign_text_is_shown_as_text(opened: Opened) -> None:
    """Markup in a reason appears in the table of trials letter by letter, and none of it becomes an element."""
    opened.explore()
    opened.filter("status", "fail")
    opened.told("1 of 10 trials")

    cell = opened.page.locator("#explorer-table .tabulator-cell[tabulator-field=reason]")
    assert ATTACK == cell.evaluate("cell => cell.textContent")
    assert 0 == opened.page.locator("img").count()
    assert [] == opened.complaints


class Sortable:
    """A table of the page with its tools."""

    def __init__(self, opened: Opened, selector: str) -> None:
        self.opened = opened
        self.table = opened.page.locator(selector)
        self.tools = self.table.locator("xpath=ancestor::div[1]/preceding-sibling::div[1]")

    def column(self, place: int) -> list[str]:
        """Return the texts of a column, from the top, of the rows that are shown."""
        script = "(t, i) => [...t.tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[i].firstChild.data.trim())"
        return self.table.evaluate(script, place)

    def sort(self, head: str) -> None:
        """Sort by a heading, by the keyboard alone."""
        self.table.get_by_role("button", name=head).focus()
        self.opened.page.keyboard.press("Enter")

    def sorts(self) -> list[str]:
        """Return what the headings tell of their order."""
        return self.table.evaluate("t => [...t.tHead.rows[0].cells].map(head => head.ariaSort)")


def test_summary_sorts_numbers_as_numbers(opened: Opened) -> None:
    """Up, down, and as it was; what is not known stays last; rates are numbers although they name the rows."""
    summary = Sortable(opened, "table[aria-describedby=summary-note]")
    given = ["0.01", "0.1", "0.3", "3.0"]
    assert given == summary.column(0)

    summary.sort("transition epoch")
    assert ["3.5 ± 0.0", "none yet", "none yet", "–"] == summary.column(5)
    assert ["0.3", "0.01", "0.1", "3.0"] == summary.column(0)
    summary.sort("learning rate")
    summary.sort("learning rate")
    assert ["none", "descending"] == [summary.sorts()[5], summary.sorts()[0]]
    assert given[::-1] == summary.column(0)
    summary.sort("learning rate")
    assert given == summary.column(0)


def test_headings_of_drawings_do_not_sort(opened: Opened) -> None:
    """A curve has no order; every other heading is a button."""
    summary = Sortable(opened, "table[aria-describedby=summary-note]")

    assert summary.sorts()[4] is None
    assert len(summary.sorts()) - 1 == summary.table.get_by_role("button").count()


def test_claims_sort_by_verdict_and_filter_by_words(opened: Opened) -> None:
    """PASS before FAIL before UNDECIDED; the filter finds words of any column, in any order, and counts the rest."""
    claims = Sortable(opened, ".claims")
    before = claims.column(0)
    claims.sort("verdict")
    claims.sort("verdict")
    order = ["UNDECIDED", "FAIL", "PASS"]
    assert sorted(before, key=order.index) == claims.column(0)
    assert len(set(before)) > 1

    field = claims.tools.get_by_role("searchbox")
    assert "Filter rows: What the papers say, held against these trials" == field.get_attribute("aria-label")
    field.fill("undecided KIM")
    shown = claims.column(0)
    assert {"UNDECIDED"} == set(shown)
    assert f"{len(shown)} of {len(before)} rows" == claims.tools.locator("output").inner_text()
    field.fill("")
    assert len(before) == len(claims.column(0))


def test_a_statement_stands_with_the_first_row_that_shares_it(browser: object, tmp_path: Path) -> None:
    """However the verdicts are sorted or filtered, each run of rows of one claim begins with its words."""
    trials = [({"optimiser.lr": lr, "neuron.tau": tau, "seed": s}, "finished", TURNING if tau > 2 else STAYING)
              for lr in (0.1, 0.3) for tau in (2.0, 4.0) for s in range(2)]  # fmt: skip
    write_sweep(tmp_path / "r", trials, varied=("neuron.tau", "optimiser.lr"))
    one = Opened(browser, write_report(tmp_path / "r").as_uri())
    claims = Sortable(one, ".claims")
    told = """t => [...t.tBodies[0].rows].filter(row => !row.hidden).map(row => row.querySelector("[data-once]"))
      .map((shared, i, all) => shared.hidden === (shared.dataset.once === all[i - 1]?.dataset.once))"""
    for act in (lambda: None, lambda: claims.sort("statistic"), lambda: claims.tools.locator("input").fill("4.0")):
        act()
        right = claims.table.evaluate(told)
        assert len(right) > 2
        assert all(right)
    one.context.close()


def test_every_table_has_its_tools(opened: Opened) -> None:
    """A field before each table of two rows or more, named by its caption, and headings that the keyboard reaches."""
    tables = "[...document.querySelectorAll('main table')].filter(table => table.tBodies[0].rows.length > 1)"
    names = opened.page.evaluate(
        f"{tables}.map(t => t.closest('.scroll').previousElementSibling.querySelector('input')?.ariaLabel)"
    )

    assert len(names) >= 3
    assert all(name.startswith("Filter rows: ") for name in names)
    assert opened.page.evaluate(f"{tables}.every(table => table.querySelector('thead button').tabIndex === 0)")
    assert [] == opened.complaints


def test_print_says_what_a_filter_leaves_out(opened: Opened) -> None:
    """On paper a filtered table says how many rows there are, one that is whole says nothing; no field is printed."""
    claims = Sortable(opened, ".claims")
    claims.tools.get_by_role("searchbox").fill("undecided")
    opened.page.emulate_media(media="print")

    assert claims.tools.locator("output").is_visible()
    assert not claims.tools.locator("input").is_visible()
    assert not Sortable(opened, "table[aria-describedby=summary-note]").tools.is_visible()
