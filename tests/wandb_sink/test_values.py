"""What a trial tells, as W&B logs it: names, steps, and what is left out."""

import math

import pytest
from launch.launch_fakes import epoch_row, planned

from tic_sweep.config import TrialConfig
from tic_sweep.plan import PlannedTrial
from tic_sweep.records import (
    DeficitRow,
    DelayRow,
    DynamicsRow,
    FisherRow,
    HorizonRow,
    PruningRow,
    Report,
    RobustnessRow,
    Row,
    SequenceRow,
    SparsityRow,
    SynapseRow,
    ToyCurveRow,
    ToyRow,
    TrialRow,
)  # fmt: skip
from tic_sweep.wandb_sink.naming import Naming
from tic_sweep.wandb_sink.values import Spread, entries, summary_of


def fisher(t: int, trace: float, level: str = "model", part: str = "") -> FisherRow:
    """Return a Fisher row of epoch 3."""
    return FisherRow(key="k", epoch=3, level=level, part=part, t=t, fisher_trace=trace, fisher_se=0.0)


def logged(*rows: Row) -> dict[str, object]:
    """Return what rows of epoch 3 are logged as, besides what the epoch's own row is."""
    (own,) = entries(Report(epoch=epoch_row("k", 3)))
    (entry,) = entries(Report(epoch=epoch_row("k", 3), rows=rows))
    assert (3, own.values) == (entry.step, {name: entry.values[name] for name in own.values})
    return {name: value for name, value in entry.values.items() if name not in own.values}


def test_an_epoch_is_a_step() -> None:
    """The fields of its row have their own names; its key and what was not measured are left out."""
    (entry,) = entries(Report(epoch=epoch_row("k", 3, ic=None)))

    assert 3 == entry.step
    assert (3, 0.5, 0) == (entry.values["epoch"], entry.values["val_acc"], entry.values["cycle"])
    assert {"key", "ic", "lr"}.isdisjoint(entry.values)


def test_a_trace_is_a_line_per_timestep_and_a_histogram_of_shares() -> None:
    """I_t = 3, 1: three quarters of the information at t = 1, the bins centred on 1 and 2."""
    told = logged(fisher(2, 1.0), fisher(1, 3.0))

    assert {"fisher/t01": 3.0, "fisher/t02": 1.0, "fisher/share_over_t": Spread((75.0, 25.0))} == told
    assert [0.5, 1.5, 2.5] == Spread((75.0, 25.0)).edges


@pytest.mark.parametrize("traces", [(0.0, 0.0), (math.inf, 1.0)])
def test_no_information_has_no_shares(traces: tuple[float, float]) -> None:
    """A trace without a finite sum above zero is logged, its shares are not."""
    told = logged(*(fisher(t, trace) for t, trace in enumerate(traces, start=1)))

    assert {"fisher/t01", "fisher/t02"} == told.keys()


def test_the_traces_of_parts_are_their_centroids() -> None:
    """A layer with I_t = 1, 3 has IC (1 + 2·3) / 4."""
    assert {"ic_of_layer/conv1": 1.75} == logged(fisher(1, 1.0, "layer", "conv1"), fisher(2, 3.0, "layer", "conv1"))


def test_probes_have_panels_of_their_own() -> None:
    """A name says what was measured where."""
    told = logged(
        HorizonRow(key="k", epoch=3, t=3, val_loss=2.0, val_acc=0.3),
        DeficitRow(key="k", epoch=3, first=2, last=4, strength=0.5, acc=0.4, loss=1.5, clean_acc=0.9, images=9),
        RobustnessRow(
            key="k", epoch=3, corruption="pgd", multiple=1.0, strength=0.03, acc=0.2, loss=3.0, clean_acc=0.9,
            largest_change=0.03, images=9,
        ),
    )  # fmt: skip

    assert {
        "horizon/acc_t03": 0.3, "horizon/loss_t03": 2.0, "deficit/w02_acc": 0.4, "deficit/w02_loss": 1.5,
        "deficit/clean_acc": 0.9, "robustness/pgd@1/acc": 0.2, "robustness/pgd@1/loss": 3.0,
        "robustness/clean_acc": 0.9,
    } == told  # fmt: skip


def test_dynamics_are_means_over_time() -> None:
    """The Jacobian is null at T, where there is no next step; the mean is over those there are."""
    rows = [
        DynamicsRow(
            key="k", epoch=3, layer="conv1", t=t, firing_rate=0.2 * t, dead_share=0.5, gradient_norm=float(t),
            jacobian=0.8 if t == 1 else None,
        )
        for t in (1, 2)
    ]  # fmt: skip
    told = logged(*rows)

    assert pytest.approx(0.3) == told.pop("dynamics/conv1/firing_rate")
    named = {"dead_share": 0.5, "jacobian": 0.8, "gradient_norm": 1.5}
    assert {f"dynamics/conv1/{name}": value for name, value in named.items()} == told


