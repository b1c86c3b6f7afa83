"""Records: every row declared once, with a meaning per field."""

import dataclasses
import typing

import pytest

from tic_sweep.config import field_rules
from tic_sweep.records import (
    BADLY,
    BEGUN,
    ENDED,
    STAMP,
    STATUSES,
    TABLES,
    EpochRow,
    FisherRow,
    Outcome,
    TrialRow,
    columns_of,
)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_has_a_type_and_a_meaning(table: str) -> None:
    """A column is a plain type with a meaning of one line."""
    for name, column in columns_of(table).items():
        assert column.type in (str, int, float, bool), name
        assert column.meaning, name
        assert "\n" not in column.meaning, name


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_their_records(table: str) -> None:
    """Columns are the record's fields, for trials then the config's by path, and the writer's stamp at the end."""
    declared = [field.name for field in dataclasses.fields(TABLES[table].record)]
    config = list(field_rules()) if table == "trials" else []

    assert [*declared, *config, "session", "seq"] == list(columns_of(table))
    assert {"session", "seq"} == set(STAMP)


@pytest.mark.parametrize("table", TABLES)
def test_identities_are_columns(table: str) -> None:
    """What tells rows apart is never null, and is there."""
    hints = typing.get_type_hints(TABLES[table].record)

    for name in TABLES[table].identity:
        assert name in columns_of(table)
        assert hints[name] in (str, int, float)


def test_schemas() -> None:
    """Types come from the records, and are those of what a field holds when it is not null."""
    assert (str, int, float) == tuple(columns_of("trials")[name].type for name in ("status", "attempt", "val_acc"))
    assert (float, bool) == tuple(columns_of("trials")[n].type for n in ("neuron.tau", "neuron.temporal_gradient"))
    assert "timesteps" == columns_of("epochs")["ic"].unit


def test_no_config_path_is_a_field_of_a_trial() -> None:
    """Config columns never hide a trial's own."""
    assert not field_rules().keys() & {field.name for field in dataclasses.fields(TrialRow)}


def test_an_outcome_is_part_of_a_trial() -> None:
    """What the worker tells at the end goes into the trial's row as it is."""
    row = typing.get_type_hints(TrialRow)
    outcome = typing.get_type_hints(Outcome)

    assert outcome == {name: row[name] for name in outcome}


def test_ended_statuses_exist() -> None:
    """Trials that are left alone on resume are in a known state."""
    assert set(ENDED) < STATUSES.keys()
    assert {"finished", "stopped"} == set(ENDED) - set(BADLY)
    assert STATUSES.keys() == {"planned", *BEGUN, *ENDED}
    assert not {"planned", *BEGUN} & set(ENDED)


@pytest.mark.parametrize("record", [TrialRow, EpochRow, FisherRow])
def test_rows_are_frozen_and_named(record: type) -> None:
    """A row cannot be changed, and its fields are given by name."""
    required = {field.name: "" for field in dataclasses.fields(record) if field.default is dataclasses.MISSING}
    row = record(**required)

    with pytest.raises(dataclasses.FrozenInstanceError):
        row.key = "x"
    with pytest.raises(TypeError):
        record(*required.values())
