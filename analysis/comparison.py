"""Which settings are lines of one panel, and which are told apart by a menu: values of α, else of the last setting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.alpha import ALPHA, LOSS
from analysis.colours import OKABE_ITO, Shade, shades_of
from analysis.fields import label_of, name_of, text_of
from analysis.results import Results
from analysis.variants import shades_of_variants


@dataclass(frozen=True, slots=True)
class Comparison:
    """The columns of the menu and those of the lines, the latter's values with their names and colours."""

    contexts: tuple[str, ...]
    lines: tuple[str, ...]
    names: dict[tuple[Any, ...], str]
    shades: dict[tuple[Any, ...], Shade]

    @property
    def title(self) -> str:
        """What the lines differ in, in words; empty if their names say it."""
        return name_of(self.lines[0]) if len(self.lines) == 1 and self.lines[0] not in {*LOSS, "sweep"} else ""

    @property
    def columns(self) -> list[str]:
        """The columns of both."""
        return [*self.contexts, *self.lines]

    def split(self, setting: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return the values of a setting's `columns` as those of its context and those of its line."""
        return setting[: len(self.contexts)], setting[len(self.contexts) :]

    def label(self, setting: tuple[Any, ...]) -> str:
        """Return a context, or a whole setting, in words."""
        context, line = self.split(setting)
        words = label_of(dict(zip(self.contexts, context, strict=True)))
        own = f"{self.title} {self.names[line]}".strip() if line else ""
        return ", ".join(filter(None, (words, own)))


def comparison_of(results: Results) -> Comparison:
    """Return what is compared in some results: losses if their α varies, else the last of the settings."""
    settings = results.settings
    lines = tuple(path for path in LOSS if path in settings) if ALPHA in settings else settings[-1:]
    values = results.trials.select(*lines).unique().sort(*lines).collect().rows()
    names = {value: _name(dict(zip(lines, value, strict=True))) for value in values}
    return Comparison(tuple(path for path in settings if path not in lines), lines, names, _shades(lines, names))


def _name(line: Mapping[str, Any]) -> str:
    if "loss.name" in line and line["loss.name"] != "alpha":  # null in results from before there were others
        return "cross-entropy"
    return f"α = {text_of(line[ALPHA])}" if ALPHA in line else text_of(next(iter(line.values())))


def _shades(lines: tuple[str, ...], names: Mapping[tuple[Any, ...], str]) -> dict[tuple[Any, ...], Shade]:
    if lines == ("variant",):
        return {(variant,): shade for variant, shade in shades_of_variants(value[0] for value in names).items()}
    coloured = [value for value, name in names.items() if name != "cross-entropy"]
    grey = dict.fromkeys(names, Shade(*OKABE_ITO[-1]))
    return grey | dict(zip(coloured, shades_of([value[-1] for value in coloured]), strict=True))
