"""The commands that look at results: ``status | claims | report``."""

from pathlib import Path

import click

from tic_sweep.cli.options import FOLDER, OPEN, make_console, tell_report


@click.command()
@click.argument("results", type=FOLDER)
def status(results: Path) -> None:
    """Show how far the sweep in RESULTS is; it may be running."""
    import analysis
    from analysis import tables
    from tic_sweep.launch.display import print_status, print_summary, print_toys
    from tic_sweep.store import Manifest, ResultsFolder

    folder, console = ResultsFolder.open(results), make_console()
    manifest, opened = Manifest.load(folder.manifest), analysis.open_results(results)
    print_status(console, manifest, opened.trials.collect(), opened.epochs.collect())
    print_summary(console, tables.summary(opened), opened.settings)
    print_toys(console, tables.toy_summary(opened))


@click.command()
@click.argument("results", type=FOLDER)
def claims(results: Path) -> None:
    """Check the papers' claims that RESULTS can settle: PASS, FAIL or UNDECIDED, with intervals."""
    import analysis
    from analysis.claims import check_claims
    from tic_sweep.launch.display import print_claims
    from tic_sweep.store import ResultsFolder

    ResultsFolder.open(results)
    print_claims(make_console(), check_claims(analysis.open_results(results)))


@click.command()
@click.argument("results", type=FOLDER)
@OPEN
def report(results: Path, opens: bool) -> None:  # noqa: FBT001
    """Write RESULTS/report.html: figures and tables of the sweep so far."""
    from tic_sweep.store import ResultsFolder

    ResultsFolder.open(results)
    tell_report(make_console(), results, opens=opens)
