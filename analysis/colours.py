"""Colours that colour-blind readers can tell apart, each in a shade for light and one for dark backgrounds."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

GRID = "rgba(128, 128, 128, 0.22)"
GUIDE = "rgba(128, 128, 128, 0.8)"
OKABE_ITO = (
    ("#0072b2", "#56b4e9"), ("#d55e00", "#f0883e"), ("#009e73", "#2fc7a0"), ("#b0578d", "#e39fc8"),
    ("#b87f00", "#f0c04c"), ("#5a5a5a", "#c8c8c8"),
)  # fmt: skip
"""Okabe and Ito's palette; its light yellow and sky blue are darkened for white paper, its dark hues lit for black."""
VIRIDIS_LIGHT = (0.0, 0.8)
VIRIDIS_DARK = (0.3, 1.0)
"""The stretches of viridis that stand out from a light and from a dark background."""
BAND = 0.18
"""Opacity of a band."""
SEED = 0.35
"""Opacity of a single seed's line."""
DECADES = 10.0
FEW = 8
"""Numbers whose shades lie evenly apart, whatever their distances, so that close ones can be told from each other."""


class Shade(NamedTuple):
    """One colour as two: on a light background, and on a dark one."""

    light: str
    dark: str


TEXT = Shade("#1f2328", "#e6edf3")
PAPER = Shade("#fefefe", "#12161c")
BASE_LAYOUT: dict[str, Any] = {
    "template": "none",
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"family": "system-ui, -apple-system, 'Segoe UI', sans-serif", "size": 13, "color": TEXT.light},
    "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": GUIDE, "activecolor": GUIDE},
}
"""Layout that all figures share."""
BASE_AXIS: dict[str, Any] = {
    "gridcolor": GRID, "zeroline": False, "ticks": "outside", "ticklen": 5, "tickcolor": "rgba(0,0,0,0)",
}  # fmt: skip
"""Settings that all axes share."""


def shades_of(values: Sequence[Any]) -> list[Shade]:
    """Return a shade per value, along viridis for three or more numbers.

    Few numbers lie there by their rank, more by their size, or its logarithm if they span decades.
    """
    numbers = [float(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if len(numbers) < len(values) or len(set(numbers)) < 3:  # noqa: PLR2004
        return [Shade(*OKABE_ITO[i % len(OKABE_ITO)]) for i in range(len(values))]
    if len(set(numbers)) <= FEW:
        ranks = {number: float(rank) for rank, number in enumerate(sorted(set(numbers)))}
        numbers = [ranks[number] for number in numbers]
    elif min(numbers) > 0 and max(numbers) / min(numbers) >= DECADES:
        numbers = [math.log(number) for number in numbers]
    low, high = min(numbers), max(numbers)
    return [
        Shade(_viridis((n - low) / (high - low), VIRIDIS_LIGHT), _viridis((n - low) / (high - low), VIRIDIS_DARK))
        for n in numbers
    ]


def dark_twins(shades: Iterable[Shade]) -> dict[str, str]:
    """Return what each colour of a figure becomes on a dark background, transparent ones and the text included."""
    twins = {TEXT.light: TEXT.dark, PAPER.light: PAPER.dark}
    for light, dark in shades:
        twins |= {light: dark} | {faded(light, opacity): faded(dark, opacity) for opacity in (BAND, SEED)}
    return twins


def faded(colour: str, opacity: float) -> str:
    """Return a ``#rrggbb`` or ``rgb(...)`` colour made transparent."""
    if colour.startswith("#"):
        channels = ", ".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    else:
        channels = colour.removeprefix("rgb(").removesuffix(")")
    return f"rgba({channels}, {opacity})"


def _viridis(share: float, stretch: tuple[float, float]) -> str:
    from plotly.colors import sample_colorscale

    low, high = stretch
    return str(sample_colorscale("viridis", [low + share * (high - low)])[0])
