"""The frame of a figure of curves: its lines with their colours, its panels, its legend or scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.colours import BASE_AXIS, BASE_LAYOUT, DECADES, OKABE_ITO, Shade, dark_twins, shades_of
from analysis.fields import label_of, name_of, text_of
from analysis.results import Results
from analysis.variants import shades_of_variants

if TYPE_CHECKING:
    import plotly.graph_objects as go

MANY = 12
"""Lines in a panel beyond which single seeds, bands and a legend would bury the means."""
HUES = len(OKABE_ITO)
"""The same for lines that are named by several fields: they have no scale of their own, and no two share a colour."""
FACETS = 4
"""Panels side by side; a second field with more values goes into the lines' names."""
STEPS = 12
"""Timesteps beyond which an axis does not name every one."""


@dataclass(frozen=True, slots=True)
class Line:
    """A setting's place in a figure."""

    setting: tuple[Any, ...]
    name: str
    column: int
    shade: Shade
    fields: int = 1
    """How many fields the name holds."""


def crowded(lines: Sequence[Line]) -> bool:
    """Tell whether there are too many lines to show more than their means."""
    return _too_many(len({line.name for line in lines}), max((line.fields for line in lines), default=1))


def lines_of(results: Results, paths: Sequence[str]) -> list[Line]:
    """Return a line per setting; settings that differ in the panel only share name and colour."""
    settings = results.trials.select(*paths).unique().sort(*paths).collect().rows()
    facet = _facet(results, paths)
    told = [(s[0], *s[2:]) if facet else s for s in settings]
    names = [path for path in paths if not (facet and path == paths[1])]
    distinct = list(dict.fromkeys(told))
    shades = _shades(distinct, names)
    return [
        Line(
            setting,
            text_of(t[0]) if len(names) == 1 else label_of(dict(zip(names, t, strict=True))),
            facet.index(setting[1]) + 1 if facet else 1,
            shades[t],
            len(names),
        )
        for setting, t in zip(settings, told, strict=True)
    ]


def panels_of(results: Results, paths: Sequence[str], title: str, lines: Sequence[Line]) -> "go.Figure":
    """Return the empty figure: one panel per value of the second field, epochs to the right, ``title`` upwards."""
    from plotly.subplots import make_subplots

    facet = _facet(results, paths)
    figure = make_subplots(
        rows=1,
        cols=max(len(facet), 1),
        shared_yaxes=True,
        horizontal_spacing=0.04,
        subplot_titles=[label_of({paths[1]: value}) for value in facet] or None,
    )
    figure.update_layout(
        **BASE_LAYOUT,
        meta={"dark": dark_twins(line.shade for line in lines)},
        margin={"l": 52, "r": 12, "t": 64 if facet else 36, "b": 44},
        height=440,
        hovermode="closest",
        showlegend=len({line.name for line in lines}) > 1 and not crowded(lines),
        legend={
            "title": {"text": f"{name_of(paths[0])}  " if all(line.fields == 1 for line in lines) else ""},
            "orientation": "h", "x": 0, "y": 1.1 if facet else 1.02, "yanchor": "bottom",
        },
    )  # fmt: skip
    figure.update_xaxes(**BASE_AXIS, title="epoch", rangemode="tozero")
    figure.update_yaxes(**BASE_AXIS)
    figure.update_yaxes(title=title, col=1)
    if crowded(lines):
        _add_scale(figure, paths[0], [line.setting[0] for line in lines])
    return figure


def step_ticks(timesteps: int) -> int | None:
    """Return the distance of the ticks on an axis of timesteps: each has one; of very many, plotly chooses."""
    return 1 if timesteps <= STEPS else None


def menu_of(
    labels: Sequence[str], owners: Sequence[int], looks: Sequence[dict[str, Any]] | None = None, y: float = 1.2
) -> dict[str, Any]:
    """Return a menu that shows the traces of one group at a time.

    Args:
        labels: a name per group.
        owners: which group each trace of the figure belongs to, by number.
        looks: changes of the layout that go with each group.
        y: where its upper edge lies, in heights of the plot.
    """
    buttons = [
        {
            "label": label,
            "method": "update",
            "args": [{"visible": [owner == number for owner in owners]}, looks[number] if looks else {}],
        }
        for number, label in enumerate(labels)
    ]
    return {
        "buttons": buttons, "x": 0, "xanchor": "left", "y": y, "yanchor": "top", "bgcolor": "#f6f8fa",
        "bordercolor": "#8c959f", "font": {"color": "#24292f"}, "pad": {"l": 0, "t": 0},
    }  # fmt: skip


def _shades(settings: Sequence[tuple[Any, ...]], names: Sequence[str]) -> dict[tuple[Any, ...], Shade]:
    if list(names) == ["variant"]:
        looks = shades_of_variants(setting[0] for setting in settings)
        return {setting: looks[setting[0]] for setting in settings}
    # Too many have a scale of the first field instead of a legend.
    by_first = len(names) == 1 or _too_many(len(settings), len(names))
    values = [setting[0] if by_first else str(setting) for setting in settings]
    return dict(zip(settings, shades_of(values), strict=True))


def _too_many(lines: int, fields: int) -> bool:
    return lines > (MANY if fields == 1 else HUES)


def _facet(results: Results, paths: Sequence[str]) -> list[Any]:
    """Return the values of the second field, one per panel; none if there is no second field, or too many values."""
    if len(paths) < 2:  # noqa: PLR2004
        return []
    values = results.trials.select(pl.col(paths[1]).unique()).collect().to_series().sort().to_list()
    return values if len(values) <= FACETS else []


def _add_scale(figure: "go.Figure", path: str, values: Sequence[Any]) -> None:
    """Add a bar of colours in place of a legend of very many lines; only numbers have one."""
    import plotly.graph_objects as go

    if not all(isinstance(value, (int, float)) for value in values):
        return
    low, high = min(values), max(values)
    logarithmic = low > 0 and high / low >= DECADES
    steps = [low * (high / low) ** (i / 8) if logarithmic else low + (high - low) * i / 8 for i in range(9)]
    shades = shades_of(steps)
    figure.update_layout(meta={"dark": dark_twins(shades)})
    scale = {
        "cmin": 0, "cmax": 8, "color": [0], "showscale": True,
        "colorscale": [[i / 8, shade.light] for i, shade in enumerate(shades)],
        "colorbar": {
            "title": {"text": name_of(path)}, "thickness": 12, "outlinewidth": 0,
            "tickvals": [0, 2, 4, 6, 8], "ticktext": [f"{steps[i]:.2g}" for i in (0, 2, 4, 6, 8)],
        },
    }  # fmt: skip
    figure.add_trace(
        go.Scatter(x=[None], y=[None], mode="markers", marker=scale, showlegend=False, meta={"role": "scale"})
    )
