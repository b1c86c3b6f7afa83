"""`Problems`: what of a results folder could not be read as it is declared, counted."""

from collections.abc import Collection

import polars as pl

SCHEMA = pl.Schema({
    "folder": pl.String, "table": pl.String, "file": pl.String, "problem": pl.String, "count": pl.Int64,
})  # fmt: skip


class Problems:
    """The problems of one results folder; one that is met again, by another look at the same file, counts once."""

    def __init__(self, folder: str) -> None:
        """Begin without problems."""
        self.folder = folder
        self._counts: dict[tuple[str, str, str], int] = {}

    def note(self, table: str, file: str, problem: str, count: int = 1) -> None:
        """Note a problem of a file of a table; its words begin with what is counted: ``lines damaged ...``."""
        self._counts[table, file, problem] = count

    def frame(self, tables: Collection[str] | None = None) -> pl.DataFrame:
        """Return one row per problem, of some tables if they are named; what belongs to no table is always there.

        Columns: folder, table (empty for lines that name none), file (empty where it is the whole table's), problem,
        and count, of what the problem's words begin with.
        """
        rows = [
            (self.folder, *problem, count)
            for problem, count in self._counts.items()
            if tables is None or problem[0] in tables or not problem[0]
        ]
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")
