"""`tic_score`: how early a trial turned, as one number for a search to minimise, censored trials included."""

from tic_sweep.racing.detector import Sighting
from tic_sweep.transition import DROP

_HEIGHT = 0.1
"""Weight of the mean height among trials that have not turned: it tells those apart that are still on their plateau."""


def tic_score(sighting: Sighting, horizon: float) -> float:
    """Return the epoch of the transition, or a number beyond the horizon if there is none yet; lower is better.

    With E the horizon, a trial that has turned scores the epoch at which it did, in (0, E]. One that has not scores

        E·(1 + (1 - w)·(1 - d) + w·h)

    with d the share of the way down to the level that it has gone, h the mean height of IC, both in [0, 1], and w
    small: continuous in what was reported, above E, at most 2E, and as good as never equal for two trials. Without a
    single report of IC it is 2E. It is never NaN.

    Args:
        sighting: what is known of the trial.
        horizon: E, epochs the trial was watched for or is to be trained for, positive; the same for trials compared.
    """
    if sighting.interpolated is not None:
        return min(sighting.interpolated, horizon)
    left = 1 - min(sighting.down / DROP, 1.0)
    height = min(max(sighting.height, 0.0), 1.0)
    return horizon * (1 + (1 - _HEIGHT) * left + _HEIGHT * height)
