"""Claims of the main paper (Kim et al. 2023) on noise in time, on α (Fig. 5) and on robustness (Table 1).

Values of α are compared seed by seed among the finished trials of a context; trials that train with cross-entropy have
no α and take no part. A trial that diverged has no pair; how many did is told beside the verdict.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import polars as pl

from analysis.alpha import ALPHA, alpha_contexts, alpha_trials, alphas_of, final_traces
from analysis.claims_deficits import DEFICIT_CLAIMS, mean_evidence
from analysis.evidence import over_settings
from analysis.fields import label_of, text_of
from analysis.results import Results
from analysis.robustness import CORRUPTIONS, drops
from analysis.seed_means import at_last_epoch
from analysis.variants import REFERENCE, trained
from analysis.verdicts import Claim, Evidence

Measure: TypeAlias = Callable[[Results], pl.LazyFrame]
"""A number per trial: results to rows (key, value)."""
SETTLED = 0.3
"""Decades within which a loss has settled near α: a factor of two."""
SAME = 1.0
"""Points within which accuracies are similar (Kim et al. 2023: "similar accuracy across all datasets"); theirs differ
by 0.5 at most."""


def more_information(results: Results, *, late: bool = False) -> list[Evidence]:
    """Return log10 of Σ I_t after training at the highest α over that at the lowest, per context; t > T/2 if late."""
    return _compared(results, partial(_information, late=late), ends=True)


def settles_near_alpha(results: Results) -> list[Evidence]:
    """Return log10 of the training loss over α after the last epoch, per context and α.

    Where a trial diverged there is no number: a loss that ran away has not settled, however the others fared.
    """
    found = []
    for setting, part in _parts(results):
        for alpha in alphas_of(part):
            own = part.where(pl.col(ALPHA) == alpha)
            values = _by_seed(own, partial(_log_loss, alpha=alpha)) if alpha > 0 else {}
            gone, n = _diverged(own), own.trials.select(pl.len()).collect().item()
            missing = f"{gone} of {n} trials diverged: their loss settled nowhere" if gone else ""
            mean = f"{10 ** (sum(values.values()) / len(values)):.2g} times α" if values else ""
            where = label_of(setting | {ALPHA: alpha})
            found.append(mean_evidence(list(values.values()), where, margin=SETTLED, detail=mean, missing=missing))
    return over_settings(found)


def same_accuracy(results: Results) -> list[Evidence]:
    """Return by how many points test accuracy at each higher α exceeds that at the lowest, per context."""
    return _compared(results, _test_accuracy, margin=SAME)


def falls_with_alpha(results: Results) -> list[Evidence]:
    """Return how many points more each corruption costs at the highest α than at the lowest, per context."""
    return [
        evidence
        for corruption, words in CORRUPTIONS.items()
        for evidence in _compared(results, partial(_cost, corruption=corruption), ends=True, suffix=words)
    ]


def _information(results: Results, *, late: bool) -> pl.LazyFrame:
    steps = 2 * pl.col("t") > pl.col("t").max().over("key") if late else pl.lit(True)
    return final_traces(results.fisher).filter(steps).group_by("key").agg(value=pl.col("fisher_trace").sum().log10())


def _log_loss(results: Results, *, alpha: float) -> pl.LazyFrame:
    known = results.epochs.drop_nulls("train_loss_over_t").pipe(at_last_epoch, ["key"])
    return known.select("key", value=(pl.col("train_loss_over_t") / alpha).log10())


def _test_accuracy(results: Results) -> pl.LazyFrame:
    return results.trials.select("key", value=100 * pl.col("test_acc"))


def _cost(results: Results, *, corruption: str) -> pl.LazyFrame:
    rows = drops(results.robustness).pipe(at_last_epoch, ["key"])
    return rows.filter(pl.col("corruption") == corruption, pl.col("multiple") == 1).select("key", value=-pl.col("drop"))


def _parts(results: Results) -> list[tuple[dict[str, object], Results]]:
    """Return the contexts with the trials whose α are compared, those that have not finished included."""
    part = alpha_trials(results).where(pl.col("variant") == REFERENCE)
    return list(part.parts(alpha_contexts(part)))


def _compared(
    results: Results, measure: Measure, *, ends: bool = False, margin: float | None = None, suffix: str = ""
) -> list[Evidence]:
    """Return a measure's differences between higher α and the lowest, pair by pair; at its ends, the highest only."""
    found = []
    for setting, part in _parts(results):
        lowest, *others = alphas_of(part)
        for alpha in others[-1:] if ends else others:
            pair = [part.where(pl.col(ALPHA) == value) for value in (lowest, alpha)]
            low, high = (_by_seed(one, measure) for one in pair)
            seeds = sorted(low.keys() & high.keys())
            where = f"{label_of(setting | {ALPHA: alpha})} against {text_of(lowest)}"
            gone = _diverged(part.where(pl.col(ALPHA).is_in([lowest, alpha])))
            detail = f"{gone} trial{'s' * (gone != 1)} diverged" if gone else ""
            found.append(
                mean_evidence(
                    [high[seed] - low[seed] for seed in seeds],
                    f"{where}, {suffix}" if suffix else where,
                    counted="paired seeds", margin=margin, detail=detail,
                    missing=_untouched(pair, seeds),
                )
            )  # fmt: skip
    return over_settings(found)


