"""The commands that take results elsewhere: ``query | export``."""

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tic_sweep.cli.options import FILE, make_console, shown, tell_aside
from tic_sweep.errors import StoreError

if TYPE_CHECKING:
    import polars as pl

    from analysis.results import Results

FORMATS = ("table", "csv", "parquet", "json")
SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".json": "json", ".txt": "table"}
SHOWN_PROBLEMS = 3


@click.command()
@click.argument("results", nargs=-1, required=True, metavar="RESULTS... [SQL]")
@click.option("--tables", is_flag=True, help="List tables and columns instead, with units and numbers of rows.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Else told by the suffix of --out, or a table.")
@click.option("--out", type=FILE, metavar="FILE", help="File to write; the terminal if left out.")
@click.option("--rows", type=click.IntRange(1), default=40, show_default=True, help="Rows that a table shows at most.")
def query(results: tuple[str, ...], tables: bool, form: str | None, out: Path | None, rows: int) -> None:  # noqa: FBT001
    r"""Ask the tables of RESULTS, folders or URLs such as s3://bucket/x, in SQL; they may be running.

    \b
    tic-sweep query results/tic-laptop                          what there is to ask
    tic-sweep query results/tic-laptop "SELECT ..."             an answer
    tic-sweep query results/a results/b "SELECT ..." --out a.csv

    A field of the config is a column of trials, such as optimiser.lr; the view transitions has a row per trial.
    """
    from analysis.query import collected, tables_named
    from analysis.query import query as asked
    from tic_sweep.cli.answers import print_catalogue

    places, sql = _split(results)
    if tables and sql:
        raise click.UsageError("--tables lists what there is to ask and takes no query: leave one of them out.")
    chosen = form or (SUFFIXES.get(out.suffix.lower(), "table") if out else "table")
    opened = _opened(places)
    if sql:
        with _quiet():
            answer = collected(asked(opened, sql))
            problems = opened.problems_in(tables_named(sql))
        _give(answer, chosen, out, rows)
    else:
        with _quiet():
            catalogue, problems = opened.describe(rows=True), opened.problems
        if chosen == "table" and out is None:
            print_catalogue(make_console(), catalogue)
        else:
            _give(catalogue, chosen, out, catalogue.height)
    _mention(problems)


@click.command()
@click.argument("results", nargs=-1, required=True, metavar="RESULTS...")
@click.argument("out", type=FILE)
@click.option("--csv", is_flag=True, help="Write each table as CSV too.")
@click.option("--force", is_flag=True, help="Replace an archive that is there.")
def export(results: tuple[str, ...], out: Path, csv: bool, force: bool) -> None:  # noqa: FBT001
    """Write a tidy archive of RESULTS to OUT, a .zip file or a folder: tables, units, claims, summary, README."""
    from analysis.export import export as written

    opened = _opened(results)
    with _quiet():
        place = written(opened, out, csv=csv, force=force)
        problems = opened.problems
    make_console().print(f"Archive: {shown(place)}", soft_wrap=True)
    _mention(problems)


def _split(arguments: Sequence[str]) -> tuple[list[str], str]:
    """Return the results and the query, which comes last and has blanks, or none."""
    *places, last = arguments
    if len(last.split()) > 1 and "://" not in last and not Path(last).exists():
        if not places:
            raise click.UsageError('a query comes after results: tic-sweep query RESULTS "SELECT ...".')
        return places, last
    return list(arguments), ""


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out warnings of files passed over: they are counted, and told in one line."""
    from tic_sweep.store import DamagedFileWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamagedFileWarning)
        yield


def _opened(places: Sequence[str]) -> "Results":
    import analysis

    with _quiet():
        return analysis.open_results(places)


def _mention(problems: "pl.DataFrame") -> None:
    """Tell on stderr, in one line, what could not be read as declared."""
    if problems.is_empty():
        return
    counted: dict[str, int] = {}
    for table, problem, count in problems.select("table", "problem", "count").iter_rows():
        words = f"{problem} ({table})" if table else problem
        counted[words] = counted.get(words, 0) + count
    told = [f"{count} {words if count != 1 else words.replace('s ', ' ', 1)}" for words, count in counted.items()]
    more = f"; {len(told) - SHOWN_PROBLEMS} more kinds" if len(told) > SHOWN_PROBLEMS else ""
    tell_aside(f"warning: {'; '.join(told[:SHOWN_PROBLEMS])}{more}.")


def _give(answer: "pl.DataFrame", form: str, out: Path | None, rows: int) -> None:
    """Write an answer to a file, or to stdout, in one of the formats; numbers are whole but in a table.

    Raises:
        StoreError: if the file cannot be written, or the format cannot hold the answer.
    """
    import polars as pl

    if form == "table":
        _print(answer, out, rows)
        return
    if form == "parquet" and out is None and sys.stdout.isatty():
        raise click.UsageError("Parquet is no text: give --out FILE.parquet.")
    writers = {"csv": answer.write_csv, "parquet": answer.write_parquet, "json": answer.write_json}
    try:
        writers[form](sys.stdout.buffer if out is None else out)
    except pl.exceptions.ComputeError as error:
        reason = str(error).split("\n", 1)[0]
        raise StoreError(f"the answer cannot be written as {form} ({reason}): choose --format parquet.") from error
    except OSError as error:
        raise _unwritable(out, error) from error


def _print(answer: "pl.DataFrame", out: Path | None, rows: int) -> None:
    from tic_sweep.cli.answers import print_answer
    from tic_sweep.launch.terminal import Terminal

    if out is None:
        print_answer(make_console(), answer, rows)
        return
    try:
        with out.open("w", encoding="utf-8") as file:
            print_answer(Terminal(file, width=10**4), answer, answer.height)
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(out: Path | None, error: OSError) -> StoreError:
    return StoreError(f"{str(out)!r} cannot be written ({error.strerror or error}): give a place you may write to.")
