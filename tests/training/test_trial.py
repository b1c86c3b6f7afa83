"""One trial: reports, outcomes, exact resume, and measurements that leave no trace."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from cases import SMALL
from training.trial_runs import RESOURCES, ending, numbers, rows_of, run

from tic_sweep.config import Resources, field_rules, flatten, replaced, trial_key
from tic_sweep.config.checks import IDLE_FIELDS
from tic_sweep.data import RawImages
from tic_sweep.probes import LayerDynamics
from tic_sweep.records import DeficitRow, DynamicsRow, FisherRow, HorizonRow
from tic_sweep.training import Training
from tic_sweep.training.evaluation import Evaluation
from tic_sweep.training.phases import is_fisher_due


def test_reports_begin_untrained_and_follow_each_epoch(digits: RawImages):
    """Epoch 0 has no training figures; each later one has them; rows carry the trial's key."""
    reports, outcome = run(SMALL, digits)

    assert [0, 1, 2] == [r.epoch.epoch for r in reports]
    assert reports[0].epoch.train_loss is None
    assert all(r.epoch.train_loss > 0 and 1 <= r.epoch.ic <= 3 for r in reports[1:])
    assert {trial_key(SMALL)} == {row.key for r in reports for row in (r.epoch, *r.rows)}
    assert ("finished", 2) == (outcome.status, outcome.epochs_done)


def test_training_learns(digits: RawImages):
    """A few epochs on all digits classify most of the held-out ones."""
    config = replaced(
        SMALL, {"data.train_samples": 0, "optimiser.epochs": 6, "fisher.every": 0, "data.test_samples": 0}
    )
    _, outcome = run(config, digits)

    assert outcome.test_acc > 0.85
    assert outcome.best_val_acc >= outcome.val_acc


def test_same_config_same_numbers(digits: RawImages):
    """Two runs of a trial agree in every number and in every bit of the weights."""
    (first, one), (second, two) = run(SMALL, digits), run(SMALL, digits)

    assert numbers(first) == numbers(second)
    assert one.weights_digest == two.weights_digest


@pytest.mark.parametrize("kind", ["empirical", "sampled", "batch"])
def test_measuring_leaves_training_untouched(digits: RawImages, kind: str):
    """Weights are bit-identical whether Fisher is measured every epoch or never."""
    config = replaced(SMALL, {"fisher.kind": kind, "fisher.samples": 16, "data.coding": "poisson"})
    _, measured = run(config, digits)
    _, unmeasured = run(replaced(config, {"fisher.every": 0}), digits)

    assert measured.weights_digest == unmeasured.weights_digest


def test_a_precise_enough_measurement_tells_how_many_images_it_took(digits: RawImages):
    """It is deterministic, is told in the epoch's row, and leaves training untouched; unmeasured epochs have none."""
    config = replaced(SMALL, {"fisher.samples": 64, "fisher.every": 2, "fisher.ic_se": 10.0})
    (first, one), (second, _) = run(config, digits), run(config, digits)
    plain, two = run(replaced(config, {"fisher.ic_se": 0.0}), digits)

    assert [32, None, 32] == [r.epoch.fisher_images for r in first]
    assert [64, None, 64] == [r.epoch.fisher_images for r in plain]
    assert numbers(first) == numbers(second)
    assert one.weights_digest == two.weights_digest


@pytest.mark.parametrize(
    ("seen", "due"),
    [
        ({}, True),
        ({0: 5.0, 1: 6.0, 2: 6.0, 3: 6.0, 4: 2.0, 5: 1.5}, True),  # turned at 4, with one report after it
        ({0: 5.0, 1: 6.0, 2: 6.0, 3: 6.0, 4: 2.0, 5: 1.5, 6: 1.5}, False),
        ({0: 5.0, 1: 6.0, 2: 6.0, 3: 6.0, 4: 2.0, 5: 1.5, 6: 6.0}, True),  # and back
    ],
)
def test_measuring_ends_once_the_transition_is_sure(seen: dict[int, float], due: bool):  # noqa: FBT001
    """Two reports after it stand by it; the end of the training is measured in any case."""
    config = replaced(SMALL, {"timesteps": 8, "optimiser.epochs": 9, "fisher.until_turned": True})

    assert due == is_fisher_due(config, 7, seen)
    assert is_fisher_due(config, 9, seen)
    assert is_fisher_due(replaced(config, {"fisher.until_turned": False}), 7, seen)
    assert not is_fisher_due(replaced(config, {"fisher.every": 2}), 7, seen)


