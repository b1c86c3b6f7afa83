"""What a terminal shows of a `Snapshot`: functions from it to lines, fitted to a width and a height."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tic_sweep.launch.progress import duration
from tic_sweep.launch.snapshot import Best, Failure, Running, Snapshot
from tic_sweep.launch.summary_table import summary_table
from tic_sweep.launch.terminal import plain
from tic_sweep.records import STATUSES

BAR = 30
"""Characters of the bar, at most."""
TABLE_LINES = 4
"""Lines of a table besides its rows: the empty ones around it, its heads, a rule."""
RUNNING, FAILURES = 4, 3
"""Lines for running trials and for failures where settings want them, too; one each below `ROOMY` free lines."""
ROOMY = 15
ALL = 10_000
"""Lines, where there is no end of them."""
WORDS = {
    "val_acc": "validation accuracy", "val_loss": "validation loss", "train_loss": "training loss",
    "ic_rel": "(IC − 1) / (T − 1)", "tic_score": "transition score",
}  # fmt: skip
ALONE = "Ctrl-C leaves; the sweep goes on."


@dataclass(frozen=True, slots=True)
class Shares:
    """How many lines the parts of the screen get, heads and empty lines included; 0 leaves a part out."""

    running: int
    table: int
    failures: int


@dataclass(frozen=True, slots=True)
class Screen:
    """A snapshot on a terminal, drawn for whatever size that has when it is drawn; ``foot`` is its last line."""

    state: Snapshot
    foot: str = ALONE

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the screen."""
        yield screen(self.state, options.max_width, options.height or options.size.height, self.foot)


def screen(state: Snapshot, width: int, height: int = ALL, foot: str = "") -> RenderableType:
    """Return the state of a sweep in lines of at most ``width`` characters, at most ``height`` of them.

    From the top: trials by status, a bar, the best trial so far, running trials, a table of the settings with their
    curves of IC, failures. Where the height is short lines are cut, not folded, the table shows the best settings, and
    what is left out is counted.
    """
    cut = height < ALL
    parts: list[RenderableType] = [_line(headline(state), "bold", cut=cut), _bar(state, width)]
    parts += [_line(best_text(state.best), cut=cut)] if state.best else []
    foots = [_line(foot, "dim")] if foot else []
    shares = share_lines(
        height - len(parts) - len(foots), len(state.running), 0 if state.summary is None else state.summary.height,
        len(state.failures),
    )  # fmt: skip
    if shares.running:
        parts += ["", _running(state, shares.running - 1)]
    if shares.table:
        parts += _settings(state, width, shares.table)
    if shares.failures:
        parts += [*([] if shares.table else [""]), *_failures(state.failures, shares.failures - 1, cut=cut)]
    return Group(*[*parts, *foots][: max(height, 1)])


