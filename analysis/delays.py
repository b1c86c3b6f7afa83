"""Learnt delays and learnt structure (Mészáros et al. 2024, Fig. 3): accuracies, and what each of the two adds.

A *variant* says what delays are and what structure is: ``fixed``, as it was drawn, or ``learnt``. Where trials differ
in how it is learnt, a name says so instead: structure the rule that rewires (``deepr``, and how it regrows, if several
ways were tried), delays what their learning differs in. At sparsity 0 there is nothing to rewire, and the trials of
fixed structure stand for learnt structure too.

Accuracies are on test sequences, under three protocols that are never mixed:

    best validation    of the weights after the epoch that was best on validation sequences
    last               of the weights after the last epoch
    published          the best over all epochs: as published, and optimistic, since it chooses on the test set

Finished trials only. Pairs are trials of the same context, sparsity and seed, which share data and first weights.
"""

from collections.abc import Sequence

import polars as pl

from analysis.fields import determining, label_of, text_of
from analysis.intervals import student
from analysis.results import Results
from analysis.seed_means import as_fractions, seed_means
from tic_sweep.config.delays import OF_LEARNT_DELAYS, READ_BY_RULE

LEARN, RULE, SPARSITY, BUDGET = "delays.learn", "delays.rule", "delays.sparsity", "delays.budget"
OF_DELAYS = tuple(f"delays.{name}" for name in OF_LEARNT_DELAYS)
"""Fields that say how delays are learnt; they are at their defaults where delays are fixed."""
OF_STRUCTURE = (RULE, "delays.regrow", *dict.fromkeys(f"delays.{x}" for names in READ_BY_RULE.values() for x in names))
"""Fields that say how structure is learnt; but for the rule they are at their defaults where it is fixed."""
VARIANT = ("delays", "structure")
FIXED, LEARNT = "fixed", "learnt"
PROTOCOLS = {"best validation": "best_test_acc", "last": "test_acc", "published": "published"}
"""Columns of `delay_trials` by protocol."""
FIRST = "best validation"
"""The protocol that claims are settled by: it never looks at test sequences."""


def delayed(results: Results) -> Results:
    """Return the finished trials of the task ``sequences``."""
    return results.where((pl.col("task") == "sequences") & (pl.col("status") == "finished"))


def delay_contexts(results: Results) -> tuple[str, ...]:
    """Return the columns within whose settings variants and sparsities are compared.

    The budget of synapses is one where sparse trials differ in it; dense ones have none to choose.
    """
    part = delayed(results)
    budgets = part.trials.filter(pl.col(SPARSITY) > 0).select(pl.col(BUDGET).n_unique()).collect().item()
    return part.contexts(LEARN, SPARSITY, *OF_DELAYS, *OF_STRUCTURE, *[BUDGET] * (budgets < 2))  # noqa: PLR2004


def delay_setting(results: Results) -> list[str]:
    """Return the columns that tell a variant at a sparsity in its context."""
    return [*delay_contexts(results), *VARIANT, SPARSITY]


def delay_variants(results: Results) -> pl.LazyFrame:
    """Return one row per trial: key, status, those of `delay_contexts`, delays, structure, delays.sparsity, seed."""
    trials = delayed(results).trials
    named = {"delays": (pl.col(LEARN), OF_DELAYS), "structure": (pl.col(RULE) != "static", OF_STRUCTURE)}
    return trials.with_columns(
        pl.when(learnt).then(_names(trials.filter(learnt), fields)).otherwise(pl.lit(FIXED)).alias(name)
        for name, (learnt, fields) in named.items()
    ).select("key", "status", *delay_setting(results), "seed")


def delay_trials(results: Results) -> pl.LazyFrame:
    """Return one row per trial with its variant and its test accuracy under each protocol.

    Columns: those of `delay_variants`; best_test_acc (best validation), test_acc (last), published (best over the
    epochs).
    """
    part, by = delayed(results), delay_setting(results)
    best = part.sequences.group_by("key").agg(published=pl.col("test_acc").max())
    accuracies = part.trials.select("key", "best_test_acc", "test_acc")
    return (
        delay_variants(results)
        .join(accuracies, on="key")
        .join(best, on="key", how="left")
        .select("key", "status", *by, "seed", *PROTOCOLS.values())
        .sort(*by, "seed")
    )


