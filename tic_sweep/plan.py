"""The plan of a sweep: every trial with its key, in a fixed order and without duplicates, before anything runs."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tic_sweep.config import TrialConfig, flatten, replaced, trial_key
from tic_sweep.errors import ConfigError
from tic_sweep.space import Grid, When, has_draws, points, without
from tic_sweep.sweep import Scale

MOST_TRIALS = 1_000_000
"""Trials of one plan."""


@dataclass(frozen=True, slots=True)
class PlannedTrial:
    """A trial to run: its key and its science."""

    key: str
    config: TrialConfig


def plan(scale: Scale, *, sweep_name: str) -> list[PlannedTrial]:
    """Expand a scale into its trials: all points with the first seed, then all with the second, and so on.

    Seeds come outermost so that a sweep cut short has seen every setting once. An adaptive scale (searcher ``tpe``)
    has an empty plan: its trials are proposed while it runs. Same scale, same plan, on any machine.
    """
    if scale.searcher != "random":
        return []
    _check_size(scale)
    configs = _points(scale, sweep_name)
    trials: dict[str, PlannedTrial] = {}
    for seed in scale.seeds:
        for config in configs:
            seeded = replaced(config, {"seed": seed})
            key = trial_key(seeded)
            trials.setdefault(key, PlannedTrial(key, seeded))
    return list(trials.values())


def _check_size(scale: Scale) -> None:
    """Refuse a plan that no machine would hold in memory; grids that apply only sometimes count as if they always did.

    Raises:
        ConfigError: with the number of trials there would be.
    """
    sizes = [
        len(plain.values) for domain in scale.space.values()
        if isinstance(plain := domain.then if isinstance(domain, When) else domain, Grid)
    ]  # fmt: skip
    count = math.prod(sizes) * max(scale.samples, 1) * len(scale.seeds)
    if count > MOST_TRIALS:
        raise ConfigError(
            f"the space has up to {count} trials, more than {MOST_TRIALS}: give smaller grids, fewer samples or seeds."
        )


def likely(scale: Scale, *, sweep_name: str) -> list[TrialConfig]:
    """Return what an adaptive scale may propose, as far as can be told: as many points as it will, drawn at random.

    They serve to tell what it will cost. Where its draws contradict each other, the base stands for them all.
    """
    try:
        return _points(scale, sweep_name)[: scale.samples]
    except ConfigError:
        return [scale.base] * scale.samples


def _points(scale: Scale, sweep_name: str) -> list[TrialConfig]:
    drawn = int.from_bytes(hashlib.blake2b(sweep_name.encode(), digest_size=7).digest(), "big")
    return list(points(scale.base, scale.space, samples=scale.samples, seed=drawn))


def adjusted(
    scale: Scale,
    *,
    changes: dict[str, object],
    seeds: tuple[int, ...] | None,
    samples: int | None,
    race: Mapping[str, Any] | None = None,
) -> Scale:
    """Return a scale with fields of its base replaced, and other seeds, another number of samples or another race.

    A field set here no longer varies: it leaves the space. Of bundles that hold it, those with the value set here are
    kept, or all if none has it, without the field.

    Raises:
        ConfigError: for a path, value, seed, number or race that is refused.
    """
    base = replaced(scale.base, changes)
    space = without(scale.space, {path: flatten(base)[path] for path in changes})
    drawn = has_draws(space)
    changed = replace(
        scale,
        base=base,
        space=space,
        seeds=scale.seeds if seeds is None else seeds,
        samples=(scale.samples if drawn else 0) if samples is None else samples,
        searcher=scale.searcher if drawn else "random",
        **(race or {}),
    )
    idle = [name for name in race or {} if name != "scheduler"] if changed.scheduler == "none" else []
    if idle:
        raise ConfigError(
            f"{idle[0]} has no effect without a race: give a scheduler, too, got {(race or {})[idle[0]]!r}."
        )
    return changed
