"""A trial of task sequences: its rows, exact resume in the middle of rewiring, pairing, and no knob without effect."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from training.sequence_cases import DEEPR, RAW_HD, RIGL, SET, SHD, SMALL, SPARSE, numbers, raw_for, run
from training.trial_runs import RESOURCES, ending, rows_of

from tic_sweep.config import TrialConfig, field_rules, replaced, trial_key
from tic_sweep.config.checks import IDLE_FIELDS
from tic_sweep.delays import DelayNetwork
from tic_sweep.delays.network import ORDERS
from tic_sweep.errors import DataError
from tic_sweep.records import DelayRow, FisherRow, HorizonRow, SequenceRow, SynapseRow
from tic_sweep.snn import choose
from tic_sweep.training import SequenceTraining, seconds_per_sequence, start_trial
from tic_sweep.training.evaluation import Evaluation

FIXED = {"delays.learn": False}
RULES = pytest.mark.parametrize("rule", [{}, SPARSE, DEEPR, RIGL, SET, FIXED | DEEPR], ids=str)


def test_reports_begin_untrained_and_follow_each_epoch():
    """Every report has its epoch, all horizons, a row of the sequences, and one for each layer."""
    reports, outcome = run(replaced(SMALL, DEEPR))

    assert [0, 1, 2] == [r.epoch.epoch for r in reports]
    assert reports[0].epoch.train_loss is None
    assert all(r.epoch.objective > r.epoch.train_loss > 0 and 1 <= r.epoch.ic <= 16 for r in reports[1:])
    for report in reports:
        assert (
            list(range(1, 17))
            == [row.t for row in rows_of(report, HorizonRow)]
            == [row.t for row in rows_of(report, FisherRow)]
        )
        assert ["hidden", "output"] == [row.layer for row in rows_of(report, DelayRow)]
        assert 1 == len(rows_of(report, SequenceRow))
    assert {trial_key(replaced(SMALL, DEEPR))} == {row.key for r in reports for row in (r.epoch, *r.rows)}
    assert ("finished", 2) == (outcome.status, outcome.epochs_done)


def test_what_runs_the_neurons_is_told():
    """The published neuron is torch operations; the one of images runs on the kernels of the machine."""
    published, charge_first = (run(replaced(SMALL, {"delays.order": order}))[1] for order in ORDERS[::-1])

    assert "plain" == published.kernels
    assert choose("auto", torch.device("cpu")) == charge_first.kernels


def test_rates_and_spread_are_told_for_each_epoch():
    """Positions fall by a cosine from 0.1; σ falls from 3, half the kernel, in half of four epochs."""
    reports, _ = run(replaced(SMALL, {"optimiser.epochs": 4, "delays.sigma_share": 0.5, "fisher.every": 0}))
    told = [rows_of(r, SequenceRow)[0] for r in reports]

    assert [0.1, 0.0853553, 0.05, 0.0146447] == pytest.approx([row.position_lr for row in told[1:]], abs=1e-7)
    assert told[0].position_lr is None
    assert [3, 3, pytest.approx((3 * 0.23) ** 0.5), 0.23, 0.23] == [row.sigma for row in told]
    assert all(0 <= row.soft_val_acc <= 1 and 0 < row.firing_rate < 1 for row in told)


def test_fixed_delays_have_no_spread_and_do_not_move():
    """What tells of learning is null, and the shift zero."""
    reports, _ = run(replaced(SMALL, FIXED))
    told = rows_of(reports[-1], SequenceRow)[0]

    assert (None, None, None) == (told.soft_val_acc, told.sigma, told.position_lr)
    assert [0.0, 0.0] == [row.shift for row in rows_of(reports[-1], DelayRow)]


def test_learnt_delays_move():
    """By about a rate of 0.1 a step, and back into their range."""
    reports, _ = run(SMALL)

    assert all(0.05 < row.shift < 1 for row in rows_of(reports[-1], DelayRow))


def test_a_dense_network_has_every_synapse():
    """Nothing comes or goes; eight inputs and six neurons, six and four classes; multiply-adds are 16 times that."""
    reports, _ = run(SMALL)
    hidden, output = rows_of(reports[-1], DelayRow)

    assert (48, 48, 48, 24, 24, 24) == (
        hidden.possible, hidden.active, hidden.survived, output.possible, output.active, output.survived,
    )  # fmt: skip
    assert (0, 0, 1.0, 0, 48 * 16) == (hidden.grown, hidden.pruned, hidden.overlap, hidden.empty, hidden.operations)
    assert 0.0 == reports[-1].epoch.sparsity


@pytest.mark.parametrize("rule", [DEEPR, RIGL, SET], ids=str)
def test_rewired_networks_keep_their_number_of_synapses(rule: dict[str, Any]):
    """Half of the synapses at every report, and others after training than before."""
    reports, _ = run(replaced(SMALL, rule))
    told = [row for report in reports for row in rows_of(report, DelayRow)]

    assert all([24, 12] == [row.active for row in rows_of(r, DelayRow)] for r in reports)
    assert all(0.5 == r.epoch.sparsity for r in reports)
    assert sum(row.grown for row in told) == sum(row.pruned for row in told) > 0
    assert any(row.overlap < 1 and row.survived < row.active for row in told[-2:])


def test_synapses_are_told_one_by_one():
    """At the epochs asked for, one row for each that exists: its place, its signed weight, its delay rounded."""
    config = replaced(SMALL, DEEPR | {"delays.field_epochs": "0,2"})
    training = SequenceTraining(config, None, RESOURCES)
    reports = list(training.reports())
    told = rows_of(reports[2], SynapseRow)
    layer = training.model.hidden

    assert [36, 0, 36] == [len(rows_of(r, SynapseRow)) for r in reports]
    assert 36 == len({(row.layer, row.neuron, row.input) for row in told})
    for row in told[:24]:
        place = row.neuron, row.input
        assert layer.mask[place]
        assert row.weight == pytest.approx(float(layer.effective_weight()[place].detach()))
        assert (int(layer.delays(hard=True)[place]), pytest.approx(row.delay, abs=0.5)) == (row.delay, row.delay_real)
    for source in range(8):  # Dale's law
        assert 1 >= len({row.weight > 0 for row in told[:24] if row.input == source})


@RULES
@pytest.mark.parametrize("optimiser", [{}, {"optimiser.name": "sgd"}], ids=str)
def test_a_resumed_trial_continues_bit_for_bit(rule: dict[str, Any], optimiser: dict[str, Any], tmp_path: Path):
    """Stopped in the middle of rewiring and resumed, weights, masks, signs and rows are as if never stopped."""
    config = replaced(SMALL, rule | optimiser | {"optimiser.epochs": 3, "fisher.every": 3, "delays.field_epochs": "3"})
    undisturbed, expected = run(config)
    stopped = SequenceTraining(config, None, RESOURCES, tmp_path / "trial.pt")
    ongoing = stopped.reports()
    before = [next(ongoing) for _ in range(2)]
    next(ongoing)  # epoch 2 was trained and its checkpoint not yet written when the process died

    after, outcome = run(config, tmp_path / "trial.pt")

    assert "interrupted" == stopped.outcome.status
    assert numbers(undisturbed) == numbers(before + after)
    assert ending(expected) == ending(outcome)


def test_a_finished_trial_resumed_only_tells_its_outcome(tmp_path: Path):
    """Resuming after the end repeats no epoch and gives the same outcome."""
    config = replaced(SMALL, DEEPR)
    _, expected = run(config, tmp_path / "trial.pt")
    reports, outcome = run(config, tmp_path / "trial.pt")

    assert [] == reports
    assert ending(expected) == ending(outcome)


def test_trials_side_by_side_share_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Two trials in turns give what each gives alone, and leave nothing but their own checkpoints."""
    monkeypatch.chdir(tmp_path)
    configs = [replaced(SMALL, DEEPR | {"seed": seed}) for seed in (0, 1)]
    alone = [run(config) for config in configs]
    both = [SequenceTraining(c, None, RESOURCES, tmp_path / f"{i}.pt") for i, c in enumerate(configs)]
    in_turn = list(zip(*(training.reports() for training in both), strict=True))

    for number, (reports, outcome) in enumerate(alone):
        assert numbers(reports) == numbers([pair[number] for pair in in_turn])
        assert outcome.weights_digest == both[number].outcome.weights_digest
    assert {"0.pt", "1.pt"} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("kind", ["empirical", "sampled", "batch"])
