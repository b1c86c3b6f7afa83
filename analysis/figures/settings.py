"""Fig. 4 a–f: the information centroid over training for each value of a field, and two of them over time."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import polars as pl

from analysis.comparison import Comparison, comparison_of
from analysis.fields import rows_of
from analysis.figures.curves import BAND_TEXT, DIAMOND_TEXT, ic_panel, top_of, trace_bars
from analysis.figures.style import DOUBLE, Drawing, Look, legend_above, letter, looks_of, new_figure
from analysis.figures.words import SYMBOLS, field_text, part_name, plain, seeds_text, setting_text, value_text
from analysis.first_trainings import first_trainings
from analysis.panels import MANY
from analysis.plot_fisher import fisher_shares
from analysis.plot_panels import epochs_of_pair, farthest
from analysis.results import Results

MOST = 6
"""Contexts drawn, such as data sets."""
Pair = list[tuple[Any, ...]]


def settings_drawer(field: str) -> Callable[[Results, float | None], Iterator[Drawing]]:
    """Return what draws the figure of one field, from results that compare its values; nothing from others."""

    def draw(results: Results, width: float | None) -> Iterator[Drawing]:
        images = first_trainings(results.where(pl.col("task") == "images"))
        compared = comparison_of(images)
        if compared.lines != (field,):
            return
        contexts = _contexts(images, compared.contexts, field)
        shares = fisher_shares(images, compared.columns).collect() if contexts else pl.DataFrame()
        trials = images.trials.select(compared.columns).unique().collect()
        for context in contexts[:MOST]:
            named = dict(zip(compared.contexts, context, strict=True)) if len(contexts) > 1 else {}
            present = rows_of(trials, compared.contexts, context)[field].sort().to_list()
            own = rows_of(shares, compared.contexts, context)
            yield _draw(images, compared, own, context, present, named, width or DOUBLE, len(contexts) - MOST)

    return draw


def _contexts(images: Results, by: Sequence[str], field: str) -> list[tuple[Any, ...]]:
    """Return the contexts in which trials with a centroid differ in the field."""
    measured = images.epochs.filter(pl.col("ic").is_not_null()).select("key").unique()
    values = images.trials.join(measured, on="key", how="semi").select(*by, field).unique()
    if not by:
        return [()] if values.collect().height > 1 else []
    return values.group_by(by).len().filter(pl.col("len") > 1).sort(by).drop("len").collect().rows()


def _draw(
    images: Results,
    compared: Comparison,
    shares: pl.DataFrame,
    context: tuple[Any, ...],
    present: list[Any],
    named: dict[str, Any],
    width: float,
    left_out: int,
) -> Drawing:
    by, (field,) = compared.columns, compared.lines
    values = [(value,) for value in present]
    looks = dict(zip(values, looks_of([compared.shades[value] for value in values]), strict=True))
    shares = shares.filter(pl.col("t").max().over(compared.lines) > 1)
    pair = farthest(shares, compared.lines)
    epochs = epochs_of_pair(shares, compared.lines, pair) if pair else []
    wide = width >= DOUBLE
    figure = new_figure(width, 2.35 if wide else 4.0 if epochs else 2.4)
    ratios = [2.4, *[1] * len(epochs)] if wide and epochs else None
    axes = figure.subplot_mosaic(_places(len(epochs), wide=wide), width_ratios=ratios)
    few = len(values) <= MANY
    lines, counts = ic_panel(
        axes["ic"], images, by, {(*context, *value): look for value, look in looks.items()},
        {(*context, *value): value_text(value[0]) for value in values}, bands=few,
    )  # fmt: skip
    if epochs:
        letter(axes["ic"], 0)
        _traces(axes, shares, field, pair, epochs, looks)
    if few:
        legend_above(figure, lines, field_text(field))
    return Drawing(
        figure=figure,
        part=part_name(named),
        caption=_caption(plain(setting_text(named)), field, values, seeds_text(counts), pair, epochs, left_out),
    )


def _places(epochs: int, *, wide: bool) -> list[list[Any]]:
    """Return the mosaic of the panels, the bars named by row and column."""
    if not epochs:
        return [["ic"]]
    bars = [[f"{row}{column}" for column in range(epochs)] for row in "bc"]
    if wide:
        return [["ic", *row] for row in bars]
    return [["ic"] * epochs, ["ic"] * epochs, *bars]


def _traces(
    axes: Any, shares: pl.DataFrame, field: str, pair: Pair, epochs: list[int], looks: dict[tuple[Any, ...], Look]
) -> None:
    """Draw the bars of the two settings in each of the epochs, with the settings' own colours."""
    last = max(int(rows_of(shares, [field], setting)["t"].max()) for setting in pair)  # type: ignore[arg-type]
    shown = [rows_of(shares, [field], setting).filter(pl.col("epoch").is_in(epochs)) for setting in pair]
    top = top_of(pl.concat(shown))
    for row, (rows, setting) in enumerate(zip(shown, pair, strict=True)):
        for column, epoch in enumerate(epochs):
            panel, own = axes[f"{'bc'[row]}{column}"], rows.filter(pl.col("epoch") == epoch)
            trace_bars(panel, own, looks[setting].colour, f"epoch {epoch}" if row == 0 else "", last)
            panel.set_ylim(0, top)
            if row == 0:
                panel.tick_params(labelbottom=False)
                panel.set_xlabel("")
            if column:
                panel.tick_params(labelleft=False)
            else:
                panel.set_ylabel(r"$I_t\,/\,\Sigma_t\,I_t$")
            if column == len(epochs) - 1:
                panel.text(
                    1.04, 0.5, _short(field, setting[0]), transform=panel.transAxes, rotation=270, fontsize=7,
                    ha="left", va="center",
                )  # fmt: skip
    letter(axes["b0"], 1, f"epoch {epochs[0]}")
    letter(axes["c0"], 2)


def _short(field: str, value: Any) -> str:
    """Return a value for the narrow place beside its panels, with its symbol if it has one; the legend says of what."""
    return setting_text({field: value}) if field in SYMBOLS else value_text(value)


def _caption(
    where: str, field: str, values: list[tuple[Any, ...]], seeds: str, pair: Pair, epochs: list[int], left_out: int
) -> str:
    many = (
        ""
        if len(values) <= MANY
        else f" {len(values)} values from {value_text(values[0][0])} (dark) to {value_text(values[-1][0])} (light), "
        "without bands."
    )
    first = "(a) " if epochs else ""
    text = (
        f"{where + '. ' if where else ''}{first}Information centroid IC against training epoch, a line per "
        f"{plain(field_text(field))}: means over {seeds}; {BAND_TEXT}; {DIAMOND_TEXT}.{many}"
    )
    if epochs:
        low, high = (plain(setting_text({field: setting[0]})) for setting in pair)
        relative = " as a share of T" if field == "timesteps" else ""
        text += (
            f" (b, c) Share of the Fisher trace at each timestep t of the settings that end with the lowest ({low}) "
            f"and the highest IC ({high}){relative}, in epochs {', '.join(map(str, epochs))}: mean over seeds, bars "
            "are standard deviations, dotted lines IC."
        )
    return text + (f" {left_out} more contexts are not drawn." if left_out > 0 else "")
