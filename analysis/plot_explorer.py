"""The explorer's figures: trials along parallel axes, and the frame of their IC curves, which the page fills in."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import BASE_AXIS, BASE_LAYOUT, PAPER, TEXT, dark_twins
from analysis.explorer import OUTCOMES, is_logarithmic, is_number
from analysis.fields import name_of, text_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

LINES = 1000
"""Trials drawn at a time; of more, some at random."""
AXES = 8
"""Fields of the config with an axis of their own, the first of those that vary."""
NAMED = 12
"""Values beyond which an axis of numbers names round ones instead of each."""
SHORT = 14
"""Characters beyond which an axis' title takes a second line."""
MARK = "\u200b"
LONGEST = 24
"""Characters of a value beyond which it is cut short."""


def parallel_axes(trials: pl.DataFrame, paths: Sequence[str]) -> "go.Figure":
    """Draw each of the `explored_trials` as a line over one axis per field and outcome; brushed axes choose trials.

    Axes of numbers over decades are logarithmic, names are ticks. A trial that lacks a value passes a tick of its own:
    above all others where its transition has not come yet, else below them. Of more than `LINES` trials, those
    whose `draws` come first are drawn; the axes reach as far as all do.
    """
    import plotly.graph_objects as go

    axes = axes_of(trials, paths)
    drawn = (draws(trials.height) < LINES).to_numpy()
    figure = go.Figure(
        go.Parcoords(
            dimensions=[axis | {"values": axis["values"][drawn]} for axis in axes],
            line={"color": TEXT.light},
            labelfont={"size": 12},
            tickfont={"size": 11},
            rangefont={"size": 1, "color": "rgba(0,0,0,0)"},
            unselected={"line": {"color": "rgba(128, 128, 128, 0.12)"}},
        )
        if axes
        else None
    )
    figure.update_layout(
        BASE_LAYOUT | {"paper_bgcolor": PAPER.light},  # the ticks' halo
        meta={"dark": dark_twins([])},
        height=420,
        margin={"l": 60, "r": 120, "t": 64, "b": 24},
    )
    if figure.data:
        widest = max(map(len, figure.data[0].dimensions[0].ticktext), default=0)  # type: ignore[attr-defined]
        figure.update_layout(margin={"l": max(60, 24 + 7 * widest)})
    return figure


