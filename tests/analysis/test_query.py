"""SQL over the tables: dotted columns, the view of transitions, and errors that name the remedy."""

from pathlib import Path

import polars as pl
import pytest
from store.fabricated import STAYING, TURNING, write_sweep

from analysis import Results, open_results
from analysis.query import QueryError, collected, query, quoted, tables_named


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Return two trials, of which the one with learning rate 0.3 turns at epoch 3.5."""
    trials = [({"optimiser.lr": 0.3}, "finished", TURNING), ({"optimiser.lr": 0.1}, "finished", STAYING)]
    return open_results(write_sweep(tmp_path / "r", trials).root)


@pytest.mark.parametrize("column", ["optimiser.lr", '"optimiser.lr"', 't."optimiser.lr"', "t.optimiser.lr"])
def test_a_dotted_path_is_a_column_with_quotes_or_without(results: Results, column: str) -> None:
    """Joined to its epochs, each trial's largest IC is 5."""
    sql = f"SELECT {column}, max(e.ic) AS top FROM trials t JOIN epochs e ON t.key = e.key GROUP BY {column}"  # noqa: S608

    assert [(0.1, 5.0), (0.3, 5.0)] == sorted(query(results, sql).collect().rows())


def test_paths_in_texts_and_names_are_left_alone() -> None:
    """Only a path that stands alone is quoted; ``toy.lr_low`` is not ``toy.lr`` with an end."""
    sql = "SELECT toy.lr_low, 'optimiser.lr', \"optimiser.lr\", my_optimiser.lr, model.name AS n FROM trials"

    expected = 'SELECT "toy.lr_low", \'optimiser.lr\', "optimiser.lr", my_optimiser.lr, "model.name" AS n FROM trials'
    assert expected == quoted(sql)


def test_transitions_are_a_view(results: Results) -> None:
    """One row per trial, as `tic_transitions` gives it."""
    sql = "SELECT optimiser.lr, interpolated, turned FROM transitions ORDER BY optimiser.lr"

    assert [(0.1, None, False), (0.3, 3.5, True)] == query(results, sql).collect().rows()


def test_floats_are_whole(results: Results) -> None:
    """A fraction stays what it was."""
    assert [0.1, 0.3] == query(results, "SELECT optimiser.lr FROM trials ORDER BY 1").collect().to_series().to_list()
    assert 5.0 / 3 == query(results, "SELECT max(ic) / 3 AS x FROM epochs").collect().item()


def test_the_answer_is_lazy(results: Results) -> None:
    """Nothing is read until it is collected."""
    assert isinstance(query(results, "SELECT * FROM fisher"), pl.LazyFrame)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT * FROM epoch", "there is no table 'epoch'. Did you mean 'epochs'?"),
        ("SELECT icc FROM epochs", "there is no column 'icc'. Did you mean 'ic'?"),
        ("SELECT tau FROM trials", "there is no column 'tau'. Did you mean 'neuron.tau'?"),
        ("SELECT t.lrr FROM trials t", "there is no column 'lrr'. Did you mean 'optimiser.lr'?"),
        ("SELECT qqqqqq FROM epochs", "there is no column 'qqqqqq' in epochs"),
        ("SELCT ic FROM epochs", "SQL is not understood"),
        ("SELECT median_of(ic) FROM epochs", "unsupported function 'median_of'"),
        ("SELECT FROM epochs", "the query asks for no column"),
    ],
)
def test_an_error_is_one_line_with_the_remedy(results: Results, sql: str, words: str) -> None:
    """Tables and columns that are not there are answered with the nearest that is."""
    with pytest.raises(QueryError) as raised:
        query(results, sql)

    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_fails_while_it_is_computed_is_one_line_too(results: Results) -> None:
    """A key is no number."""
    with pytest.raises(QueryError, match=r"cannot be computed: conversion from `str` to `f64`"):
        collected(query(results, "SELECT CAST(key AS DOUBLE) FROM trials"))


def test_tables_named_are_those_read() -> None:
    """A view stands for what it is made of; parts of words are no tables."""
    assert ["trials", "epochs", "summaries"] == tables_named("SELECT * FROM transitions")
    assert ["fisher"] == tables_named("SELECT fisher_trace FROM FISHER")
