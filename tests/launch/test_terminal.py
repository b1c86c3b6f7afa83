"""The terminal prints texts as they stand, whoever wrote them."""

import io

import pytest
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tic_sweep.launch.terminal import Terminal, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IC − 1 ▁▂█ ü ☃", "IC − 1 ▁▂█ ü ☃"),
        ("95\u00a0%", "95\u00a0%"),
        ("\x1b]0;title\x07", "?]0;title?"),
        ("\x9b31m", "?31m"),
        ("\u202eabc", "?abc"),
        ("a\nb\tc\rd", "a\nb\tc?d"),
        ("\ud800", "?"),
    ],
)
def test_only_letters_and_blanks_are_left(text: str, expected: str) -> None:
    """Control characters, old and new, marks that turn the direction of writing, and halves of characters are not."""
    assert expected == plain(text)


@pytest.mark.parametrize("text", ["Does [/x] it?", "x[a]", "[bold]x[/bold]", ":cat:"])
def test_nothing_in_a_text_is_markup(text: str) -> None:
    """Neither in a line nor in a table's head or cell."""
    table = Table(text)
    table.add_row(text)
    terminal = Terminal(io.StringIO(), width=80)
    terminal.print(text)
    terminal.print(table)

    assert 3 == terminal.file.getvalue().count(text)  # type: ignore[attr-defined]


def test_what_would_command_a_terminal_is_printed_plain() -> None:
    """In lines, cells and texts with a style; lines end where they ended."""
    table = Table.grid()
    table.add_row("c\x1b[2J", "d\x1b[2J")
    terminal = Terminal(io.StringIO(), width=80)
    terminal.print("a\x1b[2J\nb", soft_wrap=True)
    terminal.print(Text("t\x1b[2J", style="bold"))
    terminal.print(table)

    assert "a?[2J\nb\nt?[2J\nc?[2Jd?[2J\n" == terminal.file.getvalue()  # type: ignore[attr-defined]


def test_richs_own_commands_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A live display moves the cursor as it does on any other console."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    written: list[str] = []
    for kind in (Terminal, Console):
        console = kind(file=io.StringIO(), width=80)
        with Live(Text("one"), console=console, auto_refresh=False) as live:
            live.update(Text("two", style="bold"), refresh=True)
        written.append(console.file.getvalue())  # type: ignore[attr-defined]

    assert "\x1b[2K" in written[0]
    assert written[1] == written[0]
