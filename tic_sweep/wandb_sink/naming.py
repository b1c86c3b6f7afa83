"""What runs are called: their ids, groups, names and tags."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tic_sweep.config import TrialConfig, flatten
from tic_sweep.plan import PlannedTrial

LONGEST = 120
"""Characters of a name; W&B refuses longer ones from 128 on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """What a run is to be opened with."""

    id: str
    name: str
    group: str
    job_type: str
    tags: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    notes: str = ""
    continued: bool = False
    """Whether a run with this id goes on where it was; else it begins anew and replaces what it held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How the runs of a sweep are called; ``labels`` are the config fields that tell its trials apart."""

    sweep: str
    scale: str
    labels: Sequence[str] = ()

    @property
    def group(self) -> str:
        """The group that all runs of the sweep are in."""
        return _safe(f"{self.sweep}-{self.scale}")

    def trial(self, trial: PlannedTrial, attempt: int, *, continued: bool = False) -> RunSpec:
        """Return what a trial's run is opened with; its id is the same in every session and for every push."""
        config = flatten(trial.config)
        told = {"key": trial.key, "sweep": self.sweep, "scale": self.scale, "attempt": attempt}
        return RunSpec(
            id=self.id_of(trial.key), name=self._name(config), group=self.group, job_type="trial",
            tags=_tags(trial.config), config=config | told, continued=continued,
        )  # fmt: skip

    def id_of(self, key: str) -> str:
        """Return the id of a trial's run: another sweep that has the same trial has a run of its own for it."""
        return f"{self.group}-{key}"

    def report(self, config: dict[str, Any], notes: str) -> RunSpec:
        """Return what the run of the sweep's report is opened with."""
        return RunSpec(
            id=f"{self.group}-report", name=f"{self.group} report", group=self.group, job_type="report",
            config=config, notes=notes,
        )  # fmt: skip

    def _name(self, config: dict[str, Any]) -> str:
        """Return the setting and the seed: ``lr 0.1, seed 0``."""
        told = [f"{_word(path)} {_short(config[path])}" for path in self.labels if path in config]
        seed = [] if "seed" in self.labels else [f"seed {config['seed']}"]
        return ", ".join([*told, *seed])[:LONGEST]


def _tags(config: TrialConfig) -> tuple[str, ...]:
    by_task = {"images": (config.data.name, config.model.name), "sequences": (config.task, config.sequences.name)}
    return by_task.get(config.task, (config.task,))


def _word(path: str) -> str:
    """Return the last word of a path, of ``data.name`` the first."""
    section, _, name = path.rpartition(".")
    return section if name == "name" else name


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _safe(text: str) -> str:
    """Return a text with nothing in it that W&B refuses in an id or an artifact's name."""
    return re.sub(r"[^\w.-]", "-", text)[:64]
