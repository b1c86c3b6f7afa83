"""The sections of the report, in the order of the page.

A study's sections are declared beside its figures and listed here; `filled` leaves out those that the results hold
nothing for.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis import plots
from analysis.first_trainings import first_trainings
from analysis.plot_alpha import ALPHA_SECTIONS
from analysis.plot_animation import FILM_SECTIONS
from analysis.plot_deficits import DEFICIT_SECTIONS
from analysis.plot_effects import EFFECT_SECTIONS
from analysis.plot_horizons import HORIZON_SECTIONS
from analysis.plot_layers import LAYER_SECTIONS
from analysis.plot_panels import SETTING_SECTIONS
from analysis.plot_races import RACE_SECTIONS
from analysis.plot_robustness import ROBUSTNESS_SECTIONS
from analysis.plot_search import SEARCH_SECTIONS
from analysis.report_capacity import CAPACITY_SECTIONS
from analysis.report_delays import DELAY_SECTIONS
from analysis.report_pruning import PRUNING_SECTIONS
from analysis.report_texts import accuracy_texts, toy_texts
from analysis.results import Results
from analysis.sections import Section, Texts
from analysis.variants import MARGIN, fullest_part
from tic_sweep.records import TABLES

if TYPE_CHECKING:
    import plotly.graph_objects as go

SETTINGS = 60
"""Settings beyond which figures and tables of single settings show some of them, drawn at random."""
MEAN = (
    "mean over the finished seeds (over those at work where none has finished), band ± standard error, single seeds "
    "as thin lines."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A section with what the results hold for it: a figure, a table, or both."""

    section: Section
    caption: str
    figure: "go.Figure | None"
    texts: Texts | None


def filled(results: Results, sections: Sequence[Section] | None = None) -> Iterator[Filled]:
    """Yield the sections that the results hold something for: a figure with traces, or a table with rows."""
    full = {table for table in TABLES if getattr(results, table).head(1).collect().height}
    limits, part = some_settings(results)
    for section in SECTIONS if sections is None else sections:
        if not (full.issuperset(section.tables) and set(section.varied) <= set(results.varied)):
            continue
        limited = bool(limits) and section in SINGLE_SETTINGS
        own = part if limited else results
        figure = section.figure(own) if section.figure else None
        texts = section.table(own) if section.table else None
        figure, texts = figure if figure and _shows(figure) else None, texts if texts and texts.rows else None
        if figure or texts:
            caption = section.caption if isinstance(section.caption, str) else section.caption(own)
            shown = f"{caption} Shown: {limits}; the explorer has every trial." if limited else caption
            yield Filled(section=section, caption=shown, figure=figure, texts=texts)


def _shows(figure: "go.Figure") -> bool:
    """Tell whether a figure has traces other than a scale of colours."""
    traces: Any = figure.data
    return any((trace.meta or {}).get("role") != "scale" for trace in traces)


def _shown(caption: str) -> Callable[[Results], str]:
    """Return a caption that names the settings which curves against epoch are limited to, if they are."""

    def told(results: Results) -> str:
        focus, _ = fullest_part(results)
        return f"{caption} Shown: {focus}; the table has the rest." if focus else caption

    return told


def some_settings(results: Results, most: int = SETTINGS) -> tuple[str, Results]:
    """Return results of no more than so many settings, always the same, and in words how many; no words for all.

    What is left over is held in memory, since figure after figure asks for it.
    """
    by = list(results.settings)
    settings = results.trials.select(by).unique(maintain_order=True).collect()
    if settings.height <= most:
        return "", results
    chosen = settings.sort(by).sample(most, seed=0).lazy()
    part = results.where(
        pl.col("key").is_in(
            results.trials.join(chosen, on=by, how="semi", nulls_equal=True).select("key").collect()["key"].to_list()
        )
    )
    held = {table: getattr(part, table).collect().lazy() for table in TABLES}
    return f"{most} of {settings.height:,} settings, drawn at random", dataclasses.replace(part, **held)