def _by_seed(results: Results, measure: Measure) -> dict[int, float]:
    """Return a measure of the finished trials by seed, as far as it is finite."""
    done = trained(results)
    rows = measure(done).join(done.trials.select("key", "seed"), on="key").filter(pl.col("value").is_finite())
    return dict(rows.group_by("seed").agg(pl.col("value").mean()).sort("seed").collect().iter_rows())


def _untouched(pair: Sequence[Results], seeds: Sequence[int]) -> str:
    """Say on how many seeds the training loss was the same in all epochs, digit by digit; nothing if on none.

    As long as every batch's loss stays above both α, the gradient of Eq. 10 knows neither: the two are one training,
    and that they end alike is no evidence on what α does.
    """
    loss = "train_loss_over_t"
    curves = [
        dict(
            trained(results).epochs.drop_nulls(loss).join(results.trials.select("key", "seed"), on="key")
            .sort("epoch").group_by("seed").agg(loss).collect().iter_rows()
        )
        for results in pair
    ]  # fmt: skip
    same = [seed for seed in seeds if seed in curves[0] and curves[0][seed] == curves[1].get(seed)]
    if not same:
        return ""
    return (
        f"on {len(same)} of {len(seeds)} seeds training was the same at both α, digit by digit: the loss has not come "
        "down to them, and there is nothing to compare"
    )


def _diverged(results: Results) -> int:
    return results.trials.select((pl.col("status") == "diverged").sum()).collect().item()


ROBUSTNESS_CLAIMS = (
    *DEFICIT_CLAIMS,
    Claim(
        id="F5a",
        statement="A larger α leaves more Fisher information.",
        reference="Kim et al. 2023, Fig. 5a",
        kind="difference",
        quantity="log10 of Σ I_t after training, highest α over lowest,",
        threshold=0.0,
        unit="decades",
        tables=("fisher",),
        varied=(ALPHA,),
        evidence=more_information,
    ),
    Claim(
        id="F5b",
        statement="A larger α leaves more Fisher information at late timesteps too.",
        reference="Kim et al. 2023, Fig. 5a; “late” read as t > T/2",
        kind="difference",
        quantity="log10 of Σ I_t over t > T/2 after training, highest α over lowest,",
        threshold=0.0,
        unit="decades",
        tables=("fisher",),
        varied=(ALPHA,),
        evidence=partial(more_information, late=True),
    ),
    Claim(
        id="F5c",
        statement="Training is stable: the loss settles near α.",
        reference="Kim et al. 2023, Fig. 5b; “near” read as within a factor of two",
        kind="equivalence",
        quantity="log10 of the training loss after the last epoch over α",
        threshold=SETTLED,
        unit="decades",
        tables=("epochs",),
        varied=(ALPHA,),
        evidence=settles_near_alpha,
    ),
    Claim(
        id="T1a",
        statement="The test accuracy is the same over α.",
        reference="Kim et al. 2023, Table 1",
        kind="equivalence",
        quantity="the difference in test accuracy, higher α minus lowest,",
        threshold=SAME,
        unit="points",
        tables=("trials",),
        varied=(ALPHA,),
        evidence=same_accuracy,
    ),
    Claim(
        id="T1b",
        statement="Robustness falls as α grows.",
        reference="Kim et al. 2023, Table 1",
        kind="difference",
        quantity="the accuracy that the corruption costs, highest α minus lowest,",
        threshold=0.0,
        unit="points",
        tables=("robustness",),
        varied=(ALPHA,),
        evidence=falls_with_alpha,
    ),
)
