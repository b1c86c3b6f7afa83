"""Packs: which trials share one, and what is refused."""

import dataclasses
import os
import signal
from pathlib import Path

import pytest
from launch.launch_fakes import (
    ADAPTIVE,
    FailingTraining,
    FakeTraining,
    by_key,
    new_recorder,
    new_writer,
    planned,
    rows,
    write_sweep,
)  # fmt: skip

from tic_sweep.config import Resources
from tic_sweep.errors import ResourceError
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.packing import pack_hint, packs_of, run_packs_in_process
from tic_sweep.launch.recorder import Recorder
from tic_sweep.launch.session import resume_sweep, run_sweep
from tic_sweep.launch.signals import Stop
from tic_sweep.training import Pack

HERE = Options(in_process=True)
PACKED = dataclasses.replace(HERE, pack=3)


def numbers(folder: Path, table: str) -> list[tuple]:
    """Return all rows of a table that a session writes, but for its stamp and the time things took."""
    found = rows(folder, table)
    kept = [c for c in found.columns if not c.endswith("seconds") and c not in {"session", "seq", "packed"}]
    return sorted(found.select(kept).rows(), key=str)


def test_trials_share_a_pack_if_they_do_the_same_work() -> None:
    """Rates, decay, τ, α, ρ and seed may differ; T, width and epochs may not; a full pack begins another."""
    loss = {"loss.name": "alpha"}
    same = [
        planned(**loss), planned(**loss, lr=0.1), planned(**loss, **{"optimiser.weight_decay": 0.1}),
        planned(**loss, **{"neuron.tau": 3.0}), planned(**loss, **{"loss.alpha": 0.1}), planned(**loss, seed=1),
        planned(**loss, **{"neuron.reset_gradient": 1.0}),
    ]  # fmt: skip
    others = [planned(timesteps=3), planned(epochs=3), planned(**{"model.width": 2.0})]

    packs = packs_of([*same[:3], *others, *same[3:]], 4)

    assert [same[:4], *([other] for other in others), same[4:]] == [list(pack.members) for pack in packs]


@pytest.mark.parametrize("changes", [{"data.coding": "poisson"}, {"pruning.cycles": 1}])
def test_trials_that_cannot_be_recorded_stay_alone(changes: dict[str, object]) -> None:
    """Each is a pack of one."""
    trials = [planned(seed=seed, **changes) for seed in (0, 1, 2)]

    assert [[trial] for trial in trials] == [list(pack.members) for pack in packs_of(trials, 8)]


@pytest.mark.parametrize(
    ("rest", "word"),
    [(ADAPTIVE, "adaptive"), ('space={"optimiser.lr": Grid((0.3, 0.03))}, seeds=(0,), scheduler="asha"', "race")],
)
def test_searches_and_races_are_not_packed(tmp_path: Path, rest: str, word: str) -> None:
    """One line names the option and the remedy, and nothing is written."""
    with pytest.raises(ResourceError, match=word) as refused:
        run_sweep(Request(sweep=write_sweep(tmp_path, rest)), PACKED, results=tmp_path / "r")

    assert str(refused.value).startswith("--pack 3: ")
    assert "leave --pack out" in str(refused.value)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("options", "hinted"),
    [
        (Options(pack=2), True),
        (Options(), False),
        (Options(pack=2, gpus_per_trial=1.0), False),
        (Options(pack=2, in_process=True, resources=Resources(device="cpu")), True),
        (Options(pack=2, in_process=True, resources=Resources(device="cuda")), False),
    ],
)
def test_packing_on_cpus_is_warned_of(options: Options, hinted: bool) -> None:  # noqa: FBT001
    """Nothing is gained there."""
    assert hinted == ("no gain" in pack_hint(options))


