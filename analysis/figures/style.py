"""The look of figures for print: sizes, fonts, and lines that differ in colour, dash and mark, hence in grey too.

Everything is drawn inside `styled`, so that neither a user's Matplotlib settings nor ours reach the other. The fonts
are those that come with Matplotlib, the same on every machine.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analysis.colours import BAND, Shade

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

SINGLE, DOUBLE = 3.5, 7.16
WIDTHS = {"single": SINGLE, "double": DOUBLE}
"""Widths of a column and of two, in inches."""
GREY = "#7f7f7f"
INK = "#1f2328"
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)), (0, (3, 1, 1, 1, 1, 1)))
STEPS = 6
"""Timesteps beyond which an axis does not name every one."""
MARKERS = "os^vXp"
"""Diamonds are kept for what is marked on a line."""
RC: dict[str, Any] = {
    "font.family": "DejaVu Sans", "mathtext.fontset": "dejavusans", "font.size": 8,
    "axes.titlesize": 8, "axes.labelsize": 8, "xtick.labelsize": 7, "ytick.labelsize": 7, "legend.fontsize": 7,
    "legend.title_fontsize": 7, "legend.frameon": False, "legend.handlelength": 2.6, "legend.columnspacing": 1.4,
    "legend.borderaxespad": 0.2, "axes.linewidth": 0.6, "axes.spines.top": False, "axes.spines.right": False,
    "axes.titlepad": 3, "axes.labelpad": 2, "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 2.5,
    "ytick.major.size": 2.5, "xtick.minor.size": 1.5, "ytick.minor.size": 1.5, "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4, "lines.linewidth": 1.2, "lines.markersize": 3.8, "figure.constrained_layout.w_pad": 0.03,
    "figure.constrained_layout.h_pad": 0.03, "pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "path",
    "svg.hashsalt": "tic_sweep",
}  # fmt: skip
"""Text is embedded as TrueType in PDF, and drawn as outlines in SVG, which looks the same without the font."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure, ready to be written, and what its caption says."""

    figure: "Figure"
    caption: str
    part: str = ""
    """What tells it from other figures of its name, such as its setting; empty if there is one."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Text files that belong to it, by the ending of their names."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a line looks like."""

    colour: str
    dash: Any
    marker: str


@contextmanager
def styled() -> Iterator[None]:
    """Draw and write in the style of `RC`, whatever the settings outside; they are as before afterwards."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)  # type: ignore[arg-type] - the stubs list the keys one by one
        yield


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of some size in inches, whose parts make room for each other."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def looks_of(shades: Sequence[Shade]) -> list[Look]:
    """Return a look per shade; the dash and the mark tell them apart in grey."""
    return [
        Look(colour_of(shade), DASHES[i % len(DASHES)], MARKERS[i % len(MARKERS)]) for i, shade in enumerate(shades)
    ]


def colour_of(shade: Shade) -> str:
    """Return a shade for white paper as ``#rrggbb``."""
    if shade.light.startswith("#"):
        return shade.light
    channels = shade.light.removeprefix("rgb(").removesuffix(")").split(",")
    return "#" + "".join(f"{int(channel):02x}" for channel in channels)


def draw_line(
    axes: "Axes", x: Sequence[float], y: Sequence[float], look: Look, name: str, *, marked: bool = False
) -> "Line2D":
    """Draw a line, with a mark at each of its points or only where it is a single one, and return it."""
    points = marked or len(x) == 1
    (line,) = axes.plot(
        x, y, color=look.colour, linestyle=look.dash, marker=look.marker if points else "", label=name, zorder=3,
        markeredgewidth=0,
    )  # fmt: skip
    return line


def draw_band(axes: "Axes", x: Sequence[float], low: Sequence[float], high: Sequence[float], look: Look) -> None:
    """Draw a band from low to high."""
    axes.fill_between(x, low, high, color=look.colour, alpha=BAND, linewidth=0, zorder=2)


