"""The command that makes results quick to open: ``compact``; a run that ends does the same."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from tic_sweep.cli.options import FOLDER, make_console, shown

if TYPE_CHECKING:
    from tic_sweep.store import ResultsFolder

MOST_ROWS = 10_000_000
"""Rows of a table beyond which the end of a run leaves it to ``tic-sweep compact``: they are held in memory at once."""


class Tidied(NamedTuple):
    """What was done to a folder."""

    summaries: int
    files: int


def tidy(folder: "ResultsFolder", *, most_rows: int | None = None) -> Tidied:
    """Store the summaries that trials which have ended lack, and merge each table's segments into one.

    Args:
        folder: the results.
        most_rows: tables with more rows keep their segments; None merges them all.

    Raises:
        StoreError: if a writer is at work in the folder, or the disk refuses; nothing is lost then.
    """
    import analysis
    from analysis.summaries import unsummarised
    from tic_sweep.store import ResultsWriter, compact

    with ResultsWriter(folder) as writer:
        rows = unsummarised(analysis.open_results(folder.root))
        writer.add_frame("summaries", rows)
    return Tidied(rows.height, sum(compact(folder, most_rows=most_rows).values()))


@click.command("compact")
@click.argument("results", type=FOLDER)
def compact_(results: Path) -> None:
    """Make RESULTS quick to open: one file per table, and a stored summary of each trial that has ended.

    Nothing that can be read of them changes. Refused while a run is writing there.
    """
    from tic_sweep.store import ResultsFolder

    done = tidy(ResultsFolder.open(results))
    make_console().print(
        f"{shown(results)}: {done.files} files fewer, {done.summaries} summaries stored.",
        soft_wrap=True, markup=False,
    )  # fmt: skip
