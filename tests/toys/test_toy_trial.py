"""A toy as a trial: its reports, its outcome, exact resume, and no knob without an effect."""

from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from toys.toy_cases import RESOURCES, SPIKE_TRAIN, XOR, ends, numbers, run

from tic_sweep.config import TrialConfig, field_rules, flatten, replaced, trial_key
from tic_sweep.config.checks import IDLE_FIELDS
from tic_sweep.data import data_name, load_images
from tic_sweep.plan import plan
from tic_sweep.records import ToyCurveRow
from tic_sweep.sweep import load_sweep
from tic_sweep.toys import ToyBlock
from tic_sweep.training import ToyTraining, Training, start_trial, toy_seconds

TASKS = pytest.mark.parametrize("config", [SPIKE_TRAIN, XOR], ids=lambda config: config.task)


@TASKS
def test_reports_hold_curves_and_at_the_end_every_network(config: TrialConfig):
    """Ten reports over the updates; curves from update 0 to the last; a row for each rate and problem."""
    config = replaced(config, {"toy.updates": 60})
    reports, outcome = run(config)
    curve = [row for report in reports for row in report.rows if isinstance(row, ToyCurveRow)]
    updates = sorted({row.update for row in curve})

    assert 10 == len(reports)
    assert [None] * 10 == [report.epoch for report in reports]
    assert (0, 60, 41, 41 * 3) == (updates[0], updates[-1], len(updates), len(curve))
    assert 3 * config.toy.problems == len(ends(reports)) == len(ends(reports[-1:]))
    assert {trial_key(config)} == {row.key for report in reports for row in report.rows}
    assert ("finished", 0, None) == (outcome.status, outcome.epochs_done, outcome.val_acc)


def test_the_outcome_counts_one_network():
    """Parameters are those of one network, whatever the block holds."""
    assert 20 == run(SPIKE_TRAIN)[1].parameters
    assert 3 * 8 + 8 * 16 + 16 * 32 + 32 == run(XOR)[1].parameters


@TASKS
@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_a_resumed_trial_continues_bit_for_bit(config: TrialConfig, optimiser: str, tmp_path: Path):
    """Stopped before a report was taken and resumed, the trial ends as if never stopped."""
    config = replaced(config, {"optimiser.name": optimiser, "neuron.reset_gradient": 1.0})
    undisturbed, expected = run(config)
    stopped = ToyTraining(config, None, RESOURCES, tmp_path / "trial.pt")
    ongoing = stopped.reports()
    before = [next(ongoing) for _ in range(3)]
    next(ongoing)  # trained, but neither stored nor in a checkpoint when the process died

    after, outcome = run(config, tmp_path / "trial.pt")

    assert "interrupted" == stopped.outcome.status
    assert numbers(undisturbed) == numbers(before + after)
    assert expected.weights_digest == outcome.weights_digest


def test_a_finished_trial_resumed_only_tells_its_outcome(tmp_path: Path):
    """Resuming after the end repeats nothing and gives the same outcome."""
    _, expected = run(SPIKE_TRAIN, tmp_path / "trial.pt")
    reports, outcome = run(SPIKE_TRAIN, tmp_path / "trial.pt")

    assert [] == reports
    assert (expected.status, expected.weights_digest) == (outcome.status, outcome.weights_digest)


def test_lack_of_memory_is_an_outcome(monkeypatch: pytest.MonkeyPatch):
    """Running out of memory ends the trial with its reason; another error is an exception."""

    def fail(_: ToyBlock) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(ToyBlock, "step", fail)
    reports, outcome = run(SPIKE_TRAIN)

    assert [] == reports
    assert ("out_of_memory", "CUDA out of memory") == (outcome.status, outcome.reason)


