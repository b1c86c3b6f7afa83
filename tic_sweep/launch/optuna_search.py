"""`Search`: proposes trials from the results so far, by Optuna's tree-structured Parzen estimator (TPE).

A search is a generator of planned trials and a listener to how they end; it knows no Ray and keeps no state of its own
on disk: after an interruption it is told the trials in the store and goes on.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from tic_sweep.config import TrialConfig, field_rules, flatten, replaced, trial_key
from tic_sweep.errors import ConfigError
from tic_sweep.plan import PlannedTrial
from tic_sweep.racing import Look, sight, tic_score
from tic_sweep.records import ENDED, EpochRow, Report, TrialRow
from tic_sweep.space import Choice, Domain, Drawn, Grid, IntUniform, LogUniform, Plain, When, applied, applies
from tic_sweep.sweep import OBJECTIVES, TIC_SCORE, Scale

ASKS = 25
"""Proposals in a row that may be known already before the search looks for an unknown point itself."""
POINTS = 20_000
"""Points of a finite space that are looked through for one that is unknown."""


@dataclass(frozen=True, slots=True)
class Known:
    """A trial of the store: its config, status and last value of the objective; the reports that it follows from."""

    config: TrialConfig
    status: str
    value: float | None
    looks: tuple[Look, ...] = ()


class Search:
    """Iterate over it for proposals; it ends after ``scale.samples`` trials, or when every point is known."""

    def __init__(self, scale: Scale, known: Iterable[Known] = (), *, seed: int = 0) -> None:
        """Begin a search that knows the trials of the store.

        Args:
            scale: the space, its seeds, the number of samples and the objective.
            known: trials of the store; none is proposed again, and each is learnt from when it has ended.
            seed: of the sampler; with trials in parallel the order in which they end decides, too.
        """
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        known = list(known)
        self._scale = scale
        self._study = optuna.create_study(
            direction="maximize" if OBJECTIVES[scale.objective] == "max" else "minimize",
            sampler=optuna.samplers.TPESampler(seed=seed + len(known)),  # a resumed search must not draw the same again
        )
        self._seen: dict[str, tuple[str, float | None]] = {}
        self._asked: dict[str, optuna.Trial] = {}
        self._looks = {trial_key(trial.config): [*trial.looks] for trial in known}
        for trial in known:
            self._learn(trial)

    def __iter__(self) -> Iterator[PlannedTrial]:
        return self

    def __next__(self) -> PlannedTrial:
        """Return a trial that is not known yet."""
        if len(self._seen) >= self._scale.samples:
            raise StopIteration
        seed = self._scale.seeds[len(self._seen) % len(self._scale.seeds)]
        for _ in range(ASKS):
            asked = self._study.ask()
            try:
                trial = self._planned(asked, seed)
            except ConfigError:  # values that are fine alone and contradict each other: no point of the space
                self._study.tell(asked, state=TrialState.FAIL)
                continue
            if trial.key not in self._seen:
                return self._accepted(trial, asked)
            self._tell(asked, *self._seen[trial.key])
        for params, other in itertools.product(itertools.islice(_points(self._scale), POINTS), self._scale.seeds):
            config = _config_at(self._scale, params, other)
            if trial_key(config) not in self._seen:
                self._study.enqueue_trial(params)
                asked = self._study.ask()
                return self._accepted(self._planned(asked, other), asked)
        raise StopIteration

    def started(self, trial: PlannedTrial, _attempt: int, /) -> None:
        """Do nothing: what counts is how a trial ends."""

    def report(self, trial: PlannedTrial, report: Report, /) -> None:
        """Keep what the transition score follows from; of the other objectives only the last report counts."""
        row = report.epoch
        if self._scale.objective == TIC_SCORE and row is not None and row.cycle == 0:
            looks = self._looks.setdefault(trial.key, [])
            looks[:] = [look for look in looks if look.epoch < row.epoch]  # a resumed trial may repeat an epoch
            looks.append(Look(epoch=row.epoch, ic=row.ic, ic_se=row.ic_se))

    def ended(self, trial: PlannedTrial, row: TrialRow, last: EpochRow | None, /) -> None:
        """Learn from a trial's end."""
        value = None if last is None else self._value(trial, last)
        if (asked := self._asked.pop(trial.key, None)) is None:
            self._learn(Known(trial.config, row.status, value))
            return
        self._seen[trial.key] = (row.status, value)
        self._tell(asked, row.status, value)

    @property
    def study(self) -> optuna.Study:
        """The study underneath, for looking at."""
        return self._study

    def _value(self, trial: PlannedTrial, last: EpochRow) -> float | None:
        if self._scale.objective != TIC_SCORE:
            return getattr(last, self._scale.objective)
        looks = self._looks.get(trial.key, [])
        return tic_score(sight(looks, trial.config.timesteps), max(trial.config.optimiser.epochs, 1))

    def _planned(self, asked: optuna.Trial, seed: int) -> PlannedTrial:
        """Walk through the space in order, asking for each domain that applies."""
        config = self._scale.base
        for name, domain in self._scale.space.items():
            if applies(domain, config):
                config = applied(config, name, _value(domain, _suggested(asked, name, _distribution(domain))))
        config = replaced(config, {"seed": seed})
        return PlannedTrial(trial_key(config), config)

    def _accepted(self, trial: PlannedTrial, asked: optuna.Trial) -> PlannedTrial:
        self._seen[trial.key] = ("running", None)
        self._asked[trial.key] = asked
        return trial

    def _tell(self, asked: optuna.Trial, status: str, value: float | None) -> None:
        """Tell the study the end of a trial, so that none stays open; a diverged one counts as worse than any other."""
        state, values = _told(status, value)
        self._study.tell(asked, values, state=state)

    def _learn(self, known: Known) -> None:
        self._seen[trial_key(known.config)] = (known.status, known.value)
        params = _params_of(known.config, self._scale)
        if params is None or known.status not in ENDED:
            return
        state, value = _told(known.status, known.value)
        distributions = {name: _distribution(self._scale.space[name]) for name in params}
        self._study.add_trial(
            optuna.trial.create_trial(state=state, value=value, params=params, distributions=distributions)
        )


