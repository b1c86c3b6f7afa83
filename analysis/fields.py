"""The config fields in which trials differ: which they are, and how they and their values are written for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from tic_sweep.config import field_rules
from tic_sweep.records import Column, columns_of

VARIANT = ("neuron.reset_gradient", "neuron.temporal_gradient")
"""The fields that a variant of the gradient is named from."""
NAMES = {
    "variant": "gradient",
    "optimiser.lr": "learning rate",
    "optimiser.name": "optimiser",
    "neuron.tau": "time constant τ",
    "neuron.v_threshold": "threshold",
    "data.name": "data set",
    "model.name": "network",
    "model.width": "network width",
    "timesteps": "timesteps T",
    "loss.name": "loss",
    "loss.alpha": "α",
    "fisher.split": "IC measured on",
    "pruning.timesteps": "T_retrain",
    "pruning.share": "share pruned",
    "sequences.name": "sequences",
    "delays.learn": "learnt delays",
    "delays.rule": "structure",
    "delays.hidden": "hidden neurons",
    "delays.max_delay": "longest delay",
}
"""Words for fields whose last name alone would not do."""


DERIVED = {
    "trials": {
        "variant": Column(
            str, "how gradients pass from one timestep to the one before: detached, full, spatial, or a share of full"
        )
    }
}
"""Columns that a table has besides those stored."""


def catalogue_of(tables: Iterable[str]) -> pl.DataFrame:
    """Return one row per column of some tables: table, column, type, unit, meaning, bounds.

    ``bounds`` says in words what a field of the config accepts; it is empty for what is measured or derived.
    """
    rules = field_rules()
    return pl.DataFrame(
        [
            (table, name, c.type.__name__, c.unit, c.meaning,
             rules[name].accepted() if table == "trials" and name in rules else "")
            for table in tables
            for name, c in (columns_of(table) | DERIVED.get(table, {})).items()
        ],
        schema=dict.fromkeys(("table", "column", "type", "unit", "meaning", "bounds"), pl.String),
        orient="row",
    )  # fmt: skip


def name_of(path: str) -> str:
    """Return a field's name in words: ``optimiser.weight_decay`` is ``weight decay``."""
    return NAMES.get(path, path.rpartition(".")[2].replace("_", " "))


def text_of(value: Any) -> str:
    """Return a config value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.1f}" if value.is_integer() and abs(value) < 1e4 else f"{value:.4g}"  # noqa: PLR2004


def label_of(setting: Mapping[str, Any]) -> str:
    """Return a setting in words: ``learning rate 0.3``, or ``data set svhn, learning rate 0.3``."""
    return ", ".join(
        text_of(value) if path == "sweep" else f"{name_of(path)} {text_of(value)}" for path, value in setting.items()
    )


def variant_of_trials() -> pl.Expr:
    """Return the column ``variant``: how gradients pass from one timestep to the one before (Yang 2020).

    ``detached`` through the membrane only, ``full`` through membrane and reset, ``spatial`` through neither, and
    ``reset gradient 0.5`` for a share of the reset's.
    """
    share, temporal = (pl.col(path) for path in VARIANT)
    return (
        pl
        .when(~temporal)
        .then(pl.lit("spatial"))
        .when(share == 0)
        .then(pl.lit("detached"))
        .when(share == 1)
        .then(pl.lit("full"))
        .otherwise(pl.format("reset gradient {}", share))
        .alias("variant")
    )


def trains_networks() -> pl.Expr:
    """Return which trials train a network epoch by epoch; the others are blocks of toy problems."""
    return pl.col("task").is_in(["images", "sequences"])


def rows_of(frame: pl.DataFrame, paths: Sequence[str], setting: Sequence[Any]) -> pl.DataFrame:
    """Return the rows of one setting; all, if nothing tells settings apart."""
    if not paths:
        return frame
    return frame.filter(pl.col(path).eq_missing(value) for path, value in zip(paths, setting, strict=True))


def varied_columns(trials: pl.LazyFrame, among: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the config columns, seed aside, that hold more than one value; of some of them, if they are named."""
    considered = set(field_rules() if among is None else among) - {"seed"}
    paths = [path for path in field_rules() if path in considered]
    differs = [pl.col(path).ne_missing(pl.col(path).first()).any() for path in paths]
    return tuple(path for path, yes in zip(paths, trials.select(differs).collect().row(0), strict=True) if yes)


def determining(trials: pl.LazyFrame, paths: Sequence[str]) -> tuple[str, ...]:
    """Return those of the columns that are needed to tell settings apart, the one to compare over last.

    A column that follows from earlier ones (the image size, where each data set has its own) is left out, and so is
    one with a single value. What is compared is the variant of the gradient, else the number with most values; names
    come before it, as context.
    """
    table = trials.select(*paths).unique().collect() if paths else pl.DataFrame()
    kept: list[str] = []
    told_apart = 1
    for path in table.columns:
        count = table.select(*kept, path).n_unique()
        if count > told_apart:
            kept.append(path)
            told_apart = count
    rules = field_rules()
    numbers = {path for path in kept if path in rules and rules[path].type in (int, float)}
    return tuple(sorted(kept, key=lambda path: (path == "variant", path in numbers, table[path].n_unique())))
