"""A claim, the evidence for it, and the verdict: what a paper says, as something that results can refute.

A claim is about one number, computed from results with an interval, and is set against a threshold that was chosen
before those results were there:

- ``difference`` and ``measured``: PASS if the interval lies above the threshold, FAIL if it lies below.
- ``equivalence``: PASS if the 90 % interval lies within ± the threshold (TOST at 5 %), FAIL if it lies outside.

Whatever else comes out is UNDECIDED, and so is what has too few seeds for an interval: neither is a weak PASS.
A claim with several settings has a verdict in each.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from analysis.intervals import Interval
from analysis.results import Results

Kind: TypeAlias = Literal["difference", "equivalence", "measured"]
Ruling: TypeAlias = Literal["PASS", "FAIL", "UNDECIDED"]
"""In the order in which verdicts sort."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What results say of a claim in one setting."""

    interval: Interval | None
    """The claim's number with its interval; None where there is too little to compute one."""
    n: int
    """Independent observations behind it."""
    where: str = ""
    """The setting in words; empty if there is one only."""
    counted: str = "seeds"
    """What n counts."""
    detail: str = ""
    """What a reader should know besides, as a clause."""
    missing: str = ""
    """Why there is no interval, as a clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement that results can settle."""

    id: str
    statement: str
    reference: str
    """Where it is made."""
    kind: Kind
    quantity: str
    """The number it is about, in words that a sentence can begin with."""
    threshold: float
    """What the number is set against; the margin, of an equivalence."""
    unit: str
    tables: tuple[str, ...]
    """Tables without which it cannot be settled."""
    varied: tuple[str, ...] = ()
    """Fields of the config in which the trials must differ."""
    evidence: Callable[[Results], Sequence[Evidence]]
    """Returns what results say, one piece per setting; none if the results are about something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a claim fares in one setting."""

    claim: Claim
    evidence: Evidence
    ruling: Ruling
    explanation: str


def judge(claim: Claim, evidence: Evidence) -> Verdict:
    """Set the evidence against the claim's threshold."""
    interval = evidence.interval
    if interval is None:
        return Verdict(claim=claim, evidence=evidence, ruling="UNDECIDED", explanation=_sentence(evidence.missing))
    ruling = _ruling(claim, interval)
    bar = _in_units(f"{claim.threshold:g}", claim.unit)
    interval_text = f"{100 * interval.confidence:.0f} % interval {ends_of(interval)}"
    told = (
        f"{claim.quantity} is {value_of(interval, claim.unit)} ({interval_text}, {evidence.n} {evidence.counted}): "
        f"{_REASONS[claim.kind == 'equivalence', ruling].format(bar)}"
    )
    return Verdict(
        claim=claim,
        evidence=evidence,
        ruling=ruling,
        explanation=_sentence("; ".join(filter(None, (told, evidence.detail)))),
    )


def threshold_of(claim: Claim) -> str:
    """Return what the claim demands: ``> 0.2 decades``, or ``within ± 0.5 points``."""
    return f"{'within ±' if claim.kind == 'equivalence' else '>'} {_in_units(f'{claim.threshold:g}', claim.unit)}"


def value_of(interval: Interval, unit: str) -> str:
    """Return an estimate with its unit, to as many digits as its interval warrants."""
    return _in_units(_number(interval.value, _digits(interval)), unit)


def ends_of(interval: Interval) -> str:
    """Return an interval's ends, to as many digits as it warrants: ``−0.25 to 0.45``."""
    return f"{_number(interval.low, _digits(interval))} to {_number(interval.high, _digits(interval))}"


def _digits(interval: Interval) -> int:
    """Return the decimals that show an interval's width to two digits, one to four of them."""
    width = interval.high - interval.low
    return min(max(1 - math.floor(math.log10(width)), 1), 4) if width else 2


def _number(value: float, digits: int) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def _in_units(text: str, unit: str) -> str:
    return f"{text} {unit}".strip()


_REASONS: dict[tuple[bool, Ruling], str] = {
    (False, "PASS"): "all of it above {}",
    (False, "FAIL"): "all of it below {}",
    (False, "UNDECIDED"): "it holds values on both sides of {}",
    (True, "PASS"): "all of it within ± {}",
    (True, "FAIL"): "all of it outside ± {}",
    (True, "UNDECIDED"): "neither all of it within ± {} nor all outside",
}


def _ruling(claim: Claim, interval: Interval) -> Ruling:
    low, high, bar = interval.low, interval.high, claim.threshold
    if claim.kind == "equivalence":
        within, outside = -bar < low and high < bar, low > bar or high < -bar
    else:
        within, outside = low > bar, high < bar
    return "PASS" if within else "FAIL" if outside else "UNDECIDED"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
