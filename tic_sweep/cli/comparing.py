"""The commands that say what moves what: ``effects | compare``."""

from typing import TYPE_CHECKING

import click

from tic_sweep.cli.options import make_console
from tic_sweep.errors import StoreError

if TYPE_CHECKING:
    from rich.console import Console

    from analysis.compare import Comparison

GROUPS = ("transition", "ic", "accuracy", "robustness")


@click.command()
@click.argument("results")
@click.option(
    "--outcome", "groups", type=click.Choice(GROUPS), multiple=True, help="What to ask about; all if left out."
)
def effects(results: str, groups: tuple[str, ...]) -> None:
    """Say which hyperparameters move IC, accuracy and robustness in RESULTS, a folder or a URL, and by how much.

    Effects are differences to a reference value, means over the other fields' settings, with 95 % intervals over seeds.
    """
    import analysis
    from analysis.effect_shares import shares_of
    from analysis.effects import effects_of
    from analysis.outcomes import measured, outcomes_of
    from tic_sweep.cli.effect_tables import print_effects, print_importances, print_shares

    opened = analysis.open_results(results)
    table, fields = outcomes_of(opened)
    if not fields:
        raise StoreError(f"nothing but the seed varies in {results!r}: give results whose trials differ in a field.")
    outcomes = measured(table, *groups)
    if not outcomes:
        asked = f" of {', '.join(groups)}" if groups else ""
        raise StoreError(f"no finished trial in {results!r} has an outcome{asked}: wait for some, or ask for another.")
    console = make_console()
    _tell_size(console, table.height, table[outcomes].drop_nulls().height, table["seed"].n_unique())
    if len(fields) > 1:
        print_shares(console, shares_of(table, fields, *outcomes))
    print_effects(console, effects_of(table, fields, *outcomes), table["horizon"].max())
    if any(manifest.samples for manifest in opened.manifests):
        from analysis.importances import importances_of

        print_importances(console, importances_of(table, fields, *outcomes))


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--all", "every", is_flag=True, help="Print every shared setting and effect, not only what differs most.")
def compare(a: str, b: str, every: bool) -> None:  # noqa: FBT001
    """Compare sweeps A and B, folders or URLs: where their settings end, which effects differ, with 95 % intervals."""
    import analysis
    from analysis.compare import compare as compared

    found = compared(analysis.open_results(a), analysis.open_results(b))
    _tell_comparison(make_console(), a, b, found, every=every)


def _tell_size(console: "Console", trials: int, known: int, seeds: int) -> None:
    console.print(f"{known} of {trials} trials have all outcomes; {seeds} seed{'s' if seeds != 1 else ''}.")


def _tell_comparison(console: "Console", a: str, b: str, found: "Comparison", *, every: bool) -> None:
    """Print what was matched and what was not, then the differences."""
    from analysis.differences import FALSE
    from analysis.fields import name_of, text_of
    from tic_sweep.cli.effect_tables import print_effect_differences, print_overall, print_setting_differences

    def say(text: str) -> None:
        console.print(text, soft_wrap=True, markup=False)

    say(f"A is {a}, B is {b}.")
    apart = [f"{name_of(path)} {text_of(x)} in A, {text_of(y)} in B" for path, (x, y) in found.differing.items()]
    say(f"They differ throughout in: {'; '.join(apart)}." if apart else "No field differs throughout.")
    matched = f", matched by {', '.join(map(name_of, found.fields))}" if found.fields else ""
    shared = f"{found.shared} setting{'s are' if found.shared > 1 else ' is'} in both{matched}"
    say(f"{shared}; {found.only_a} only in A, {found.only_b} only in B.")
    if any(found.unfinished):
        say(f"Left out, since they have not finished: {found.unfinished[0]} trials of A, {found.unfinished[1]} of B.")
    if found.same_trials:
        say(f"{found.same_trials} trials are the same in both and cannot differ.")
    print_overall(console, found.settings)
    print_effect_differences(console, found.effects, every=every)
    print_setting_differences(console, found.settings, every=every)
    for frame, what in ((found.effects, "effects"), (found.settings, "settings")):
        tested = frame["q"].count()
        told = f"Of {tested} comparisons of {what}, {frame['differs'].sum()} differ."
        say(told if tested else f"No {what} to compare.")
    say(f"Bold: q < {FALSE}, p corrected for the false discovery rate: 5 % of what is bold is expected not to differ.")
