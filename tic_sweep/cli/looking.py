"""The commands that look at results, here or in an object store: ``status | watch | claims | report``."""

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tic_sweep.cli.options import FILE, OPEN, PLACE, make_console, place_to_write, shown, tell_report

if TYPE_CHECKING:
    from tic_sweep.launch.snapshot import Snapshot


@click.command()
@click.argument("results", type=PLACE)
def status(results: str | Path) -> None:
    """Show how far the sweep in RESULTS, a folder or a URL, is; it may be running."""
    from tic_sweep.launch.watching import Watcher
    from tic_sweep.store import open_folder

    _tell_state(results, Watcher(open_folder(results)).look())


@click.command()
@click.argument("results", type=PLACE)
@click.option("--every", type=click.FloatRange(0.1), default=2.0, show_default=True, help="Seconds between two looks.")
def watch(results: str | Path, every: float) -> None:
    """Watch the sweep that is running in RESULTS, a folder or a URL, until it ends or Ctrl-C leaves it alone.

    Elsewhere than on a terminal a line is printed at each look.
    """
    from tic_sweep.launch import watching
    from tic_sweep.store import open_folder

    state, stop = watching.watch(open_folder(results), make_console(), every=every)
    if watching.goes_on(state):
        make_console().print("The sweep goes on.")
    else:
        _tell_state(results, state)
    if stop.signum == signal.SIGTERM:
        sys.exit(stop.exit_code)


def _tell_state(results: str | Path, state: "Snapshot") -> None:
    """Print the whole state of a sweep, and, where it was broken off, how to go on."""
    import analysis
    from analysis import tables
    from tic_sweep.launch.display import print_toys
    from tic_sweep.launch.monitor import screen

    console = make_console()
    console.print(screen(state, console.width))
    if state.summary is not None and state.summary.height < state.total:  # else every trial has a row: no toys
        print_toys(console, tables.toy_summary(analysis.open_results(results)))
    if not state.at_work and not state.complete:
        how = f"with: tic-sweep resume {shown(results)}" if isinstance(results, Path) else "it where it was run"
        console.print(f"Interrupted: resume {how}", soft_wrap=True, markup=False)


@click.command()
@click.argument("results", type=PLACE)
def claims(results: str | Path) -> None:
    """Check the papers' claims that RESULTS, a folder or a URL, can settle: PASS, FAIL or UNDECIDED, with intervals."""
    import analysis
    from analysis.claims import check_claims
    from tic_sweep.launch.display import print_claims

    print_claims(make_console(), check_claims(analysis.open_results(results)))


@click.command()
@click.argument("results", type=PLACE)
@click.option("--out", type=FILE, metavar="FILE", help="Page to write; RESULTS/report.html if left out.")
@OPEN
def report(results: str | Path, out: Path | None, opens: bool) -> None:  # noqa: FBT001
    """Write report.html of RESULTS, a folder or a URL: figures and tables of the sweep so far."""
    tell_report(make_console(), results, place_to_write(results, out, "--out FILE"), opens=opens)
