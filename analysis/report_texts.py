"""The report's tables as texts: claims, toy problems, accuracies by variant."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import polars as pl

from analysis.fields import name_of, text_of
from analysis.finding import with_spread
from analysis.intervals import Interval
from analysis.results import Results
from analysis.sections import Cell, Texts
from analysis.tables import toy_summary
from analysis.toys import toy_contexts
from analysis.variants import MARGIN, accuracies, variant_contexts
from analysis.verdicts import ends_of, value_of

Value = TypeVar("Value")


def claim_texts(claims: pl.DataFrame) -> list[dict[str, str]]:
    """Return the rows of `check_claims`."""
    return [
        {
            "verdict": row["verdict"], "claim": row["claim"], "statement": row["statement"], "where": row["where"],
            "reference": row["reference"], "demand": row["demand"], "explanation": row["explanation"],
            "statistic": value_of(found, row["unit"]) if (found := _found(row, "statistic")) else "–",
            "interval": ends_of(found) if found else "",
            "confidence": "" if row["low"] is None else f"{100 * row['confidence']:.0f} %",
            "n": str(row["n"]), "counted": row["counted"],
        }
        for row in claims.iter_rows(named=True)
    ]  # fmt: skip


def toy_texts(results: Results) -> Texts | None:
    """Return the table of `toy_summary`; None without toy problems."""
    table, contexts = toy_summary(results), toy_contexts(results)
    rows = [
        (
            *(text_of(row[path]) for path in contexts),
            row["variant"],
            str(row["n"]),
            Cell(text="–" if row["area"] is None else f"{row['area']:.2f}", small=_interval(row, "")),
            Cell(
                text="–" if row["difference"] is None else f"{row['difference']:+.2f}".replace("-", "−"),
                small=_interval(row, "difference_"),
            ),
            f"{row['best_share']:.0%} at {text_of(row['best_lr'])}",
            Cell(text=row["spark"], drawn="solved share over learning rates"),
        )
        for row in table.iter_rows(named=True)
    ]
    if not rows:
        return None
    names = [name_of(path) for path in contexts]
    return Texts(
        caption="Over how wide a range of learning rates the problems are solved",
        heads=[
            *names, "gradient", "problems", "area (decades)", "less detached", "most solved", "solved over rates",
        ],
        rows=rows,
        numbers=len(names) + 1,
        words=[len(names) + 5],
        note="The area lies under the share of problems solved over log10 of the learning rate. Small numbers "
        "are 95\u00a0% bootstrap intervals over problems; differences are taken problem by problem, since all variants "
        "meet the same problems from the same first weights.",
    )  # fmt: skip


def accuracy_texts(results: Results) -> Texts | None:
    """Return the table of `accuracies`; None where there is one variant."""
    if not compares_variants(results):
        return None
    table, contexts = accuracies(results), variant_contexts(results)
    rows = [
        (
            *(text_of(row[path]) for path in contexts),
            row["variant"],
            text_of(row["optimiser.lr"]),
            str(row["n"]),
            with_spread(row["mean"], row["sd"], 3),
            Cell(
                text=value_of(found, "") if (found := _found(row, "difference")) else "–",
                small=f"{ends_of(found)}, {row['n_pairs']} pairs" if found else "",
            ),
            "–" if row["p"] is None else f"{row['p']:.2g}",
            row["verdict"] or "–",
        )
        for row in table.iter_rows(named=True)
    ]
    if not rows:
        return None
    names = [name_of(path) for path in contexts]
    return Texts(
        caption="Mean ± standard deviation of the test accuracy over the finished seeds",
        heads=[
            *names, "gradient", "learning rate", "seeds", "test accuracy", "less detached (points)", "TOST p",
            "verdict",
        ],
        rows=rows,
        numbers=len(names) + 1,
        words=[len(names) + 6],
        note="Each variant is at the learning rate that is best for it on validation images. Differences are over "
        "pairs of seeds with their 90\u00a0% Student-t interval; two one-sided t tests (TOST) ask whether it lies "
        f"within ± {MARGIN} points.",
    )  # fmt: skip


def mean_cell(row: Mapping[str, Any] | None, name: str, digits: int, *, scale: float = 1, unit: str = "") -> str | Cell:
    """Return a column x of a row with its interval x_low .. x_high below; a dash where there is none."""
    if row is None or row[name] is None:
        return "–"
    value, low, high = (
        part if part is None else f"{round(scale * part, digits) + 0.0:.{digits}f}".replace("-", "−")
        for part in (row[name], row[f"{name}_low"], row[f"{name}_high"])
    )
    alone = row[f"{name}_low"] in {None, row[f"{name}_high"]}
    return Cell(text=f"{value}{unit}", small="" if alone else f"{low} to {high}")


def spread(values: Sequence[Value], most: int) -> list[Value]:
    """Return at most so many of some values, evenly apart, the first and the last among them."""
    if len(values) <= most:
        return list(values)
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]


def compares_variants(results: Results) -> bool:
    """Tell whether trials differ in the gradient's variant."""
    return results.trials.select(pl.col("variant").n_unique()).collect().item() > 1


def _found(row: Mapping[str, Any], name: str) -> Interval | None:
    return None if row["low"] is None else Interval(row[name], row["low"], row["high"])


def _interval(row: Mapping[str, Any], prefix: str) -> str:
    low, high = row[f"{prefix}low"], row[f"{prefix}high"]
    return "" if low is None else f"{low:.2f} to {high:.2f}".replace("-", "−")
