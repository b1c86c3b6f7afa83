"""Policies for the learning rate against each other, on recorded trainings, at equal budgets.

Every draw takes seeds of the record with replacement and the rates in a random order, and all policies run on the same
draws (`lr_contest_replays.py`). A policy spends training epochs, and where it looks at IC the measured cost of Fisher
besides; when a budget is spent it is asked for a rate. Its regret is the mean test accuracy of the best rate, over the
draw's seeds, less that of the rate named. Intervals are 95 % of the draws' means over their orders.

    tic-sweep run lr_contest                     # records; this may be run while it does
    python benchmarks/lr_contest.py RESULTS [RESULTS ..] [--seeds 2,3,4] [--plot docs/figures/lr_contest.png]
    python benchmarks/lr_contest.py --small      # records a small grid on digits by itself
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from lr_contest_arms import ABLATIONS, ARMS, BASELINES
from lr_contest_plot import plot_contest
from lr_contest_replays import BUDGETS, Outcome, draws, grid_epochs, outcome
from lr_contest_signals import tell_signals

from analysis import open_results
from analysis.recorded import Task, recorded_tasks
from tic_sweep.errors import ConfigError, UserError

OURS = ("transition", "hybrid", "accuracy")
GOAL, BY = 0.5, 0.2
"""Points of regret that should not be exceeded at this share of the full grid."""


def main() -> None:
    """Read the record, replay, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="*", help="folders of the sweep lr_contest")
    parser.add_argument("--small", action="store_true", help="record a small grid first: digits, 6 rates, 3 seeds")
    parser.add_argument("--seeds", help="of the record that are drawn from; all if left out")
    parser.add_argument("--draws", type=int, default=60)
    parser.add_argument("--orders", type=int, default=2, help="orders of the rates for each draw")
    parser.add_argument("--ablations", action="store_true", help="also under other conditions")
    parser.add_argument("--plot", type=Path, help="file to draw regret against budget into")
    given = parser.parse_args()
    if given.small == bool(given.results):
        parser.error("give the folders of a recorded grid, or --small.")
    try:
        seeds = None if given.seeds is None else seeds_of(given.seeds)
        tasks = tasks_of(given)
    except UserError as error:
        print(f"lr_contest: error: {error}", file=sys.stderr)
        sys.exit(2)
    tasks = [task.at(seeds) for task in tasks if seeds is None or set(seeds) <= set(task.seeds)]
    if not tasks:
        sys.exit("no task has a seed with which all rates have ended: wait until the record has one.")
    contest(tasks, given)


def seeds_of(text: str) -> tuple[int, ...]:
    """Return the seeds of a list such as 2,3,4.

    Raises:
        ConfigError: if it is none.
    """
    try:
        return tuple(int(seed) for seed in text.split(","))
    except ValueError as error:
        raise ConfigError(f"--seeds must be whole numbers separated by commas, such as 2,3,4, got {text!r}.") from error


def tasks_of(given: argparse.Namespace) -> list[Task]:
    """Return what the folders hold, or the small grid, recorded first.

    Raises:
        StoreError: if a folder cannot be read.
    """
    if not given.small:
        return recorded_tasks(open_results(given.results))
    with tempfile.TemporaryDirectory(prefix="lr-contest-") as place:
        return recorded_tasks(open_results(record_small(Path(place) / "small")))


def record_small(place: Path) -> Path:
    """Record six rates and three seeds of the small network on digits, and return the folder."""
    sweep = Path(__file__).with_name("lr_contest_small.py")
    command = [sys.executable, "-m", "tic_sweep", "run", str(sweep), "--wandb", "off", "--results", str(place)]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})  # noqa: S603
    return place


def contest(tasks: list[Task], given: argparse.Namespace) -> None:
    """Replay every contestant on every task, and print and draw what comes out."""
    arms = ARMS | (ABLATIONS if given.ablations else {})
    outcomes: dict[str, dict[str, Outcome]] = {name: {} for name in arms}
    grid: dict[str, Outcome] = {}
    for task in tasks:
        print(f"Replaying {task.name}.", file=sys.stderr)
        drawn = draws(task, given.draws, given.orders)
        for name, arm in arms.items():
            outcomes[name][task.name] = outcome(task, drawn, arm)
        grid[task.name] = outcome(task, drawn, ARMS["random"], budgets=(1.0,))
    tell_tasks(tasks, grid)
    tell_signals(tasks)
    tell_budgets(outcomes, grid)
    tell_differences(outcomes, grid)
    for share in (BUDGETS[0], BY):
        tell_by_task({name: own for name, own in outcomes.items() if name in ARMS}, share)
    if given.plot:
        plot_contest({name: own for name, own in outcomes.items() if name in ARMS}, grid, given.plot, goal=GOAL)


