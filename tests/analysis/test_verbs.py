"""Each verb needs the columns it says and gives the columns it says; what lacks is told in one line."""

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store.fabricated import DETACHED, FULL, TURNING, images_trial, write_rows, write_sweep, write_toys
from store.fabricated_delays import DELAYED, HALVES, delays_trial, ridge
from store.fabricated_layers import BLOCKS, EARLY, LATE, ic_trial
from store.fabricated_probes import probed_trial
from store.fabricated_pruning import capacity_trial, pruning_trial

from analysis import Results, open_results, verbs
from analysis.verb import Verb, VerbError
from tic_sweep.records import TABLES

BY = ["optimiser.lr"]
LR = ({"optimiser.lr": 0.1}, {"optimiser.lr": 0.3})


def curves(path: Path) -> Results:
    """Return four trials with centroids of network and blocks."""
    trials = [
        ic_trial(lr | {"seed": s, "optimiser.epochs": 6}, ic, blocks=BLOCKS)
        for lr, ic in zip(LR, (EARLY, LATE), strict=True)
        for s in (0, 1)
    ]
    return open_results(write_rows(path, trials, varied=("optimiser.lr",)).root)


def probed(path: Path) -> Results:
    """Return four trials with everything that probes measure."""
    trials = [
        probed_trial(
            lr | {"seed": s}, deficits={1: (0.5, 0.6)}, robustness={1: {"blur": {1.0: 0.5}}},
            horizons=dict.fromkeys(range(7), (0.1, 0.5, 0.9, 0.9)), traces={1: (1.0, 2.0, 3.0, 4.0)},
            epochs={e: {"ic": ic} for e, ic in enumerate((3.0, 3.0, 3.0, 2.0, 1.2, 1.2, 1.2))},
        )
        for lr in LR for s in (0, 1)
    ]  # fmt: skip
    return open_results(write_rows(path, trials, varied=("optimiser.lr",)).root)


def pruned(path: Path) -> Results:
    """Return two pairs of retrainings, with few timesteps and with all."""
    trials = [pruning_trial({"pruning.timesteps": t, "seed": s}, 0.8) for t in (0, 3) for s in (0, 1)]
    return open_results(write_rows(path, trials, varied=("pruning.timesteps",)).root)


def sized(path: Path) -> Results:
    """Return a network at two T, with two seeds."""
    trials = [capacity_trial("vgg16", t, s, 0.8 + t / 100, parameters=100) for t in (2, 4) for s in (0, 1)]
    return open_results(write_rows(path, trials, varied=("timesteps",)).root)


def delayed(path: Path) -> Results:
    """Return fixed and learnt structure and delays at two sparsities, with two seeds and their synapses."""
    synapses = {0: ridge(range(2)), 2: ridge(range(2), HALVES)}
    trials = [
        delays_trial(change | {"learn": learn, "sparsity": sparsity, "seed": s}, 0.5 + s / 10, synapses=synapses)
        for change in ({}, {"rule": "deepr"}) for learn in (False, True) for sparsity in (0.5, 0.75) for s in (0, 1)
    ]  # fmt: skip
    return open_results(write_rows(path, trials, varied=DELAYED).root)


def compared(path: Path) -> Results:
    """Return both variants of the gradient with two seeds."""
    trials = [images_trial(change | {"seed": s}, 0.8 + s / 100) for change in (DETACHED, FULL) for s in (0, 1)]
    return open_results(write_rows(path, trials).root)


def toyed(path: Path) -> Results:
    """Return toy problems of both variants at two rates."""
    solved: dict[float, Sequence[bool]] = {0.1: [True] * 10, 1.0: [False] * 10}
    return open_results(write_toys(path, [(change, solved) for change in (DETACHED, FULL)]).root)


Maker = Callable[[Path], Results]
Made = Callable[[str], tuple[Verb, Results, dict[str, Any]]]
ON: dict[str, tuple[Maker, dict[str, Any]]] = {
    "tic_transitions": (curves, {}),
    "tic_scores": (curves, {}),
    "race_curves": (curves, {}),
    "counted_trials": (curves, {"by": BY}),
    "with_setting": (curves, {"by": BY}),
    "mean_curves": (curves, {"by": BY, "column": "ic"}),
    "final_traces": (curves, {}),
    "fisher_over_t": (probed, {"by": BY}),
    "with_depth": (curves, {}),
    "part_centroids": (curves, {}),
    "layer_fisher": (curves, {"by": BY}),
    "block_centroids": (curves, {"by": BY}),
    "shallow_and_deep": (curves, {}),
    "relative_accuracies": (probed, {}),
    "deficit_curves": (probed, {"by": BY}),
    "horizon_curves": (probed, {"by": BY}),
    "needed_by_trial": (probed, {}),
    "needed_timesteps": (probed, {"by": BY}),
    "needed_around": (probed, {"by": BY}),
    "drops": (probed, {}),
    "strength_curves": (probed, {"by": BY}),
    "robustness_table": (probed, {}),
    "retrainings": (pruned, {}),
    "information_ends": (pruned, {}),
    "layer_sparsities": (pruned, {}),
    "capacity_curves": (sized, {}),
    "saturations": (sized, {}),
    "saturation": (sized, {}),
    "delay_variants": (delayed, {}),
    "delay_trials": (delayed, {}),
    "delay_accuracies": (delayed, {}),
    "paired_gains": (delayed, {}),
    "delay_effects": (delayed, {}),
    "structure_crossovers": (delayed, {}),
    "synapse_drifts": (delayed, {}),
    "rounding_gaps": (delayed, {}),
    "delay_costs": (delayed, {}),
    "field_values": (delayed, {}),
    "field_structures": (delayed, {}),
    "field_gains": (delayed, {}),
    "sign_grouping": (delayed, {}),
    "grouping_gains": (delayed, {}),
    "trial_measures": (curves, {"field": "optimiser.lr"}),
    "paired_differences": (curves, {"field": "optimiser.lr", "measure": "turn"}),
    "accuracies": (compared, {}),
    "ic_by_variant": (compared, {}),
    "dynamics_over_time": (compared, {}),
    "toy_rows": (toyed, {}),
    "problem_areas": (toyed, {}),
    "solved_shares": (toyed, {}),
    "areas": (toyed, {}),
    "losses": (toyed, {}),
}
"""Results to try each verb on, and its other arguments."""
OF_FRAMES = {"over_seeds", "seed_means", "at_last_epoch", "first_training"}
"""Verbs on frames that are no tables."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return what finds a verb, results for it, which are made once, and its other arguments."""
    known: dict[Maker, Results] = {}

    def find(name: str) -> tuple[Verb, Results, dict[str, Any]]:
        maker, options = ON[name]
        if maker not in known:
            results = maker(tmp_path_factory.mktemp("made") / "r")
            frames = {table: getattr(results, table).collect().lazy() for table in TABLES}
            known[maker] = dataclasses.replace(results, **frames)
        return verbs.VERBS[name], known[maker], options

    return find


