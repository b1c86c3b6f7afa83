"""What the report's explorer works on: its figures, and its trials as columns in a form that a page can hold."""

import base64
import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.explorer import OUTCOMES, Colouring, colourings, explored_trials, is_number, thinned_curves
from analysis.fields import name_of, text_of
from analysis.plot_explorer import LINES, axes_of, curve_frame, draws, parallel_axes
from analysis.results import Results

if TYPE_CHECKING:
    import plotly.graph_objects as go

MEASURED: dict[str, tuple[str, int]] = {
    "ic_start": ("IC start", 2),
    "ic_max": ("IC max", 2),
    "ic_final": ("IC final", 2),
    "transition": ("transition epoch", 1),
    "best_test_acc": ("test accuracy", 3),
    "epochs_done": ("epochs", 0),
    "wall_seconds": ("seconds", 0),
}
"""Columns of measured numbers in the table of trials: head, and digits after the point."""


def explorer_of(results: Results) -> dict[str, Any] | None:
    """Return the explorer's figures ``axes`` and ``curves`` and its ``data``; None without an IC of two trials.

    The data, ready for JSON: ``keys``, ``labels`` (settings in words), ``seeds`` and ``statuses`` per trial;
    ``places`` on each axis, by its name; ``colourings``; ``curves`` (``starts`` of the trials' points within ``epochs``
    and ``ic``); the ``columns`` and ``rows`` (by column) of the table; ``lines``, how many trials may be drawn, and
    ``draws``, when each of them is. Long
    columns are typed arrays.
    """
    trials = explored_trials(results)
    curves = thinned_curves(results, trials)
    if curves["key"].n_unique() < 2:  # noqa: PLR2004 - one trial leaves nothing to choose
        return None
    fields = [path for path in results.settings if path != "sweep"]
    axes: go.Figure = parallel_axes(trials, fields)
    relative = trials["timesteps"].n_unique() > 1
    return {
        "axes": axes if axes.data else None,
        "curves": curve_frame(relative=relative, timesteps=trials["timesteps"].max()),  # type: ignore[arg-type]
        "data": {
            "keys": trials["key"].to_list(),
            "labels": trials["label"].to_list(),
            "seeds": trials["seed"].to_list(),
            "statuses": trials["status"].to_list(),
            "places": {axis["name"]: packed("f", axis["values"].tolist()) for axis in axes_of(trials, fields)},
            "colourings": [
                _told(one)
                for one in colourings(trials, [*reversed(results.settings), *reversed(OUTCOMES), "seed", "status"])
            ],
            "curves": _points(trials, curves, "ic_rel" if relative else "ic"),
            "lines": LINES,
            "draws": packed("i", draws(trials.height).to_list()),
            **_table(trials, results.settings),
        },
    }


def _told(one: Colouring) -> dict[str, Any]:
    return {
        "name": one.name, "label": one.label, "codes": packed("B", one.codes),
        "light": [shade.light for shade in one.shades], "dark": [shade.dark for shade in one.shades],
        "texts": [list(text) for text in one.texts],
    }  # fmt: skip


def _points(trials: pl.DataFrame, curves: pl.DataFrame, column: str) -> dict[str, Any]:
    """Return the curves end to end, and where each trial's begins; the last entry is the end of all."""
    counts = trials.select("key").join(
        curves.group_by("key").agg(n=pl.len()), on="key", how="left", maintain_order="left"
    )["n"]
    starts = [0, *counts.fill_null(0).cum_sum().to_list()]
    return {
        "starts": packed("i", starts),
        "epochs": packed("i", curves["epoch"].to_list()),
        "ic": packed("f", curves[column].to_list()),
    }


def _table(trials: pl.DataFrame, settings: Sequence[str]) -> dict[str, Any]:
    """Return the columns of the table of trials and its cells, column by column."""
    fields = [path for path in settings if path not in {"seed", "status"}]
    columns = [_column("key", "trial")]
    columns += [_column(path, name_of(path), number=is_number(trials[path])) for path in fields]
    columns += [_column("seed", "seed", number=True), _column("status", "status")]
    columns += [_column(name, head, number=True, digits=digits) for name, (head, digits) in MEASURED.items()]
    columns += [_column("reason", "reason")] if trials["reason"].fill_null("").str.len_chars().sum() else []
    return {"columns": columns, "rows": {str(c["field"]): _cells(trials[str(c["field"])]) for c in columns}}


def _column(field: str, head: str, *, number: bool = False, digits: int | None = None) -> dict[str, Any]:
    return {"field": field, "head": head, "number": number, "digits": digits}


def _cells(values: pl.Series) -> list[Any]:
    """Return values as JSON has them: floats at the precision that is read, booleans in words."""
    if values.dtype.is_float():
        return values.round_sig_figs(6).to_list()
    if is_number(values):
        return values.to_list()
    return [None if value is None else text_of(value).replace("_", " ") if values.name == "status" else text_of(value)
            for value in values]  # fmt: skip


def packed(kind: str, values: Sequence[float]) -> Mapping[str, str]:
    """Return numbers as plotly's typed arrays are written: ``B`` bytes, ``i`` integers, ``f`` floats of 32 bits."""
    content = struct.pack(f"<{len(values)}{kind}", *values)
    return {"dtype": {"B": "u1", "i": "i4", "f": "f4"}[kind], "bdata": base64.b64encode(content).decode()}
