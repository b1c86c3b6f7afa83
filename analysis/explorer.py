"""The trials one by one, for the report's explorer: a row and a curve each, and the columns to tell them apart by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.colours import DECADES, FEW, Shade, shades_of
from analysis.fields import label_of, name_of, text_of, trains_networks
from analysis.results import Results
from analysis.transitions import tic_transitions

POINTS = 24
"""Epochs at which a trial's curve is drawn at most, its first and its last among them."""
BINS = 16
"""Colours of a column with more values than that."""
NONE = Shade("#6e7781", "#9aa5b1")
"""Colour of trials that lack a value."""
OUTCOMES = {
    "transition": "transition epoch",
    "ic_rel_final": "IC at the end (0 to 1)",
    "best_test_acc": "test accuracy",
}
"""Columns of `explored_trials` that tell how a trial came out, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Colouring:
    """How a column colours trials: in steps, each with its shade and some with a text."""

    name: str
    label: str
    codes: Sequence[int]
    """Number of the step of each trial."""
    shades: Sequence[Shade]
    texts: Sequence[tuple[float, str]]
    """Where on the scale of steps a text stands; step i reaches from i - 0.5 to i + 0.5."""


def explored_trials(results: Results) -> pl.DataFrame:
    """Return one row per trial of a network that was started, in the order of the settings and seeds.

    Columns: those of `Results.settings`; key, seed, status, reason, timesteps, epochs_done; ic_start, ic_max and
    ic_final (timesteps, of the first training, as in `tic_transitions`); ic_rel_final, (ic_final - 1) / (T - 1);
    transition (epochs, null while there is none), turned; best_test_acc (fraction), wall_seconds; ``label``, the
    setting in words.
    """
    by = list(results.settings)
    started = results.trials.filter(trains_networks(), pl.col("status") != "planned")
    measured = tic_transitions(results.epochs, started).select(
        "key", "ic_start", "ic_max", "ic_final", "turned", transition="interpolated"
    )
    columns = ["key", *by, "seed", "status", "reason", "timesteps", "epochs_done", "best_test_acc", "wall_seconds"]
    steps = pl.col("timesteps") - 1
    rows = (
        started
        .select(*dict.fromkeys(columns))
        .join(measured, on="key", how="left")
        .with_columns(ic_rel_final=pl.when(steps > 0).then((pl.col("ic_final") - 1) / steps))
        .with_columns(pl.col(pl.Float64).fill_nan(None))
        .sort(*by, "seed", "key")
        .collect()
    )
    labels = [label_of(setting) for setting in rows.select(*by).iter_rows(named=True)]
    return rows.with_columns(label=pl.Series(labels, dtype=pl.String))


def thinned_curves(results: Results, trials: pl.DataFrame, points: int = POINTS) -> pl.DataFrame:
    """Return the IC of each trial at no more than so many of its epochs, evenly apart, the ends among them.

    Columns: key, epoch, ic (timesteps), and ic_rel (fraction); in the order of the trials and their epochs.
    """
    place, last = pl.int_range(pl.len()).over("key"), pl.len().over("key") - 1
    step = (place * (points - 1)).floordiv(pl.max_horizontal(last, pl.lit(1)))
    before = ((place - 1) * (points - 1)).floordiv(pl.max_horizontal(last, pl.lit(1)))
    order = trials.select("key").with_row_index("rank").lazy()
    return (
        results.epochs
        .filter(pl.col("ic").is_not_null(), pl.col("ic").is_not_nan())
        .select("key", "epoch", "ic", "ic_rel")
        .join(order, on="key", how="inner")
        .sort("rank", "epoch")
        .filter((last < points) | (place == 0) | (step != before))
        .select("key", "epoch", "ic", "ic_rel")
        .collect()
    )


def colourings(trials: pl.DataFrame, paths: Sequence[str]) -> list[Colouring]:
    """Return how each of some columns of the trials colours them, those in which trials differ."""
    return [
        colouring(trials[path], name_of(path) if path not in OUTCOMES else OUTCOMES[path])
        for path in dict.fromkeys(paths)
        if trials[path].n_unique() > 1
    ]


def colouring(values: pl.Series, label: str) -> Colouring:
    """Return how a column colours trials: a step per value where there are few, else bins of equal width.

    Numbers that span decades have bins of equal ratio, names beyond the bins share the last one, and trials without a
    value have a step of their own, last.
    """
    found = values.drop_nulls().unique().sort().to_list()
    if not found:
        codes, shades, texts = [0] * len(values), [], []
    elif is_number(values) and len(found) > FEW:
        codes, shades, texts = _bins(values.to_list(), logarithmic=is_logarithmic(values))
    else:
        codes, shades, texts = _steps(values.to_list(), found)
    if values.null_count():
        shades, texts = [*shades, NONE], [*texts, (len(shades), "none")]
    return Colouring(name=values.name, label=label, codes=codes, shades=shades, texts=texts)


def is_number(values: pl.Series) -> bool:
    """Tell whether a column holds numbers; booleans are names."""
    return values.dtype.is_numeric()


def is_logarithmic(values: pl.Series) -> bool:
    """Tell whether numbers are positive and span a decade or more, and are not times or shares that begin near zero."""
    known = values.drop_nulls()
    if not is_number(values) or values.name in OUTCOMES or known.is_empty():
        return False
    low, high = known.min(), known.max()
    return low > 0 and high / low >= DECADES  # type: ignore[operator]


def _steps(values: Sequence[Any], found: Sequence[Any]) -> tuple[list[int], list[Shade], list[tuple[float, str]]]:
    """Return a step per value; those beyond the last bin share it."""
    names = [text_of(value) for value in found]
    if len(found) > BINS:
        names = [*names[: BINS - 1], "others"]
    steps = {value: min(i, BINS - 1) for i, value in enumerate(found)}
    few = len(names) <= FEW - 2 or all(isinstance(value, (int, float)) for value in found)
    shades = shades_of(list(found) if few else range(len(names)))[: len(names)]
    codes = [len(names) if value is None else steps[value] for value in values]
    return codes, shades, [(float(i), name) for i, name in enumerate(names)]


def _bins(
    values: Sequence[float | None], *, logarithmic: bool
) -> tuple[list[int], list[Shade], list[tuple[float, str]]]:
    scaled = [None if v is None else math.log10(v) if logarithmic else float(v) for v in values]
    known = [value for value in scaled if value is not None]
    low, width = min(known), (max(known) - min(known)) / BINS
    codes = [BINS if value is None else min(int((value - low) / width), BINS - 1) for value in scaled]
    edges = [(i - 0.5, low + width * i) for i in range(0, BINS + 1, BINS // 4)]
    return codes, shades_of(range(BINS)), [(at, f"{10**edge if logarithmic else edge:.3g}") for at, edge in edges]
