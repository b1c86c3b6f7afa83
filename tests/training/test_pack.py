"""A pack: each member computes, tells and keeps what it would alone."""

import time
from pathlib import Path

import pytest
import torch
from cases import SMALL
from training.pack_cases import BASE, VARIED, all_told, begun, heard
from training.trial_runs import RESOURCES, ending, numbers, run

from tic_sweep.config import Resources, TrialConfig, replaced, trial_key
from tic_sweep.data import RawImages
from tic_sweep.packing import Replays
from tic_sweep.training import Pack, Trainer, Training, may_be_recorded, trial
from tic_sweep.training.optimisation import build_optimiser, load_optimiser_state, optimiser_state


def test_members_train_as_if_alone(digits: RawImages):
    """Every number of every report, the outcome and each bit of the weights are those of the trial run alone."""
    told = all_told(begun(VARIED, digits))

    for config in VARIED:
        (alone, expected), (reports, (outcome,)) = run(config, digits), heard(told, config)
        assert numbers(alone) == numbers(reports)
        assert ending(expected) == ending(outcome)


def test_members_take_turns_within_an_epoch(digits: RawImages):
    """One step lets every member come to its next report: nobody waits for another's end."""
    pack = begun(VARIED, digits)
    epochs = [[told.report.epoch.epoch for told in pack.step()] for _ in range(3)]
    pack.close()

    assert [[0] * 3, [1] * 3, [2] * 3] == epochs


def test_members_hold_one_copy_of_the_data(digits: RawImages, monkeypatch: pytest.MonkeyPatch):
    """The splits are made once for those that ask for the same, and again for another."""
    made, make = [], trial.prepare
    monkeypatch.setattr(trial, "prepare", lambda raw, config, device: made.append(config) or make(raw, config, device))
    other = replaced(VARIED[2], {"data.split_seed": 1})
    pack = begun([*VARIED[:2], other], digits)
    pack.step()
    pack.close()

    assert [VARIED[0].data, other.data] == made


def test_a_member_that_ends_early_leaves_the_others(digits: RawImages):
    """With fewer epochs it tells its outcome while the others go on, as they would alone."""
    short, long = VARIED[0], replaced(VARIED[1], {"optimiser.epochs": 4})
    told = all_told(begun([short, long], digits))

    ends = [told.index(one) for one in told if one.outcome]
    assert [trial_key(short), trial_key(long)] == [told[i].key for i in ends]
    assert numbers(run(long, digits)[0]) == numbers(heard(told, long)[0])


def test_a_member_that_diverges_ends_alone(digits: RawImages):
    """It tells its reason; the others' numbers are untouched."""
    bad = replaced(VARIED[1], {"optimiser.lr": 1e30})
    told = all_told(begun([VARIED[0], bad], digits))

    assert ("diverged", True) == ((outcome := heard(told, bad)[1][0]).status, "in epoch 1" in outcome.reason)
    assert numbers(run(VARIED[0], digits)[0]) == numbers(heard(told, VARIED[0])[0])


def test_a_checkpoint_of_a_member_goes_on_alone_and_packed(digits: RawImages, tmp_path: Path):
    """A pack is killed in epoch 3; of its checkpoints one goes on alone, two in a new pack, and no bit is lost."""
    configs = [replaced(config, {"optimiser.epochs": 4}) for config in VARIED]
    pack = begun(configs, digits, tmp_path)
    before = [told for _ in range(3) for told in pack.step()]
    pack.step()  # epoch 3 was trained and its checkpoint not yet written
    pack.close()

    alone, outcome = run(configs[0], digits, checkpoint=tmp_path / f"{trial_key(configs[0])}.pt")
    packed = all_told(begun(configs[1:], digits, tmp_path))

    for config in configs:
        undisturbed, expected = run(config, digits)
        after, ended = (alone, outcome) if config == configs[0] else heard(packed, config)
        assert numbers(undisturbed) == numbers(heard(before, config)[0] + after)
        assert expected.weights_digest == (ended if config == configs[0] else ended[0]).weights_digest


