"""Declared fields: a default, a bound, a unit and a meaning in one place, checked and cast whenever a config is made.

A value is cast to the declared type before it is stored, so that ``tau=2`` and ``tau=2.0`` are one trial, and is
refused by name and value if it is out of bounds, so that no nonsense reaches a training.
"""

import dataclasses
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, TypeAlias

from tic_sweep.errors import ConfigError, did_you_mean

Scalar: TypeAlias = str | int | float | bool
Kind: TypeAlias = type[Any]

LARGEST = {int: 2**63 - 1, float: sys.float_info.max}
"""The largest numbers that a column of the store can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a field accepts: its type, its bounds (``None`` is no bound) or its options, its unit and its meaning.

    A field with ``items`` is a list of such numbers, kept as text in ascending order (``"1,20,40"``; empty is none), so
    that it is one value of a table and of a key; bounds and unit are those of each number.
    """

    type: type
    doc: str
    unit: str = ""
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    options: tuple[str, ...] = ()
    items: Kind | None = None

    def cast(self, path: str, value: object) -> Scalar:
        """Return ``value`` in the declared type, or refuse it.

        Raises:
            ConfigError: naming ``path``, the value and what is accepted.
        """
        typed = self._typed(value) if self.items is None else self._list(value)
        if typed is None or not self._within(typed):
            hint = did_you_mean(value, self.options) if isinstance(value, str) and self.options else ""
            raise ConfigError(f"{path} must be {self.accepted()}, got {value!r}.{hint}")
        return typed

    def accepted(self) -> str:
        """Say what is accepted, in words: ``a number greater than 0.5 timesteps``."""
        if self.options:
            return "one of " + ", ".join(self.options)
        if self.type is bool:
            return "true or false"
        if self.items is not None:
            return f"a list such as 1,20,40, each {self._single().accepted()}"
        bounds = [
            f"{words} {bound:g}"
            for words, bound in (("greater than", self.above), ("at least", self.at_least), ("at most", self.at_most))
            if bound is not None
        ]
        kind = "a whole number" if self.type is int else "a finite number"
        return " ".join([kind, " and ".join(bounds), self.unit]).replace("  ", " ").strip()

    def _typed(self, value: object) -> Scalar | None:
        if self.type is bool:
            return value if isinstance(value, bool) else None
        if self.type is str:
            return value if isinstance(value, str) else None
        if isinstance(value, bool) or not isinstance(value, Real):
            return None
        number = int(value) if isinstance(value, Integral) else float(value)
        if not abs(number) <= LARGEST[self.type]:
            return None
        if self.type is float:
            return float(number) + 0.0  # makes -0.0 and 0.0 one trial
        return int(number) if number == int(number) else None

    def _single(self) -> "Rule":
        return dataclasses.replace(self, type=self.items or self.type, items=None)

    def _list(self, value: object) -> str | None:
        """Return a list's numbers, in ascending order and each once, as text; None if one of them is refused."""
        if isinstance(value, str) and not value.strip():
            return ""
        parts = value.split(",") if isinstance(value, str) else value if isinstance(value, (list, tuple)) else [value]
        single = self._single()
        try:
            numbers = {single.cast("", _number(part) if isinstance(part, str) else part) for part in parts}
        except ConfigError:
            return None
        return ",".join(repr(number).removesuffix(".0") for number in sorted(numbers))

    def _within(self, value: Scalar) -> bool:
        if self.options:
            return value in self.options
        if isinstance(value, (bool, str)):
            return True
        return (
            (self.above is None or value > self.above)
            and (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
        )


def real(default: float, doc: str, *, unit: str = "", **bounds: Any) -> Any:
    """Declare a finite real number; ``bounds`` are ``above``, ``at_least`` and ``at_most``."""
    return dataclasses.field(default=default, metadata={"rule": Rule(type=float, doc=doc, unit=unit, **bounds)})


def integer(default: int, doc: str, *, unit: str = "", **bounds: Any) -> Any:
    """Declare a whole number; a float without a fraction is accepted and stored as an int."""
    return dataclasses.field(default=default, metadata={"rule": Rule(type=int, doc=doc, unit=unit, **bounds)})


def choice(default: str, options: Iterable[str], doc: str) -> Any:
    """Declare one of a few names."""
    return dataclasses.field(default=default, metadata={"rule": Rule(type=str, doc=doc, options=tuple(options))})


def flag(default: bool, doc: str) -> Any:  # noqa: FBT001 - a declaration reads `flag(False, ...)`
    """Declare true or false."""
    return dataclasses.field(default=default, metadata={"rule": Rule(type=bool, doc=doc)})


def listing(default: str, item: Kind, doc: str, *, unit: str = "", **bounds: Any) -> Any:
    """Declare a list of numbers, given and kept as text: ``"1,20,40"``, empty for none; read it with `listed`."""
    rule = Rule(type=str, doc=doc, unit=unit, items=item, **bounds)
    return dataclasses.field(default=default, metadata={"rule": rule})


def listed(text: str) -> tuple[float, ...]:
    """Return the numbers of a `listing`."""
    return tuple(float(part) for part in text.split(",")) if text else ()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


class Section:
    """A frozen group of declared fields; casts and checks every one of them when it is made."""

    __slots__ = ()
    section: ClassVar[str] = ""

    def __post_init__(self) -> None:
        """Cast and check each declared field; raises ConfigError for the first that is refused."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # every Section is a dataclass
            rule = field.metadata.get("rule")
            if rule is not None:
                path = f"{self.section}.{field.name}" if self.section else field.name
                object.__setattr__(self, field.name, rule.cast(path, getattr(self, field.name)))
