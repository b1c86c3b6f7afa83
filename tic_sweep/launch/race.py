"""`Race`: which trial runs next, and how far, asked by whichever runner there is.

What is decided is a policy's (`tic_sweep.racing`); here it is given a place among the trials of a session: who waits,
who runs, how many epochs are spent. It keeps nothing on disk. A session that begins on a folder of results tells the
policy everything stored there, in the order in which it came, and goes on.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from analysis.races import Told, tell
from analysis.recorded import LOOK
from tic_sweep.plan import PlannedTrial
from tic_sweep.racing import GO_ON, Decision, Look, runner_of
from tic_sweep.racing.entrants import Race as RacingPolicy
from tic_sweep.records import BADLY, EpochRow, Outcome, Report, TrialRow

KEPT = ("best_epoch", "best_val_acc", "parameters", "wall_seconds", "weights_digest", "device", "host", "kernels")
"""What a worker has told of a trial that waits, and is still so when it is dismissed."""
STATUS = {"pause": "paused", "stop": "stopped"}
"""What a trial is called that was told to end, by the verdict."""


class Race:
    """The trials of a session in a race; iterate over it for the next one to run, until there is none.

    It is a `Listener`, and hears how trials end. A policy that failed would end the sweep: nothing here raises but what
    is a mistake of ours.
    """

    def __init__(
        self,
        policy: RacingPolicy,
        trials: Iterable[PlannedTrial],
        *,
        budget: float = 1.0,
        samples: int = 0,
    ) -> None:
        """Enter trials into a race.

        Args:
            policy: what decides, unused.
            trials: in the order of the plan.
            budget: share of the epochs of all trials that may be trained.
            samples: how many trials there will be, if some are proposed while it runs.
        """
        self.policy = policy
        self.proposals: Iterator[PlannedTrial] = iter(())
        """Trials of an adaptive search, asked for when nobody waits."""
        self.dismiss: Callable[[PlannedTrial, Outcome], None] = lambda _trial, _outcome: None
        """Told of trials that will not run any more, and with which outcome they end."""
        self._budget, self._samples = budget, samples
        self._trials: dict[str, PlannedTrial] = {}
        self._waiting: set[str] = set()
        self._running: set[str] = set()
        self._halts: dict[str, Decision] = {}
        self._kept: dict[str, dict[str, Any]] = {}
        for trial in trials:
            self.enter(trial)

    def enter(self, trial: PlannedTrial) -> None:
        """Take a trial into the race."""
        self._trials[trial.key] = trial
        self.policy.enter(runner_of(trial.config))

    def hear(self, events: Iterable[Told]) -> None:
        """Tell the policy what earlier sessions have stored of the trials that have entered."""
        tell(self.policy, events)

    def line_up(self, keys: Collection[str], *, stopped: Collection[str] = ()) -> None:
        """Let trials wait for their turn.

        Args:
            keys: trials that have not ended.
            stopped: trials that were stopped early. Those that the policy, as it is now, would let run again wait, too.
        """
        self._waiting = set(keys)
        if self.spent < self.allowed:
            dismissed = set(self.policy.dismissed(self._in_order(stopped)))
            self._waiting |= {key for key in stopped if key not in dismissed}

    def keep(self, key: str, values: Mapping[str, Any]) -> None:
        """Remember, for when a trial that waits is dismissed, what its row says of it in `KEPT`."""
        self._kept[key] = {name: values[name] for name in KEPT if values[name] is not None}

    @property
    def waiting(self) -> list[PlannedTrial]:
        """The trials that wait for their turn, in the order of the plan."""
        return [self._trials[key] for key in self._in_order(self._waiting)]

    @property
    def allowed(self) -> float:
        """Epochs that may be trained."""
        each = [trial.config.optimiser.epochs for trial in self._trials.values()]
        return self._budget * sum(each) * (max(self._samples, len(each)) / len(each) if each else 1)

    @property
    def spent(self) -> int:
        """Epochs that have been trained."""
        return sum(max(self.policy.entrants[key].epoch, 0) for key in self._trials)

    @property
    def over(self) -> bool:
        """Whether nothing runs; asked after `choose` has chosen nothing, the race is over."""
        return not self._running

    def __iter__(self) -> Iterator[PlannedTrial]:
        """Yield trials to run one after the other."""
        return iter(self.choose, None)  # type: ignore[arg-type]

    def choose(self) -> PlannedTrial | None:
        """Return the trial to run next; None if none should run, for now or, where nothing runs, ever.

        One that was cut off after its last raced epoch comes first, whatever the budget: it spends nothing more of it.
        """
        may = not self._trials or self.spent < self.allowed
        waiting = self._in_order(self._waiting)
        key = next((key for key in waiting if self._is_through(key)), None)
        if key is None and may:
            key = self.policy.choose(waiting)
        if key is None and may and (trial := next(self.proposals, None)) is not None:
            self.enter(trial)
            key = trial.key
        if key is None:
            self._dismiss()
            return None
        self._waiting.discard(key)
        self._running.add(key)
        return self._trials[key]

    def look(self, key: str, look: Look) -> Decision:
        """Return what becomes of a trial after a report."""
        decision = self.policy.look(key, look)
        if decision.verdict == "go_on" and self.spent >= self.allowed and look.epoch < self._epochs(key):
            decision = Decision("stop", f"the {self.allowed:.0f} epochs of the race were spent at epoch {look.epoch}")
        if decision.verdict != "go_on" and look.epoch < self._last_epoch(key):
            self._halts[key] = decision
            return decision
        return GO_ON

    def look_at(self, row: EpochRow) -> Decision:
        """Return what becomes of a trial after the report of an epoch; pruning cycles are not raced."""
        return GO_ON if row.cycle else self.look(row.key, Look(**{name: getattr(row, name) for name in LOOK}))

    def halted(self, key: str) -> Decision | None:
        """Return, once, that a running trial is to end and why; None if it is not."""
        return self._halts.pop(key, None)

    def started(self, trial: PlannedTrial, _attempt: int, /) -> None:
        """Do nothing: who runs was chosen here."""

    def report(self, trial: PlannedTrial, report: Report, /) -> None:
        """Do nothing: the runner asks about each report before it is stored."""

    def ended(self, trial: PlannedTrial, row: TrialRow, _last: EpochRow | None, /) -> None:
        """Take a trial back that was paused or interrupted; tell the policy of one that ended badly."""
        self._running.discard(trial.key)
        self._halts.pop(trial.key, None)
        if row.status in {"paused", "interrupted"}:
            self._waiting.add(trial.key)
            self.keep(trial.key, {name: getattr(row, name) for name in KEPT})
        elif row.status in BADLY:
            self.policy.leave(trial.key, row.status)

    def _is_through(self, key: str) -> bool:
        """Return whether a trial has made all its raced reports, and only its test or its pruning cycles are left."""
        entrant = self.policy.entrants[key]
        goes_on = entrant.decision.verdict == "go_on" or entrant.runs_on or entrant.epoch >= self._last_epoch(key)
        return entrant.epoch >= entrant.runner.epochs and goes_on and not entrant.left

    def _dismiss(self) -> None:
        """End the trials that will not be chosen any more: all that wait, if nothing runs."""
        waiting = self._in_order(self._waiting)
        dismissed = self.policy.dismissed(waiting)
        for key in dismissed if self._running else waiting:
            self._waiting.discard(key)
            looks = self.policy.entrants[key].looks
            last = looks[-1] if looks else Look(epoch=0)
            reason = self._reason(key, out=key in dismissed or self.policy.passed_over(self.policy.entrants[key]))
            outcome = Outcome(status="stopped", reason=reason, epochs_done=max(last.epoch, 0), val_acc=last.val_acc)
            self.dismiss(self._trials[key], replace(outcome, **self._kept.get(key, {})))

    def _reason(self, key: str, *, out: bool) -> str:
        entrant = self.policy.entrants[key]
        if entrant.decision.verdict == "stop":
            return entrant.decision.reason
        where = f"while it waited at epoch {entrant.epoch}" if entrant.looks else "before it ran"
        if out:
            return f"other rates were chosen {where}"
        over = f"the {self.allowed:.0f} epochs of the race were spent" if self.spent >= self.allowed else "it ended"
        return f"{over} {where}"

    def _in_order(self, keys: Collection[str]) -> list[str]:
        return [key for key in self._trials if key in keys]

    def _epochs(self, key: str) -> int:
        return self._trials[key].config.optimiser.epochs

    def _last_epoch(self, key: str) -> int:
        return self._trials[key].config.last_epoch
