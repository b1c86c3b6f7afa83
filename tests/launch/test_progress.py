"""Progress: counts, a pace, and one plain line now and then where there is no terminal."""

import io
from dataclasses import dataclass, replace

from launch.launch_fakes import planned, report
from rich.console import Console

from tic_sweep.config import replaced
from tic_sweep.launch.progress import Progress, duration
from tic_sweep.plan import PlannedTrial
from tic_sweep.records import TrialRow


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: float = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def ended(key: str, status: str = "finished") -> TrialRow:
    """Return the row of a trial that has ended."""
    return TrialRow(key=key, sweep="tiny", scale="laptop", status=status)


def test_the_time_left_follows_the_pace() -> None:
    """Half of the work took ten seconds: ten seconds are left."""
    clock, trials = Clock(), [planned(seed=0, epochs=3), planned(seed=1, epochs=3)]
    progress = Progress("tiny", 2, console=Console(file=io.StringIO()), clock=clock)
    progress.expect(trials)
    progress.started(trials[0], 1)
    clock.now = 10.0
    for epoch in range(4):
        progress.report(trials[0], report(trials[0].key, epoch))
    progress.ended(trials[0], ended(trials[0].key), None)

    assert 10.0 == progress.seconds_left()


def test_retraining_counts_by_its_timesteps() -> None:
    """One epoch of ten timesteps and two of five: when the first training is over, a third of the work is left."""
    clock = Clock()
    trial = retrained(planned(seed=0, epochs=1))
    progress = Progress("tiny", 1, console=Console(file=io.StringIO()), clock=clock)
    progress.expect([trial])
    progress.started(trial, 1)
    left = []
    for epoch in range(4):
        clock.now += 10.0
        progress.report(trial, report(trial.key, epoch))
        left.append(progress.seconds_left())

    assert [20.0, 10.0, 6.0, 0.0] == left


def retrained(trial: PlannedTrial) -> PlannedTrial:
    """Return the trial with two cycles of one epoch at half its timesteps."""
    changes = {"timesteps": 10, "pruning.cycles": 2, "pruning.epochs": 1, "pruning.timesteps": 5}
    return replace(trial, config=replaced(trial.config, changes))


def test_plain_lines_come_every_ten_seconds_and_at_the_end() -> None:
    """A log file stays short, and its last line tells that all is done."""
    clock, trial, out = Clock(), planned(lr=0.25, epochs=40), io.StringIO()
    progress = Progress("tiny", 1, console=Console(file=out, width=200), varied=("optimiser.lr",), clock=clock)
    with progress:
        progress.expect([trial])
        progress.started(trial, 1)
        for epoch in range(41):
            clock.now += 0.5
            progress.report(trial, report(trial.key, epoch))
        progress.ended(trial, ended(trial.key), None)

    first, second, last = out.getvalue().splitlines()
    assert (
        "tiny: 0 of 1 trials, 49%, 1 running, about 10 s left; lr 0.25, seed 0: epoch 19/40, IC 1.50, val acc 50.0%"
        == first
    )
    assert "98%" in second
    assert last.startswith("tiny: 1 of 1 trials, 100%, 0 running")


def test_a_terminal_shows_running_trials_within_80_columns() -> None:
    """Done, failed and running trials are told apart, and no line is too long."""
    trials, out = [planned(lr=0.1 * i, seed=0) for i in range(1, 5)], io.StringIO()
    progress = Progress("tiny", 4, console=Console(file=out, width=80), varied=("optimiser.lr",), clock=Clock())
    progress.expect(trials)
    for trial in trials[:3]:
        progress.started(trial, 1)
    progress.report(trials[1], report(trials[1].key, 1))
    progress.ended(trials[0], ended(trials[0].key, "failed"), None)
    console = Console(file=out, width=80, force_terminal=True, color_system=None)
    console.print(progress.render())

    lines = out.getvalue().splitlines()
    assert "1 of 4 trials" in lines[0]
    assert "2 running, 1 not finished" in lines[0]
    assert "lr 0.2, seed 0" in lines[1]
    assert "epoch 1/2" in lines[1]
    assert max(map(len, lines)) <= 80


def test_a_trial_stopped_early_is_done_and_no_failure() -> None:
    """It counts as done, and apart from those that did not finish."""
    trial, out = planned(), io.StringIO()
    progress = Progress("tiny", 2, console=Console(file=io.StringIO(), width=80))
    progress.expect([trial])
    progress.started(trial, 1)
    progress.ended(trial, ended(trial.key, "stopped"), None)
    Console(file=out, width=80).print(progress.render())

    assert "1 of 2 trials" in out.getvalue()
    assert "50%, 0 running, 1 stopped" in out.getvalue()
    assert "not finished" not in out.getvalue()


def test_an_interrupted_trial_is_not_done() -> None:
    """Only what has ended for good counts."""
    trial = planned()
    progress = Progress("tiny", 1, console=Console(file=io.StringIO(), width=80))
    progress.expect([trial])
    progress.started(trial, 1)
    progress.ended(trial, ended(trial.key, "interrupted"), None)
    out = io.StringIO()
    Console(file=out, width=80).print(progress.render())

    assert "0 of 1 trials" in out.getvalue()


def test_durations_read_as_one_would_say_them() -> None:
    """Two digits, in the unit that fits."""
    assert ["40 s", "2.5 min", "3.1 h", "2.0 days"] == [duration(s) for s in (40, 150, 11_160, 172_800)]