def share_lines(free: int, running: int, settings: int, failures: int) -> Shares:
    """Share free lines out among so many running trials, settings and failures, heads and empty lines included.

    Where not all fit, a few failures come first, then a few trials, then settings; trials get what those leave.
    """
    few_running, few_failures = (RUNNING, FAILURES) if free >= ROOMY else (1, 1)
    failed = _part(failures if free > ALL // 2 else min(failures, few_failures), 1, free)
    wanted = settings + TABLE_LINES if settings else 0
    trials = _part(running, 1, min(max(few_running + 1, free - failed - wanted), free - failed))
    return Shares(trials, _part(settings, TABLE_LINES, free - failed - trials), failed)


def _part(items: int, overhead: int, lines: int) -> int:
    """Return the lines that a part takes: those of its items and its overhead, nothing if not one item fits."""
    taken = min(items + overhead, lines) if items else 0
    return taken if taken > overhead else 0


def headline(state: Snapshot) -> str:
    """Return one sentence: how many trials are done, and how many there are by status.

    A trial that was running when its session was killed still has that status; it is said to be broken off.
    """
    words = {status: status.replace("_", " ") for status in STATUSES}
    words |= {} if state.at_work else {"running": "broken off"}
    named = ", ".join(f"{state.counts[status]} {word}" for status, word in words.items() if status in state.counts)
    done = f"{state.sweep}, {state.scale}: {state.done} of {state.total} trials done"
    return f"{done} ({named})." if named else f"{done}."


def best_text(best: Best) -> str:
    """Return one sentence about the best trial so far."""
    value = f"{best.value:.1%}" if best.objective == "val_acc" else f"{best.value:.4g}"
    return f"Best so far: {WORDS[best.objective]} {value}, {best.label}, at epoch {best.epoch} (trial {best.key})."


def plain_line(state: Snapshot) -> str:
    """Return the state of a sweep as one line, for where there is no terminal."""
    best = f" {best_text(state.best)}" if state.best else ""
    return f"{headline(state)} {', '.join(_done_words(state))}.{best}"


def _done_words(state: Snapshot) -> list[str]:
    words = [f"{state.share:.0%}"]
    words += [f"{state.epochs} of {state.planned_epochs} epochs"] if state.planned_epochs else []
    words += [f"about {duration(state.seconds_left)} left"] if state.seconds_left else []
    return words


def _bar(state: Snapshot, width: int) -> RenderableType:
    words = ", ".join(_done_words(state))
    grid = Table.grid(padding=(0, 2))
    room = width - len(words) - 2
    cells: list[RenderableType] = [ProgressBar(total=1.0, completed=state.share, width=min(BAR, room))] * (room > 0)
    grid.add_row(*cells, _line(words))
    return grid


def _running(state: Snapshot, lines: int) -> RenderableType:
    """Return a line per running trial and, where there are more than lines, one that counts the rest."""
    count = state.counts.get("running", 0)
    shown = state.running if count <= lines else state.running[: lines - 1]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, overflow="ellipsis")
    for trial in shown:
        grid.add_row(
            *(Text(plain(cell), no_wrap=True, overflow="ellipsis") for cell in _cells(trial, at_work=state.at_work))
        )
    more = count - len(shown)
    return Group(grid, *([_line(f"and {more} more running", "dim")] if more else [])) if shown else _line(
        f"{count} running", "dim"
    )  # fmt: skip


def _cells(trial: Running, *, at_work: bool) -> list[str]:
    if trial.epoch is None:
        return [trial.label, "starting" if at_work else "stopped", "", ""]
    ic = "" if trial.ic is None else f"IC {trial.ic:.2f}"
    val_acc = "" if trial.val_acc is None else f"val acc {trial.val_acc:.1%}"
    return [trial.label, f"epoch {trial.epoch}/{trial.last_epoch}", ic, val_acc]


def _settings(state: Snapshot, width: int, lines: int) -> list[RenderableType]:
    """Return the table of the settings, the best ones where there are more than lines, in the order of the settings."""
    assert state.summary is not None  # noqa: S101 - lines are shared out only to a table that is there
    rows: list[dict[str, Any]] = state.summary.to_dicts()
    room = lines - TABLE_LINES
    left_out = state.settings_count > room or state.settings_count > len(rows)
    if left_out and len(rows) > room - 1:
        rows = [row for row in rows if row["rank"] < room - 1]
    if not rows:
        return [_line(f"{state.settings_count} settings", "dim")]
    table = summary_table(rows, state.settings, width)
    more = state.settings_count - len(rows)
    return [table, _line(f"and {more} settings more, further from the best", "dim")] if more else [table]


def _failures(failures: Sequence[Failure], lines: int, *, cut: bool) -> list[RenderableType]:
    shown = failures if len(failures) <= lines else failures[: lines - 1]
    told = [_line(f"{f.count} {f.status.replace('_', ' ')}: {f.reason}", "red", cut=cut) for f in shown]
    more = sum(failure.count for failure in failures[len(shown) :])
    return [*told, *([_line(f"and {more} more that ended badly", "dim")] if more else [])]


def _line(text: str, style: str = "", *, cut: bool = True) -> Text:
    """Return a text without line breaks, cut with an ellipsis where the terminal ends, or else folded there."""
    return Text(plain(" ".join(text.split())), style=style, no_wrap=cut, overflow="ellipsis" if cut else "fold")
