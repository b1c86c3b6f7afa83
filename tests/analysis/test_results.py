"""Results open lazily, from one folder or several, and say what varies in them."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from store.fabricated import DETACHED, FULL, SPATIAL, STAYING, TURNING, images_trial, write_rows, write_sweep

from analysis import Results, open_results
from analysis.results import once
from tic_sweep.errors import StoreError
from tic_sweep.records import TABLES


def test_tables_are_lazy_frames_with_every_row(tmp_path: Path) -> None:
    """A sweep of two trials with seven reports each has as many rows in each table."""
    write_sweep(tmp_path / "r", [({"seed": s}, "finished", TURNING) for s in (0, 1)])
    results = open_results(tmp_path / "r")

    assert isinstance(results.trials, pl.LazyFrame)
    heights = [frame.collect().height for frame in (results.trials, results.epochs, results.fisher)]
    assert [2, 14, 14 * 8] == heights


def test_settings_leave_out_fields_that_follow_from_others(tmp_path: Path) -> None:
    """Of data set, its image size and learning rate, two tell settings apart; the number to compare over is last."""
    tasks = ({"data.name": "cifar10", "data.image_size": 16}, {"data.name": "fashion_mnist", "data.image_size": 14})
    trials = [(task | {"optimiser.lr": lr}, "finished", TURNING) for task in tasks for lr in (0.1, 0.3)]
    write_sweep(tmp_path / "r", trials, varied=("optimiser.lr", "data.name", "data.image_size"))
    results = open_results(tmp_path / "r")

    assert ("optimiser.lr", "data.name", "data.image_size") == results.varied
    assert ("data.name", "optimiser.lr") == results.settings


def test_fields_that_vary_are_found_even_if_not_declared(tmp_path: Path) -> None:
    """The manifest names what was planned to vary; the trials tell the rest."""
    write_sweep(tmp_path / "r", [({"neuron.tau": tau}, "finished", TURNING) for tau in (2.0, 4.0)])

    assert ("optimiser.lr", "neuron.tau") == open_results(tmp_path / "r").varied
    assert ("neuron.tau",) == open_results(tmp_path / "r").settings


def test_results_without_variation_are_one_setting(tmp_path: Path) -> None:
    """Seeds alone do not make settings."""
    write_sweep(tmp_path / "r", [({"seed": s}, "finished", TURNING) for s in (0, 1)], varied=())

    assert ("sweep",) == open_results(tmp_path / "r").settings


def test_folder_without_toys_gives_empty_frames(tmp_path: Path) -> None:
    """Tables that a sweep does not fill have columns and no rows."""
    write_sweep(tmp_path / "r", [({}, "finished", TURNING)])
    results = open_results([tmp_path / "r", tmp_path / "r"])

    assert [0, 0, 0] == [frame.collect().height for frame in (results.dynamics, results.toy, results.toy_curves)]


def test_part_of_the_results_belongs_to_its_trials(tmp_path: Path) -> None:
    """Every table is cut down to the trials chosen."""
    write_sweep(tmp_path / "r", [({"seed": s}, "finished", TURNING) for s in (0, 1)])
    part = open_results(tmp_path / "r").where(pl.col("seed") == 1)

    assert [1, 7, 7 * 8] == [frame.collect().height for frame in (part.trials, part.epochs, part.fisher)]


def test_parts_are_what_filters_would_give(tmp_path: Path) -> None:
    """Each setting comes with the rows of its own trials in every table, a table with a column ``part`` too."""
    trials = [({"neuron.tau": tau, "seed": s}, "finished", TURNING) for tau in (2.0, 4.0) for s in (0, 1)]
    write_sweep(tmp_path / "r", trials)
    results = open_results(tmp_path / "r")
    parts = list(results.parts(["neuron.tau"]))

    assert [{"neuron.tau": 2.0}, {"neuron.tau": 4.0}] == [setting for setting, _ in parts]
    for setting, part in parts:
        expected = results.where(pl.col("neuron.tau") == setting["neuron.tau"])
        for name, table in TABLES.items():
            rows, own = (getattr(results, name).sort(*table.identity).collect() for results in (expected, part))
            assert rows.equals(own), name


def test_variant_stands_for_both_fields_of_the_gradient(tmp_path: Path) -> None:
    """Where both vary, settings are told apart by the variant's name; shares of the reset's gradient have one too."""
    changes = [DETACHED, FULL, SPATIAL, {"neuron.reset_gradient": 0.25}]
    write_rows(tmp_path / "r", [images_trial(change, 0.9) for change in changes])
    results = open_results(tmp_path / "r")

    assert ("variant",) == results.settings
    named = results.trials.select("variant").collect()["variant"].to_list()
    assert ["detached", "full", "spatial", "reset gradient 0.25"] == named


def test_trial_in_two_folders_counts_once_where_it_finished(tmp_path: Path) -> None:
    """The same config in two folders is one trial, with the epochs of the folder in which it finished."""
    write_sweep(tmp_path / "a", [({"seed": 0}, "diverged", STAYING[:2]), ({"seed": 1}, "finished", STAYING)])
    write_sweep(tmp_path / "b", [({"seed": 0}, "finished", TURNING)])
    results = open_results([tmp_path / "a", tmp_path / "b"])
    curves = results.epochs.join(results.trials.select("key", "seed"), on="key").sort("seed", "epoch").collect()

    assert 2 == len(results.manifests)
    assert [(0, list(TURNING)), (1, list(STAYING))] == curves.group_by("seed", maintain_order=True).agg("ic").rows()
    assert {"finished"} == set(results.trials.select("status").collect().to_series())
    assert results.trials.collect_schema().names()[0] == "key"


def test_what_is_no_results_folder_is_refused(tmp_path: Path) -> None:
    """A wrong path, and no path, are answered with a reason."""
    with pytest.raises(StoreError, match="does not exist"):
        open_results(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="no results folder is given"):
        open_results([])


def test_describe_names_every_column_with_its_meaning(tmp_path: Path) -> None:
    """Type, unit and meaning come from the declarations."""
    write_sweep(tmp_path / "r", [])
    table = open_results(tmp_path / "r").describe()
    ic = table.filter(pl.col("table") == "epochs", pl.col("column") == "ic").row(0, named=True)

    assert ("float", "timesteps") == (ic["type"], ic["unit"])
    assert table["meaning"].str.len_chars().min() > 0
    assert set(TABLES) == set(table["table"])


@pytest.mark.parametrize(
    ("module", "banned"),
    [
        ("analysis", {"torch", "ray", "wandb", "pyarrow", "plotly", "jinja2", "scipy", "sklearn"}),
        ("analysis.tables", {"torch", "ray", "wandb", "plotly", "jinja2"}),
        ("analysis.report", {"torch", "ray", "wandb", "sklearn"}),
    ],
)
def test_import_stays_light(module: str, banned: set[str]) -> None:
    """A fresh interpreter that imports the module loads none of what it can do without."""
    code = f"import sys, {module}; print(sorted({banned!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == loaded.stdout.strip()


def test_the_catalogue_has_units_bounds_and_what_is_derived(tmp_path: Path) -> None:
    """A field of the config says what it accepts, the variant is there, and rows are counted if asked for."""
    write_sweep(tmp_path / "r", [({"seed": s}, "finished", TURNING) for s in (0, 1)])
    table = open_results(tmp_path / "r").describe(rows=True)
    by_name = {(row["table"], row["column"]): row for row in table.to_dicts()}

    assert "a finite number greater than 0.5 timesteps" == by_name["trials", "neuron.tau"]["bounds"]
    assert "one of hard, soft" == by_name["trials", "neuron.reset"]["bounds"]
    assert "" == by_name["trials", "val_acc"]["bounds"]
    assert by_name["trials", "variant"]["meaning"].startswith("how gradients pass")
    assert (2, 14, 0) == tuple(by_name[name]["rows"] for name in (("trials", "key"), ("epochs", "ic"), ("toy", "lr")))


def test_the_catalogue_names_the_columns_there_are(tmp_path: Path) -> None:
    """Every column of every frame has its row, and no other."""
    write_sweep(tmp_path / "r", [({}, "finished", TURNING)])
    results = open_results(tmp_path / "r")
    described = results.describe().group_by("table").agg("column")

    assert {name: set(columns) for name, columns in described.iter_rows()} == {
        table: set(getattr(results, table).collect_schema()) for table in TABLES
    }


def test_what_is_asked_once_is_worked_out_once_per_look(tmp_path: Path) -> None:
    """By its arguments, a list being as good as a tuple; of other results, and of a part, it is worked out anew."""
    asked: list[tuple[object, ...]] = []

    @once
    def told(results: Results, *arguments: object) -> int:
        asked.append(arguments)
        return len(asked)

    results = open_results(write_sweep(tmp_path / "r", [({}, "finished", TURNING)]).root)

    assert [1, 1, 2, 2] == [told(results), told(results), told(results, ["a"]), told(results, ("a",))]
    assert [3, 4] == [told(results.where(pl.col("seed") == 0)), told(results.held)]
    assert results.held is results.held
    assert [4] == [told(results.held)]
