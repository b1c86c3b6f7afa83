"""Fig. 1B and C of Mészáros et al. 2024: the best receptive fields before and after training, and all values of I."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.delays import VARIANT, variant_text
from analysis.field_examples import BestField, FieldExample, field_examples
from analysis.figures.style import DOUBLE, GREY, Drawing, colour_of, letter, new_figure
from analysis.figures.words import counted, part_name, plain, setting_text
from analysis.plot_fields import AFTER, BEFORE, SIGNED, binned
from analysis.plot_pruning import percent_text
from analysis.results import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 1.75
"""Height of a row of panels, in inches."""
HEAD = 0.35
"""Above them."""


def draw_fields(results: Results, width: float | None) -> Iterator[Drawing]:
    """Yield, per variant, the field with the largest I before and after training, and I of all; dense, then sparse."""
    for setting, examples in field_examples(results):
        figure = new_figure(width or DOUBLE, HEAD + ROW * len(examples))
        grid = figure.subplots(len(examples), 3, squeeze=False, width_ratios=[1, 1, 1.15])
        for row, example in enumerate(examples):
            _draw_row(grid[row], example, 3 * row, labelled=row == len(examples) - 1)
        handles, names = grid[0][2].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper right", ncols=len(names))
        context = plain(setting_text({path: value for path, value in setting.items() if path not in VARIANT}))
        variant = variant_text(setting["delays"], setting["structure"])
        yield Drawing(
            figure=figure,
            part=part_name({"": ", ".join(filter(None, (context, variant)))}),
            caption=f"{context + ', ' if context else ''}{variant[:1].upper() + variant[1:]}. "
            f"{' '.join(_row_text(example, 3 * row) for row, example in enumerate(examples))} Left and middle: the "
            "spatio-temporal receptive field with the largest Moran's I before and after training, a cell being the "
            "weight at that input and delay, orange excitatory, blue inhibitory. Right: I of all hidden neurons with a "
            "synapse; the dotted line is the 95 % quantile with each neuron's weights shuffled among its synapses. "
            "Neighbours are the eight cells around each, all of the same weight.",
        )


def _draw_row(axes: Sequence["Axes"], example: FieldExample, place: int, *, labelled: bool) -> None:
    for panel, field, words in zip(axes[:2], (example.before, example.after), ("untrained", "trained"), strict=True):
        _draw_field(panel, field)
        letter(panel, place, f"{words}, $I$ = {field.i:.3f}")
        place += 1
        if labelled:
            panel.set_xlabel("delay (timesteps)")
    axes[0].set_ylabel(f"sparsity {percent_text(example.sparsity)} %\ninput channel")
    middles, before, after = binned(example)
    step = middles[1] - middles[0]
    for heights, shade, name in ((before, BEFORE, "untrained"), (after, AFTER, "trained")):
        axes[2].bar(middles, heights, step, color=colour_of(shade), alpha=0.6, label=name, linewidth=0)
        axes[2].stairs(heights, [*(x - step / 2 for x in middles), middles[-1] + step / 2], color=colour_of(shade))
    axes[2].axvline(example.band, color=GREY, linewidth=1.0, linestyle=":", label="95 % of shuffled")
    axes[2].set_ylabel("share of fields")
    letter(axes[2], place)
    if labelled:
        axes[2].set_xlabel("Moran's $I$")


def _draw_field(axes: "Axes", field: BestField) -> None:
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.ticker import MaxNLocator

    reach = float(np.abs(field.weights_HW).max()) or 1.0
    ends: Any = [SIGNED[0][1], "#ffffff", SIGNED[-1][1]]
    axes.imshow(
        field.weights_HW, origin="lower", aspect="auto", interpolation="nearest", vmin=-reach, vmax=reach,
        cmap=LinearSegmentedColormap.from_list("signed", ends),
    )  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)


def _row_text(example: FieldExample, place: int) -> str:
    letters = f"({chr(ord('a') + place)}–{chr(ord('a') + place + 2)})"
    before, after = (f"{np.mean(i):.3f}".replace("-", "−") for i in (example.i_before, example.i_after))
    return (
        f"{letters} Sparsity {percent_text(example.sparsity)} %, fields of seed {example.seed} at epoch "
        f"{example.after.epoch}, I over {counted(example.seeds, 'seed')}: mean {before} before "
        f"and {after} after."
    )
