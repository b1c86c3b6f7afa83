"""The manifest is read back as it was written, or refused with a reason."""

import dataclasses
import json
from pathlib import Path

import pytest

from tic_sweep.errors import StoreError
from tic_sweep.store import FORMAT, Manifest, Reading, ResultsFolder
from tic_sweep.store.manifest import without_places
from tic_sweep.sweep import SCHEDULERS

MANIFEST = Manifest(
    sweep="tau", scale="paper", question="Does τ matter?", varied=("neuron.tau",), fixed={"timesteps": 8}, seeds=(0, 1),
    samples=0, sweep_file_text="SWEEP = …", version="0.1.0", command="tic-sweep run tau",
)  # fmt: skip


def test_manifest_round_trip(tmp_path: Path) -> None:
    """What is saved is what is loaded, tuples and non-ASCII text included."""
    MANIFEST.save(tmp_path / "sweep.json")

    assert MANIFEST == Manifest.load(tmp_path / "sweep.json")
    assert ["sweep.json"] == [path.name for path in tmp_path.iterdir()]


def test_newer_format_asks_for_an_update(tmp_path: Path) -> None:
    """A folder of a newer layout is not read."""
    (tmp_path / "sweep.json").write_text(json.dumps({"format": FORMAT + 1}))

    with pytest.raises(StoreError, match="update tic_sweep"):
        Manifest.load(tmp_path / "sweep.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": 1, "sw', "is damaged"),
        ("[1]", "must hold an object"),
        ("\x00\xff", "is damaged"),
        ('{"name": "my-app"}', "has no field 'format'"),
        ('{"format": 1, "sweep": 7, "scale": "", "question": ""}', "field 'sweep' holds 7"),
        ('{"format": 1, "sweep": "", "scale": "", "question": "", "seeds": ["a"]}', "field 'seeds' holds"),
    ],
)
def test_damaged_manifest_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """A manifest that cannot be trusted is refused in one line that says why."""
    (tmp_path / "sweep.json").write_text(text, encoding="latin-1")

    with pytest.raises(StoreError, match=message) as refusal:
        Manifest.load(tmp_path / "sweep.json")

    assert 1 == len(str(refusal.value).splitlines())


def test_fields_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    """A field added later without a new format does not keep this version from reading."""
    MANIFEST.save(tmp_path / "sweep.json")
    values = json.loads((tmp_path / "sweep.json").read_text())
    (tmp_path / "sweep.json").write_text(json.dumps(values | {"mood": "sunny"}))

    assert MANIFEST == Manifest.load(tmp_path / "sweep.json")


RACE = {"budget": 0.5, "holdout": 0.1, "grace": 0.0, "order": ["a", "b"]}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"objective": "nonsense"}, "field 'objective' must be one of val_acc, .* got 'nonsense'"),
        ({"searcher": "oracle"}, "field 'searcher' must be one of random, tpe, got 'oracle'"),
        ({"scheduler": "hybird"}, "field 'scheduler' must be one of none, .* got 'hybird'"),
        ({"scheduler": "hybrid"}, "field 'race.budget' must be a number, got None"),
        ({"scheduler": "hybrid", "race": RACE | {"grace": "0"}}, "field 'race.grace' must be a number, got '0'"),
        ({"scheduler": "hybrid", "race": RACE | {"order": 3}}, "field 'race.order' must be a list .* got 3"),
        ({"scheduler": "hybrid", "race": RACE | {"order": [3]}}, r"field 'race.order' must be a list .* got \[3\]"),
        ({"scheduler": "hybrid", "race": RACE | {"budget": 7}}, "field 'race': budget must be .* got 7"),
        ({"scheduler": "hybrid", "race": RACE | {"holdout": float("nan")}}, "field 'race': holdout must be .* got nan"),
        ({"scheduler": "hybrid", "race": RACE | {"grace": 1}}, "field 'race': grace must be .* got 1"),
        ({"scheduler": "first_turn", "race": RACE | {"grace": 0.1}}, "field 'race': grace has no effect"),
        ({"samples": "many"}, "field 'samples' holds 'many', which is not its type"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(tmp_path: Path, values: dict[str, object], message: str) -> None:
    """One line names the file, the field, the value and the remedy."""
    MANIFEST.save(tmp_path / "sweep.json")
    told = json.loads((tmp_path / "sweep.json").read_text())
    (tmp_path / "sweep.json").write_text(json.dumps(told | values))

    with pytest.raises(StoreError, match=rf"sweep.json: {message}.*: restore the file, or update tic_sweep") as refusal:
        Manifest.load(tmp_path / "sweep.json")

    assert 1 == len(str(refusal.value).splitlines())


@pytest.mark.parametrize("scheduler", [name for name in SCHEDULERS if name != "none"])
def test_a_race_is_read_back(tmp_path: Path, scheduler: str) -> None:
    """Every race that a session may have begun."""
    manifest = dataclasses.replace(MANIFEST, scheduler=scheduler, race=RACE)
    manifest.save(tmp_path / "sweep.json")

    assert manifest == Manifest.load(tmp_path / "sweep.json")


def test_varied_fields_of_another_version_are_left_out_and_kept(tmp_path: Path) -> None:
    """As unknown columns are: readers go on without them, the file keeps them, and the problems count them."""
    folder = ResultsFolder.create(tmp_path / "r")
    dataclasses.replace(MANIFEST, varied=("neuron.leak", "neuron.tau")).save(folder.manifest)
    manifest = folder.load_manifest()
    manifest.save(folder.manifest)
    problems = Reading.open(folder.root).problems().drop("folder").rows()

    assert (("neuron.tau",), ("neuron.leak",)) == (manifest.varied, manifest.unknown)
    assert manifest == folder.load_manifest()
    assert {"neuron.leak", "neuron.tau"} == set(json.loads(folder.manifest.read_text())["varied"])
    assert [("", "sweep.json", "varied fields unknown and left out: neuron.leak", 1)] == problems


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("tic-sweep run tau --data /home/me/data --seeds 0,1", "tic-sweep run tau --data data --seeds 0,1"),
        ("tic-sweep run /home/me/mine.py --data=~/data", "tic-sweep run mine.py --data data"),
        (
            "tic-sweep run tau --address 10.0.0.1:6379 --storage=s3://bucket/x",
            "tic-sweep run tau --address ADDRESS --storage STORAGE",
        ),
        ("tic-sweep run tau --set neuron.tau=4", "tic-sweep run tau --set neuron.tau=4"),
        ("an open 'quote", ""),
    ],
)
def test_a_command_is_kept_without_places(given: str, kept: str) -> None:
    """Neither folders nor machines nor stores go into the rows, whichever way they were given."""
    assert kept == without_places(given)
