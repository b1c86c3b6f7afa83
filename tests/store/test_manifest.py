"""The manifest is read back as it was written, or refused with a reason."""

import json
from pathlib import Path

import pytest

from tic_sweep.errors import StoreError
from tic_sweep.store import FORMAT, Manifest
from tic_sweep.store.manifest import without_places

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
