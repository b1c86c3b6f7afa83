"""The main paper's claim on capacity (Kim et al. 2023, Discussion): larger networks need fewer timesteps."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl

from analysis.capacity import NETWORK, TOLERANCE, networks, saturations, unpruned
from analysis.evidence import too_few
from analysis.fields import label_of
from analysis.intervals import student
from analysis.results import Results
from analysis.verdicts import Claim, Evidence


def larger_saturates_first(results: Results) -> list[Evidence]:
    """Return, per context, the T at which the smallest network saturates less that of the largest, seed by seed.

    Networks are ordered by their parameters; both are asked at the T that both were tried at.
    """
    images = unpruned(results)
    found = []
    for setting, part in images.parts([path for path in networks(images) if path not in NETWORK]):
        sizes = _by_size(part, [path for path in networks(part) if path in NETWORK])
        if len(sizes) > 1 and sizes[0].parameters < sizes[-1].parameters:
            found.append(_compared(part, sizes[0], sizes[-1], label_of(setting)))
    return found


class Network(NamedTuple):
    """A network, how large it is, and at which T it was tried."""

    setting: dict[str, Any]
    parameters: int
    tried: frozenset[int]

    @property
    def chosen(self) -> pl.Expr:
        """The rows that are its own."""
        return pl.all_horizontal(pl.col(path) == value for path, value in self.setting.items())


def _by_size(part: Results, names: Sequence[str]) -> list[Network]:
    """Return the networks whose size is known, the smallest first."""
    sizes = part.trials.group_by(names).agg(pl.col("parameters").max(), pl.col("timesteps").unique())
    return [
        Network({path: row[path] for path in names}, row["parameters"], frozenset(row["timesteps"]))
        for row in sizes.drop_nulls("parameters").sort("parameters", *names).collect().to_dicts()
    ]


def _compared(part: Results, small: Network, large: Network, where: str) -> Evidence:
    common = sorted(small.tried & large.tried)
    table = saturations(part.where(pl.col("timesteps").is_in(common) & (small.chosen | large.chosen)))
    own, other = (dict(table.filter(one.chosen).select("seed", "saturation").iter_rows()) for one in (small, large))
    seeds = sorted(own.keys() & other.keys())
    n, interval = len(seeds), student([own[seed] - other[seed] for seed in seeds])
    told = " and ".join(
        f"{label_of(one.setting)} ({one.parameters:,} parameters) at {sum(found[seed] for seed in seeds) / n:.1f}"
        for one, found in ((small, own), (large, other))
        if n
    )
    missing = f"{too_few(n, 'paired seeds')} that finished at every T"
    return Evidence(
        interval=interval, n=n, where=where, counted="paired seeds",
        detail=f"{told}, of T = {', '.join(map(str, common))}" if n else "", missing="" if interval else missing,
    )  # fmt: skip


CAPACITY_CLAIMS = (
    Claim(
        id="D",
        statement="The larger network saturates at fewer timesteps.",
        reference="Kim et al. 2023, Discussion: ResNet19 at T = 4, AlexNet at T = 8; larger read as more parameters, "
        f"saturated as within {100 * TOLERANCE:.0f} point of the best",
        kind="difference",
        quantity="the T at which the smallest network saturates less that of the largest",
        threshold=0.0,
        unit="timesteps",
        tables=("epochs",),
        varied=("timesteps",),
        evidence=larger_saturates_first,
    ),
)