def tell_tasks(tasks: list[Task], grid: dict[str, Outcome]) -> None:
    """Print what the record holds."""
    print("| task | seeds | epochs | Fisher cost, epochs | best rate | test acc, % | full grid's regret |")
    print("|---|---|---|---|---|---|---|")
    for task in tasks:
        best, accuracy = max(task.means.items(), key=lambda item: item[1])
        print(
            f"| {task.name} | {len(task.seeds)} | {grid_epochs(task)} | {task.fisher_cost:.2f} | {best:g} | "
            f"{100 * accuracy:.1f} | {grid[task.name].told(0)} |"
        )


def tell_budgets(outcomes: dict[str, dict[str, Outcome]], grid: dict[str, Outcome]) -> None:
    """Print the mean regret over tasks at every budget."""
    print("\nMean regret over the tasks, in points of test accuracy, by the share of the full grid's epochs spent:\n")
    print("| policy | " + " | ".join(f"{100 * share:g} %" for share in BUDGETS) + " |\n|---|" + "---|" * len(BUDGETS))
    for name, own in outcomes.items():
        whole = Outcome.mean(list(own.values()))
        print(f"| {name} | " + " | ".join(whole.told(i) for i in range(len(BUDGETS))) + " |")
    print(f"| full grid, 100 % | {Outcome.mean(list(grid.values())).told(0)} |" + " |" * (len(BUDGETS) - 1))


def tell_differences(outcomes: dict[str, dict[str, Outcome]], grid: dict[str, Outcome]) -> None:
    """Print by how much our policies differ from the baselines, the full grid and each other, draw by draw."""
    means = {name: Outcome.mean(list(own.values())) for name, own in outcomes.items()}
    means["full grid"] = Outcome.mean(list(grid.values())).at_every_budget()
    print("\nDifference of the mean regret on the same draws; negative is better:\n")
    print(
        "| difference | " + " | ".join(f"{100 * share:g} %" for share in BUDGETS) + " |\n|---|" + "---|" * len(BUDGETS)
    )
    pairs = [(name, other) for name in OURS for other in (*BASELINES, "full grid")] + [
        (name, "accuracy") for name in OURS[:-1]
    ]
    for name, other in pairs:
        cells = [means[name].difference(means[other], i) for i in range(len(BUDGETS))]
        print(f"| {name} less {other} | " + " | ".join(f"{d:+.2f} ({a:+.2f} to {b:+.2f})" for d, a, b in cells) + " |")


def tell_by_task(outcomes: dict[str, dict[str, Outcome]], share: float) -> None:
    """Print the regret on every task at a budget, and who beats the baselines."""
    at = BUDGETS.index(share)
    names = list(outcomes)
    print(f"\nRegret by task at {100 * share:g} % of the grid; below, wins, ties and losses by task against ASHA:\n")
    print("| task | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for task in outcomes[names[0]]:
        print(f"| {task} | " + " | ".join(outcomes[name][task].told(at) for name in names) + " |")
    for other in BASELINES:
        cells = [_score(outcomes[name], outcomes[other], at) if name != other else "" for name in names]
        print(f"| against {other} | " + " | ".join(cells) + " |")
    print(f"| at most {GOAL:g} | " + " | ".join(_reached(outcomes[name], at) for name in names) + " |")
    print("| at a single seed | " + " | ".join(_single(outcomes[name], at) for name in names) + " |")


def _score(own: dict[str, Outcome], other: dict[str, Outcome], at: int) -> str:
    signs = [own[task].against(other[task], at) for task in own]
    return f"{signs.count(-1)} / {signs.count(0)} / {signs.count(1)}"


def _reached(own: dict[str, Outcome], at: int) -> str:
    return f"{sum(one.mean_at(at) <= GOAL for one in own.values())} of {len(own)}"


def _single(own: dict[str, Outcome], at: int) -> str:
    return f"{sum(one.single[at] for one in own.values()) / len(own):.2f}"


if __name__ == "__main__":
    main()