def test_a_report_is_stored_before_its_checkpoint_is_written(digits: RawImages, tmp_path: Path):
    """After the first step nothing is written; after the second, the state of the first."""
    pack = begun(VARIED[:2], digits, tmp_path)
    pack.step()
    first = list(tmp_path.iterdir())
    pack.step()
    epochs = {torch.load(path, weights_only=True)["epoch"] for path in tmp_path.iterdir()}
    pack.close()

    assert [] == first
    assert {0} == epochs


def test_the_members_share_the_time(digits: RawImages):
    """What they count as theirs adds up to no more than the time that passed."""
    began = time.perf_counter()
    told = all_told(begun(VARIED, digits))
    passed = time.perf_counter() - began

    spent = [heard(told, config)[1][0].wall_seconds for config in VARIED]
    assert min(spent) > 0
    assert sum(spent) < passed


def failing(error: Exception, *, times: int = 1):
    """Return what starts trials and, for those with a rate of 0.2, fails in epoch 1, some times."""
    left = [times]

    class Failing(Training):
        def _trained(self, epoch: int) -> dict:
            if self.config.optimiser.lr == 0.2 and epoch == 1 and left[0]:
                left[0] -= 1
                raise error
            return super()._trained(epoch)

    def start(config: TrialConfig, *given: object) -> Trainer:
        return Failing(config, *given)

    return start


def test_a_member_that_fails_ends_alone(digits: RawImages):
    """Its error is told, once; the others finish."""
    pack = Pack([(config, None) for config in VARIED], digits, RESOURCES, failing(ValueError("no")))
    told = all_told(pack)

    ((key, error),) = [(one.key, one.error) for one in told if one.error]
    assert (trial_key(VARIED[1]), "no") == (key, str(error))
    assert ["finished"] * 2 == [outcome.status for c in (VARIED[0], VARIED[2]) for outcome in heard(told, c)[1]]


def test_a_gpu_that_has_failed_ends_the_pack(digits: RawImages):
    """No member could go on in this process: the error is raised, so that the pack is started again elsewhere."""
    pack = Pack([(c, None) for c in VARIED], digits, RESOURCES, failing(RuntimeError("CUDA error: unspecified")))
    pack.step()
    with pytest.raises(RuntimeError, match="CUDA error"):
        pack.step()
    pack.close()


def test_a_member_without_memory_goes_on_when_the_others_have_ended(digits: RawImages, tmp_path: Path):
    """It starts again from its checkpoint and, with the memory to itself, ends as if nothing had happened."""
    error = torch.OutOfMemoryError("CUDA out of memory")
    trials = [(config, tmp_path / f"{trial_key(config)}.pt") for config in VARIED]
    told = all_told(Pack(trials, digits, RESOURCES, failing(error)))
    reports, (outcome,) = heard(told, VARIED[1])

    again = next(i for i, one in enumerate(told) if not (one.report or one.outcome or one.error))
    assert trial_key(VARIED[1]) == told[again].key
    assert {trial_key(VARIED[1])} == {one.key for one in told[again:]}
    alone, expected = run(VARIED[1], digits)
    assert numbers(alone) == numbers(reports)
    assert ending(expected) == ending(outcome)


def test_a_member_that_lacks_memory_alone_takes_fewer_images_at_once(digits: RawImages, tmp_path: Path):
    """It goes on once more with half the chunk, which is remarked upon, and to the same numbers."""
    chunks, start = [], failing(torch.OutOfMemoryError("none"), times=2)

    def seen(config: TrialConfig, images: RawImages, resources: Resources, checkpoint: Path) -> Trainer:
        chunks.append((config.optimiser.lr, resources.fisher_chunk))
        return start(config, images, resources, checkpoint)

    trials = [(config, tmp_path / f"{trial_key(config)}.pt") for config in VARIED]
    reports, (outcome,) = heard(all_told(Pack(trials, digits, RESOURCES, seen)), VARIED[1])
    alone, expected = run(VARIED[1], digits)

    assert [64, 64, 32] == [chunk for lr, chunk in chunks if lr == 0.2]
    assert ["memory ran out (none): it went on with --fisher-chunk 32"] == [r for told in reports for r in told.remarks]
    assert [told.epoch.epoch for told in alone] == [told.epoch.epoch for told in reports if told.epoch]
    assert expected.weights_digest == outcome.weights_digest


