"""Claims of the main paper (Kim et al. 2023) on when information moves forward in time."""

import polars as pl

from analysis.evidence import (
    early_shares,
    of_the_paper,
    over_settings,
    share_over_seeds,
    spread_evenly,
    too_few,
    well_trained,
)
from analysis.fields import label_of, text_of
from analysis.intervals import least
from analysis.results import Results
from analysis.settings import differences, trial_measures
from analysis.transitions import tic_transitions
from analysis.variants import LEARNING_RATE, ranked_rates
from analysis.verdicts import Claim, Evidence
from tic_sweep.transition import DROP

HALF = 0.75
"""Share of the information in the first half of the timesteps from which it is concentrated there: half of what an
even spread leaves in the second half is gone."""


def falls(results: Results) -> list[Evidence]:
    """Return how far IC has fallen from its maximum back to 1, at the best learning rate of each context."""
    return over_settings([fall_of(part, where) for where, part in well_trained(of_the_paper(results))])


def fall_of(part: Results, where: str) -> Evidence:
    """Return how far IC of one setting's trials has fallen from its maximum back to 1."""
    rows = tic_transitions(part.epochs, part.trials).drop_nulls("depth").collect()
    detail = (
        f"mean IC {rows['ic_max'].mean():.2f} at most and {rows['ic_final'].mean():.2f} at the end, of "
        f"T = {rows['timesteps'].max()}"
        if rows.height
        else ""
    )
    return share_over_seeds(rows["depth"].to_list(), where, detail)


def concentrates(results: Results) -> list[Evidence]:
    """Return the share of Σ I_t at t ≤ T/2 after the last epoch, at the best learning rate of each context."""
    half = pl.col("timesteps") / 2
    return over_settings([
        share_over_seeds(early_shares(part, half), where, spread_evenly(part, half))
        for where, part in well_trained(of_the_paper(results))
    ])


def best_rate_turns_first(results: Results) -> list[Evidence]:
    """Return by how many epochs the best learning rate turns before the other that comes closest, per context.

    A transition that has not come by the last epoch that all trials have reached, the horizon, counts as if it came
    there. The difference of these restricted epochs is a difference in epochs *within the horizon*, and defined
    without a guess about what comes later; it understates how much later a rate turns that has not turned yet.
    """
    paper = of_the_paper(results)
    return [
        _first(label_of(setting), part)
        for setting, part in paper.parts(paper.contexts(LEARNING_RATE))
        if part.trials.select(pl.col(LEARNING_RATE).n_unique()).collect().item() > 1
    ]


def _first(where: str, part: Results) -> Evidence:
    ranked = ranked_rates(part.trials)
    turns = trial_measures(part, LEARNING_RATE).drop_nulls("turn").collect()
    rates = [rate for rate in ranked[LEARNING_RATE].to_list() if rate in turns[LEARNING_RATE]]
    if len(rates) < 2:  # noqa: PLR2004
        return Evidence(interval=None, n=0, where=where, missing="IC is known at fewer than two learning rates")
    horizon = turns["horizon"][0]
    best, *others = rates
    later = {rate: differences(turns, LEARNING_RATE, rate, best, "turn") for rate in others}
    turned = dict(turns.group_by(LEARNING_RATE).agg(pl.col("turned").sum()).iter_rows())
    n = min(len(differences) for differences in later.values())
    if not turned[best]:
        missing = f"at the best rate, {text_of(best)}, no seed has turned by epoch {horizon}"
        return Evidence(interval=None, n=n, where=where, missing=missing)
    interval = least(list(later.values()))
    if interval is None:
        return Evidence(interval=None, n=n, where=where, missing=too_few(n, "paired seeds"))
    return Evidence(
        interval=interval, n=n, where=where, counted="paired seeds",
        detail=_told(ranked, best, {rate: sum(d) / len(d) for rate, d in later.items()}, turned, horizon),
    )  # fmt: skip


def _told(
    ranked: pl.DataFrame, best: float, later: dict[float, float], turned: dict[float, int], horizon: object
) -> str:
    accuracy = dict(ranked.select(LEARNING_RATE, "accuracy").iter_rows())
    closest = min(later, key=lambda rate: later[rate])
    rival = max(later, key=lambda rate: accuracy[rate])
    by_accuracy = f"{text_of(best)} ({accuracy[best]:.1%}; next {text_of(rival)}, {accuracy[rival]:.1%})"
    parts = [f"best by validation accuracy is {by_accuracy}, closest to turn {text_of(closest)}"]
    never = [text_of(rate) for rate in sorted(later) if not turned[rate]]
    if never:
        parts.append(f"no seed at {', '.join(never)} turned by epoch {horizon}, which counts as a turn there")
    diverged = [text_of(rate) for rate in sorted(accuracy) if rate not in later and rate != best]
    if diverged:
        parts.append(f"no seed finished at {', '.join(diverged)}")
    if best in {min(accuracy), max(accuracy)}:
        parts.append(f"no {'lower' if best == min(accuracy) else 'higher'} rate was run")
    return "; ".join(parts)


TIC_CLAIMS = (
    Claim(
        id="F1a",
        statement="Over training, IC falls at least half of the way from its maximum back to the first timestep.",
        reference="Kim et al. 2023, Fig. 1; half as in the definition of the transition",
        kind="difference",
        quantity="the share of the way that IC has fallen by the end",
        threshold=DROP,
        unit="",
        tables=("epochs", "fisher"),
        evidence=falls,
    ),
    Claim(
        id="F1b",
        statement="After training, at least three quarters of the information lie in the first half of the timesteps.",
        reference="Kim et al. 2023, Fig. 1; “first steps” read as the first half",
        kind="difference",
        quantity="the share of Σ I_t at t ≤ T/2 after the last epoch",
        threshold=HALF,
        unit="",
        tables=("epochs", "fisher"),
        evidence=concentrates,
    ),
    Claim(
        id="F4d",
        statement="The best learning rate turns first; lower and higher ones turn later.",
        reference="Kim et al. 2023, Fig. 4d",
        kind="difference",
        quantity="the lead of the best rate over the one that comes closest",
        threshold=0.0,
        unit="epochs",
        tables=("epochs", "fisher"),
        varied=(LEARNING_RATE,),
        evidence=best_rate_turns_first,
    ),
)