def curve_frame(*, relative: bool, timesteps: int) -> "go.Figure":
    """Return the empty figure of IC curves: axes only; where T differs, ``relative``, IC is drawn as a share of it."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.update_layout(
        **BASE_LAYOUT, meta={"dark": dark_twins([])}, height=440, margin={"l": 52, "r": 120, "t": 36, "b": 44},
        hovermode="closest", showlegend=False, uirevision="curves",
        hoverlabel={"bgcolor": PAPER.light, "font": {"color": TEXT.light}},
    )  # fmt: skip
    title = "(IC − 1) / (T − 1)" if relative else "information centroid IC (timesteps)"
    figure.update_xaxes(**BASE_AXIS, title="epoch", rangemode="tozero")
    figure.update_yaxes(**BASE_AXIS, title=title, range=[0, 1] if relative else [1, max(timesteps, 2)])
    return figure


def draws(count: int) -> pl.Series:
    """Return for each of so many trials when it is drawn, from 0: at random, and always the same.

    Every tenth of a grid would show one seed, or half of the values of a field.
    """
    return pl.int_range(count, eager=True).shuffle(seed=0)


def axes_of(trials: pl.DataFrame, paths: Sequence[str]) -> list[dict[str, Any]]:
    """Return the axes of those fields and outcomes in which trials differ, as `axis_of` each."""
    shown = [path for path in paths if trials[path].n_unique() > 1][:AXES]
    return [axis_of(trials[name]) for name in [*shown, *(name for name in OUTCOMES if trials[name].n_unique() > 1)]]


def axis_of(values: pl.Series) -> dict[str, Any]:
    """Return a column as an axis of parallel coordinates: its places, its range, its ticks.

    Brushes snap to ticks where an axis names its own, so that these reach from end to end, and lie close: many have no
    text. An axis of plain numbers has none of its own.
    """
    found = values.drop_nulls().unique().sort().to_list()
    logarithmic, each = is_logarithmic(values), values.name not in OUTCOMES and len(found) <= NAMED
    if is_number(values):
        scaled = values.cast(pl.Float64).log(10) if logarithmic else values.cast(pl.Float64)
        texts = [text_of(value) for value in found] if each else []
        ticks = list(zip(scaled.drop_nulls().unique().sort().to_list(), texts, strict=False))
    else:
        order = {value: float(i) for i, value in enumerate(found)}
        scaled = values.replace_strict(order, default=None, return_dtype=pl.Float64)
        ticks = [(place, _short(text_of(value))) for value, place in order.items()]
    low, high = float(scaled.min() or 0.0), float(scaled.max() or 0.0)  # type: ignore[arg-type]
    if not ticks and found and (logarithmic or values.null_count()):
        ticks = _decades(low, high) if logarithmic else _steps(low, high)
    if values.null_count():
        late = values.name == "transition"
        beyond = high + 0.1 * (high - low or 1.0) if late else low - 0.1 * (high - low or 1.0)
        ticks = sorted([*ticks, (beyond, "none yet" if late else "none")])
        scaled = scaled.fill_null(beyond)
        low, high = min(low, beyond), max(high, beyond)
    edge = 0.03 * (high - low) or 0.5
    shown = (
        {"tickvals": [place for place, _ in ticks], "ticktext": _distinct([text for _, text in ticks])} if ticks else {}
    )
    return {
        "label": _in_lines(OUTCOMES.get(values.name) or name_of(values.name)),
        "name": values.name,
        "values": scaled.cast(pl.Float32).to_numpy(),
        "range": [low - edge, high + edge],
        "tickformat": ".3~g",
        **shown,
    }


def _distinct(texts: Sequence[str]) -> list[str]:
    """Return texts that all differ, by marks without width: parallel axes find a tick's place by its text."""
    return [text + MARK * texts[:i].count(text) for i, text in enumerate(texts)]


def _decades(low: float, high: float) -> list[tuple[float, str]]:
    """Return ticks at 1 to 9 of each decade and at both ends; powers of ten have texts."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    inner = [(power + math.log10(i), f"{10.0**power:g}" if i == 1 else "") for power in powers for i in range(1, 10)]
    return _between(low, high, inner)


def _steps(low: float, high: float) -> list[tuple[float, str]]:
    """Return ticks at round numbers, with four unnamed ones between two of them, and at both ends."""
    step = 10 ** math.floor(math.log10(high - low or 1.0))
    while (high - low) / step < 4 and high > low:  # noqa: PLR2004 - four steps or more tell a scale
        step /= 2
    whole = range(math.floor(5 * low / step), math.ceil(5 * high / step) + 1)
    return _between(low, high, [(step * i / 5, f"{step * i / 5:.4g}" if i % 5 == 0 else "") for i in whole])


def _between(low: float, high: float, ticks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    inner = [(place, text) for place, text in ticks if low < place < high]
    ends = [(end, dict(ticks).get(end, "")) for end in dict.fromkeys((low, high))]
    return sorted([*ends, *inner])


def _short(text: str) -> str:
    """Return a name cut to what an axis has room for, safe where markup is understood."""
    cut = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _in_lines(title: str) -> str:
    """Return a title, a long one in two lines."""
    words = title.split(" ")
    if len(title) <= SHORT or len(words) == 1:
        return title
    half = min(range(1, len(words)), key=lambda i: abs(len(" ".join(words[:i])) - len(title) / 2))
    return f"{' '.join(words[:half])}<br>{' '.join(words[half:])}"