def test_a_member_that_lacks_memory_to_the_last_has_ended(digits: RawImages):
    """Without memory even alone and with fewer images at once, it is told as that."""
    pack = Pack([(c, None) for c in VARIED], digits, RESOURCES, failing(torch.OutOfMemoryError("none"), times=3))

    assert ["out_of_memory"] == [outcome.status for outcome in heard(all_told(pack), VARIED[1])[1]]


def test_what_would_be_recorded_is_the_same_work_at_every_call(digits: RawImages, monkeypatch: pytest.MonkeyPatch):
    """With the first call's work done in place of each later one, as a recording does, no number changes."""
    works: dict[object, object] = {}

    def first_work(_replays: object, work: object, *inputs: torch.Tensor, key: object) -> object:
        return works.setdefault(key, work)(*inputs)

    class OnCpu(Replays):
        def __init__(self) -> None:
            pass

        __call__ = first_work

    config = replaced(VARIED[1], {"optimiser.epochs": 3, "optimiser.schedule": "cosine"})
    pack = begun([config], digits)
    pack._active[0].member.replays = OnCpu()
    monkeypatch.setattr("tic_sweep.training.optimisation.is_recorded", lambda: False)
    told = all_told(pack)

    assert {"step", "evaluation", "fisher"} == {key if isinstance(key, str) else key[0] for key in works}
    assert numbers(run(config, digits)[0]) == numbers(heard(told, config)[0])


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_rule_that_is_recorded_keeps_an_ordinary_state(name: str):
    """What it stores says nothing of recording and is taken up by an ordinary rule, and the other way round."""
    model = torch.nn.Linear(2, 1)
    config = replaced(BASE, {"optimiser.name": name, "optimiser.lr": 0.5}).optimiser
    plain = build_optimiser(model, config)
    model(torch.ones(1, 2)).sum().backward()
    plain.step()
    recorded = build_optimiser(model, config)
    recorded.param_groups[0] |= {"lr": torch.tensor(config.lr), "fused": True}

    load_optimiser_state(recorded, optimiser_state(plain))
    group = recorded.param_groups[0]

    assert (True, torch.Tensor) == (group["fused"], type(group["lr"]))
    assert repr(optimiser_state(plain)["param_groups"]) == repr(optimiser_state(recorded)["param_groups"])
    states = optimiser_state(plain)["state"], optimiser_state(recorded)["state"]
    assert [
        {name: tensor.tolist() for name, tensor in state.items()} for state in states[0].values()
    ] == [{name: tensor.tolist() for name, tensor in state.items()} for state in states[1].values()]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "may"),
    [
        ({}, True),
        ({"optimiser.name": "adamw", "fisher.kind": "sampled"}, True),
        ({"data.coding": "poisson"}, False),
        ({"pruning.cycles": 1}, False),
    ],
)
def test_only_steps_that_stay_the_same_are_recorded(changes: dict, may: bool):  # noqa: FBT001
    """Draws on the CPU and pruning would not be repeated by a recording."""
    assert may == may_be_recorded(replaced(SMALL, changes))


def test_closing_in_the_middle_ends_every_thread(digits: RawImages):
    """A pack that is closed after a step has no thread left."""
    pack = begun(VARIED, digits)
    pack.step()
    threads = [packed.member.seat for packed in pack._active]
    pack.close()
    for thread in threads:
        thread.join(timeout=10)

    assert not any(thread.is_alive() for thread in threads)
    assert pack.over
