"""Watching a sweep that another process runs: look, show, wait, until it has ended or somebody leaves."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console
from rich.live import Live

from tic_sweep.launch.monitor import Screen, plain_line
from tic_sweep.launch.signals import Stop, stop_on_signals
from tic_sweep.launch.snapshot import COLUMNS, Snapshot, snapshot
from tic_sweep.store import RemoteFolder, ResultsFolder
from tic_sweep.store.follow import Follower


class Watcher:
    """Looks at a results folder again and again; each look reads no more than what is new."""

    def __init__(self, folder: ResultsFolder | RemoteFolder) -> None:
        self._folder = folder
        self._follower = Follower(folder, COLUMNS)
        self._at_once = 0

    def look(self) -> Snapshot:
        """Return the state of the sweep now.

        Whether a session is at work is asked before the rows are read: one that ended in between has told everything.
        Where the file system does not say, it is taken to be at work.
        """
        at_work = self._folder.is_held() is not False
        tables = self._follower.look()
        manifest = self._folder.load_manifest()
        state = snapshot(manifest, tables["trials"], tables["epochs"], at_work=at_work, at_once=self._at_once)
        self._at_once = max(self._at_once, state.counts.get("running", 0))
        return state


def watch(
    folder: ResultsFolder | RemoteFolder,
    console: Console,
    *,
    every: float,
    wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
) -> tuple[Snapshot, Stop]:
    """Show a sweep until every trial has ended, no session is at work on it any more, or a signal asks to leave.

    On a terminal the state fills the screen, which is given back as it was; elsewhere it is a line each time.

    Args:
        folder: the sweep's results.
        console: where to show it.
        every: seconds between two looks.
        wait: waits for an event so many seconds at most and tells whether it came.

    Returns:
        The state at the last look, and whether, and by which signal, somebody left.
    """
    watcher, left = Watcher(folder), threading.Event()
    with stop_on_signals() as stop:
        stop.wake = left.set
        state = watcher.look()
        with _live(console) if goes_on(state) else nullcontext() as live:
            while goes_on(state):
                if live is not None:
                    live.update(Screen(state), refresh=True)
                else:
                    console.print(plain_line(state), soft_wrap=True, markup=False)
                if wait(left, every):
                    break
                state = watcher.look()
    return state, stop


def goes_on(state: Snapshot) -> bool:
    """Tell whether more is to be expected: a session is at work, and trials have not ended."""
    return state.at_work and not state.complete


def _live(console: Console) -> AbstractContextManager[Live | None]:
    """Return a screen that is drawn anew twice a second, so that it follows the terminal's size; None without one."""
    if not console.is_terminal or console.is_dumb_terminal:
        return nullcontext()
    return Live(console=console, screen=True, refresh_per_second=2, vertical_overflow="crop")
