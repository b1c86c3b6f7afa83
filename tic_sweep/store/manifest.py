"""`Manifest`: what a results folder is about, kept in it as sweep.json."""

import dataclasses
import json
import re
import reprlib
import shlex
import typing
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from tic_sweep.config import field_rules
from tic_sweep.errors import ConfigError, StoreError
from tic_sweep.store.atomic import write_atomically
from tic_sweep.sweep import OBJECTIVES, SCHEDULERS, SEARCHERS, check_race

FORMAT = 1
"""Version of the folder's layout. Readers refuse a newer one; a new column or table does not change it."""
REMEDY = "restore the file, or update tic_sweep if a later version wrote it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The question of a sweep, what varies in it, and how it was started."""

    format: int = FORMAT
    sweep: str
    scale: str
    question: str
    varied: tuple[str, ...] = ()
    """Dotted paths of the config fields that differ between trials, the seed aside."""
    fixed: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Config fields that all trials share, by dotted path."""
    seeds: tuple[int, ...] = ()
    samples: int = 0
    searcher: str = "random"
    objective: str = "val_acc"
    scheduler: str = "none"
    race: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Of a raced sweep: ``budget``, ``holdout``, ``grace`` and, under ``order``, the keys of its trials as planned."""
    sweep_file_text: str = ""
    version: str = ""
    command: str = ""
    """The command line that started the sweep."""
    storage: str = ""
    """Where its checkpoints live, a path or a URL; empty is in the folder itself."""
    unknown: tuple[str, ...] = ()
    """Paths that the file names as varied and this version does not know: readers leave them out, the file keeps them.
    """

    @property
    def values(self) -> dict[str, Any]:
        """The fields as they are written."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "unknown"}
        return own | {"varied": [*self.varied, *self.unknown]}

    def save(self, path: Path) -> None:
        """Write the manifest, whole or not at all.

        Raises:
            StoreError: if the disk refuses.
        """
        try:
            write_atomically(path, (json.dumps(self.values, indent=2, ensure_ascii=False) + "\n").encode())
        except OSError as error:
            raise StoreError(f"{path} cannot be written ({error.strerror}): free or allow space there.") from error

    @classmethod
    def load(cls, path: Path) -> "Manifest":
        """Read a manifest back; fields that a later version added are passed over.

        Raises:
            StoreError: if it is missing, damaged, or of a newer format.
        """
        return cls.parse(_content_of(path), str(path))

    @classmethod
    def parse(cls, content: bytes, name: str) -> "Manifest":
        """Read a manifest from the content of its file; ``name`` says in errors where that lies.

        Fields of a trial that this version does not know are no refusal: their columns are left out as well.

        Raises:
            StoreError: if it is damaged, of a newer format, or holds a value that makes no sense.
        """
        values = _object_in(content, name)
        if isinstance(values.get("format"), int) and values["format"] > FORMAT:
            raise StoreError(
                f"{name} has format {values['format']}, this version reads up to {FORMAT}: update tic_sweep."
            )
        hints = typing.get_type_hints(cls)
        known = {}
        for field in dataclasses.fields(cls):
            if field.name == "unknown":
                continue  # it is never written under this name
            if field.name in values:
                known[field.name] = _typed(name, field.name, values[field.name], hints[field.name])
            elif field.name in {"format", "sweep", "scale", "question"}:
                raise StoreError(f"{name} has no field {field.name!r}: it is damaged, or not a manifest of tic_sweep.")
        rules, varied = field_rules(), known.pop("varied", ())
        known["varied"] = tuple(path for path in varied if path in rules)
        known["unknown"] = tuple(path for path in varied if path not in rules)
        manifest = cls(**known)
        _check_choices(name, manifest)
        return manifest


def without_places(command: str) -> str:
    """Return a command line without the folders, machines and stores of whoever gave it; empty if it is none."""
    try:
        given = shlex.split(command)
    except ValueError:
        return ""
    words = [part for word in given for part in (word.split("=", 1) if re.match(r"--[\w-]+=", word) else [word])]
    for at, word in enumerate(words):
        if at and words[at - 1] in {"--address", "--storage"}:
            words[at] = words[at - 1].removeprefix("--").upper()
        elif re.match(r"[/~]|[A-Za-z]:[\\/]", word):
            words[at] = PurePath(word).name
    return shlex.join(words)


def _content_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise StoreError(
            f"{str(path.parent)!r} is not a results folder (no {path.name} in it): give the folder of a sweep."
        ) from error
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}): check the path and its permissions.") from error


def _object_in(content: bytes, name: str) -> dict[str, Any]:
    try:
        values = json.loads(content.decode("utf-8"))
    except ValueError as error:
        raise StoreError(f"{name} is damaged ({error}): restore it, or give another results folder.") from error
    if not isinstance(values, dict):
        raise StoreError(f"{name} must hold an object, got {type(values).__name__}: it is not a manifest of tic_sweep.")
    return values


def _check_choices(file: str, manifest: Manifest) -> None:
    """Refuse a name that there is not, and a race that no session could have begun."""
    for name, choices in (("searcher", SEARCHERS), ("objective", OBJECTIVES), ("scheduler", SCHEDULERS)):
        value = getattr(manifest, name)
        if value not in choices:
            raise StoreError(f"{file}: field {name!r} must be one of {', '.join(choices)}, got {value!r}: {REMEDY}")
    if manifest.scheduler != "none":
        _check_race(file, manifest.scheduler, manifest.race)


def _check_race(file: str, scheduler: str, race: dict[str, Any]) -> None:
    numbers: dict[str, Any] = {name: race.get(name) for name in ("budget", "holdout", "grace")}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise StoreError(f"{file}: field 'race.{name}' must be a number, got {value!r}: {REMEDY}")
    order = race.get("order")
    if not isinstance(order, list) or not all(isinstance(key, str) for key in order):
        raise StoreError(
            f"{file}: field 'race.order' must be a list of trials' keys, got {reprlib.repr(order)}: {REMEDY}"
        )
    try:
        check_race(scheduler, **numbers)
    except ConfigError as error:
        raise StoreError(f"{file}: field 'race': {str(error).removesuffix('.')}: {REMEDY}") from error


def _typed(file: str, name: str, value: object, hint: Any) -> Any:
    if typing.get_origin(hint) is tuple and isinstance(value, list):
        item = typing.get_args(hint)[0]
        if all(isinstance(v, item) for v in value):
            return tuple(value)
    elif isinstance(value, typing.get_origin(hint) or hint) and not isinstance(value, bool):
        return value
    raise StoreError(f"{file}: field {name!r} holds {value!r}, which is not its type: {REMEDY}")