def _told(status: str, value: float | None) -> tuple[TrialState, float | None]:
    """Return a trial's end as Optuna knows it; one that was stopped early counts with what it had come to."""
    if status in {"finished", "stopped"} and value is not None and math.isfinite(value):
        return TrialState.COMPLETE, value
    return (TrialState.PRUNED if status == "diverged" else TrialState.FAIL), None


def _plain(domain: Domain) -> Plain:
    return domain.then if isinstance(domain, When) else domain


def _distribution(domain: Domain) -> BaseDistribution:
    plain = _plain(domain)
    if isinstance(plain, (Grid, Choice)):
        return CategoricalDistribution(tuple(range(len(plain.values))))
    if isinstance(plain, IntUniform):
        return IntDistribution(plain.low, plain.high)  # Optuna includes the top, as we do
    return FloatDistribution(plain.low, plain.high, log=isinstance(plain, LogUniform))


def _suggested(asked: optuna.Trial, name: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return asked.suggest_categorical(name, distribution.choices)
    if isinstance(distribution, IntDistribution):
        return asked.suggest_int(name, distribution.low, distribution.high)
    assert isinstance(distribution, FloatDistribution)  # noqa: S101 - the only other one that _distribution makes
    return asked.suggest_float(name, distribution.low, distribution.high, log=distribution.log)


def _value(domain: Domain, raw: Any) -> Any:
    """Return the value of a domain for what Optuna calls it: values and bundles go by their index."""
    plain = _plain(domain)
    return plain.values[raw] if isinstance(plain, (Grid, Choice)) else raw


def _points(scale: Scale) -> Iterator[dict[str, Any]]:
    """Yield every point of a finite space as Optuna's parameters; nothing if a domain is continuous."""

    def walk(entries: list[tuple[str, Domain]], config: TrialConfig) -> Iterator[dict[str, Any]]:
        if not entries:
            yield {}
            return
        (name, domain), rest = entries[0], entries[1:]
        if not applies(domain, config):
            yield from walk(rest, config)
            return
        for raw in _raw_values(_plain(domain)):
            with suppress(ConfigError):  # contradicts an earlier value: no point of the space
                for further in walk(rest, applied(config, name, _value(domain, raw))):
                    yield {name: raw, **further}

    return walk(list(scale.space.items()), scale.base)


def _raw_values(plain: Plain) -> Iterable[Any]:
    if isinstance(plain, (Grid, Choice)):
        return range(len(plain.values))
    if isinstance(plain, IntUniform):
        return range(plain.low, plain.high + 1)
    return (plain.low,) if plain.low == plain.high else ()


def _config_at(scale: Scale, params: Mapping[str, Any], seed: int) -> TrialConfig:
    config = scale.base
    for name, raw in params.items():
        config = applied(config, name, _value(scale.space[name], raw))
    return replaced(config, {"seed": seed})


def _params_of(config: TrialConfig, scale: Scale) -> dict[str, Any] | None:
    """Return the parameters that give a config; None if this space cannot."""
    params: dict[str, Any] = {}
    flat = flatten(config)
    walked = scale.base
    for name, domain in scale.space.items():
        if not applies(domain, walked):
            continue
        raw = _raw_of(name, _plain(domain), flat)
        if raw is None:
            return None
        params[name] = raw
        walked = applied(walked, name, _value(domain, raw))
    return params if replaced(walked, {"seed": config.seed}) == config else None


def _raw_of(name: str, plain: Plain, flat: Mapping[str, Any]) -> Any:
    if isinstance(plain, (Grid, Choice)):
        matching = (i for i, value in enumerate(plain.values) if _matches(name, value, flat))
        return next(matching, None)
    assert isinstance(plain, Drawn)  # noqa: S101 - there is nothing else
    return flat[name] if plain.low <= flat[name] <= plain.high else None


def _matches(name: str, value: Any, flat: Mapping[str, Any]) -> bool:
    bundle = {name: value} if name in field_rules() else value
    return all(flat[path] == field_rules()[path].cast(path, single) for path, single in bundle.items())
