"""Races in this process: who runs how far, what is stored of it, and how a race goes on that was cut off."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from launch.launch_fakes import CutOffTraining, FailingTraining, LearningTraining, by_key, planned, rows, write_sweep

from analysis import open_results
from analysis.races import answers
from tic_sweep.launch.options import Options, Request
from tic_sweep.launch.race import Race
from tic_sweep.launch.session import Ended, resume_sweep, run_sweep
from tic_sweep.racing import POLICIES, Look
from tic_sweep.racing.halving import Halving
from tic_sweep.racing.signals import LAST_ACCURACY
from tic_sweep.records import Report
from tic_sweep.store import ResultsFolder

HERE = Options(in_process=True, wandb="off")
RATES = (0.1, 0.2, 0.4, 0.8)
RACED = 'space={"optimiser.lr": Grid((0.2, 0.1, 0.8, 0.4))}, seeds=(0, 1), scheduler="accuracy", holdout=0.0'
EPOCHS = {"optimiser.epochs": 8, "fisher.every": 0}
Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs the tiny race into a folder with a stand-in for the training."""
    from tic_sweep.launch import in_process

    real, sweep = in_process.run_in_process, write_sweep(tmp_path, RACED)
    halving = {"eta": 2.0, "first": 0.125}
    monkeypatch.setitem(POLICIES, "accuracy", lambda **own: Halving(LAST_ACCURACY, **(halving | own)))

    def go(
        place: str, training: type = LearningTraining, *, rerun: bool = False, resume: bool = False, **race: Any
    ) -> Ended:
        monkeypatch.setattr(in_process, "run_in_process", lambda *a, **k: real(*a, **k, training=training))
        options = dataclasses.replace(HERE, rerun=rerun)
        if resume:
            return resume_sweep(tmp_path / place, None, options)
        return run_sweep(Request(sweep=sweep, changes=EPOCHS, race=race), options, results=tmp_path / place)

    return go


def told(folder: Path) -> list[tuple]:
    """Return rate, seed, status and epochs of every trial."""
    return sorted(rows(folder, "trials").select("optimiser.lr", "seed", "status", "epochs_done").rows())


class CutOffAtItsEnd(LearningTraining):
    """Has the driver go out once the last report of a trial of the best rate is stored, as during its test."""

    def save(self) -> None:
        """Keep the checkpoint, and go out."""
        super().save()
        if self.next == self.config.optimiser.epochs and self.config.optimiser.lr == 0.8:
            raise KeyboardInterrupt


class DivergingTraining(LearningTraining):
    """Diverges after epoch 5 with the best rate."""

    def during(self, epoch: int) -> None:
        """Note that it has diverged."""
        if epoch == 6 and self.config.optimiser.lr == 0.8:
            self.halted = {"status": "diverged", "reason": "loss is nan", "epochs_done": 5}

    def reports(self) -> Iterator[Report]:
        """Yield reports until it has diverged."""
        for made in super().reports():
            if self.halted.get("status") == "diverged":
                return
            yield made


BY_HAND = [
    *((0.1, seed, "stopped", 1) for seed in (0, 1)), *((0.2, seed, "stopped", 1) for seed in (0, 1)),
    *((0.4, seed, "stopped", 2) for seed in (0, 1)), *((0.8, seed, "finished", 8) for seed in (0, 1)),
]  # fmt: skip
"""Levels are epochs 1, 2, 4 and 8: the better two of four go on from the first, the best one from the second."""