@pytest.mark.usefixtures("information_turns_at_5")
def test_a_resumed_trial_remembers_that_it_has_turned(digits: RawImages, tmp_path: Path):
    """Cut off after its last measurement but one, it measures at the same epochs as if never cut off."""
    config = replaced(SMALL, TURNING | {"fisher.until_turned": True})
    undisturbed, _ = run(config, digits)
    ongoing = Training(config, digits, RESOURCES, tmp_path / "trial.pt").reports()
    before = [next(ongoing) for _ in range(9)]

    after, _ = run(config, digits, checkpoint=tmp_path / "trial.pt")

    assert [*range(8), 10] == [r.epoch.epoch for r in undisturbed if r.epoch.ic is not None]
    assert numbers(undisturbed) == numbers(before[:8] + after)


@pytest.mark.parametrize("coding", ["direct", "poisson"])
def test_measuring_dynamics_leaves_training_and_fisher_untouched(digits: RawImages, coding: str):
    """Weights and Fisher rows are bit-identical with and without dynamics, and however many images these take."""
    config = replaced(SMALL, {"data.coding": coding})
    plain, expected = run(config, digits)
    for samples in (5, 20):
        watched = replaced(config, {"probes.dynamics_every": 1, "probes.dynamics_samples": samples})
        reports, outcome = run(watched, digits)

        assert expected.weights_digest == outcome.weights_digest
        undisturbed = [replace(r, rows=(*rows_of(r, HorizonRow), *rows_of(r, FisherRow))) for r in reports]
        assert numbers(plain) == numbers(undisturbed)
        assert all(rows_of(r, DynamicsRow) for r in reports)


@pytest.mark.parametrize(
    "extra",
    [{}, {"data.coding": "poisson", "data.augmentation": "crop_flip", "optimiser.name": "adamw", "optimiser.lr": 0.01}],
)
def test_a_resumed_trial_continues_bit_for_bit(digits: RawImages, tmp_path: Path, extra: dict):
    """Stopped after epoch 2 and resumed by another process's Training, the trial ends as if never stopped."""
    config = replaced(SMALL, {"optimiser.epochs": 4, **extra})
    undisturbed, expected = run(config, digits)
    stopped = Training(config, digits, RESOURCES, tmp_path / "trial.pt")
    ongoing = stopped.reports()
    before = [next(ongoing) for _ in range(3)]
    next(ongoing)  # epoch 3 was trained and its checkpoint not yet written when the process died

    after, outcome = run(config, digits, checkpoint=tmp_path / "trial.pt")

    assert "interrupted" == stopped.outcome.status
    assert numbers(undisturbed) == numbers(before + after)
    assert (expected.weights_digest, expected.best_epoch, expected.best_test_acc) == (
        outcome.weights_digest, outcome.best_epoch, outcome.best_test_acc,
    )  # fmt: skip


def test_a_stopped_trial_is_censored_and_could_go_on(digits: RawImages, tmp_path: Path):
    """Stopped after epoch 1 it tells its accuracy so far and no test accuracy; from its checkpoint it ends as ever."""
    undisturbed, expected = run(SMALL, digits)
    stopped = Training(SMALL, digits, replace(RESOURCES, checkpoint_seconds=1e9), tmp_path / "trial.pt")
    ongoing = stopped.reports()
    before = [next(ongoing) for _ in range(2)]
    stopped.halt("stopped", "others turned earlier")
    outcome = stopped.outcome

    after, ended = run(SMALL, digits, checkpoint=tmp_path / "trial.pt")

    assert ("stopped", "others turned earlier", 1) == (outcome.status, outcome.reason, outcome.epochs_done)
    assert (before[-1].epoch.val_acc, None, None) == (outcome.val_acc, outcome.test_acc, outcome.best_test_acc)
    assert numbers(undisturbed) == numbers(before + after)
    assert expected.weights_digest == ended.weights_digest


