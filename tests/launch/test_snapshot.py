"""A snapshot counts, ranks and estimates as one would by hand, from trials and epochs alone."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from tic_sweep.config import TrialConfig, flatten, replaced, trial_key
from tic_sweep.launch.snapshot import Best, Failure, Running, Snapshot, snapshot
from tic_sweep.store import Manifest, schema_of

BASE = {"timesteps": 2, "optimiser.epochs": 3}
Trial = tuple[dict[str, Any], str, Sequence[float], dict[str, Any]]


def manifest(**values: Any) -> Manifest:
    """Return a manifest."""
    return Manifest(**({"sweep": "demo", "scale": "laptop", "question": "?", "varied": ("optimiser.lr",)} | values))


def frames(*trials: Trial) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return frames of trials (config changes, status, val_acc by epoch, values of the trial's row).

    An epoch takes ten seconds, IC is 2 − 0.1 times the epoch.
    """
    rows, epochs = [], []
    for number, (changes, status, accuracies, values) in enumerate(trials):
        config = replaced(TrialConfig(), BASE | changes)
        key = trial_key(config)
        named = {"key": key, "sweep": "demo", "scale": "laptop", "status": status, "reason": "", "session": 1}
        rows.append(named | flatten(config) | {"seq": number} | values)
        for epoch, val_acc in enumerate(accuracies):
            epochs.append({
                "key": key, "epoch": epoch, "val_acc": val_acc, "val_loss": 1 - val_acc, "ic": 2 - 0.1 * epoch,
                "ic_rel": 1 - 0.1 * epoch, "train_seconds": 7.0, "eval_seconds": 1.0, "fisher_seconds": 1.5,
                "probe_seconds": 0.5, "cycle": 0, "session": 1, "seq": len(epochs),
            })  # fmt: skip
    return pl.DataFrame(rows, schema=schema_of("trials")), pl.DataFrame(epochs, schema=schema_of("epochs"))


def lr(rate: float, seed: int = 0) -> dict[str, Any]:
    """Return the changes of a learning rate and a seed."""
    return {"optimiser.lr": rate, "seed": seed}


MIXED = frames(
    (lr(0.1), "finished", (0.1, 0.3, 0.5, 0.6), {}),
    (lr(0.2), "running", (0.1, 0.8), {}),
    (lr(0.3), "running", (), {}),
    (lr(0.4), "diverged", (0.1, 0.9), {"reason": "loss is nan"}),
    (lr(0.5), "failed", (), {"reason": "ValueError: no"}),
    (lr(0.6), "failed", (), {"reason": "ValueError: no"}),
    (lr(0.7), "planned", (), {}),
)


def test_counts_and_epochs_add_up() -> None:
    """Four of seven have ended; of 7 × 3 epochs 3 + 1 + 1 are trained."""
    state = snapshot(manifest(), *MIXED, at_work=True)

    assert {"finished": 1, "running": 2, "diverged": 1, "failed": 2, "planned": 1} == state.counts
    assert (4, 7, 5, 21) == (state.done, state.total, state.epochs, state.planned_epochs)
    assert not state.complete
    assert 5 / 21 == state.share


def test_a_trial_stopped_early_owes_no_epochs_and_may_be_the_best() -> None:
    """Stopped after 2 of 3 epochs it is done, planned are 2, its reason is no failure, and its 0.9 leads."""
    trials = frames((lr(0.1), "stopped", (0.1, 0.5, 0.9), {"reason": "slow"}), (lr(0.2), "running", (0.1, 0.3), {}))
    state = snapshot(manifest(), *trials, at_work=True)

    assert (1, 3, 5, ()) == (state.done, state.epochs, state.planned_epochs, state.failures)
    assert state.best is not None
    assert ("lr 0.1, seed 0", 2) == (state.best.label, state.best.epoch)


def test_running_trials_tell_their_last_report() -> None:
    """One has reported epoch 1, the other nothing yet."""
    state = snapshot(manifest(), *MIXED, at_work=True)

    assert (Running("lr 0.2, seed 0", 1, 3, 1.9, 0.8), Running("lr 0.3, seed 0", None, 3)) == state.running


