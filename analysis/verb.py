"""`Verb`: a function of the analysis with the columns it needs and those it gives, declared and checked."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import polars as pl

from analysis.results import Results
from tic_sweep.errors import UserError, did_you_mean

Arguments: TypeAlias = Mapping[str, Any]
Expansion: TypeAlias = Callable[[Arguments], Iterable[str]]
PARTS = ("", "_se", "_low", "_high")
"""What is given of a mean over seeds: the mean, its standard error, and the ends of its interval."""
SHOWN = 12


class VerbError(UserError):
    """A verb was handed a frame without a column it needs."""


@dataclass(frozen=True, slots=True)
class Verb:
    """A function from frames, or from `Results`, to a frame; call it as the function itself, or with ``.pipe``.

    A column that is declared as ``*x`` stands for those that the argument ``x`` names: a column or several of them, or
    all columns of a frame; or for what ``expansions`` makes of the arguments.
    """

    function: Callable[..., Any]
    needs: Mapping[str, tuple[str, ...]]
    """By argument, or by table where the argument is `Results`: the columns without which it does not work."""
    gives: tuple[str, ...]
    """Its columns in order; one that is there already is not repeated."""
    expansions: Mapping[str, Expansion]

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__

    @property
    def meaning(self) -> str:
        """What it returns, in the first line of its docstring."""
        return (inspect.getdoc(self.function) or "").split("\n", 1)[0]

    @property
    def is_lazy(self) -> bool:
        """Whether it returns a lazy frame."""
        return inspect.signature(self.function).return_annotation is pl.LazyFrame

    def __call__(self, *given: Any, **options: Any) -> Any:
        """Return the function's frame, after a look at the columns of what it is handed.

        Raises:
            VerbError: if a frame lacks a column it needs.
        """
        arguments = self._bound(given, options)
        for source, needed in self.needs.items():
            results = arguments.get("results")
            frame = arguments[source] if source in arguments else getattr(results, source)
            columns = frame.collect_schema().names()
            missing = [name for name in self._expanded(needed, arguments) if name not in columns]
            if missing:
                there = ", ".join(columns[:SHOWN]) + (", ..." if len(columns) > SHOWN else "")
                raise VerbError(
                    f"{self.name} needs {source} with column {missing[0]!r}.{did_you_mean(missing[0], columns)} "
                    f"There are: {there}."
                )
        return self.function(*given, **options)

    def on(self, results: Results, **options: Any) -> Any:
        """Return the verb's frame of some results: arguments that are named as tables are theirs.

        Raises:
            VerbError: if it needs a frame that is no table of the results.
        """
        tables: dict[str, Any] = {}
        for name in inspect.signature(self.function).parameters:
            if name == "results":
                tables[name] = results
            elif name in self.needs and name not in options:
                if not isinstance(getattr(results, name, None), pl.LazyFrame):
                    raise VerbError(f"{self.name} works on {name!r}, which is no table of results: hand it over.")
                tables[name] = getattr(results, name)
        return self(**tables, **options)

    def columns(self, *given: Any, **options: Any) -> list[str]:
        """Return the columns that a call with these arguments gives, in order."""
        return self._expanded(self.gives, self._bound(given, options))

    def _bound(self, given: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
        bound = inspect.signature(self.function).bind(*given, **options)
        bound.apply_defaults()
        return bound.arguments

    def _expanded(self, declared: Iterable[str], arguments: Arguments) -> list[str]:
        found: list[str] = []
        for name in declared:
            found += self._of(name[1:], arguments) if name.startswith("*") else [name]
        return list(dict.fromkeys(found))

    def _of(self, name: str, arguments: Arguments) -> Iterable[str]:
        if name in self.expansions:
            return self.expansions[name](arguments)
        value = arguments[name]
        if isinstance(value, (pl.LazyFrame, pl.DataFrame)):
            return value.collect_schema().names()
        return [value] if isinstance(value, str) else list(value)


def means_of(*columns: str) -> tuple[str, ...]:
    """Return the columns of means over seeds."""
    return tuple(f"{column}{part}" for column in columns for part in PARTS)