def test_the_best_is_trained_to_its_end_and_the_others_are_censored_rows(run: Run, tmp_path: Path) -> None:
    """A stopped trial says why, has its accuracy so far, no test accuracy, and a checkpoint to go on from."""
    ended = run("r")
    trials = {(row["optimiser.lr"], row["seed"]): row for row in rows(tmp_path / "r", "trials").to_dicts()}
    stopped = trials[0.4, 0]

    assert BY_HAND == told(tmp_path / "r")
    assert (8, 8, {"finished": 2, "stopped": 6}) == (ended.done, ended.total, dict(ended.statuses))
    assert 2 * (2 + 2 + 3 + 9) == rows(tmp_path / "r", "epochs").height
    assert 0.4 * 2 / 8 == rows(tmp_path / "r", "epochs").filter(key=stopped["key"])["val_acc"][-1]
    assert (None, 1.0) == (stopped["test_acc"], stopped["wall_seconds"])
    assert "epoch 2" in stopped["reason"]
    assert (ResultsFolder.open(tmp_path / "r").checkpoints / f"{stopped['key']}.pt").exists()


def test_the_answer_is_read_from_the_store(run: Run, tmp_path: Path) -> None:
    """The rate, and what it cost: 24 of 64 epochs, and no time for Fisher measurements."""
    run("r")
    (answer,) = answers(open_results(tmp_path / "r"))

    assert 0.8 == answer.recommendation.rate
    assert (24, 0.0, 64) == (answer.spent.epochs, answer.spent.fisher, answer.spent.grid)
    assert [0.8, 0.4] == [standing.rate for standing in answer.recommendation.standings[:2]]


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("at", [1, 4, 9, 14, 20, 31])
def test_a_race_that_was_cut_off_goes_on_to_the_same_end(run: Run, tmp_path: Path, at: int, *, resume: bool) -> None:
    """Wherever the driver went out, the same trials stop at the same epochs and the same rate is recommended."""
    CutOffTraining.at, CutOffTraining.reports_made = at, 0
    with pytest.raises(KeyboardInterrupt):
        run("r", CutOffTraining)
    before = told(tmp_path / "r")
    run("r", resume=resume)

    assert BY_HAND != before
    assert BY_HAND == told(tmp_path / "r")
    assert 0.8 == answers(open_results(tmp_path / "r"))[0].recommendation.rate


@pytest.mark.parametrize("resume", [False, True])
def test_a_trial_that_was_cut_off_during_its_test_is_completed(run: Run, tmp_path: Path, *, resume: bool) -> None:
    """It had made all its reports, so that the race has nothing left to decide; it is not called stopped."""
    for _ in range(2):  # each of its two seeds is cut off
        with pytest.raises(KeyboardInterrupt):
            run("r", CutOffAtItsEnd)
    run("r", resume=resume)

    assert BY_HAND == told(tmp_path / "r")


def test_a_trial_that_is_through_is_completed_though_the_budget_is_spent(run: Run, tmp_path: Path) -> None:
    """The budget is for epochs that are raced: 12 of 64 are what the first seed takes."""
    with pytest.raises(KeyboardInterrupt):
        run("r", CutOffAtItsEnd, budget=12 / 64)
    run("r", resume=True)

    assert [(0.8, 0, "finished", 8)] == [row for row in told(tmp_path / "r") if row[2] == "finished"]


def test_a_rate_that_diverges_is_replaced(run: Run, tmp_path: Path) -> None:
    """Its other seed does not run, and the next best, which waited at epoch 2, is trained to its end."""
    run("r", DivergingTraining)
    again = run("r", resume=True)

    assert [
        *((0.1, seed, "stopped", 1) for seed in (0, 1)), *((0.2, seed, "stopped", 1 + seed) for seed in (0, 1)),
        *((0.4, seed, "finished", 8) for seed in (0, 1)), (0.8, 0, "diverged", 5), (0.8, 1, "stopped", 0),
    ] == told(tmp_path / "r")  # fmt: skip
    assert 0.4 == answers(open_results(tmp_path / "r"))[0].recommendation.rate
    assert 0 == again.ran