def test_a_task_starts_its_trainer():
    """Toys need no images; images do."""
    digits = replaced(TrialConfig(), {"data.name": "digits", "model.name": "small_conv", "fisher.samples": 10})

    assert isinstance(start_trial(XOR, None, RESOURCES), ToyTraining)
    assert isinstance(start_trial(digits, load_images("digits"), RESOURCES), Training)
    assert [None, None, "digits"] == [data_name(config) for config in (SPIKE_TRAIN, XOR, digits)]
    with pytest.raises(ValueError, match="needs the images of 'digits'"):
        start_trial(digits, None, RESOURCES)


def test_the_cost_grows_with_the_updates():
    """The estimate is positive and in proportion, as far as one measurement repeats another."""
    short, long = (toy_seconds(replaced(SPIKE_TRAIN, {"toy.updates": n}), RESOURCES) for n in (10, 10_000))

    assert 0 < 10 * short < long


@pytest.mark.parametrize(("name", "trials"), [("reset_toy", 18), ("reset_xor", 3)])
def test_sweeps_pair_their_variants(name: str, trials: int):
    """Trials of a laptop scale differ in the neuron alone, so that their problems are the same."""
    sweep, _ = load_sweep(name)
    assert sweep.laptop is not None
    configs = [planned.config for planned in plan(sweep.laptop, sweep_name=name)]
    shared = [{k: v for k, v in flatten(config).items() if not k.startswith("neuron.")} for config in configs]

    assert trials == len(configs)
    assert all(shared[0] == other for other in shared)
    assert {(1.0, True), (0.0, True), (0.0, False)} <= {
        (config.neuron.reset_gradient, config.neuron.temporal_gradient) for config in configs
    }


SHARED = {
    "neuron.tau": 3.0,
    "neuron.v_threshold": 0.5,
    "neuron.reset": "soft",
    "neuron.reset_gradient": 1.0,
    "neuron.temporal_gradient": False,
    "neuron.surrogate": "triangle",
    "neuron.surrogate_width": 0.5,
    "neuron.surrogate_unit_peak": True,
    "optimiser.name": "adamw",
    "optimiser.momentum": 0.5,
    "optimiser.weight_decay": 0.1,
    "toy.tau_synapse": 3.0,
    "toy.problems": 4,
    "toy.updates": 13,
    "toy.lr_low": 0.02,
    "toy.lr_high": 0.2,
    "toy.lr_count": 4,
    "timesteps": 25,
    "seed": 1,
}
OTHER_VALUES: dict[str, dict[str, object]] = {
    "spike_train": SHARED | {"task": "xor", "toy.inputs": 25, "toy.input_rate": 0.6, "toy.target_rate": 0.2},
    "xor": SHARED | {"task": "spike_train", "toy.width": 0.2, "toy.samples": 12},
}
IDLE_ELSEWHERE = ("toy.inputs", "toy.input_rate", "toy.target_rate", "toy.width", "toy.samples")


@TASKS
def test_every_field_that_is_read_has_another_value(config: TrialConfig):
    """The table of flips names every field of a trial but those declared idle for its task."""
    idle = IDLE_FIELDS[config.task]

    assert set(OTHER_VALUES[config.task]) == {
        path for path in field_rules() if path not in idle and path.partition(".")[0] not in idle
    }


@pytest.mark.parametrize(
    ("config", "path", "value"),
    [(config, path, value) for config in (SPIKE_TRAIN, XOR) for path, value in OTHER_VALUES[config.task].items()],
    ids=lambda part: part.task if isinstance(part, TrialConfig) else str(part),
)
def test_every_field_changes_the_trial(config: TrialConfig, path: str, value: object):
    """Changing any single field that the task reads changes the rows: no knob is without an effect."""
    if path == "task":  # what only the other task leaves at its default goes back there
        defaults = flatten(TrialConfig())
        config = replaced(config, {idle: defaults[idle] for idle in IDLE_ELSEWHERE})
        config = replaced(config, {"toy.lr_count": 1, "toy.updates": 1, "toy.problems": 1})
    flipped = replaced(config, {path: value})
    before, after = run(config), run(flipped)

    assert trial_key(config) != trial_key(flipped)
    assert numbers(before[0]) != numbers(after[0])
    assert "finished" == asdict(after[1])["status"]
