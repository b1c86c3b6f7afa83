"""How many synapses each layer has at a density, as exact counts. A layer's shape is (outputs, inputs)."""

from collections.abc import Mapping

BUDGETS: tuple[str, ...] = ("layer", "global", "erdos_renyi")


def synapse_budget(shapes: Mapping[str, tuple[int, int]], density: float, kind: str) -> dict[str, int]:
    """Return the number of synapses of each layer; together they are ``density`` of all, rounded once.

    Args:
        shapes: (outputs, inputs) of each layer.
        density: share of all possible synapses that exist, in (0, 1].
        kind: ``layer`` is the same density everywhere (rounded layer by layer, and at least one synapse); ``global``
            the same to start with, in proportion to the layers' sizes, for a budget that layers share; ``erdos_renyi``
            a layer's density proportional to (outputs + inputs) / (outputs·inputs), as far as it is below 1.

    Raises:
        ValueError: for a density outside (0, 1] or an unknown kind.
    """
    if not 0 < density <= 1:
        raise ValueError(f"density must be above 0 and at most 1, got {density!r}.")
    if kind not in BUDGETS:
        raise ValueError(f"budget must be one of {', '.join(BUDGETS)}, got {kind!r}.")
    sizes = {name: outputs * inputs for name, (outputs, inputs) in shapes.items()}
    if kind == "layer":
        return {name: max(1, round(density * size)) for name, size in sizes.items()}
    total = max(1, round(density * sum(sizes.values())))
    weights = sizes if kind == "global" else {name: sum(shape) for name, shape in shapes.items()}
    return _whole(_shared(weights, sizes, total), sizes, total)


def _shared(weights: Mapping[str, int], sizes: Mapping[str, int], total: int) -> dict[str, float]:
    """Return ``total`` shared in proportion to ``weights``; what is above a layer's size goes to the others."""
    full: set[str] = set()
    while True:
        rest = total - sum(sizes[name] for name in full)
        unit = (
            rest / sum(weight for name, weight in weights.items() if name not in full) if len(full) < len(sizes) else 0
        )
        over = {name for name in weights if name not in full and unit * weights[name] > sizes[name]}
        if not over:
            return {name: sizes[name] if name in full else unit * weight for name, weight in weights.items()}
        full |= over


def _whole(shares: Mapping[str, float], sizes: Mapping[str, int], total: int) -> dict[str, int]:
    """Return shares as whole numbers that sum to ``total``, by largest remainder."""
    counts = {name: int(share) for name, share in shares.items()}
    by_remainder = sorted(
        (name for name in shares if counts[name] < sizes[name]), key=lambda name: counts[name] - shares[name]
    )
    for name in by_remainder[: total - sum(counts.values())]:
        counts[name] += 1
    return counts
