"""The screen of a sweep: what it says, and that it never overflows."""

import io
from typing import Any

import pytest
from launch.test_snapshot import MIXED, frames, lr, manifest
from rich.console import Console

from tic_sweep.launch.monitor import Screen, Shares, best_text, headline, plain_line, screen, share_lines
from tic_sweep.launch.snapshot import Best, Snapshot, snapshot

LONG = {"reason": "RuntimeError: " + "a long reason, and a [bold]bracket[/bold], " * 5}
BUSY = snapshot(
    manifest(),
    *frames(
        *((lr(n / 100), "running", (0.1, n / 50), {}) for n in range(1, 21)),
        *((lr(n / 100, 1), "finished", (0.1, 0.2, 0.3, n / 50), {}) for n in range(1, 21)),
        *((lr(n / 100, 2), "failed", (), {"reason": f"{n} {LONG['reason']}"}) for n in range(1, 8)),
    ),
    at_work=True,
)
"""20 settings, 20 running trials, 7 reasons."""
STATES = {
    "busy": BUSY,
    "mixed": snapshot(manifest(), *MIXED, at_work=True),
    "empty": snapshot(manifest(), *frames(), at_work=True),
}


def drawn(state: Snapshot, width: int, height: int, **options: Any) -> list[str]:
    """Return the lines that a terminal of a size shows."""
    console = Console(file=io.StringIO(), width=width, height=height, **options)
    console.print(Screen(state), height=height, crop=False)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
@pytest.mark.parametrize("width", [20, 60, 80, 120])
@pytest.mark.parametrize("height", [1, 5, 10, 16, 24, 50])
def test_the_screen_never_overflows(state: Snapshot, width: int, height: int) -> None:
    """Whatever there is to show, the lines are no more than fit and, from 40 characters on, no longer."""
    lines = drawn(state, width, height)

    assert len(lines) <= height
    assert max(map(len, lines)) <= max(width, 40)


def test_on_eighty_by_twenty_four_every_part_is_seen() -> None:
    """Of 20 trials, 20 settings and 7 reasons some of each are shown, and the rest is counted."""
    lines = drawn(BUSY, 80, 24)
    text = "\n".join(lines)

    assert 23 == len(lines)
    assert lines[0].startswith("demo, laptop: 27 of 47 trials done (20 running, 20 finished, 7 failed).")
    assert "80 of 141 epochs, about" in lines[1]
    assert lines[2].startswith("Best so far: validation accuracy 40.0%, lr 0.2, seed 0, at epoch 1 (trial ")
    assert 3 == text.count("epoch 1/3  IC 1.90  val acc")
    assert "and 17 more running" in text
    assert "▇" in text
    assert "settings more, further from the best" in text
    assert " 0.2 " in text
    assert "1 failed: 7 RuntimeError: a long reason, and a [bold]bracket[/bold]" in text
    assert "and 5 more that ended badly" in text
    assert "Ctrl-C leaves; the sweep goes on." == lines[-1].strip()


def test_with_room_everything_is_there() -> None:
    """On 80 lines nothing is counted instead of shown but reasons past the first few."""
    text = "\n".join(drawn(BUSY, 120, 80))

    assert 20 == text.count("epoch 1/3")
    assert "more running" not in text
    assert "settings more" not in text


def test_printed_once_reasons_are_whole() -> None:
    """Without a height every reason is there, folded where the line ends."""
    console = Console(file=io.StringIO(), width=80)
    console.print(screen(BUSY, 80))
    text = " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]

    for number in range(1, 8):
        assert " ".join(f"1 failed: {number} {LONG['reason']}".split()) in text


def test_colours_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR a terminal gets no colour; the words are the same."""
    coloured = "\n".join(drawn(BUSY, 80, 24, force_terminal=True, color_system="standard"))
    monkeypatch.setenv("NO_COLOR", "1")
    plain = "\n".join(drawn(BUSY, 80, 24, force_terminal=True, color_system="standard"))

    assert "\x1b[31m" in coloured
    assert not any(f"\x1b[{colour}m" in plain for colour in range(30, 38))
    assert "and 17 more running" in plain


@pytest.mark.parametrize(
    ("free", "parts", "expected"),
    [
        (100, (2, 5, 1), Shares(3, 9, 2)),
        (14, (2, 5, 1), Shares(3, 9, 2)),
        (13, (9, 9, 9), Shares(2, 9, 2)),
        (20, (9, 9, 9), Shares(5, 11, 4)),
        (20, (9, 0, 0), Shares(10, 0, 0)),
        (20, (9, 4, 0), Shares(10, 8, 0)),
        (1, (9, 9, 9), Shares(0, 0, 0)),
        (-3, (9, 9, 9), Shares(0, 0, 0)),
    ],
)
def test_lines_are_shared_out(free: int, parts: tuple[int, int, int], expected: Shares) -> None:
    """Each part counts its empty lines and heads; one that has no room for a single item is left out."""
    assert expected == share_lines(free, *parts)


def test_the_sentences() -> None:
    """Statuses in their order, values with their words, and one line for where there is no terminal."""
    state = STATES["mixed"]
    best = Best("lr 0.2, seed 0", "k", "ic_rel", 0.25, 3)
    done = "demo, laptop: 4 of 7 trials done (1 planned, 2 running, 1 finished, 1 diverged, 2 failed)."

    assert done == headline(state)
    assert "demo, laptop: 0 of 0 trials done." == headline(STATES["empty"])
    assert done.replace("running", "broken off") == headline(snapshot(manifest(), *MIXED, at_work=False))
    assert "Best so far: (IC − 1) / (T − 1) 0.25, lr 0.2, seed 0, at epoch 3 (trial k)." == best_text(best)
    assert plain_line(state).startswith(f"{headline(state)} 24%, 5 of 21 epochs, about 50 s left. Best so far: ")
    assert "\n" not in plain_line(state)
