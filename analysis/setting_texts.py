"""The report's table of what each value of the compared field changes, against a reference value."""

from typing import Any

import polars as pl

from analysis.fields import name_of, text_of
from analysis.finding import with_spread
from analysis.first_trainings import first_trainings
from analysis.results import Results
from analysis.sections import Cell, Texts
from analysis.settings import MEASURES, Measure, contexts_of, paired_differences, reference_of

ROWS = 60
"""Values beyond which the table would bury what it tells."""


def difference_texts(results: Results) -> Texts | None:
    """Return one row per context and value of the compared field: its measures, and their differences to a reference.

    None where nothing is compared, no value shares two seeds with the reference, or there are more than `ROWS` rows.
    """
    images = first_trainings(results.where(pl.col("task") == "images"))
    field = images.settings[-1]
    if field == "sweep":
        return None
    by = contexts_of(images, field)
    tables = {measure: paired_differences(images, field, measure) for measure in MEASURES}
    rows = list(zip(*(table.to_dicts() for table in tables.values()), strict=True))
    if len(rows) > ROWS or all(cell["difference"] is None for row in rows for cell in row):
        return None
    reference = reference_of(field, sorted({row[0][field] for row in rows}))
    censored = {tuple(row[0][path] for path in by): _censored(row[0]) for row in rows if row[0][field] == reference}
    return Texts(
        caption=f"Mean ± standard deviation over the finished seeds; below, the difference to {name_of(field)} "
        f"{text_of(reference)} over seeds that finished at both, with its 95 % interval",
        heads=[*map(name_of, (*by, field)), *(measure.words for measure in MEASURES.values()), "seeds"],
        rows=[
            [
                *(text_of(row[0][path]) for path in (*by, field)),
                *(
                    _cell(cell, name, late=censored.get(tuple(cell[path] for path in by), False))
                    for cell, name in zip(row, MEASURES, strict=True)
                ),
                str(max(cell["n"] for cell in row)),
            ]
            for row in rows
        ],
        numbers=len(by) + 1,
        note="A transition that has not come by the last epoch that all trials of a context have reached counts as if "
        "it came there (≥): means and differences then understate how late it is, or how early (≤).",
    )


def _cell(row: dict[str, Any], name: str, *, late: bool) -> Cell:
    """Return a measure of one value, and its difference to the reference below; ``late`` if that has not all turned."""
    measure = MEASURES[name]
    bound = {(True, False): "≥ ", (False, True): "≤ "}.get((_censored(row), late), "") if name == "turn" else ""
    difference = _difference(row, measure)
    return Cell(text=_value(row, name, measure), small=f"{bound}{difference}" if row["n_pairs"] > 1 else difference)


def _censored(row: dict[str, Any]) -> bool:
    """Tell whether some transition of a value has not come yet."""
    return row["n_turned"] < row["n"]


def _value(row: dict[str, Any], name: str, measure: Measure) -> str:
    if row["mean"] is None:
        return "–"
    if name == "turn" and not row["n_turned"]:
        return "none yet"
    mean, sd = measure.scale * row["mean"], None if row["sd"] is None else measure.scale * row["sd"]
    if name == "turn" and _censored(row):
        return f"≥ {mean:.{measure.digits}f} ({row['n_turned']} of {row['n']} turned)"
    return with_spread(mean, sd, measure.digits)


def _difference(row: dict[str, Any], measure: Measure) -> str:
    if row["difference"] is None:
        return "" if row["n_pairs"] != 1 else "one pair"
    digits = measure.digits
    value, low, high = (round(measure.scale * row[part], digits) + 0.0 for part in ("difference", "low", "high"))
    return f"{value:+.{digits}f} ({low:.{digits}f} to {high:.{digits}f})".replace("-", "−")
