"""How figures for print name fields, values and settings: as the field writes them, not as the config does."""

import re
from collections.abc import Mapping
from typing import Any

from analysis.fields import name_of, text_of

NAMES = {
    "cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "svhn": "SVHN", "fashion_mnist": "Fashion-MNIST", "mnist": "MNIST",
    "digits": "digits", "resnet19": "ResNet19", "resnet34": "ResNet34", "alexnet": "AlexNet", "vgg16": "VGG16",
    "small_conv": "small ConvNet",
}  # fmt: skip
"""Data sets and networks."""
SYMBOLS = {
    "timesteps": "$T$", "neuron.tau": "τ", "loss.alpha": "α", "pruning.timesteps": r"$T_\mathrm{retrain}$",
    "retrain_timesteps": r"$T_\mathrm{retrain}$",
}  # fmt: skip
SPOKEN = {"$T$": "T", r"$T_\mathrm{retrain}$": "T_retrain"}
LETTERS = {"τ": "tau", "α": "alpha"}


def field_text(path: str) -> str:
    """Return a field's name for an axis or a legend: ``weight decay``, or its symbol."""
    return SYMBOLS.get(path) or name_of(path)


def value_text(value: Any) -> str:
    """Return a value for a legend: data sets and networks by their names, numbers as people write them."""
    return NAMES.get(value, value) if isinstance(value, str) else text_of(value)


def setting_text(setting: Mapping[str, Any]) -> str:
    """Return a setting in words: ``CIFAR-10, τ = 2.0``; names stand for themselves, numbers with their field."""
    return ", ".join(
        value_text(value) if isinstance(value, str) else f"{field_text(path)}{_joint(path)}{value_text(value)}"
        for path, value in setting.items()
    )


def plain(text: str) -> str:
    """Return text without the marks of formulas."""
    for symbol, spoken in SPOKEN.items():
        text = text.replace(symbol, spoken)
    return text


def part_name(setting: Mapping[str, Any]) -> str:
    """Return a setting as part of a file's name: ``cifar-10-tau-0-75``."""
    text = plain(setting_text(setting)).replace(" = ", " ")
    for greek, latin in LETTERS.items():
        text = text.replace(greek, latin)
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 seed``, ``3 seeds``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def seeds_text(counts: Any) -> str:
    """Return how many seeds means are over: ``3 seeds``, ``2 to 3 seeds``."""
    found = sorted({int(count) for count in counts if count is not None})
    if not found:
        return "no seeds"
    return counted(found[0], "seed") if len(found) == 1 else f"{found[0]} to {found[-1]} seeds"


def _joint(path: str) -> str:
    return " = " if path in SYMBOLS else " "
