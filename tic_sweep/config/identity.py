"""Trials as plain data: nested dicts, dotted paths, edits by path, and the key that names a trial by its science."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, cast

from tic_sweep.config.fields import Rule, Scalar, Section
from tic_sweep.config.trial import TrialConfig
from tic_sweep.errors import ConfigError, did_you_mean


def to_dict(config: TrialConfig, *, whole: bool = True) -> dict[str, Any]:
    """Return the config as nested plain dicts, which is how it crosses to a worker.

    If not ``whole``, what is at its default is left out; `from_dict` puts it back.
    """
    if whole:
        return dataclasses.asdict(config)
    nested: dict[str, Any] = {}
    for path, value in _differing(config).items():
        *section, name = path.split(".")
        (nested.setdefault(section[0], {}) if section else nested)[name] = value
    return nested


def from_dict(values: Mapping[str, Any]) -> TrialConfig:
    """Build a config from nested plain dicts; what is left out keeps its default.

    Raises:
        ConfigError: for an unknown field, a wrong type or a value out of bounds, naming its path.
    """
    return cast("TrialConfig", _build(TrialConfig, values, ""))


def flatten(config: TrialConfig) -> dict[str, Scalar]:
    """Return every field by its dotted path, in declared order: ``{"data.name": "digits", ..., "seed": 0}``."""
    return {path: _lookup(config, path) for path in field_rules()}


def replaced(config: TrialConfig, changes: Mapping[str, Any]) -> TrialConfig:
    """Return ``config`` with the fields at the dotted paths of ``changes`` replaced, checked as a whole.

    Raises:
        ConfigError: for an unknown path or a refused value.
    """
    nested = to_dict(config)
    for path, value in changes.items():
        check_path(path)
        *section, name = path.split(".")
        (nested[section[0]] if section else nested)[name] = value
    return from_dict(nested)


def check_path(path: str) -> None:
    """Refuse a dotted path that names no field.

    Raises:
        ConfigError: naming the path and the nearest one that exists.
    """
    if path not in field_rules():
        raise ConfigError(
            f"{path} is not a field of a trial.{did_you_mean(path, field_rules())} `tic-sweep fields` lists them all."
        )


def short_path(path: str) -> str:
    """Return the shortest name that tells a field from every other: ``lr``, ``data.name``, ``pruning.timesteps``."""
    last = path.rpartition(".")[2]
    return last if sum(other.rpartition(".")[2] == last for other in field_rules()) == 1 else path


@cache
def field_rules() -> dict[str, Rule]:
    """Return the rule of every field by its dotted path, in declared order."""
    return dict(_rules(TrialConfig, ""))


def trial_key(config: TrialConfig) -> str:
    """Name a trial by its science: same config, same key, on any machine and in any later version.

    Only what differs from the defaults is hashed, so that a field added later does not rename the trials run before.
    """
    canonical = json.dumps(_differing(config), sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(canonical.encode(), digest_size=8).hexdigest()


def _differing(config: TrialConfig) -> dict[str, Scalar]:
    """Return the fields that differ from their defaults, by their dotted paths."""
    defaults = _defaults()
    return {path: value for path, value in flatten(config).items() if value != defaults[path]}


@cache
def _defaults() -> dict[str, Scalar]:
    return flatten(TrialConfig())


def _rules(section: type[Section], prefix: str) -> Iterator[tuple[str, Rule]]:
    for field in dataclasses.fields(section):  # type: ignore[arg-type]
        rule = field.metadata.get("rule")
        if rule is not None:
            yield prefix + field.name, rule
        else:
            yield from _rules(cast("type[Section]", field.type), f"{prefix}{field.name}.")


def _build(section: type[Section], values: object, path: str) -> Section:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path.rstrip('.') or 'a trial'} must hold named fields, got {values!r}.")
    fields = {field.name: field for field in dataclasses.fields(section)}  # type: ignore[arg-type]
    for name in values:
        if name not in fields:
            hint = did_you_mean(f"{path}{name}", [path + known for known in fields])
            raise ConfigError(f"{path}{name} is not a field of a trial.{hint} `tic-sweep fields` lists them all.")
    return section(**{
        name: value if "rule" in fields[name].metadata else _build(fields[name].type, value, f"{path}{name}.")  # type: ignore[arg-type]
        for name, value in values.items()
    })


def _lookup(config: TrialConfig, path: str) -> Scalar:
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value
