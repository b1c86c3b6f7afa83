"""Intervals and tests that verdicts rest on, by SciPy; each takes plain numbers and says when they are too few.

Paired comparisons hand in the differences of the pairs, so that what a pair shares (a problem, a seed) drops out.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

CONFIDENCE = 0.95
RESAMPLES = 9999
FEW = 10
"""Values below which a bootstrap would pretend to more than it knows."""
DIGITS = 12
"""Decimals kept of a difference: fractions that are equal on paper are then equal here."""


class Interval(NamedTuple):
    """An estimate and the interval of some confidence around it."""

    value: float
    low: float
    high: float
    confidence: float = CONFIDENCE


class Equivalence(NamedTuple):
    """Two one-sided t tests against ± margin: the 90 % interval, and the p-value of either side."""

    interval: Interval
    p_above: float
    """Against the true mean lying at or below -margin."""
    p_below: float
    """Against the true mean lying at or above +margin."""

    @property
    def p(self) -> float:
        """The test's p-value: equivalence needs both sides."""
        return max(self.p_above, self.p_below)

    def verdict(self, margin: float) -> str:
        """Return ``equivalent`` if the interval lies within ± margin, ``different`` if outside, else ``undecided``."""
        if -margin < self.interval.low and self.interval.high < margin:
            return "equivalent"
        return "different" if self.interval.low > margin or self.interval.high < -margin else "undecided"


def wilson(successes: int, trials: int) -> Interval | None:
    """Return the share of successes with its 95 % Wilson interval; None of no trials."""
    from scipy.stats import binomtest

    if trials == 0:
        return None
    found = binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(successes / trials, float(found.low), float(found.high))


def student(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval | None:
    """Return the mean with its Student-t interval; None below two values, a point where all are equal."""
    rounded = [round(value, DIGITS) for value in values]
    n = len(rounded)
    if n < 2:  # noqa: PLR2004
        return None
    mean = math.fsum(rounded) / n
    if len(set(rounded)) == 1:
        return Interval(mean, mean, mean, confidence)
    variance = math.fsum((value - mean) ** 2 for value in rounded) / (n - 1)
    margin = student_reach(n - 1, confidence) * math.sqrt(variance / n)
    return Interval(mean, mean - margin, mean + margin, confidence)


def student_reach(freedom: int, confidence: float = CONFIDENCE) -> float:
    """Return how many standard errors a Student-t interval reaches to either side; NaN without degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2)) if freedom > 0 else math.nan


def equivalence(differences: Sequence[float], margin: float) -> Equivalence | None:
    """Test whether the mean difference of pairs lies within ± margin (TOST, Schuirmann 1987); None below two pairs.

    Both p-values are below 0.05 exactly if the 90 % interval lies within ± margin. Differences that are all equal
    leave no doubt about their mean, and p-values of 0 or 1.
    """
    from scipy.stats import ttest_1samp

    interval = student(differences, 0.90)
    if interval is None:
        return None
    if interval.low == interval.high:
        return Equivalence(interval, float(interval.value <= -margin), float(interval.value >= margin))
    rounded = [round(value, DIGITS) for value in differences]
    above: Any = ttest_1samp(rounded, -margin, alternative="greater")
    below: Any = ttest_1samp(rounded, margin, alternative="less")
    return Equivalence(interval, float(above.pvalue), float(below.pvalue))


def bootstrap(values: Sequence[float]) -> Interval | None:
    """Return the mean with its 95 % percentile-bootstrap interval, the same at every call; None below `FEW` values."""
    import numpy as np
    from scipy.stats import bootstrap as resampled

    if len(values) < FEW:
        return None
    found = resampled(
        (np.asarray(values, dtype=float),), np.mean, n_resamples=RESAMPLES, confidence_level=CONFIDENCE,
        method="percentile", rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    return Interval(float(np.mean(values)), float(found.low), float(found.high))


def geometric(ratios: Sequence[float]) -> Interval | None:
    """Return the geometric mean of ratios with its 95 % interval, Student's t of their logarithms; None below two."""
    found = student([math.log(ratio) for ratio in ratios])
    return None if found is None else Interval(*(math.exp(part) for part in found[:3]))


def least(samples: Sequence[Sequence[float]]) -> Interval | None:
    """Return the smallest of several means with a 95 % interval; None if a sample has below two values.

    The lower end is the smallest of the samples' own lower ends: all means lie above a threshold if each does (an
    intersection-union test, which needs no correction). The upper end is the smallest upper end after Bonferroni's
    correction, since among many samples one may lie low by chance.
    """
    ends = [student(sample) for sample in samples]
    corrected = [student(sample, 1 - (1 - CONFIDENCE) / len(samples)) for sample in samples]
    known = [(end, wide) for end, wide in zip(ends, corrected, strict=True) if end is not None and wide is not None]
    if not known or len(known) < len(samples):
        return None
    return Interval(
        min(end.value for end, _ in known), min(end.low for end, _ in known), min(wide.high for _, wide in known)
    )