def test_measuring_leaves_training_untouched(kind: str):
    """Weights are bit-identical whether Fisher traces and fields are taken every epoch or never."""
    config = replaced(SMALL, DEEPR | {"fisher.kind": kind})
    _, measured = run(replaced(config, {"delays.field_epochs": "0,1,2"}))
    _, unmeasured = run(replaced(config, {"fisher.every": 0}))

    assert measured.weights_digest == unmeasured.weights_digest


@pytest.mark.usefixtures("information_turns_at_5")
def test_measuring_ends_once_it_has_turned_also_after_a_resume(tmp_path: Path):
    """Two reports after epoch 5 stand by it; cut off after the last of them, the trial measures at the end alone."""
    config = replaced(TURNING, {"fisher.until_turned": True})
    undisturbed, _ = run(config)
    ongoing = SequenceTraining(config, None, RESOURCES, tmp_path / "trial.pt").reports()
    before = [next(ongoing) for _ in range(9)]

    after, _ = run(config, tmp_path / "trial.pt")

    assert [*range(8), 10] == [r.epoch.epoch for r in undisturbed if r.epoch.ic is not None]
    assert numbers(undisturbed) == numbers(before[:8] + after)


def test_looking_touches_no_parameter():
    """Whole delays are a way to evaluate: every weight, position and statistic stays as it was."""
    training = SequenceTraining(SMALL, None, RESOURCES)
    before = {name: value.clone() for name, value in training.model.state_dict().items()}
    training._observer.look(training.model, 0)

    assert all(torch.equal(value, before[name]) for name, value in training.model.state_dict().items())
    assert not any(module.training for module in training.model.modules())


