"""One row per trial: its transition, taken from the stored summaries where they hold and from its epochs elsewhere.

A summary is computed once, when a trial has ended, and names the trial's row it was computed from. A trial that was
started again since has a newer row, so what is stored of it no longer holds; neither does what another version stored
by another definition of the transition.
"""

import polars as pl

from analysis.results import Results
from analysis.transitions import carried_columns, tic_transitions
from analysis.turning import TRANSITION
from tic_sweep.records import ENDED
from tic_sweep.transition import CONFIRM, DROP, PLATEAU

DEFINITION = f"median of 3, drop {DROP:g}, plateau {PLATEAU:g}, confirm {CONFIRM}"
"""What `tic_sweep.transition` says, in short; a summary by another definition does not hold."""
STAMP = ("session", "seq")


def per_trial(results: Results) -> pl.LazyFrame:
    """Return one row per trial with its transition: the frame of `tic_transitions`, from the summaries where they hold.

    Of a finished sweep whose folder is tidied no epoch is read. A summary is of the trial as it is stored: where epochs
    were filtered, use `tic_transitions`.
    """
    fields = list(TRANSITION.to_schema())
    columns = carried_columns(results.trials, among=results.varied)
    trials, stored = pl.collect_all([
        results.trials.select(*columns, *STAMP),
        results.summaries.select("key", "trial_session", "trial_seq", "definition", *fields),
    ])
    known = _side_by_side(trials, stored).with_columns(held=_holds())
    missing = known.filter(~pl.col("held")).select("key")
    if not missing.is_empty():
        known = known.with_columns(pl.when("held").then(name).alias(name) for name in fields)
    return _filled(known, missing, results).select(*trials.drop(STAMP).columns, *fields).lazy()


def unsummarised(results: Results) -> pl.DataFrame:
    """Return the summaries of the trials that have ended and have none that holds, ready to be stored.

    Columns: those of `tic_sweep.records.SummaryRow`.
    """
    ended = results.trials.filter(pl.col("status").is_in(ENDED))
    todo = ended.join(_holding(results).select("key"), on="key", how="anti").select("key").collect()
    if todo.is_empty():
        return pl.DataFrame()
    part = ended.join(todo.lazy(), on="key", how="semi")
    stamps = part.select("key", trial_session="session", trial_seq="seq")
    relative = (pl.col("ic_final") - 1) / (pl.col("timesteps") - 1)
    found = tic_transitions(results.epochs.join(todo.lazy(), on="key", how="semi"), part)
    return (
        found
        .join(stamps, on="key", how="inner", maintain_order="left")
        .with_columns(definition=pl.lit(DEFINITION), ic_rel_final=pl.when(pl.col("timesteps") > 1).then(relative))
        .select("key", "trial_session", "trial_seq", "definition", *TRANSITION.to_schema(), "ic_rel_final")
        .collect()
    )


def _holds() -> pl.Expr:
    same_row = (pl.col("trial_session") == pl.col("session")) & (pl.col("trial_seq") == pl.col("seq"))
    return ((pl.col("definition") == DEFINITION) & same_row).fill_null(value=False)


def _side_by_side(trials: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Return the trials with what is stored of each; of tidied results both have one order, and nothing is searched."""
    if trials.height == stored.height and (trials["key"] == stored["key"]).all():
        return trials.hstack(stored.drop("key"))
    return trials.join(stored, on="key", how="left", maintain_order="left")


def _holding(results: Results) -> pl.LazyFrame:
    """Return the stored summaries that were computed by today's definition from the trial's newest row."""
    own = results.summaries.filter(pl.col("definition") == DEFINITION).drop(*STAMP)
    stamps = results.trials.select("key", *STAMP)
    return own.join(stamps, left_on=("key", "trial_session", "trial_seq"), right_on=("key", *STAMP), how="semi")


def _filled(known: pl.DataFrame, missing: pl.DataFrame, results: Results) -> pl.DataFrame:
    """Return the rows with the transitions that no summary holds computed from the epochs."""
    if missing.is_empty():
        return known
    lacking = missing.lazy()
    epochs = results.epochs.join(lacking, on="key", how="semi")
    trials = results.trials.join(lacking, on="key", how="semi")
    fresh = tic_transitions(epochs, trials).select("key", *TRANSITION.to_schema()).collect()
    return known.update(fresh, on="key", how="left")
