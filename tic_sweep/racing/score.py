"""`tic_score`: how early a trial turned, as one number for a search to minimise, censored trials included."""

from tic_sweep.racing.detector import Sighting
from tic_sweep.transition import DROP

_RISE = 0.75
"""w, chosen on digits: before anything falls the plateau alone tells trials apart, near the level the fall does."""


def tic_score(sighting: Sighting, horizon: float) -> float:
    """Return the epoch of the transition, or a number beyond the horizon if there is none yet; lower is better.

    With E the horizon, a trial that has turned scores the epoch at which it did, in (0, E]. One that has not scores

        E·(2 - (1 - w)·d - w·p)

    with d the share of the way down to the level that it has gone and p = (P - 1) / (T - 1) the height of its plateau,
    both in [0, 1]: IC rises while a network begins to learn and falls when it fits, so a high plateau is further on
    than a low one. That is continuous in what was reported, above E and at most 2E, and as good as never equal for two
    trials. Without a single report of IC it is 2E. It is never NaN.

    Args:
        sighting: what is known of the trial.
        horizon: E, epochs the trial was watched for or is to be trained for, positive; the same for trials compared.
    """
    if sighting.interpolated is not None:
        return min(sighting.interpolated, horizon)
    down = min(sighting.down / DROP, 1.0)
    return horizon * (2 - (1 - _RISE) * down - _RISE * sighting.plateau_rel)