def _first(changes: dict[str, Any]) -> DelayNetwork:
    return SequenceTraining(replaced(SMALL, changes), None, RESOURCES).model


def test_trials_of_a_seed_begin_alike():
    """Whatever the rule and sparsity, delays and magnitudes are the same at first; sparser masks lie in denser ones."""
    dense, half, rewired = _first({}), _first(SPARSE), _first(DEEPR)
    fixed, quarter = _first(FIXED), _first({"delays.sparsity": 0.75})
    for name, layer in dense.layers().items():
        masks = [network.layers()[name].mask for network in (half, rewired, quarter)]

        assert torch.equal(masks[0], masks[1])
        assert torch.equal(masks[2], masks[2] & masks[0])
        assert torch.equal(layer.position, half.layers()[name].position)
        assert torch.equal(layer.delays(hard=True), fixed.layers()[name].delays(hard=True))
        assert torch.equal((layer.weight * masks[0]).abs(), rewired.layers()[name].weight)


def test_the_best_weights_are_tested_with_their_own_synapses(monkeypatch: pytest.MonkeyPatch):
    """The best epoch by validation is remembered, and its weights, masks and delays are those tested at the end."""
    scores = iter([0.1, 0.9, 0.2])

    def validation_of(original: Any):  # noqa: ANN202 - a stand-in
        def look(self: Any, model: DelayNetwork, epoch: int) -> Any:
            seen = original(self, model, epoch)
            object.__setattr__(seen, "validation", Evaluation((1.0,) * 16, (next(scores),) * 16))
            return seen

        return look

    observer = "tic_sweep.training.sequences.SequenceObserver"
    original = SequenceTraining(SMALL, None, RESOURCES)._observer.__class__.look
    monkeypatch.setattr(f"{observer}.look", validation_of(original))
    reports, outcome = run(replaced(SMALL, DEEPR | {"optimiser.lr": 0.5}))
    tests = [rows_of(r, SequenceRow)[0].test_acc for r in reports]

    assert (1, 0.9, 0.2) == (outcome.best_epoch, outcome.best_val_acc, outcome.val_acc)
    assert (tests[2], tests[1]) == (outcome.test_acc, outcome.best_test_acc)


def test_the_objective_is_the_loss_and_the_penalty():
    """Without the penalty both are the same number."""
    reports, _ = run(replaced(SMALL, {"delays.l1": 0}))

    assert all(r.epoch.objective == pytest.approx(r.epoch.train_loss) for r in reports[1:])


def test_divergence_is_an_outcome_with_a_reason():
    """A learning rate that blows up ends the trial, not the program."""
    _, outcome = run(replaced(SMALL, {"optimiser.lr": 1e38, "optimiser.name": "sgd", "optimiser.schedule": "constant"}))

    assert "diverged" == outcome.status
    assert "epoch" in outcome.reason


def test_more_fisher_samples_than_a_speaker_says_are_refused():
    """How much a held-out speaker says is known only when the data is there."""
    config = replaced(RAW_HD, {"fisher.split": "validation", "fisher.samples": 21})

    with pytest.raises(DataError, match=r"fisher\.samples must be at most the 20 sequences of the validation"):
        SequenceTraining(config, raw_for(config), RESOURCES)


def test_the_task_starts_its_trainer():
    """Made-up sequences need no data; recordings do."""
    assert isinstance(start_trial(SMALL, None, RESOURCES), SequenceTraining)
    assert isinstance(start_trial(SHD, raw_for(SHD), RESOURCES), SequenceTraining)
    with pytest.raises(ValueError, match="a trial on raw_hd needs its sequences, got NoneType"):
        start_trial(RAW_HD, None, RESOURCES)


@pytest.mark.parametrize("changes", [{}, DEEPR, FIXED])
def test_the_cost_is_measured_without_data(changes: dict[str, Any]):
    """A training step and a Fisher measurement of a sequence take some time."""
    assert all(seconds > 0 for seconds in seconds_per_sequence(replaced(SMALL, changes), RESOURCES))


