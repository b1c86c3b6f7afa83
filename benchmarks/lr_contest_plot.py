"""The figure of `lr_contest.py`: regret against budget, a panel for each data set and one for the mean of all."""

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from lr_contest_replays import BUDGETS, Outcome
from matplotlib.figure import Figure

COLOURS = {
    "random": "#9a9a9a", "asha": "#d1495b", "median": "#edae49", "optuna hyperband": "#c8a2c8",
    "first_turn": "#8fd3c8", "transition": "#2a9d8f", "hybrid": "#1d3557", "accuracy": "#457b9d",
}  # fmt: skip
"""Contestants drawn, with the colour of each."""
THICK = {"asha", "transition", "hybrid", "accuracy"}
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10)
FLOOR = 0.05
"""Points of regret below which the axis does not go."""


def plot_contest(
    outcomes: Mapping[str, Mapping[str, Outcome]], grid: Mapping[str, Outcome], path: Path, *, goal: float
) -> None:
    """Draw the mean regret over the tasks of each panel, that of the full grid's own choice, and the goal."""
    tasks = list(next(iter(outcomes.values())))
    datasets = sorted({task.split(",")[0] for task in tasks})
    panels = {"all tasks": tasks} | {name: [t for t in tasks if t.startswith(f"{name},")] for name in datasets}
    figure = Figure(figsize=(3.1 * len(panels), 3.4), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, (title, own) in zip(axes, panels.items(), strict=True):
        for name, colour in COLOURS.items():
            values = [max(fmean(outcomes[name][t].mean_at(i) for t in own), FLOOR) for i in range(len(BUDGETS))]
            ax.plot(
                [100 * share for share in BUDGETS], values, color=colour, label=name, marker="o", markersize=3,
                linewidth=2.2 if name in THICK else 1.2,
            )  # fmt: skip
        whole = fmean(grid[t].mean_at(0) for t in own)
        ax.axhline(max(whole, FLOOR), color="#9a9a9a", linewidth=1.2, linestyle="--", label="full grid")
        ax.axhline(goal, color="black", linewidth=0.8, linestyle=":")
        ax.axvline(20, color="black", linewidth=0.8, linestyle=":")
        ax.set(title=f"{title} ({len(own)})", xlabel="% of the full grid's epochs", xscale="log", yscale="log")
        ax.set_xticks([100 * share for share in BUDGETS], [f"{100 * share:g}" for share in BUDGETS])
        ax.minorticks_off()
        ax.set_yticks(TICKS, [f"{tick:g}" for tick in TICKS])
        ax.grid(alpha=0.25)
    axes[0].set_ylabel("regret, points of test accuracy")
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(COLOURS) + 1, frameon=False
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