def test_a_packed_sweep_fills_its_folder_as_ever(tmp_path: Path) -> None:
    """Rows, weights and checkpoints are those of the trials run alone; each says in what company it ran."""
    sweep = write_sweep(tmp_path)
    run_sweep(Request(sweep=sweep), HERE, results=tmp_path / "alone")
    ended = run_sweep(Request(sweep=sweep), PACKED, results=tmp_path / "packed")

    assert (4, 4, ()) == (ended.done, ended.ran, ended.problems)
    for table in ("trials", "epochs", "fisher", "horizons"):
        assert numbers(tmp_path / "alone", table) == numbers(tmp_path / "packed", table)
    assert [1, 3, 3, 3] == sorted(by_key(tmp_path / "packed", "packed").values())
    assert set(by_key(tmp_path / "packed", "status")) == {p.stem for p in (tmp_path / "packed/checkpoints").iterdir()}


def test_a_member_that_fails_stops_a_debugging_run_and_a_resume_runs_the_rest(tmp_path: Path) -> None:
    """Its row is written, the others of its pack are told as broken off, and go on where they were, packed or not."""
    trials = [planned(lr=lr) for lr in (0.25, 0.5, 0.75)]
    with new_writer(tmp_path) as writer:
        recorder = new_recorder(writer, trials)
        with pytest.raises(ValueError, match="half is not a rate"):
            run_packs_in_process(
                trials, size=3, recorder=recorder, data={}, resources=HERE.trial_resources,
                checkpoints=tmp_path / "checkpoints", stop=Stop(), training=FailingTraining,
            )  # fmt: skip

    found = [by_key(tmp_path, "status")[trial.key] for trial in trials]
    assert ["interrupted", "failed", "interrupted"] == found
    assert "ValueError: half is not a rate" == by_key(tmp_path, "reason")[trials[1].key]


def test_a_disk_that_takes_no_rows_ends_a_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No member is asked for more, so that no checkpoint is written ahead of its rows."""
    monkeypatch.setattr(Recorder, "stored", lambda *_: False)
    trials = [planned(lr=lr) for lr in (0.25, 0.75)]
    with new_writer(tmp_path) as writer:
        recorder = new_recorder(writer, trials)
        run_packs_in_process(
            trials, size=2, recorder=recorder, data={}, resources=HERE.trial_resources, checkpoints=tmp_path / "c",
            stop=Stop(), training=FakeTraining,
        )  # fmt: skip

    assert [0, 0] == rows(tmp_path, "epochs")["epoch"].to_list()
    assert not (tmp_path / "c").exists()


def test_checkpoints_of_a_pack_lie_where_storage_says(tmp_path: Path) -> None:
    """As those of trials alone do."""
    options = dataclasses.replace(PACKED, storage=tmp_path / "kept")
    ended = run_sweep(Request(sweep=write_sweep(tmp_path)), options, results=tmp_path / "r")

    assert {"finished": 4} == dict(ended.statuses)
    assert set(by_key(tmp_path / "r", "status")) == {path.stem for path in (tmp_path / "kept").rglob("*.pt")}


def test_an_interrupted_pack_is_resumed_without_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped by Ctrl-C in its second epoch, its trials go on from their checkpoints and end as if never packed."""
    sweep, place, step, steps = write_sweep(tmp_path), tmp_path / "r", Pack.step, []

    def interrupted(pack: Pack) -> list:
        steps.append(pack)
        if len(steps) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return step(pack)

    monkeypatch.setattr(Pack, "step", interrupted)
    options = dataclasses.replace(PACKED, pack=4, resources=Resources(checkpoint_seconds=0))
    first = run_sweep(Request(sweep=sweep), options, results=place)
    ended = resume_sweep(place, None, HERE)
    run_sweep(Request(sweep=sweep), HERE, results=tmp_path / "alone")

    assert ({"interrupted": 4}, {"finished": 4}) == (dict(first.statuses), dict(ended.statuses))
    assert by_key(tmp_path / "alone", "weights_digest") == by_key(place, "weights_digest")
    assert numbers(tmp_path / "alone", "epochs") == numbers(place, "epochs")