def test_a_finished_trial_resumed_only_tells_its_outcome(digits: RawImages, tmp_path: Path):
    """Resuming after the end repeats no epoch and gives the same outcome."""
    _, expected = run(SMALL, digits, checkpoint=tmp_path / "trial.pt")
    reports, outcome = run(SMALL, digits, checkpoint=tmp_path / "trial.pt")

    assert [] == reports
    assert (expected.weights_digest, expected.test_acc) == (outcome.weights_digest, outcome.test_acc)


def test_divergence_is_an_outcome_with_a_reason(digits: RawImages):
    """A learning rate that blows up ends the trial, not the program; the epochs before it are kept."""
    reports, outcome = run(replaced(SMALL, {"optimiser.lr": 1e30}), digits)

    assert "diverged" == outcome.status
    assert "in epoch 1" in outcome.reason
    assert [0] == [r.epoch.epoch for r in reports]


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")],
)
def test_lack_of_memory_is_an_outcome(digits: RawImages, monkeypatch: pytest.MonkeyPatch, error: Exception):
    """Running out of memory on either device ends the trial with its reason."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("tic_sweep.training.observation.evaluate", fail)
    _, outcome = run(SMALL, digits)

    assert ("out_of_memory", str(error)) == (outcome.status, outcome.reason)


def test_other_errors_are_raised(digits: RawImages, monkeypatch: pytest.MonkeyPatch):
    """A bug is an exception, never an outcome."""
    monkeypatch.setattr("tic_sweep.training.observation.evaluate", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        run(SMALL, digits)


def test_the_best_weights_are_kept_apart_from_the_last(digits: RawImages, monkeypatch: pytest.MonkeyPatch):
    """The best epoch by validation is remembered, its weights tested, and the last ones stay loaded."""
    scores = iter([0.1, 0.7, 0.4, 0.55, 0.65])  # untrained, epochs 1 and 2, then the tests of last and best
    monkeypatch.setattr(
        "tic_sweep.training.observation.evaluate", lambda *_: Evaluation((1.0,) * 3, (next(scores),) * 3)
    )
    _, outcome = run(SMALL, digits)

    assert (1, 0.7, 0.4) == (outcome.best_epoch, outcome.best_val_acc, outcome.val_acc)
    assert (0.55, 0.65) == (outcome.test_acc, outcome.best_test_acc)
    monkeypatch.undo()
    assert run(SMALL, digits)[1].weights_digest == outcome.weights_digest


def test_fisher_is_measured_every_few_epochs_and_at_the_end(digits: RawImages):
    """every=2 of 3 epochs measures at 0, 2 and, as the last, 3; elsewhere the centroid is null."""
    reports, _ = run(replaced(SMALL, {"fisher.every": 2, "optimiser.epochs": 3}), digits)

    assert [True, False, True, True] == [r.epoch.ic is not None for r in reports]
    assert [3, 0, 3, 3] == [len(rows_of(r, FisherRow)) for r in reports]


def test_dynamics_are_measured_every_few_epochs_and_at_the_end(digits: RawImages):
    """every=2 of 3 epochs: 4 layers of 3 timesteps each at 0, 2 and, as the last, 3; the jacobian is null at T."""
    config = replaced(SMALL, {"probes.dynamics_every": 2, "fisher.every": 0, "optimiser.epochs": 3})
    reports, _ = run(config, digits)
    rows = rows_of(reports[2], DynamicsRow)

    assert [12, 0, 12, 12] == [len(rows_of(r, DynamicsRow)) for r in reports]
    assert {(trial_key(config), 2)} == {(row.key, row.epoch) for row in rows}
    assert [("stem.lif", 1), ("stem.lif", 2), ("stem.lif", 3), ("blocks.0.lif", 1)] == [
        (row.layer, row.t) for row in rows[:4]
    ]
    assert [False, False, True] == [row.jacobian is None and row.jacobian_above_one is None for row in rows[:3]]
    assert all(row.gradient_norm > 0 for row in rows[:3])


def test_dynamics_are_measured_on_the_first_of_the_fisher_images(digits: RawImages):
    """Both measurements look at the same training images, as far as both reach."""
    observer = Training(replaced(SMALL, {"probes.dynamics_samples": 5}), digits, RESOURCES)._observer

    assert torch.equal(observer.fisher_images.images[:5], observer.dynamics_images.images)


def test_probes_that_are_not_finite_end_the_trial(digits: RawImages, monkeypatch: pytest.MonkeyPatch):
    """A loss on disturbed images that is no number is divergence, told as such; the epochs before it are kept."""
    row = DeficitRow(key="k", epoch=2, first=1, last=3, strength=0.5, acc=0.1, loss=math.nan, clean_acc=0.9, images=4)
    monkeypatch.setattr(
        "tic_sweep.training.observation.probe_rows", lambda *_, epoch, **__: (row,) if epoch == 2 else ()
    )
    reports, outcome = run(SMALL, digits)

    assert ([0, 1], "diverged") == ([r.epoch.epoch for r in reports], outcome.status)
    assert "the loss on disturbed images is not finite after epoch 2" == outcome.reason


def test_dynamics_that_are_not_finite_end_the_trial(digits: RawImages, monkeypatch: pytest.MonkeyPatch):
    """A gradient that overflows on its way back in time is divergence, told as such."""
    nan = torch.full((3,), torch.nan)
    layer = LayerDynamics(
        firing_rate_T=nan, dead_share_T=nan, jacobian_T=nan[1:], jacobian_above_one_T=nan[1:], gradient_norm_T=nan
    )
    monkeypatch.setattr("tic_sweep.training.measurement.measure_dynamics", lambda *_, **__: {"stem.lif": layer})
    reports, outcome = run(replaced(SMALL, {"probes.dynamics_every": 2}), digits)

    assert ([], "diverged") == (reports, outcome.status)
    assert "dynamics" in outcome.reason


def test_every_report_tells_every_horizon(digits: RawImages):
    """Horizons are 1..T at every epoch, and the last is the epoch's own loss and accuracy."""
    reports, _ = run(SMALL, digits)

    assert [[1, 2, 3]] * 3 == [[row.t for row in rows_of(r, HorizonRow)] for r in reports]
    for report in reports:
        last = rows_of(report, HorizonRow)[-1]
        assert (report.epoch.val_loss, report.epoch.val_acc) == (last.val_loss, last.val_acc)


