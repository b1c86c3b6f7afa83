"""The catalogue of verbs: each with the columns it needs of its inputs and those it gives.

A verb takes frames and returns one; it can be called as the function it stands for, put into ``.pipe``, or asked of
results as a whole: ``verbs.fisher_over_t.on(results, by=["optimiser.lr"])``. ``catalogue()`` lists them all. What is
declared here is what a test finds when it runs each verb.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import polars as pl

from analysis import alpha as _alpha
from analysis import capacity as _capacity
from analysis import crossovers as _crossovers
from analysis import curves as _curves
from analysis import deficits as _deficits
from analysis import delays as _delays
from analysis import field_gains as _field_gains
from analysis import horizons as _horizons
from analysis import layers as _layers
from analysis import pruning as _pruning
from analysis import races as _races
from analysis import receptive_fields as _receptive_fields
from analysis import rewiring as _rewiring
from analysis import robustness as _robustness
from analysis import scores as _scores
from analysis import seed_means as _seed_means
from analysis import settings as _settings
from analysis import sign_grouping as _sign_grouping
from analysis import toys as _toys
from analysis import transitions as _transitions
from analysis import variants as _variants
from analysis.fields import VARIANT, varied_columns
from analysis.verb import Expansion, Verb, means_of
from tic_sweep.config import field_rules
from tic_sweep.records import STATUSES
from tic_sweep.transition import Transition

SEEDS = ("key", "status", "*by")
"""What is needed of trials to average over seeds."""
TRIALS = ("key", "sweep", "status", *_transitions.ACCURACIES, "*config")
EPOCHS = ("key", "epoch", "ic", "cycle")
FISHER = ("key", "epoch", "level", "part", "t", "fisher_trace")
PRUNING = ("key", "cycle", "timesteps", *_pruning.ROWS)
TOY = ("key", "lr", "problem")
DELAYED = ("key", "status", "best_test_acc", "test_acc", "*config")
SYNAPSES = ("key", "epoch", "layer", "neuron", "input", "weight", "delay")
SHAPES = ("key", "layer", "possible")
CHOICE = ("contiguity", "weights")
TURN = tuple(field.name for field in dataclasses.fields(Transition))
SPREAD = ("_mean", "_sd", "_low", "_high")
EXPANSIONS: dict[str, Expansion] = {
    "config": lambda _: field_rules(),
    "varied": lambda given: [path for path in varied_columns(given["trials"]) if path != "timesteps"],
    "means": lambda given: means_of(*given["columns"]),
    "settings": lambda given: given["results"].settings,
    "contexts": lambda given: _settings.contexts_of(given["results"], given["field"]),
    "networks": lambda given: _capacity.networks(given["results"]),
    "pruning": lambda given: _pruning.pruning_contexts(given["results"]),
    "delay_contexts": lambda given: _delays.delay_contexts(given["results"]),
    "delay_setting": lambda given: _delays.delay_setting(given["results"]),
    "toys": lambda given: _toys.toy_contexts(given["results"]),
    "variants": lambda given: _variants.variant_contexts(given["results"]),
    "images": lambda given: given["results"].where(pl.col("task") == "images").contexts(*VARIANT),
    "trained": lambda given: _variants.trained(given["results"]).contexts(*VARIANT),
}
"""What declared columns with a star stand for, besides arguments of that name."""
OVER_SEEDS = (
    "n_seeds", *(f"n_{status}" for status in STATUSES), "n_measured", "n_followed", "n_turned", "timesteps", "observed",
    *(f"{x}{part}" for x in (*_transitions.MEASURES, "transition") for part in SPREAD), "transition_median",
)  # fmt: skip


def _verb(function: Callable[..., Any], gives: tuple[str, ...], **needs: tuple[str, ...]) -> Verb:
    return Verb(function, needs, gives, EXPANSIONS)


tic_transitions = _verb(
    _transitions.tic_transitions,
    ("key", "sweep", "*varied", "timesteps", "seed", "status", "variant", *_transitions.ACCURACIES, *TURN, "turned"),
    epochs=EPOCHS, trials=TRIALS,
)  # fmt: skip
tic_scores = _verb(
    _scores.tic_scores, ("key", "tic_score"),
    epochs=("key", "epoch", "cycle", "ic", "ic_se"), trials=("key", "timesteps", "optimiser.epochs"),
)  # fmt: skip
race_curves = _verb(
    _races.race_curves, ("key", "optimiser.lr", "seed", "status", "epoch", "ic", "val_acc"),
    epochs=("key", "epoch", "cycle", "ic", "val_acc"), trials=("key", "optimiser.lr", "seed", "status"),
)  # fmt: skip
over_seeds = _verb(
    _transitions.over_seeds, ("*by", *OVER_SEEDS),
    transitions=("*by", "status", "timesteps", "observed", "turned", "interpolated", *_transitions.MEASURES),
)  # fmt: skip
seed_means = _verb(
    _seed_means.seed_means, ("*by", "*within", "n", "*means"), rows=("key", "*within", "*columns"), trials=SEEDS
)
at_last_epoch = _verb(_seed_means.at_last_epoch, ("*rows",), rows=("epoch", "*by"))
counted_trials = _verb(_curves.counted_trials, ("key", "*by"), trials=SEEDS)
with_setting = _verb(
    _curves.with_setting, ("*epochs", "*by", "seed", "status"), epochs=("key", "epoch"), trials=(*SEEDS, "seed")
)
mean_curves = _verb(
    _curves.mean_curves, ("*by", "epoch", "n", "mean", "se", "low", "high"),
    epochs=("key", "epoch", "*column"), trials=SEEDS,
)  # fmt: skip

final_traces = _verb(_alpha.final_traces, ("*fisher",), fisher=("key", "epoch", "level"))
fisher_over_t = _verb(
    _alpha.fisher_over_t, ("*by", "epoch", "t", "n", "fisher_trace", "fisher_trace_low", "fisher_trace_high"),
    fisher=("key", "epoch", "level", "t", "fisher_trace"), trials=SEEDS,
)  # fmt: skip
with_depth = _verb(_layers.with_depth, ("*fisher", "depth"), fisher=("key", "epoch", "level", "part"))
part_centroids = _verb(_layers.part_centroids, ("key", "epoch", "level", "part", "depth", "ic"), fisher=FISHER)
first_training = _verb(
    _layers.first_training, ("*rows",), rows=("key", "epoch"), trials=("key", "optimiser.epochs")
)  # fmt: skip
layer_fisher = _verb(
    _layers.layer_fisher, ("*by", "epoch", "part", "depth", "t", "n", *means_of("share", "fisher_trace")),
    fisher=FISHER, trials=(*SEEDS, "optimiser.epochs"),
)  # fmt: skip
block_centroids = _verb(
    _layers.block_centroids, ("*by", "epoch", "part", "depth", "n", *means_of("ic")),
    fisher=FISHER, trials=(*SEEDS, "optimiser.epochs"),
)  # fmt: skip
shallow_and_deep = _verb(
    _layers.shallow_and_deep, ("key", "epoch", "blocks", "shallow", "deep", "difference"),
    fisher=FISHER, trials=("key", "optimiser.epochs"),
)  # fmt: skip

relative_accuracies = _verb(
    _deficits.relative_accuracies, ("key", "epoch", "first", "last", "accuracy", "clean_accuracy", "relative"),
    deficits=("key", "epoch", "first", "last", "acc", "clean_acc"),
)  # fmt: skip
deficit_curves = _verb(
    _deficits.deficit_curves,
    ("*by", "epoch", "first", "last", "n", *means_of("accuracy", "clean_accuracy", "relative")),
    deficits=("key", "epoch", "first", "last", "acc", "clean_acc"), trials=SEEDS,
)  # fmt: skip
horizon_curves = _verb(
    _horizons.horizon_curves, ("*by", "epoch", "t", "n", *means_of("accuracy")),
    horizons=("key", "epoch", "t", "val_acc"), trials=SEEDS,
)  # fmt: skip
needed_by_trial = _verb(
    _horizons.needed_by_trial, ("key", "epoch", "needed", "accuracy", "steps"),
    horizons=("key", "epoch", "t", "val_acc"),
)  # fmt: skip
needed_timesteps = _verb(
    _horizons.needed_timesteps, ("*by", "epoch", "n", *means_of("needed", "accuracy")),
    horizons=("key", "epoch", "t", "val_acc"), trials=SEEDS,
)  # fmt: skip
needed_around = _verb(
    _horizons.needed_around, ("*by", "phase", "n", *means_of("needed", "accuracy")),
    horizons=("key", "epoch", "t", "val_acc"), epochs=EPOCHS, trials=(*TRIALS, "*by"),
)  # fmt: skip
drops = _verb(_robustness.drops, ("*robustness", "accuracy", "clean_accuracy", "drop"), robustness=("acc", "clean_acc"))
strength_curves = _verb(
    _robustness.strength_curves,
    ("*by", "epoch", "corruption", "multiple", "strength", "images", "n", *means_of(*_robustness.MEASURES)),
    robustness=("key", "epoch", "corruption", "multiple", "strength", "images", "acc", "clean_acc"), trials=SEEDS,
)  # fmt: skip
robustness_table = _verb(
    _robustness.robustness_table,
    ("*settings", "epoch", "corruption", "multiple", "strength", "images", "n", *means_of(*_robustness.MEASURES)),
    robustness=("key", "epoch", "corruption", "multiple", "strength", "images", "acc", "clean_acc"),
    trials=("key", "status", "*config"),
)  # fmt: skip

retrainings = _verb(
    _pruning.retrainings,
    ("key", "status", "*pruning", "timesteps", "retrain_timesteps", "seed", "cycle", "last", *_pruning.ROWS,
     "predicted", "reference_acc", *_pruning.SAVINGS),
    pruning=PRUNING, trials=("key", "status", "device", "host", "*config"),
)  # fmt: skip
information_ends = _verb(
    _pruning.information_ends, ("*pruning", "timesteps", "suggested_timesteps"),
    pruning=PRUNING, trials=("key", "status", "device", "host", "*config"),
)  # fmt: skip
layer_sparsities = _verb(
    _pruning.layer_sparsities, ("*pruning", "timesteps", "retrain_timesteps", "cycle", "layer", "sparsity", "n"),
    pruning=PRUNING, sparsity=("key", "cycle", "layer", "sparsity"),
    trials=("key", "status", "device", "host", "*config"),
)  # fmt: skip
capacity_curves = _verb(
    _capacity.capacity_curves, ("*networks", "timesteps", "n", "test_acc", "test_acc_low", "test_acc_high"),
    trials=("key", "status", _variants.ACCURACY, "parameters", "*config"),
)  # fmt: skip
saturations = _verb(
    _capacity.saturations, ("*networks", "seed", "parameters", "saturation", "smallest", "largest"),
    trials=("key", "status", _variants.ACCURACY, "parameters", "*config"),
)  # fmt: skip
saturation = _verb(
    _capacity.saturation,
    ("*networks", "parameters", "n", "saturation", "saturation_low", "saturation_high", "n_largest"),
    trials=("key", "status", _variants.ACCURACY, "parameters", "*config"),
)  # fmt: skip

trial_measures = _verb(
    _settings.trial_measures,
    ("*by", "*field", "seed", "timesteps", _variants.ACCURACY, "turned", "depth", "ic_max", "ic_final", "horizon",
     "turn", "ic_rel_final"),
    epochs=EPOCHS, trials=(*TRIALS, "*by", "*field"),
)  # fmt: skip
paired_differences = _verb(
    _settings.paired_differences,
    ("*contexts", "*field", "n", "mean", "sd", "n_turned", "n_pairs", "difference", "low", "high"),
    epochs=EPOCHS, trials=(*TRIALS, "*field"),
)  # fmt: skip
accuracies = _verb(
    _variants.accuracies,
    ("*variants", "variant", _variants.LEARNING_RATE, "n", "mean", "sd", "n_pairs", "difference", "low", "high", "p",
     "verdict"),
    trials=("key", "status", "variant", "val_acc", "best_val_acc", _variants.ACCURACY, "*config"),
)  # fmt: skip
ic_by_variant = _verb(_variants.ic_by_variant, ("*images", "variant", *OVER_SEEDS), epochs=EPOCHS, trials=TRIALS)
dynamics_over_time = _verb(
    _variants.dynamics_over_time,
    ("*trained", "variant", "epoch", "layer", "t", "n", *_variants.MEASURES,
     *(f"{x}_sd" for x in _variants.MEASURES)),
    dynamics=("key", "epoch", "layer", "t", *_variants.MEASURES), trials=("key", "status", "variant", "*config"),
)  # fmt: skip

toy_rows = _verb(
    _toys.toy_rows,
    ("*toy_columns", "*toys", "variant", "seed"),
    toy=TOY,
    trials=("key", "status", "variant", "*config"),
)
problem_areas = _verb(
    _toys.problem_areas, ("*toys", "variant", "seed", "problem", "area"),
    toy=(*TOY, "solved"), trials=("key", "status", "variant", "*config"),
)  # fmt: skip
solved_shares = _verb(
    _toys.solved_shares, ("*toys", "variant", "lr", "n", "solved", "share", "low", "high"),
    toy=(*TOY, "solved"), trials=("key", "status", "variant", "*config"),
)  # fmt: skip
areas = _verb(
    _toys.areas,
    ("*toys", "variant", "n", "area", "low", "high", "n_pairs", "difference", "difference_low", "difference_high"),
    toy=(*TOY, "solved"), trials=("key", "status", "variant", "*config"),
)  # fmt: skip
losses = _verb(
    _toys.losses, ("*toys", "variant", "lr", "first", "low", "median", "high"),
    toy=(*TOY, "first_loss", "final_loss"), trials=("key", "status", "variant", "*config"),
)  # fmt: skip

delay_variants = _verb(
    _delays.delay_variants, ("key", "status", "*delay_setting", "seed"), trials=("key", "status", "*config")
)
delay_trials = _verb(
    _delays.delay_trials, ("key", "status", "*delay_setting", "seed", *_delays.PROTOCOLS.values()),
    sequences=("key", "test_acc"), trials=DELAYED,
)  # fmt: skip
delay_accuracies = _verb(
    _delays.delay_accuracies,
    ("protocol", "*delay_setting", "n", "test_acc", "test_acc_low", "test_acc_high", "shared"),
    sequences=("key", "test_acc"), trials=DELAYED,
)  # fmt: skip
paired_gains = _verb(
    _delays.paired_gains,
    ("protocol", "*delay_contexts", "effect", *_delays.VARIANT, _delays.SPARSITY, "seed", "gain"),
    sequences=("key", "test_acc"), trials=DELAYED,
)  # fmt: skip
delay_effects = _verb(
    _delays.delay_effects,
    ("protocol", "*delay_contexts", "effect", *_delays.VARIANT, _delays.SPARSITY, "n_pairs", "difference",
     "difference_low", "difference_high"),
    sequences=("key", "test_acc"), trials=DELAYED,
)  # fmt: skip
structure_crossovers = _verb(
    _crossovers.structure_crossovers,
    ("protocol", "*delay_contexts", *_delays.VARIANT, "n", "densest", "sparsest", "found", "crossover", "low", "high",
     "share", "share_throughout"),
    sequences=("key", "test_acc"), trials=DELAYED,
)  # fmt: skip
synapse_drifts = _verb(
    _rewiring.synapse_drifts, ("*delay_setting", "layer", "epoch", "n", *means_of(*_rewiring.DRIFTS)),
    delays=("key", "epoch", "layer", "possible", "active", *_rewiring.DRIFTS), trials=("key", "status", "*config"),
)  # fmt: skip
rounding_gaps = _verb(
    _rewiring.rounding_gaps, ("*delay_setting", "epoch", "n", *means_of("gap", "sigma")),
    sequences=("key", "epoch", "soft_val_acc", "sigma"), epochs=("key", "epoch", "val_acc"),
    trials=("key", "status", "*config"),
)  # fmt: skip
delay_costs = _verb(
    _rewiring.delay_costs,
    ("*delay_setting", "n", *(f"{x}{part}" for x in _rewiring.COSTS for part in ("", "_low", "_high")), "devices"),
    delays=("key", "epoch", "operations"), epochs=("key", "epoch", "train_seconds"),
    trials=("key", "status", "wall_seconds", "device", "host", "*config"),
)  # fmt: skip
field_values = _verb(
    _receptive_fields.field_values, ("key", "epoch", "layer", "neuron", "synapses", "i", *CHOICE),
    synapses=SYNAPSES, delays=SHAPES, trials=("key", "*config"),
)  # fmt: skip
field_structures = _verb(
    _receptive_fields.field_structures,
    ("key", "epoch", "layer", "neurons", "n_empty", "mean", "max", "best", "band_values", "band_grid",
     "band_untrained", "n_values", "n_grid", "n_untrained", "p_trained", *CHOICE, "permutations"),
    synapses=SYNAPSES, delays=SHAPES, trials=("key", "*config"),
)  # fmt: skip
field_gains = _verb(
    _field_gains.field_gains, ("*delay_setting", "layer", *CHOICE, "n", *means_of(*_field_gains.PHASES, "gain")),
    synapses=SYNAPSES, delays=SHAPES, trials=("key", "status", "*config"),
)  # fmt: skip
sign_grouping = _verb(
    _sign_grouping.sign_grouping,
    ("key", "epoch", "layer", "direction", "pairs", "same", "shuffled", "excess", "low", "high", "p", "reach",
     "permutations"),
    synapses=SYNAPSES,
)  # fmt: skip
grouping_gains = _verb(
    _field_gains.grouping_gains,
    ("*delay_setting", "layer", "direction", "reach", "n", *means_of(*_field_gains.PHASES, "gain")),
    synapses=SYNAPSES, trials=("key", "status", "*config"),
)  # fmt: skip

EXPANSIONS["toy_columns"] = lambda given: given["results"].toy.collect_schema().names()
VERBS: dict[str, Verb] = {name: verb for name, verb in list(globals().items()) if isinstance(verb, Verb)}
"""All of them by name, from trials' transitions to toy problems."""


def catalogue() -> pl.DataFrame:
    """Return one row per verb: verb, meaning, needs (inputs with their columns), gives (its columns), lazy."""
    return pl.DataFrame(
        [
            (name, verb.meaning, "; ".join(f"{source}: {', '.join(columns)}" for source, columns in verb.needs.items()),
             ", ".join(verb.gives), verb.is_lazy)
            for name, verb in VERBS.items()
        ],
        schema={"verb": pl.String, "meaning": pl.String, "needs": pl.String, "gives": pl.String, "lazy": pl.Boolean},
        orient="row",
    )  # fmt: skip
