"""Fig. 1: the information centroid over training, and the Fisher trace over time in four epochs."""

from collections.abc import Iterator

import polars as pl

from analysis.colours import OKABE_ITO, Shade
from analysis.fields import rows_of
from analysis.figures.curves import ic_panel, top_of, trace_bars
from analysis.figures.style import DOUBLE, Drawing, Look, letter, looks_of, new_figure
from analysis.figures.words import part_name, plain, seeds_text, setting_text
from analysis.first_trainings import first_trainings
from analysis.plot_fisher import by_transition, fisher_shares, telling_epochs
from analysis.results import Results
from analysis.variants import fullest_part

MOST = 6
"""Settings drawn, those that turned first."""
LINE = Look("#1f2328", "-", "")
EPOCHS = tuple(Shade(*pair) for pair in (OKABE_ITO[4], OKABE_ITO[2], OKABE_ITO[1], OKABE_ITO[0]))
"""Of the four epochs, as in the paper: a colour each, on the curve and on the bars."""


def draw_fig1(results: Results, width: float | None) -> Iterator[Drawing]:
    """Yield, per setting, IC against epoch and the share of I_t at each t in the four epochs of `fisher_bars`."""
    _, images = fullest_part(first_trainings(results))
    by = list(images.settings)
    shares = fisher_shares(images, by).filter(pl.col("t").max().over(by) > 1).collect()
    settings = by_transition(images, by, shares)
    for setting, turned in settings[:MOST]:
        named = {} if len(settings) == 1 else dict(zip(by, setting, strict=True))
        own = rows_of(shares, by, setting)
        yield _draw(images, by, own, telling_epochs(own, turned), named, width or DOUBLE, len(settings) - MOST)


def _draw(
    images: Results, by: list[str], own: pl.DataFrame, epochs: list[int], named: dict[str, object], width: float,
    left_out: int,
) -> Drawing:  # fmt: skip
    wide = width >= DOUBLE
    figure = new_figure(width, 1.75 if wide else 3.7)
    places = [["ic", *epochs]] if wide else [["ic", "ic"], epochs[:2], epochs[2:]]
    ratios = [2.3, *[1.0] * len(epochs)] if wide else [1.0, 1.0]
    if not wide and len(epochs) < 4:  # noqa: PLR2004 - two rows of two
        places, ratios = [["ic"] * len(epochs), list(epochs)], [1.0] * len(epochs)
    axes = figure.subplot_mosaic(places, width_ratios=ratios)
    setting = own.row(0)[: len(by)]
    _, counts = ic_panel(axes["ic"], images, by, {setting: LINE}, {setting: "IC"})
    axes["ic"].set_ylabel("IC (timesteps)")
    letter(axes["ic"], 0)
    curve = own.unique("epoch").sort("epoch")
    last, top = own["t"].max(), top_of(own.filter(pl.col("epoch").is_in(epochs)))
    first_column = {epochs[0]} if wide else set(epochs[::2])
    for place, (epoch, look) in enumerate(zip(epochs, looks_of(EPOCHS), strict=False), start=1):
        rows = own.filter(pl.col("epoch") == epoch)
        axes["ic"].plot(
            [epoch], rows["ic"].to_list()[:1], look.marker, color=look.colour, markersize=5, zorder=6,
            markeredgecolor="white", markeredgewidth=0.5, label=f"_epoch {epoch}", clip_on=False,
        )  # fmt: skip
        trace_bars(axes[epoch], rows, look.colour, "", int(last))  # type: ignore[arg-type] - t is a whole number
        letter(axes[epoch], place, f"epoch {epoch}")
        axes[epoch].set_ylim(0, top)
        if epoch in first_column:
            axes[epoch].set_ylabel(r"$I_t\,/\,\Sigma_t\,I_t$")
        else:
            axes[epoch].tick_params(labelleft=False)
    centroids = ", ".join(f"{ic:.2f}" for ic in curve.filter(pl.col("epoch").is_in(epochs))["ic"])
    words = f"{plain(setting_text(named))}. " if named else ""
    more = f" {left_out} more settings are not drawn." if left_out > 0 else ""
    return Drawing(
        figure=figure,
        part=part_name(named),
        caption=f"{words}(a) Information centroid IC against training epoch: mean over {seeds_text(counts)}, the band "
        "is ± one standard error, the diamond the transition with its standard deviation over seeds, the dotted line "
        "where information spread evenly over time would lie. "
        f"(b–{chr(ord('a') + len(epochs))}) Share of the Fisher trace at each timestep t in the epochs marked in (a): "
        "mean over seeds, bars are standard deviations, the dotted line is IC "
        f"({centroids} timesteps).{more}",
    )  # fmt: skip