def test_detail_adds_blocks_and_layers(digits: RawImages):
    """Each level's traces sum to the model's at every horizon."""
    reports, _ = run(replaced(SMALL, {"fisher.detail": "layer", "optimiser.epochs": 0}), digits)
    sums = {
        level: sum(row.fisher_trace for row in rows_of(reports[0], FisherRow) if (row.level, row.t) == (level, 3))
        for level in ("model", "block", "layer")
    }

    assert sums["model"] > 0
    assert pytest.approx(sums["model"]) == sums["block"] == sums["layer"]


def test_bfloat16_is_for_gradients_of_fisher_traces_too(digits: RawImages):
    """Of the untrained network the trace is that of float32, to the precision of the gradients."""
    single, half = (
        next(Training(SMALL, digits, Resources(device="cpu", precision=precision)).reports()).epoch
        for precision in ("float32", "bfloat16")
    )

    assert single.fisher_sum != half.fisher_sum
    assert pytest.approx(single.fisher_sum, rel=0.02) == half.fisher_sum


def test_bfloat16_trains_too(digits: RawImages):
    """Half-precision convolutions give finite losses near those of float32."""
    training = Training(SMALL, digits, Resources(device="cpu", precision="bfloat16"))
    losses = [r.epoch.train_loss for r in training.reports()][1:]
    expected = [r.epoch.train_loss for r in run(SMALL, digits)[0]][1:]

    assert pytest.approx(expected, rel=0.1) == losses


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"model.norm": "tdbn", "neuron.reset": "soft", "neuron.tau": 4 / 3, "neuron.reset_gradient": 0.5},
        {"model.name": "resnet19", "model.width": 1 / 32},
        {"model.name": "vgg16", "model.width": 1 / 32, "data.coding": "poisson"},
    ],
)
def test_compiled_kernels_give_the_very_numbers_of_the_plain_path(digits: RawImages, extra: dict):
    """Every number of every report and the final weights are equal bit for bit; only the row says what ran."""
    config = replaced(SMALL, {"optimiser.epochs": 1, "probes.dynamics_every": 1, **extra})
    told = {}
    for kernels in ("plain", "compiled"):
        training = Training(config, digits, Resources(device="cpu", kernels=kernels))
        told[kernels] = numbers(list(training.reports())), ending(training.outcome)

    assert told["plain"][0] == told["compiled"][0]
    assert told["plain"][1] | {"kernels": "compiled"} == told["compiled"][1]
    assert "plain" == told["plain"][1]["kernels"]


