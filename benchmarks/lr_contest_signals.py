"""What a signal knows early: its rank correlation with how well each rate ends, seed by seed (`lr_contest.py`)."""

import itertools
import math
from statistics import fmean

from scipy.stats import spearmanr

from analysis.recorded import Task
from tic_sweep.racing import sight
from tic_sweep.racing.detector import Z
from tic_sweep.racing.policies import HALVING
from tic_sweep.racing.signals import ACCURACY, TRAIN_LOSS, TRANSITION, ByColumn, Course, Signal

SIGNALS: dict[str, Signal] = {
    "low IC": ByColumn("ic", sign=-1.0),
    "accuracy": ACCURACY,
    "training loss": TRAIN_LOSS,
    "transition": TRANSITION,
}
ASKED = (("low IC", HALVING["first"]), *itertools.product(("accuracy", "training loss", "transition"), (0.2, 0.5, 1.0)))
"""Which signal is asked at which share of the epochs; low IC, "closest to turning", where races first compare."""


def turned_share(task: Task, z: float) -> float:
    """Return the share of the trainings whose IC has turned by their end, z standard errors clear of the level."""
    states = [sight(curve.looks, curve.runner.timesteps, z=z).state for curve in task.curves.values()]
    return sum(state == "turned" for state in states) / len(states)


def correlation(task: Task, signal: Signal, share: float) -> float:
    """Return Spearman's correlation over rates of a signal with the final mean test accuracy, its mean over seeds."""
    epochs = next(iter(task.curves.values())).runner.epochs
    means = [task.means[rate] for rate in task.rates]
    found = []
    for seed in task.seeds:
        curves = [task.curves[rate, seed] for rate in task.rates]
        courses = [Course(curve.runner, curve.looks, curve.status == "diverged") for curve in curves]
        merits = [max(merit, -1e9) for merit in signal(courses, max(1, round(share * epochs)))]
        found.append(float(spearmanr(merits, means).statistic) if len(set(merits)) > 1 else 0.0)
    return fmean(value for value in found if math.isfinite(value))


def tell_signals(tasks: list[Task]) -> None:
    """Print, for each task, how many trainings turned, and what each signal knew when."""
    print("\nRank correlation over rates with the final test accuracy, at a share of each training's epochs:\n")
    print("| task | turned (clearly) | " + " | ".join(f"{name}, {100 * share:g} %" for name, share in ASKED) + " |")
    print("|---|---|" + "---|" * len(ASKED))
    for task in tasks:
        cells = [f"{correlation(task, SIGNALS[name], share):.2f}" for name, share in ASKED]
        turned, clearly = (100 * turned_share(task, z) for z in (0.0, Z))
        print(f"| {task.name} | {turned:.0f} % ({clearly:.0f} %) | " + " | ".join(cells) + " |")