def test_the_best_is_the_last_report_by_the_objective() -> None:
    """A diverged trial's 0.9 does not count; by loss the same trial leads; by IC the one that has come furthest."""
    key = MIXED[0]["key"]
    found = [snapshot(manifest(objective=o), *MIXED, at_work=True).best for o in ("val_acc", "val_loss", "ic_rel")]

    assert Best("lr 0.2, seed 0", key[1], "val_acc", 0.8, 1) == found[0]
    assert Best("lr 0.2, seed 0", key[1], "val_loss", 1 - 0.8, 1) == found[1]
    assert Best("lr 0.1, seed 0", key[0], "ic_rel", 1 - 0.1 * 3, 3) == found[2]


def test_equal_reasons_are_counted_the_last_first() -> None:
    """Two trials failed for one reason, after one had diverged."""
    state = snapshot(manifest(), *MIXED, at_work=True)

    assert (Failure(2, "failed", "ValueError: no"), Failure(1, "diverged", "loss is nan")) == state.failures


def test_the_time_left_is_the_mean_pace_over_the_trials_at_once() -> None:
    """An epoch takes 10 s. Left are 2, 4 and 4 epochs (the report before training counts as one): 100 s for two.

    With a third place it is the trial with most to do that takes longest: 40 s, not 33.
    """
    state = snapshot(manifest(), *MIXED, at_work=True)

    assert 50.0 == state.seconds_left
    assert snapshot(manifest(), *MIXED, at_work=False).seconds_left is None
    assert 40.0 == snapshot(manifest(), *MIXED, at_work=True, at_once=3).seconds_left


def test_the_time_left_knows_retraining_and_proposals_to_come() -> None:
    """Retraining at half of T costs half: 2 + 2/2 epochs left. Two of three samples are known, the third costs 3.5."""
    pruned = {"pruning.cycles": 1, "pruning.epochs": 2, "pruning.timesteps": 1}
    trials = frames(
        (lr(0.1) | pruned, "running", (0.1, 0.2), {}),
        (lr(0.2) | {"optimiser.epochs": 3}, "running", (), {}),
    )
    adaptive = snapshot(manifest(searcher="tpe", samples=3), *trials, at_work=True)

    assert 40.0 == snapshot(manifest(), *trials, at_work=True).seconds_left
    assert (30 + 40 + 35) / 2 == adaptive.seconds_left
    assert (3, False) == (adaptive.total, adaptive.complete)


def test_nothing_known_is_no_time_left() -> None:
    """Before any epoch, with nothing running, and without any trial there is no estimate and no error."""
    fresh = frames((lr(0.1), "running", (0.1,), {}), (lr(0.2), "planned", (), {}))
    still = frames((lr(0.1), "interrupted", (0.1, 0.2), {}))
    empty = frames()

    assert [None] * 3 == [snapshot(manifest(), *given, at_work=True).seconds_left for given in (fresh, still, empty)]
    assert Snapshot(sweep="demo", scale="laptop", counts={}, total=0, at_work=True) == snapshot(
        manifest(), *empty, at_work=True
    )


def test_toy_blocks_take_as_long_as_those_before() -> None:
    """Blocks report no epochs: two that took 20 s and 40 s say that the three that are left take 30 s each."""
    toy = {"task": "spike_train", "timesteps": 8, "optimiser.epochs": TrialConfig().optimiser.epochs}
    state = snapshot(
        manifest(varied=()),
        *frames(
            (toy | {"seed": 0}, "finished", (), {"wall_seconds": 20.0}),
            (toy | {"seed": 1}, "finished", (), {"wall_seconds": 40.0}),
            *((toy | {"seed": seed}, "running", (), {}) for seed in (2, 3, 4)),
        ),
        at_work=True,
    )

    assert 30.0 == state.seconds_left
    assert 2 / 5 == state.share


def test_of_many_settings_the_best_are_summed_up() -> None:
    """Of 50 rates 40 are in the summary, in their order; the last, with the highest accuracy, has rank 0."""
    trials = frames(*((lr(n / 100), "finished", (0.1, n / 100), {}) for n in range(1, 51)))
    state = snapshot(manifest(), *trials, at_work=False)

    assert state.summary is not None
    assert 50 == state.settings_count
    assert [n / 100 for n in range(11, 51)] == state.summary["optimiser.lr"].to_list()
    assert list(range(39, -1, -1)) == state.summary["rank"].to_list()


def test_a_trial_that_runs_again_is_not_counted_as_trained() -> None:
    """After --rerun a trial is planned, and what it reported before is no progress."""
    state = snapshot(manifest(), *frames((lr(0.1), "planned", (0.1, 0.2, 0.3, 0.4), {})), at_work=True)

    assert (0, 0.0) == (state.epochs, state.share)
