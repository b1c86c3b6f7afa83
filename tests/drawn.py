"""What a figure for print shows, read back from Matplotlib's own objects."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection

from analysis import Results
from analysis.figures.catalogue import chosen_figures
from analysis.figures.style import Drawing, styled


def drawings_of(results: Results, name: str, width: float | None = None) -> list[Drawing]:
    """Return what one figure of the catalogue draws."""
    (figure,) = chosen_figures([name])
    with styled():
        return list(figure.draw(results, width))


def panels(drawing: Drawing) -> list[Axes]:
    """Return the panels that are not left empty."""
    return [axes for axes in drawing.figure.axes if axes.get_visible()]


def lines(axes: Axes) -> dict[str, tuple[list[float], list[float]]]:
    """Return x and y of the named lines of a panel."""
    named = [line for line in axes.get_lines() if not str(line.get_label()).startswith("_")]
    return {str(line.get_label()): (_floats(line.get_xdata()), _floats(line.get_ydata())) for line in named}


def bars(axes: Axes) -> list[float]:
    """Return the heights of a panel's bars."""
    return [float(bar.get_height()) for bar in axes.patches]  # type: ignore[attr-defined]


def band(axes: Axes, number: int = 0) -> tuple[list[float], list[float]]:
    """Return the low and the high end of a band, from left to right."""
    bands = [c for c in axes.collections if isinstance(c, FillBetweenPolyCollection)]
    corners = np.unique(bands[number].get_paths()[0].vertices, axis=0)
    x = np.unique(corners[:, 0])
    ends = [(corners[corners[:, 0] == at, 1].min(), corners[corners[:, 0] == at, 1].max()) for at in x]
    return [float(low) for low, _ in ends], [float(high) for _, high in ends]


def reaches(axes: Axes) -> list[tuple[float, float]]:
    """Return the ends of a panel's vertical error bars, in the order drawn."""
    found = []
    for container in axes.containers:
        for collection in getattr(container, "lines", ((), (), ()))[2] or ():
            found += [(float(a[1]), float(b[1])) for a, b in collection.get_segments() if a[0] == b[0]]
    return found


def _floats(values: Any) -> list[float]:
    return [float(value) for value in np.asarray(values)]


def titles(axes: Axes) -> tuple[str, str]:
    """Return what the x and the y axis are."""
    return axes.get_xlabel(), axes.get_ylabel()


def captioned(drawings: Sequence[Drawing]) -> bool:
    """Tell whether every figure says over how many seeds or problems it is a mean, and what its bands or bars are."""
    words = ("standard error", "standard deviation", "95 %", "mean over")
    return all(any(word in drawing.caption for word in words) for drawing in drawings)
