"""The papers' claims, checked against results: `check_claims` gives each its verdict.

What a claim and a verdict are is in `analysis.verdicts`; to add a claim, declare it in a module of its own study and
list it in `CLAIMS`.
"""

from collections.abc import Sequence

import polars as pl

from analysis.claims_capacity import CAPACITY_CLAIMS
from analysis.claims_delays import DELAY_CLAIMS
from analysis.claims_pruning import PRUNING_CLAIMS
from analysis.claims_reset import RESET_CLAIMS
from analysis.claims_robustness import ROBUSTNESS_CLAIMS
from analysis.claims_settings import SETTINGS_CLAIMS
from analysis.claims_tic import TIC_CLAIMS
from analysis.results import Results, once
from analysis.verdicts import Claim, Evidence, Verdict, judge, threshold_of

__all__ = ["CLAIMS", "Claim", "Evidence", "Verdict", "check_claims"]

CLAIMS: tuple[Claim, ...] = (
    *TIC_CLAIMS,
    *SETTINGS_CLAIMS,
    *ROBUSTNESS_CLAIMS,
    *PRUNING_CLAIMS,
    *CAPACITY_CLAIMS,
    *RESET_CLAIMS,
    *DELAY_CLAIMS,
)
COLUMNS = pl.Schema({
    "claim": pl.String, "where": pl.String, "verdict": pl.String, "statistic": pl.Float64, "low": pl.Float64,
    "high": pl.Float64, "confidence": pl.Float64, "threshold": pl.Float64, "demand": pl.String, "unit": pl.String,
    "n": pl.Int64, "counted": pl.String, "kind": pl.String, "statement": pl.String, "reference": pl.String,
    "explanation": pl.String,
})  # fmt: skip


@once
def check_claims(results: Results, claims: Sequence[Claim] = CLAIMS) -> pl.DataFrame:
    """Return the verdicts on the claims that these results are about, one row per claim and setting.

    Columns: claim (its id), where (the setting, empty if there is one), verdict (PASS, FAIL or UNDECIDED), statistic,
    low, high (null where there is too little for an interval), confidence, threshold, demand (the threshold in
    words), unit, n, counted (what n counts), kind, statement, reference, explanation (one sentence).
    """
    verdicts = [
        judge(claim, evidence) for claim in claims if _settles(results, claim) for evidence in claim.evidence(results)
    ]
    return pl.DataFrame([_row(verdict) for verdict in verdicts], schema=COLUMNS)


def _settles(results: Results, claim: Claim) -> bool:
    """Tell whether the results have the tables a claim needs, and trials that differ in what it is about."""
    return set(claim.varied) <= set(results.varied) and all(
        getattr(results, table).head(1).collect().height for table in claim.tables
    )


def _row(verdict: Verdict) -> dict[str, object]:
    claim, evidence = verdict.claim, verdict.evidence
    statistic, low, high, confidence = evidence.interval or (None,) * 4
    return {
        "claim": claim.id, "where": evidence.where, "verdict": verdict.ruling, "statistic": statistic, "low": low,
        "high": high, "confidence": confidence, "threshold": claim.threshold, "demand": threshold_of(claim),
        "unit": claim.unit, "n": evidence.n, "counted": evidence.counted, "kind": claim.kind,
        "statement": claim.statement, "reference": claim.reference, "explanation": verdict.explanation,
    }  # fmt: skip