def draw_errors(
    axes: "Axes", x: Sequence[float], y: Sequence[float], low: Sequence[float | None], high: Sequence[float | None],
    colour: str,
) -> None:  # fmt: skip
    """Draw bars from low to high; a point whose ends are unknown has none."""
    known = [(a, b, c, d) for a, b, c, d in zip(x, y, low, high, strict=True) if c is not None and d is not None]
    if known:
        xs, ys, lows, highs = (list(column) for column in zip(*known, strict=True))
        below, above = (
            [y - low for y, low in zip(ys, lows, strict=True)],
            [h - y for y, h in zip(ys, highs, strict=True)],
        )
        axes.errorbar(
            xs, ys, yerr=[below, above], fmt="none", ecolor=colour, elinewidth=0.8, capsize=1.8, capthick=0.8, zorder=2
        )


def draw_diamond(axes: "Axes", x: float, y: float, reach: tuple[float, float] | None, colour: str) -> None:
    """Mark a place on a line, and how far it reaches to the left and to the right."""
    axes.errorbar(
        [x], [y], xerr=None if reach is None else [[reach[0]], [reach[1]]], fmt="D", color=colour, markersize=5,
        markeredgecolor="white", markeredgewidth=0.7, elinewidth=0.9, capsize=1.8, capthick=0.8, zorder=5,
    )  # fmt: skip


def height_at(x: float | None, xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Return the height of a line through points at x, along straight lines; None beyond its ends."""
    import numpy as np

    return float(np.interp(x, xs, ys)) if x is not None and len(xs) and xs[0] <= x <= xs[-1] else None


def letter(axes: "Axes", place: int, words: str = "") -> None:
    """Write a panel's letter, and what it shows, above it on the left."""
    axes.set_title(f"$\\bf{{({chr(ord('a') + place)})}}$ {words}".rstrip(), loc="left")


def grid_of(figures_width: float | None, panels: int, most: int, row: float) -> tuple["Figure", list["Axes"]]:
    """Return a figure of so many panels and their axes, the y axis shared, spare places left empty.

    Args:
        figures_width: in inches; if None, a column for a single panel, else two.
        panels: how many.
        most: panels side by side in the width of two columns; half of it, rounded up, in one.
        row: height of a row, in inches.
    """
    width = figures_width or (DOUBLE if panels > 1 else SINGLE)
    down = math.ceil(panels / (most if width >= DOUBLE else math.ceil(most / 2)))
    across = math.ceil(panels / down)
    figure = new_figure(width, 0.4 + row * down)
    axes = figure.subplots(down, across, sharey=True, squeeze=False)
    for spare in list(axes.flat)[panels:]:
        spare.set_visible(False)
    return figure, list(axes.flat)[:panels]


def is_first(axes: "Axes") -> bool:
    """Tell whether a panel is the first of its row, whose y axis has a title."""
    spec = axes.get_subplotspec()
    return spec is None or spec.is_first_col()


def legend_above(figure: "Figure", lines: Sequence["Line2D"], title: str = "") -> None:
    """Write the names of lines above the panels, once each, after what they differ in; nothing for a single one."""
    from matplotlib.lines import Line2D as Handle

    named = {str(line.get_label()): line for line in lines}
    if len(named) < 2:  # noqa: PLR2004
        return
    without_line = all(line.get_linestyle() == "None" for line in named.values())
    handle = 1.0 if without_line else RC["legend.handlelength"]
    entries = ({title: Handle([], [], linestyle="none")} if title else {}) | named
    points = {name: 7 * (handle + 1.8 + 0.6 * len(re.sub(r"[${}_\\]|mathrm", "", name))) for name in entries}
    room, head = 72 * figure.get_figwidth(), {}
    if sum(points.values()) <= room:
        columns = len(entries)
    else:
        entries, head = named, {"title": title or None, "alignment": "left"}
        columns = max(1, int(room / max(points[name] for name in named)))
    figure.legend(
        list(entries.values()), list(entries), loc="outside upper left", ncols=columns, handletextpad=0.5,
        handlelength=handle, **head,
    )  # fmt: skip


def step_axis(axes: "Axes", last: int, title: str = "timestep $t$") -> None:
    """Make the x axis one of timesteps 1..last, with as many whole numbers as it has room for."""
    axes.set_xlim(0.4, last + 0.6)
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 10**6) if last <= STEPS * step)
    axes.set_xticks(range(1, last + 1) if step == 1 else [*[1] * (step > 2), *range(step, last + 1, step)])  # noqa: PLR2004
    axes.set_xlabel(title)


def epoch_axis(axes: "Axes") -> None:
    """Make the x axis one of epochs, from 0 on, with whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel("epoch")