def test_a_resume_with_other_kernels_is_told(digits: RawImages, tmp_path: Path):
    """A trial that begins without a compiler and ends with one names both, in order."""
    config = replaced(SMALL, {"optimiser.epochs": 2})
    place = tmp_path / "trial.pt"
    begun = Training(config, digits, Resources(device="cpu", kernels="plain", checkpoint_seconds=0), place)
    reports = begun.reports()
    for _ in range(3):
        next(reports)
    resumed = Training(config, digits, Resources(device="cpu", kernels="compiled"), place)
    list(resumed.reports())

    assert "plain, compiled" == resumed.outcome.kernels


OTHER_VALUES: dict[str, object] = {
    "data.name": "fashion_mnist",
    "data.train_samples": 60,
    "data.validation_samples": 30,
    "data.test_samples": 33,
    "data.split_seed": 1,
    "data.image_size": 6,
    "data.augmentation": "crop",
    "data.coding": "poisson",
    "model.name": "resnet19",
    "model.width": 0.5,
    "model.norm": "tdbn",
    "model.readout": "sum",
    "neuron.tau": 4.0,
    "neuron.v_threshold": 0.5,
    "neuron.reset": "soft",
    "neuron.reset_gradient": 1.0,
    "neuron.temporal_gradient": False,
    "neuron.surrogate": "triangle",
    "neuron.surrogate_width": 0.5,
    "neuron.surrogate_unit_peak": True,
    "optimiser.name": "adamw",
    "optimiser.lr": 0.1,
    "optimiser.momentum": 0.5,
    "optimiser.weight_decay": 0.1,
    "optimiser.schedule": "constant",
    "optimiser.batch_size": 20,
    "optimiser.epochs": 1,
    "fisher.kind": "sampled",
    "fisher.estimator": "projections",
    "fisher.draws": 2,
    "fisher.every": 2,
    "fisher.samples": 11,
    "fisher.split": "validation",
    "fisher.detail": "layer",
    "fisher.ic_se": 10.0,
    "fisher.until_turned": True,
    "probes.dynamics_every": 1,
    "probes.dynamics_samples": 11,
    "probes.test_images": 11,
    "probes.deficit_epochs": "1",
    "probes.deficit_window": 2,
    "probes.deficit_strength": 1.0,
    "probes.robustness_epochs": "2",
    "probes.strengths": "1,2",
    "probes.gaussian_strength": 1.0,
    "probes.blur_factor": 4.0,
    "probes.fgsm_eps": 0.1,
    "probes.pgd_eps": 0.1,
    "probes.pgd_step": 0.01,
    "probes.pgd_steps": 1,
    "probes.pgd_random_start": False,
    "pruning.cycles": 2,
    "pruning.share": 0.25,
    "pruning.epochs": 0,
    "pruning.timesteps": 2,
    "pruning.suggest": True,
    "pruning.lr_factor": 0.5,
    "pruning.weights": "rewind",
    "pruning.rewind_epoch": 1,
    "loss.name": "alpha",
    "loss.alpha": 0.5,
    "timesteps": 4,
    "seed": 1,
}
DEFICITS = {"probes.deficit_epochs": "2"}
ROBUSTNESS = {"probes.robustness_epochs": "2", "probes.pgd_steps": 2, "neuron.v_threshold": 0.3}
PRUNED = {"pruning.cycles": 1, "pruning.epochs": 1}
TURNING = {"optimiser.epochs": 10, "timesteps": 6}
"""Long enough to turn at epoch 5 and to stay down."""
FLIPPED_FROM = {
    # These act where another field lets them: the peak of arctan at width 1 is 1 already.
    "neuron.surrogate_unit_peak": {"neuron.surrogate": "sigmoid"},
    "model.name": {"model.width": 1 / 16},
    "fisher.draws": {"fisher.estimator": "signs"},
    "fisher.ic_se": {"fisher.samples": 64},
    "fisher.until_turned": TURNING,
    "probes.dynamics_samples": {"probes.dynamics_every": 1},
    "probes.test_images": ROBUSTNESS,
    "loss.alpha": {"loss.name": "alpha"},
    "pruning.cycles": {"pruning.epochs": 1},
    "pruning.suggest": PRUNED | {"timesteps": 5},
    "pruning.rewind_epoch": PRUNED | {"pruning.weights": "rewind"},
    **{f"probes.deficit_{name}": DEFICITS for name in ("window", "strength")},
    **{
        f"probes.{name}": ROBUSTNESS
        for name in ("strengths", "gaussian_strength", "blur_factor", "fgsm_eps", "pgd_eps", "pgd_step", "pgd_steps")
    },
    "probes.pgd_random_start": ROBUSTNESS,
    **{f"pruning.{name}": PRUNED for name in ("share", "epochs", "timesteps", "lr_factor", "weights")},
}