OTHER_VALUES: dict[str, object] = {
    "neuron.tau": 4.0,
    "neuron.v_threshold": 0.5,
    "neuron.reset": "soft",
    "neuron.reset_gradient": 1.0,
    "neuron.temporal_gradient": False,
    "neuron.surrogate": "triangle",
    "neuron.surrogate_width": 0.5,
    "neuron.surrogate_unit_peak": True,
    "optimiser.name": "sgd",
    "optimiser.lr": 0.02,
    "optimiser.momentum": 0.5,
    "optimiser.weight_decay": 0.1,
    "optimiser.schedule": "constant",
    "optimiser.batch_size": 12,
    "optimiser.epochs": 1,
    "loss.name": "alpha",
    "loss.alpha": 0.5,
    "fisher.kind": "sampled",
    "fisher.every": 2,
    "fisher.samples": 17,
    "fisher.split": "validation",
    "fisher.detail": "layer",
    "fisher.ic_se": 10.0,
    "fisher.until_turned": True,
    "sequences.name": "raw_hd",
    "sequences.train_samples": 40,
    "sequences.validation_samples": 20,
    "sequences.test_samples": 20,
    "sequences.validation_groups": 2,
    "sequences.split_seed": 1,
    "sequences.channels": 12,
    "sequences.shifts": 4,
    "sequences.step": 2,
    "sequences.deletion": 0.3,
    "sequences.noise": 0.2,
    "sequences.labels": "languages_swapped",
    "sequences.scaling": "standardised",
    "sequences.bin_ms": 20,
    "sequences.pooled": 7,
    "delays.hidden": 7,
    "delays.max_delay": 4,
    "delays.learn": False,
    "delays.position_lr": 0.2,
    "delays.position_schedule": "constant",
    "delays.interpolation": "max",
    "delays.sigma_start": 1.0,
    "delays.sigma_share": 1.0,
    "delays.order": "charge_first",
    "delays.readout": "mean",
    "delays.readout_tau": 5.0,
    "delays.dropout": 0.1,
    "delays.rule": "deepr",
    "delays.sparsity": 0.5,
    "delays.budget": "erdos_renyi",
    "delays.regrow": "random",
    "delays.signs": "synapse",
    "delays.rewire_every": 2,
    "delays.exchange_share": 0.6,
    "delays.exchange_until": 0.2,
    "delays.temperature": 0.1,
    "delays.l1": 0.0,
    "delays.backend": "fft",
    "delays.field_epochs": "1",
    "timesteps": 17,
    "seed": 1,
}
TURNING = replaced(SMALL, {"optimiser.epochs": 10})
"""Long enough to turn at epoch 5 and to stay down."""
CHARGED = replaced(SMALL, {"delays.order": "charge_first"})
FLIPPED_FROM: dict[str, TrialConfig] = {
    "neuron.reset": CHARGED,
    "neuron.reset_gradient": CHARGED,
    "loss.alpha": replaced(SMALL, {"loss.name": "alpha"}),
    "fisher.ic_se": replaced(SMALL, {"fisher.samples": 48}),
    "fisher.until_turned": TURNING,
    "sequences.name": replaced(RAW_HD, {"sequences.name": "cyclic_sweeps"}),
    **{f"sequences.{name}": RAW_HD for name in ("validation_groups", "labels", "scaling")},
    **{f"sequences.{name}": SHD for name in ("bin_ms", "pooled")},
    "delays.sigma_start": replaced(SMALL, {"delays.sigma_share": 1.0}),
    "delays.rule": replaced(SMALL, SPARSE),
    "delays.budget": replaced(SMALL, SPARSE),
    **{f"delays.{name}": replaced(SMALL, DEEPR) for name in ("regrow", "signs", "rewire_every", "temperature")},
    **{f"delays.exchange_{name}": replaced(SMALL, RIGL) for name in ("share", "until")},
}


def test_every_field_that_is_read_has_another_value():
    """The table of flips names every field of a trial but the task itself and those declared idle for it."""
    idle = IDLE_FIELDS["sequences"]

    assert set(OTHER_VALUES) == {
        path for path in field_rules() if path != "task" and not {path, path.partition(".")[0]} & set(idle)
    }


@pytest.mark.parametrize(("path", "value"), OTHER_VALUES.items())
def test_every_field_changes_the_trial(request: pytest.FixtureRequest, path: str, value: object):
    """Changing any single field that the task reads changes the rows: no knob is without an effect."""
    if path == "fisher.until_turned":
        request.getfixturevalue("information_turns_at_5")
    config = FLIPPED_FROM.get(path, SMALL)
    flipped = replaced(config, {path: value})
    before, after = run(config), run(flipped)

    assert trial_key(config) != trial_key(flipped)
    assert numbers(before[0]) != numbers(after[0])
    assert "finished" == asdict(after[1])["status"]
    assert all(math.isfinite(r.epoch.val_loss) for r in after[0])
