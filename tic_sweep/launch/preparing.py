"""What was asked for, resolved before anything is touched: the sweep, its trials, its data sets, and its manifest."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import tic_sweep
from tic_sweep.config import flatten
from tic_sweep.data import MADE_UP, data_name
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.racing import race_in_words
from tic_sweep.launch.storage import storage_of
from tic_sweep.plan import PlannedTrial, adjusted, plan
from tic_sweep.space import Choice, Grid, When, varied_paths
from tic_sweep.store import Manifest
from tic_sweep.store.addresses import refuse_url
from tic_sweep.sweep import Scale, Sweep, load_sweep, telling_fields, varied_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What was asked for, resolved: the sweep, its scale as adjusted, and the trials known in advance."""

    sweep: Sweep
    text: str
    scale_name: str
    scale: Scale
    trials: tuple[PlannedTrial, ...]

    @property
    def adaptive(self) -> bool:
        """Whether trials are proposed while the sweep runs."""
        return self.scale.searcher != "random"

    @property
    def place(self) -> Path:
        """Where results go if nothing else is said."""
        return Path("results") / f"{self.sweep.name}-{self.scale_name}"

    @property
    def varied(self) -> tuple[str, ...]:
        """The config fields that differ between trials, seed aside."""
        return varied_paths(self.scale.space) if self.adaptive else varied_fields([t.config for t in self.trials])

    @property
    def telling(self) -> tuple[str, ...]:
        """Those of the varied fields that it takes to tell the trials apart."""
        return self.varied if self.adaptive else telling_fields([t.config for t in self.trials], self.varied)

    @property
    def datasets(self) -> list[str]:
        """The data sets its trials may use."""
        if not self.adaptive:
            return datasets_of(self.trials)
        field = {"images": "data.name", "sequences": "sequences.name"}.get(self.scale.base.task)
        named = _named_in(self.scale, field) if field else ()
        return sorted(name for name in {data_name(self.scale.base), *named} if name and name != MADE_UP)


def prepare(request: Request) -> Prepared:
    """Resolve what was asked for, without touching anything.

    Raises:
        UserError: if the sweep, scale, a field, value or seed is refused.
    """
    if isinstance(request.sweep, str):
        refuse_url(request.sweep, "sweep", "file")
    sweep, text = (request.sweep, "") if isinstance(request.sweep, Sweep) else load_sweep(request.sweep)
    name, scale = sweep.at(request.scale)
    scale = adjusted(
        scale, changes=dict(request.changes), seeds=request.seeds, samples=request.samples, race=request.race
    )
    trials = tuple(plan(scale, sweep_name=sweep.name))
    return Prepared(sweep=sweep, text=text, scale_name=name, scale=scale, trials=trials)


def datasets_of(trials: Iterable[PlannedTrial]) -> list[str]:
    """Return the data sets that trials need."""
    return sorted({name for trial in trials if (name := data_name(trial.config)) is not None})


def manifest_of(prepared: Prepared, before: Manifest | None, command: str, options: Options) -> Manifest:
    """Return the manifest of the folder; what an earlier session varied stays varied."""
    scale, configs = prepared.scale, [trial.config for trial in prepared.trials]
    varied = set(prepared.varied)
    fixed = {path: value for path, value in flatten(configs[0] if configs else scale.base).items() if path != "seed"}
    seeds = set(scale.seeds)
    if before is not None:
        varied |= set(before.varied) | {path for path, value in fixed.items() if before.fixed.get(path, value) != value}
        seeds |= set(before.seeds)
    return Manifest(
        sweep=prepared.sweep.name,
        scale=prepared.scale_name,
        question=prepared.sweep.question,
        varied=tuple(path for path in fixed if path in varied),
        fixed={path: value for path, value in fixed.items() if path not in varied},
        seeds=tuple(sorted(seeds)),
        samples=scale.samples,
        searcher=scale.searcher,
        objective=scale.objective,
        scheduler=scale.scheduler,
        race=race_in_words(scale, prepared.trials, before) if scale.scheduler != "none" else {},
        sweep_file_text=prepared.text,
        version=tic_sweep.__version__,
        command=command,
        storage=storage_of(options, f"{prepared.sweep.name}-{prepared.scale_name}", before),
        unknown=before.unknown if before is not None else (),
    )


def _named_in(scale: Scale, field: str) -> Iterator[str]:
    """Yield the data sets that a space names, by their field or inside a bundle."""
    for name, domain in scale.space.items():
        plain = domain.then if isinstance(domain, When) else domain
        for value in plain.values if isinstance(plain, (Grid, Choice)) else ():
            if name == field:
                yield value
            elif isinstance(value, Mapping) and field in value:
                yield value[field]