def test_every_field_has_another_value():
    """The table of flips names every field of a trial of task images."""
    # The task itself and the fields of other tasks are flipped where those are tested.
    others = IDLE_FIELDS["images"]
    flipped = {path for path in field_rules() if path != "task" and path.partition(".")[0] not in others}

    assert flipped == set(OTHER_VALUES)


ACTS_WHERE = {"pruning.suggest": "information_ends_early", "fisher.until_turned": "information_turns_at_5"}
"""Fields that change nothing unless the information lies where they look for it."""


@pytest.mark.parametrize(("path", "value"), OTHER_VALUES.items())
def test_every_field_changes_the_trial(digits: RawImages, request: pytest.FixtureRequest, path: str, value: object):
    """Changing any single field changes the rows or the outcome: no knob is without an effect."""
    if path in ACTS_WHERE:
        request.getfixturevalue(ACTS_WHERE[path])
    base = replaced(SMALL, {"fisher.samples": 16, **FLIPPED_FROM.get(path, {})})
    flipped = replaced(base, {path: value})
    images = digits
    if path == "data.name":  # another data set, as far as the trial can tell: other images under its name
        images = RawImages(255 - digits.train_images, digits.train_labels, 255 - digits.test_images, digits.test_labels)
        flipped = replaced(flipped, {"data.image_size": 8})
    before, after = run(base, digits), run(flipped, images)

    assert flatten(base)[path] != flatten(flipped)[path]
    assert trial_key(base) != trial_key(flipped)
    assert (numbers(before[0]), ending(before[1])) != (numbers(after[0]), ending(after[1]))
    assert all(math.isfinite(r.epoch.val_loss) for r in after[0])