def delay_accuracies(results: Results) -> pl.DataFrame:
    """Return test accuracy by protocol, variant and sparsity: mean over seeds, with its 95 % interval.

    Columns: protocol, those of `delay_contexts`, delays, structure, delays.sparsity, n, test_acc, test_acc_low,
    test_acc_high (null for a single seed), shared: whether these are the trials of fixed structure, which at sparsity 0
    stand for learnt structure too.
    """
    trials, by = delay_trials(results), delay_setting(results)
    found = (
        pl
        .concat(
            seed_means(trials.select("key", test_acc=column), trials.select("key", "status", *by), by, (), ["test_acc"])
            .pipe(as_fractions, "test_acc")
            .select(pl.lit(protocol).alias("protocol"), *by, "n", "test_acc", "test_acc_low", "test_acc_high")
            for protocol, column in PROTOCOLS.items()
        )
        .with_columns(shared=False)
        .collect()
    )
    own, where = pl.col("structure") == FIXED, ["protocol", *delay_contexts(results)]
    rules = found.filter(~own).select(*where, "structure").unique()
    dense = found.filter(own, pl.col(SPARSITY) == 0).with_columns(shared=True).drop("structure")
    stand = dense.join(rules, on=where, nulls_equal=True).select(found.columns)
    order = pl.col("protocol").replace_strict({name: i for i, name in enumerate(PROTOCOLS)}, return_dtype=pl.Int64)
    return pl.concat([found, stand]).sort(order, *by)


def paired_gains(results: Results) -> pl.DataFrame:
    """Return, seed by seed, what learning the structure and what learning the delays adds to the accuracy, in points.

    Columns: protocol, those of `delay_contexts`, effect, delays, structure, delays.sparsity, seed, gain. The effect
    ``structure`` is the ``structure`` named less the fixed one, with ``delays`` as they are named; the effect
    ``delays`` is the ``delays`` named less fixed ones, in the ``structure`` named. At sparsity 0 no structure is learnt
    and it has no effect.
    """
    context = delay_contexts(results)
    named = {column: protocol for protocol, column in PROTOCOLS.items()}
    trials = (
        delay_trials(results)
        .unpivot(list(named), index=[*context, *VARIANT, SPARSITY, "seed"], variable_name="column", value_name="acc")
        .drop_nulls("acc")
        .with_columns(protocol=pl.col("column").replace_strict(named))
    )
    columns = ["protocol", *context, "effect", *VARIANT, SPARSITY, "seed", "gain"]

    def gains(effect: str, held: str) -> pl.LazyFrame:
        fixed = pl.col(effect) == FIXED
        pairs = ["protocol", *context, held, SPARSITY, "seed"]
        return (
            trials
            .filter(~fixed)
            .join(trials.filter(fixed).select(*pairs, reference="acc"), on=pairs, nulls_equal=True)
            .with_columns(effect=pl.lit(effect), gain=100 * (pl.col("acc") - pl.col("reference")))
            .select(columns)
        )

    return pl.concat([gains("structure", "delays"), gains("delays", "structure")]).sort(columns[:-1]).collect()


def delay_effects(results: Results) -> pl.DataFrame:
    """Return what learning structure and learning delays add at each sparsity, in points, over pairs of seeds.

    Columns: those of `paired_gains` up to delays.sparsity, n_pairs, difference and its 95 % Student-t interval
    difference_low .. difference_high, null below two pairs.
    """
    gains = paired_gains(results)
    by = gains.columns[:-2]
    grouped = gains.group_by(by, maintain_order=True).agg(pl.col("gain"))
    ends = [student(values) for values in grouped["gain"]]
    return grouped.select(
        *by,
        pl.col("gain").list.len().cast(pl.Int64).alias("n_pairs"),
        pl.col("gain").list.mean().alias("difference"),
        *(
            pl.Series(f"difference_{name}", [end and getattr(end, name) for end in ends], dtype=pl.Float64)
            for name in ("low", "high")
        ),
    )


def variant_text(delays: str, structure: str) -> str:
    """Return a variant in words: ``delays learnt, structure fixed``."""
    return f"delays {delays}, structure {structure}"


def _names(trials: pl.LazyFrame, fields: Sequence[str]) -> pl.Expr:
    """Return what trials of something learnt are called: by the fields that they differ in, ``learnt`` without any."""
    paths = determining(trials, list(fields))
    settings = trials.select(paths).unique().collect().to_dicts() if paths else []
    expression: pl.Expr = pl.lit(LEARNT)
    for setting in settings:
        rule = [text_of(setting[RULE])] if RULE in setting else []
        others = {path: value for path, value in setting.items() if path != RULE}
        name = ", ".join([*rule, *([label_of(others)] if others else [])])
        own = pl.all_horizontal(pl.col(path).eq_missing(value) for path, value in setting.items())
        expression = pl.when(own).then(pl.lit(name)).otherwise(expression)
    return expression