def narrowed(verb: Verb, results: Results, options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a verb with each frame cut down to the columns that the verb says it needs."""
    parameters = inspect.signature(verb.function).parameters
    given = {name: parameter.default for name, parameter in parameters.items()} | {"results": results}
    given |= {name: getattr(results, name) for name in verb.needs} | options
    frames = {
        source: getattr(results, source).select(verb._expanded(needed, given)) for source, needed in verb.needs.items()
    }
    if "results" in parameters:
        return {"results": dataclasses.replace(results, **frames)} | options
    return frames | options


def test_every_verb_is_tried() -> None:
    """A verb that is declared has results to be tried on here."""
    assert set(verbs.VERBS) == ON.keys() | OF_FRAMES


@pytest.mark.parametrize("name", ON)
def test_declared_columns_are_those_returned(made: Made, name: str) -> None:
    """Of frames with the declared inputs alone, a verb makes rows with the declared columns, in order."""
    verb, results, options = made(name)
    arguments = narrowed(verb, results, options)
    frame = verb(**arguments).lazy().collect()

    assert verb.columns(**arguments) == frame.columns
    assert frame.height > 0
    assert verb.is_lazy == isinstance(verb.on(results, **options), pl.LazyFrame)


@pytest.mark.parametrize("name", ON)
def test_every_declared_input_is_needed(made: Made, name: str) -> None:
    """Without any one of its inputs a verb fails, and says in one line which it is."""
    verb, results, options = made(name)
    arguments = narrowed(verb, results, options)
    for source, needed in verb.needs.items():
        for column in [column for column in needed if not column.startswith("*")]:
            cut = without(arguments, source, column)
            with pytest.raises(VerbError, match=rf"^{name} needs {source} with column '{column}'"):
                verb(**cut)
            with pytest.raises(pl.exceptions.PolarsError):
                verb.function(**cut).lazy().collect()


def without(arguments: dict[str, Any], source: str, column: str) -> dict[str, Any]:
    """Return arguments whose frame of some name lacks a column."""
    if source in arguments:
        return arguments | {source: arguments[source].drop(column)}
    results = arguments["results"]
    return arguments | {"results": dataclasses.replace(results, **{source: getattr(results, source).drop(column)})}


def test_verbs_of_any_frame(tmp_path: Path) -> None:
    """Verbs on derived frames give what they declare, and compose by ``.pipe``."""
    results = curves(tmp_path / "r")
    turned = verbs.tic_transitions.on(results)
    summed = turned.pipe(verbs.over_seeds, BY)
    means = verbs.seed_means(results.fisher, results.trials, BY, ["epoch", "t"], ["fisher_trace"])
    last = results.fisher.pipe(verbs.at_last_epoch, ["key"])
    first = results.epochs.pipe(verbs.first_training, results.trials)

    assert verbs.over_seeds.columns(turned, BY) == summed.collect().columns
    assert verbs.seed_means.columns(None, None, BY, ["epoch", "t"], ["fisher_trace"]) == means.collect().columns
    assert verbs.at_last_epoch.columns(results.fisher, ["key"]) == last.collect().columns
    assert verbs.first_training.columns(results.epochs, results.trials) == first.collect().columns
    assert [(0.1, 2.5), (0.3, 4.5)] == summed.select("optimiser.lr", "transition_mean").collect().rows()


def test_what_is_no_table_must_be_handed_over(tmp_path: Path) -> None:
    """`on` finds tables of the results; a frame made of them it cannot guess."""
    write_sweep(tmp_path / "r", [({}, "finished", TURNING)])
    with pytest.raises(VerbError, match="over_seeds works on 'transitions'"):
        verbs.over_seeds.on(open_results(tmp_path / "r"), by=BY)


def test_the_catalogue_names_inputs_and_outputs() -> None:
    """One row per verb, with a meaning, and tables that exist."""
    table = verbs.catalogue()
    row = table.filter(pl.col("verb") == "needed_by_trial").row(0, named=True)

    assert ("horizons: key, epoch, t, val_acc", "key, epoch, needed, accuracy, steps") == (row["needs"], row["gives"])
    assert table.filter(pl.col("meaning").str.len_chars() == 0).is_empty()
    assert {source for verb in verbs.VERBS.values() for source in verb.needs} <= {*TABLES, "transitions", "rows"}
