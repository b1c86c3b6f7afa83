"""The report's section on capacity: how many timesteps a network needs."""

from analysis.capacity import TOLERANCE, capacity_curves, saturation
from analysis.fields import name_of, rows_of, text_of
from analysis.plot_capacity import accuracy_by_timesteps
from analysis.report_texts import mean_cell, spread
from analysis.results import Results
from analysis.sections import Section, Texts

COLUMNS = 8
"""T that the table shows; of more, a spread that holds the smallest and the largest."""


def capacity_texts(results: Results) -> Texts | None:
    """Return the table of `capacity_curves` and `saturation`: a row per network, a column per T."""
    curves, ends = capacity_curves(results), saturation(results)
    if curves.is_empty():
        return None
    by = curves.columns[: curves.columns.index("timesteps")]
    shown = spread(curves["timesteps"].unique().sort().to_list(), COLUMNS)
    rows = []
    for values in curves.select(by).unique().sort(by).rows():
        at = {row["timesteps"]: row for row in rows_of(curves, by, values).iter_rows(named=True)}
        end = next(rows_of(ends, by, values).iter_rows(named=True), None)
        rows.append([
            *(text_of(value) for value in values),
            f"{end['parameters']:,}" if end and end["parameters"] else "–",
            str(max(row["n"] for row in at.values())),
            *(mean_cell(at.get(timesteps), "test_acc", 3) for timesteps in shown),
            mean_cell(end, "saturation", 1),
            f"{end['n_largest']} of {end['n']}" if end else "–",
        ])
    return Texts(
        caption="Test accuracy by network and timesteps",
        heads=[
            *(name_of(path) for path in by), "parameters", "seeds", *(f"T = {timesteps}" for timesteps in shown),
            "saturates at", "at the largest",
        ],
        rows=rows,
        numbers=len(by),
        note=f"A seed saturates at the smallest T whose accuracy is within {100 * TOLERANCE:.0f} point of that seed's "
        "best over T; only seeds that finished at every T count. Where it is the largest T tried, a larger one might "
        "be better still: the last column counts those. Small numbers are 95\u00a0% Student-t intervals over seeds.",
    )  # fmt: skip


CAPACITY_SECTIONS = (
    Section(
        id="capacity",
        title="How many timesteps does a network need?",
        tables=("epochs",),
        varied=("timesteps",),
        figure=accuracy_by_timesteps,
        caption="Test accuracy against the timesteps trained and read out with, per network: mean over the finished "
        "seeds, bars are 95\u00a0% intervals. A diamond marks where the network saturates, that is, comes within "
        f"{100 * TOLERANCE:.0f} point of its best (Kim et al. 2023, Discussion); its bar is the 95\u00a0% "
        "interval over seeds.",
        table=capacity_texts,
    ),
)