def test_a_race_that_is_over_is_not_run_again(run: Run, tmp_path: Path) -> None:
    """Neither by the same command nor by a resume; --rerun runs it anew, to the same end."""
    run("r")
    again, resumed = run("r"), run("r", resume=True)
    attempts = by_key(tmp_path / "r", "attempt")
    anew = run("r", rerun=True)

    assert (0, 0, 8) == (again.ran, resumed.ran, anew.ran)
    assert BY_HAND == told(tmp_path / "r")
    assert all(attempts[key] < attempt for key, attempt in by_key(tmp_path / "r", "attempt").items())


def test_a_budget_ends_a_race_and_a_larger_one_goes_on(run: Run, tmp_path: Path) -> None:
    """With 6 of 64 epochs nobody gets to the end; what then waits is stopped, and runs once there is more."""
    run("r", budget=0.1)
    short = told(tmp_path / "r")
    reasons = set(by_key(tmp_path / "r", "reason").values())
    run("r", budget=1.0)

    assert {"stopped"} == {status for _, _, status, _ in short}
    assert sum(epochs for *_, epochs in short) == 7  # the report that spends the budget is still made
    assert any("the 6 epochs of the race were spent" in reason for reason in reasons)
    assert BY_HAND == told(tmp_path / "r")


def test_what_fails_is_out_of_the_race(run: Run, tmp_path: Path) -> None:
    """Nobody waits for it, and the race ends without it once it is gone on with."""
    sweep = Path(write_sweep(tmp_path, RACED.replace("0.8", "0.5")))
    assert sweep.exists()
    with pytest.raises(ValueError, match="half is not a rate"):
        run("r", FailingTraining)
    run("r", resume=True)

    found = told(tmp_path / "r")
    assert [(0.5, 0, "failed", 0)] == [row for row in found if row[2] == "failed"]
    assert {"finished", "stopped", "failed"} == {status for _, _, status, _ in found}


def new_race(**options: Any) -> tuple[Race, list]:
    """Return a race of two rates by accuracy, and the trials."""
    trials = [planned(lr=lr, epochs=4) for lr in (0.1, 0.2)]
    race = Race(Halving(LAST_ACCURACY, eta=2.0, first=0.25), trials, **options)
    race.line_up([trial.key for trial in trials])
    return race, trials


def test_a_report_told_again_decides_the_same() -> None:
    """A trial that goes on from its checkpoint repeats an epoch: nothing is counted twice."""
    race, (one, _) = new_race()
    assert race.choose() == one
    told_once = [race.look(one.key, Look(epoch=e, val_acc=0.1)).verdict for e in (0, 1)]
    told_again = race.look(one.key, Look(epoch=1, val_acc=0.1)).verdict

    assert ["go_on", "pause", "pause"] == [*told_once, told_again]
    assert 1 == race.spent


def test_nobody_is_chosen_for_now_while_others_are_awaited() -> None:
    """A race with trials at work is not over; it is when the last has ended and nobody is chosen."""
    race, (one, two) = new_race(budget=0.25)
    dismissed = []
    race.dismiss = lambda trial, outcome: dismissed.append((trial.key, outcome.reason))
    assert [one, two, None] == [race.choose(), race.choose(), race.choose()]
    assert not race.over
    race.look(one.key, Look(epoch=2, val_acc=0.1))
    assert race.halted(one.key).verdict in {"pause", "stop"}
    assert race.halted(one.key) is None


def test_a_trial_cut_off_in_its_pruning_cycles_goes_on() -> None:
    """They follow the epochs that are raced, and no policy is asked about them."""
    cycled = [planned(lr=lr, epochs=2, **{"pruning.cycles": 1, "pruning.epochs": 4}) for lr in (0.1, 0.2)]
    race = Race(Halving(LAST_ACCURACY, first=0.5), cycled)
    race.hear((cycled[1].key, Look(epoch=epoch, val_acc=0.9)) for epoch in range(3))
    race.line_up([trial.key for trial in cycled])

    assert [cycled[1], cycled[0]] == [race.choose(), race.choose()]