TOYS = (
    Section(id="toys", title="Toy problems", tables=("toy",), table=toy_texts),
    Section(
        id="solved",
        title="At which learning rates are the problems solved?",
        tables=("toy",),
        figure=plots.solved_by_rate,
        caption="Share of the problems solved after training against the learning rate, per variant of the gradient; "
        "bands, for the named variants, are 95 % Wilson intervals over problems. The legend gives the area under each "
        "curve.",
    ),
    Section(
        id="loss",
        title="How far does training get?",
        tables=("toy",),
        figure=plots.loss_by_rate,
        caption="Loss after training against the learning rate: median over problems and, for the named variants, a "
        "band from the lower to the upper quartile. The dotted line is the median before training. Losses that are "
        "not finite are left out.",
    ),
    Section(
        id="raster",
        title="How does the output come to match its target?",
        tables=("toy", "toy_curves"),
        figure=plots.raster,
        caption="Output spikes of one problem, the same for all variants, after each number of updates; grey lines "
        "mark the target. The menu has the learning rates; the first is the one at which the variants differ most.",
    ),
    Section(
        id="areas",
        title="How does it depend on the surrogate?",
        tables=("toy",),
        figure=plots.area_heat,
        caption="Area under the solved share (decades) over the share of the reset's gradient, 0 detached and 1 full, "
        "and the width of the surrogate.",
    ),
)
INFORMATION = (
    Section(
        id="ic",
        title="When does the information move forward in time?",
        tables=("epochs",),
        figure=lambda results: plots.ic_by_epoch(fullest_part(results)[1]),
        caption=_shown(
            f"Information centroid against training epoch: {MEAN} A diamond marks the transition, its bar the standard "
            "deviation over seeds. A dotted line, where all have the same T, is where information spread evenly over "
            "time would lie."
        ),
    ),
    Section(
        id="fisher",
        title="Where in time does the information lie?",
        tables=("fisher",),
        figure=lambda results: plots.fisher_bars(fullest_part(first_trainings(results))[1]),
        caption=_shown(
            "Share of the Fisher trace at each horizon t in four epochs, mean over seeds; bars show the standard "
            "deviation. The dotted line is the information centroid."
        ),
    ),
)
ACCURACY = (
    Section(
        id="accuracy",
        title="Accuracy on the way",
        tables=("epochs",),
        figure=lambda results: plots.accuracy_by_epoch(fullest_part(results)[1]),
        caption=_shown(f"Validation accuracy against training epoch: {MEAN}"),
    ),
)
VARIANTS = (
    Section(
        id="differences",
        title="Does the gradient's variant change accuracy?",
        tables=("epochs",),
        figure=plots.accuracy_differences,
        caption="Test accuracy less that of the detached variant with the same seed: mean and 90 % interval. Dotted "
        f"lines are the margin of ± {MARGIN} points within which accuracies count as the same.",
    ),
    Section(id="accuracies", title="Accuracy by variant", tables=("epochs",), table=accuracy_texts),
    Section(
        id="dynamics",
        title="How do firing and gradients behave in time?",
        tables=("dynamics",),
        figure=plots.dynamics_panels,
        caption="Firing and gradient flow of a layer's neurons at each timestep after the last epoch measured: means "
        "over the finished trials, bars show the standard deviation. The menu has the layers.",
    ),
)
SECTIONS: tuple[Section, ...] = (
    *TOYS,
    *DELAY_SECTIONS,
    *RACE_SECTIONS,
    *SEARCH_SECTIONS,
    *INFORMATION,
    *FILM_SECTIONS,
    *LAYER_SECTIONS,
    *SETTING_SECTIONS,
    *EFFECT_SECTIONS,
    *ALPHA_SECTIONS,
    *ACCURACY,
    *HORIZON_SECTIONS,
    *DEFICIT_SECTIONS,
    *ROBUSTNESS_SECTIONS,
    *PRUNING_SECTIONS,
    *CAPACITY_SECTIONS,
    *VARIANTS,
)
SINGLE_SETTINGS = (
    *INFORMATION,
    *FILM_SECTIONS,
    *LAYER_SECTIONS,
    *SETTING_SECTIONS,
    *ACCURACY,
    *HORIZON_SECTIONS,
    *DEFICIT_SECTIONS,
    *ROBUSTNESS_SECTIONS,
    *VARIANTS,
)
"""Those of them that show settings one by one, and show some where there are very many."""
