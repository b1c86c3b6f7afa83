"""`Sweep`: a question with the trials that answer it, as a value; and where sweeps are found by name.

A sweep exists at up to two scales: ``paper``, the paper's own setting, and ``laptop``, the same question on real data
in minutes on two cores.
"""

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import ModuleType

from tic_sweep.config import TrialConfig, field_rules, flatten
from tic_sweep.errors import ConfigError, SweepError, UserError, did_you_mean
from tic_sweep.racing import HOLDOUT, POLICIES, build_policy
from tic_sweep.racing.entrants import Race
from tic_sweep.space import Space, check_space, has_draws, varied_paths

SEARCHERS = ("random", "tpe")
FOLLOWED = {
    "val_acc": "max", "val_loss": "min", "train_loss": "min", "ic_rel": "min",
}  # fmt: skip
"""Columns of the epoch table that an adaptive search may follow, and in which direction."""
TIC_SCORE = "tic_score"
"""How early IC turned (`tic_sweep.racing.tic_score`), which follows from all the epochs of a trial."""
OBJECTIVES = {**FOLLOWED, TIC_SCORE: "min"}
"""What an adaptive search may follow, and in which direction."""
SCHEDULERS = ("none", *(name for name in POLICIES if name != "full"))
"""What may end trials early: nothing, or a race for the best learning rate by one of the policies."""
BY_ONE = ("asha", "median", "first_turn")
"""Those that need not know all trials in advance."""
MOST_SEEDS = 100_000
"""Seeds of a scale."""
RATE = "optimiser.lr"
"""What is raced for."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """One size of a sweep: what every trial starts from, what varies, and over which seeds.

    ``samples`` is how many points are drawn if the space draws any. ``searcher`` is ``"random"`` (all points known
    before the first trial runs) or ``"tpe"`` (each point proposed from the results so far, by Optuna; it follows
    ``objective`` and gives each proposal the next seed in turn).

    With a ``scheduler`` the learning rates are raced against each other, and most trials end early: ``budget`` is the
    share of the plan's epochs that may be trained, ``holdout`` the share of the trials that run on whatever is decided,
    ``grace`` the share of its epochs that every trial gets, 0 being the policy's own.
    """

    base: TrialConfig
    space: Space = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    samples: int = 0
    searcher: str = "random"
    objective: str = "val_acc"
    scheduler: str = "none"
    budget: float = 1.0
    holdout: float = HOLDOUT
    grace: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a space that does not fit a trial, missing seeds, and settings that contradict each other."""
        if not isinstance(self.base, TrialConfig):
            raise ConfigError(f"base must be a TrialConfig, got {self.base!r}.")
        check_space(self.space)
        object.__setattr__(self, "seeds", _seeds(self.seeds))
        if "seed" in varied_paths(self.space):
            raise ConfigError("seed is not allowed in the space: give the seeds as `seeds`.")
        if self.searcher not in SEARCHERS:
            raise ConfigError(f"searcher must be one of {', '.join(SEARCHERS)}, got {self.searcher!r}.")
        if self.objective not in OBJECTIVES:
            raise ConfigError(f"objective must be one of {', '.join(OBJECTIVES)}, got {self.objective!r}.")
        if isinstance(self.samples, bool) or not isinstance(self.samples, int):
            raise ConfigError(f"samples must be a whole number, got {self.samples!r}.")
        if has_draws(self.space) and self.samples < 1:
            raise ConfigError(f"samples must be at least 1 when the space draws at random, got {self.samples}.")
        if self.samples and not has_draws(self.space):
            raise ConfigError(f"samples must be 0 when the space is all grids, got {self.samples}: every point is run.")
        if self.searcher == "tpe" and not has_draws(self.space):
            raise ConfigError("searcher 'tpe' needs something to search: give a Choice or a range, not grids alone.")
        _check_race(self)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A named question, and its trials at each scale."""

    name: str
    question: str
    laptop: Scale | None = None
    paper: Scale | None = None

    def __post_init__(self) -> None:
        """Refuse a name that is no folder name, and a sweep without any scale."""
        if not (isinstance(self.name, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", self.name)):
            raise SweepError(f"name must be letters, digits, '_' and '-' only (it names a folder), got {self.name!r}.")
        if not isinstance(self.question, str):
            raise SweepError(f"question must be words, got {self.question!r}.")
        for name, scale in self.scales.items():
            if not isinstance(scale, Scale):
                raise SweepError(f"{name} must be a Scale, got {type(scale).__name__}.")
        if not self.scales:
            raise SweepError(f"sweep {self.name!r} has neither a laptop nor a paper scale: give at least one.")

    @property
    def scales(self) -> dict[str, Scale]:
        """Return the scales that exist, by name."""
        return {name: scale for name in ("laptop", "paper") if (scale := getattr(self, name)) is not None}

    def at(self, scale: str | None) -> tuple[str, Scale]:
        """Return the name and value of a scale; without a name, the first that exists (laptop before paper).

        Raises:
            SweepError: if the sweep has no such scale.
        """
        name = next(iter(self.scales)) if scale is None else scale
        if name not in self.scales:
            raise SweepError(f"--scale must be one of {', '.join(self.scales)} for sweep {self.name!r}, got {name!r}.")
        return name, self.scales[name]


def sweep_names() -> list[str]:
    """Return the names of the built-in sweeps: the modules of the package `sweeps` but those that begin with "_"."""
    modules = pkgutil.iter_modules(importlib.import_module("sweeps").__path__)
    return sorted(module.name for module in modules if not module.name.startswith("_"))


def load_sweep(name_or_file: str) -> tuple[Sweep, str]:
    """Return a sweep, and the text of the file that declares it, by its built-in name or the path of its file.

    Raises:
        SweepError: if there is none, or the file cannot be used; a mistake inside a sweep is a ConfigError.
    """
    if name_or_file.endswith(".py"):
        path = Path(name_or_file).absolute()
        if not path.is_file():
            raise SweepError(
                f"sweep file {name_or_file!r} does not exist: give the path of a .py file that declares SWEEP."
            )
        return _declared(_run_file(path), path), path.read_text(encoding="utf-8")
    if name_or_file not in sweep_names():
        raise SweepError(
            f"there is no sweep {name_or_file!r}.{did_you_mean(name_or_file, sweep_names())} `tic-sweep list` shows "
            f"them; a sweep of your own is given as a path ending in .py."
        )
    module = importlib.import_module(f"sweeps.{name_or_file}")
    path = Path(str(module.__file__))
    return _declared(module, path), path.read_text(encoding="utf-8")


def varied_fields(configs: Sequence[TrialConfig]) -> tuple[str, ...]:
    """Return the paths in which some trials differ, seed aside, in declared order."""
    rows = [flatten(config) for config in configs]
    return tuple(path for path in (rows[0] if rows else ()) if path != "seed" and len({row[path] for row in rows}) > 1)


def telling_fields(configs: Sequence[TrialConfig], varied: Sequence[str]) -> tuple[str, ...]:
    """Return those of the varied paths that it takes to tell the trials apart.

    A field that follows from the ones before it, as an image size may from the data set, is left out.
    """
    rows = [flatten(config) for config in configs]
    kept: tuple[str, ...] = ()
    for path in varied:
        finer = (*kept, path)
        if len({tuple(row[p] for p in finer) for row in rows}) > len({tuple(row[p] for p in kept) for row in rows}):
            kept = finer
    return kept


def build_race(scheduler: str, *, holdout: float, grace: float) -> Race:
    """Return the policy of a scheduler, unused.

    Raises:
        ConfigError: for a number out of its bounds, or one that the policy does not have.
    """
    return build_policy(scheduler, holdout=holdout, **({"first": grace} if grace else {}))


def check_race(scheduler: str, *, budget: float, holdout: float, grace: float) -> None:
    """Refuse a race by numbers or a name that there are not.

    Raises:
        ConfigError: naming the field, its value, and what may stand there.
    """
    if scheduler not in SCHEDULERS:
        raise ConfigError(
            f"scheduler must be one of {', '.join(SCHEDULERS)}, got {scheduler!r}.{did_you_mean(scheduler, SCHEDULERS)}"
        )
    if not 0 < budget <= 1:
        raise ConfigError(f"budget must be a share of the epochs, greater than 0 and at most 1, got {budget!r}.")
    if not 0 <= holdout <= 1:
        raise ConfigError(f"holdout must be a share of the trials, from 0 to 1, got {holdout!r}.")
    if not 0 <= grace < 1:
        raise ConfigError(f"grace must be a share of a trial's epochs, at least 0 and below 1, got {grace!r}.")
    if grace and scheduler == "first_turn":
        raise ConfigError(f"grace has no effect on scheduler {scheduler}: leave it at 0, got {grace!r}.")


def _check_race(scale: Scale) -> None:
    """Refuse a race that there is not, and one that contradicts the rest of the scale."""
    check_race(scale.scheduler, budget=scale.budget, holdout=scale.holdout, grace=scale.grace)
    if scale.scheduler != "none":
        _check_raced(scale)


def _check_raced(scale: Scale) -> None:
    name, base = scale.scheduler, scale.base
    if base.task != "images" or "task" in varied_paths(scale.space):
        raise ConfigError(
            f"scheduler must be none for task {base.task}: only trials of task images are raced, got {name!r}."
        )
    if not base.optimiser.epochs and "optimiser.epochs" not in varied_paths(scale.space):
        raise ConfigError(f"optimiser.epochs must be at least 1 with scheduler {name!r}, got 0: nothing is trained.")
    if RATE not in varied_paths(scale.space):
        raise ConfigError(f"scheduler {name!r} races learning rates: let {RATE} vary, or set scheduler to none.")
    race = build_race(name, holdout=scale.holdout, grace=scale.grace)
    if race.looks_at_ic and not base.fisher.every and "fisher.every" not in varied_paths(scale.space):
        raise ConfigError(f"scheduler {name!r} looks at IC, which fisher.every 0 never measures: set it to 1 or more.")
    if scale.searcher == "tpe" and name not in BY_ONE:
        raise ConfigError(
            f"scheduler must be one of {', '.join(BY_ONE)} with searcher 'tpe', which proposes one trial at a time: "
            f"{name!r} compares rates that are all known, got {name!r}."
        )


def _seeds(given: object) -> tuple[object, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ConfigError(f"seeds must be a sequence of whole numbers, got {given!r}.")
    seeds = tuple(field_rules()["seed"].cast("seed", seed) for seed in islice(given, MOST_SEEDS + 1))
    if len(seeds) > MOST_SEEDS:
        raise ConfigError(f"seeds must be at most {MOST_SEEDS}, got more.")
    if not seeds:
        raise ConfigError("seeds must name at least one seed, got none.")
    if len(set(seeds)) != len(seeds):
        raise ConfigError(f"seeds must differ from each other, got {seeds!r}.")
    return seeds


def _run_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tic_sweep_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise SweepError(f"sweep file {str(path)!r} cannot be read as Python.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except UserError as error:
        raise type(error)(f"{path.name}, line {_line_in(path, error)}: {error}") from error
    except (Exception, SystemExit) as error:
        line = getattr(error, "lineno", None) or _line_in(path, error)
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise SweepError(f"{path.name}, line {line}: {what}. Mend the sweep file.") from error
    return module


def _line_in(path: Path, error: BaseException) -> int | str:
    trace, line = error.__traceback__, "?"
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _declared(module: ModuleType, path: Path) -> Sweep:
    sweep = getattr(module, "SWEEP", None)
    if not isinstance(sweep, Sweep):
        raise SweepError(f"{path.name} must declare SWEEP = Sweep(...), got {type(sweep).__name__}.")
    return sweep