def test_pruning_and_sparsity() -> None:
    """A cycle's fields stand together; what is not suggested is left out."""
    told = logged(
        PruningRow(
            key="k", cycle=1, epoch=3, timesteps=5, sparsity=0.5, weights=100, remaining=50, val_acc=0.8, test_acc=0.7,
            test_acc_full=0.6, timestep_epochs=30, train_seconds=1.0,
        ),
        SparsityRow(key="k", cycle=1, layer="head", weights=10, remaining=4, sparsity=0.6),
    )  # fmt: skip

    assert (0.5, 0.7, 30, 0.6) == (
        told["pruning/sparsity"], told["pruning/test_acc"], told["pruning/timestep_epochs"], told["sparsity/head"],
    )  # fmt: skip
    assert {"pruning/suggested_timesteps", "pruning/key", "pruning/epoch"}.isdisjoint(told)


def test_sequences_and_delays_have_panels_of_their_own() -> None:
    """Test accuracy and spread in one, the synapses of each layer in another; single synapses are no lines."""
    rows = (
        SequenceRow(key="k", epoch=3, test_acc=0.7, test_loss=1.0, firing_rate=0.1),
        DelayRow(
            key="k", epoch=3, layer="hidden", possible=8, active=4, grown=1, pruned=1, survived=3, overlap=0.6,
            shift=0.5, delay_mean=2.0, delay_entropy=1.5, excitatory=0.5, empty=0, operations=40,
        ),
        SynapseRow(key="k", epoch=3, layer="hidden", neuron=0, input=1, weight=0.5, delay=2, delay_real=2.2),
    )  # fmt: skip
    told = logged(*rows)

    assert {"sequences/test_acc": 0.7, "sequences/test_loss": 1.0, "sequences/firing_rate": 0.1}.items() <= told.items()
    assert (4, 1, 0.6) == tuple(told[f"delays/hidden/{name}"] for name in ("active", "grown", "overlap"))
    assert {"sequences", "delays"} == {name.partition("/")[0] for name in told}


def test_toy_problems_have_updates_for_steps() -> None:
    """Each learning rate is a line over updates; problems one by one are left to the tables."""
    curves = [
        ToyCurveRow(key="k", lr=lr, update=update, solved_share=share, loss_low=0.0, loss_median=1.0, loss_high=2.0)
        for lr, update, share in ((0.1, 5, 0.5), (0.1, 0, 0.0), (1.0, 5, 0.25))
    ]
    problem = ToyRow(
        key="k", lr=0.1, problem=0, solved=True, first_loss=1.0, final_loss=0.0, firing_rate=0.1, jacobian=0.5,
        gradient_norm=0.1,
    )  # fmt: skip
    told = entries(Report(rows=(*curves, problem)))

    assert [0, 5] == [entry.step for entry in told]
    assert {
        "update": 5, "toy/solved@0.1": 0.5, "toy/loss@0.1": 1.0, "toy/solved@1": 0.25, "toy/loss@1": 1.0,
    } == told[1].values  # fmt: skip
    assert [] == entries(Report(rows=(problem,)))


def test_the_summary_of_a_trial() -> None:
    """How it ended, without what is unknown, and without what its config says."""
    row = TrialRow(key="k", sweep="tiny", scale="laptop", status="diverged", reason="loss is nan", epochs_done=2)

    assert {"status": "diverged", "reason": "loss is nan", "epochs_done": 2} == summary_of(row)


def test_a_trial_is_named_by_what_tells_it_apart() -> None:
    """Group, id, name, tags and config of a run; what W&B refuses in an id is replaced."""
    trial = planned(lr=0.125, seed=2)
    spec = Naming(sweep="my sweep/1", scale="laptop", labels=("data.name", "optimiser.lr")).trial(trial, 3)

    assert ("my-sweep-1-laptop", f"my-sweep-1-laptop-{trial.key}") == (spec.group, spec.id)
    assert ("data digits, lr 0.125, seed 2", ("digits", "small_conv"), "trial") == (spec.name, spec.tags, spec.job_type)
    assert (0.125, trial.key, 3) == (spec.config["optimiser.lr"], spec.config["key"], spec.config["attempt"])
    assert ("spike_train",) == Naming(sweep="s", scale="paper").trial(
        PlannedTrial("k", TrialConfig(task="spike_train")), 1
    ).tags
