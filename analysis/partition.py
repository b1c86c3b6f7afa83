"""A table of the results split among settings: read once, when a part of it is first asked for."""

from functools import cached_property

import polars as pl

PART = "_part"
"""The column that says which part a trial belongs to; no table may have one of this name."""


class Partition:
    """The rows of a table by the part that their trial belongs to.

    Asking for each part by a filter of its own would read the table once for each; this reads it once, and only if
    any part is collected.
    """

    def __init__(self, table: pl.LazyFrame, owners: pl.DataFrame) -> None:
        """Prepare the split; nothing is read yet.

        Args:
            table: the rows; with a column ``key``.
            owners: ``key`` and `PART`, the number of the part that a trial belongs to; others' rows are left out.
        """
        self._table, self._owners = table, owners

    def part(self, number: int) -> pl.LazyFrame:
        """Return the rows of one part, in the table's order; empty if it has none."""
        return pl.defer(lambda: self._rows(number), schema=self._schema)

    def _rows(self, number: int) -> pl.DataFrame:
        rows = self._pieces.get((number,))
        return pl.DataFrame(schema=self._schema) if rows is None else rows

    @cached_property
    def _schema(self) -> pl.Schema:
        return self._table.collect_schema()

    @cached_property
    def _pieces(self) -> dict[tuple[object, ...], pl.DataFrame]:
        joined = self._table.join(self._owners.lazy(), on="key", how="inner", maintain_order="left")
        return joined.collect().partition_by(PART, as_dict=True, include_key=False)
