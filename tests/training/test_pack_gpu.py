"""A pack on a GPU, where it records and replays: within rounding, each member's first epochs are those of it alone."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from training.pack_cases import VARIED, all_told, begun, heard
from training.trial_runs import RESOURCES, rows_of

from tic_sweep.config import TrialConfig, replaced, trial_key
from tic_sweep.data import RawImages
from tic_sweep.records import FisherRow, Outcome, Report
from tic_sweep.training import Training

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
GPU = replace(RESOURCES, device="cuda")


def alone(config: TrialConfig, digits: RawImages, checkpoint: Path | None = None) -> tuple[list[Report], Outcome]:
    """Return the reports and the outcome of a trial run by itself on the GPU."""
    training = Training(config, digits, GPU, checkpoint)
    return list(training.reports()), training.outcome


def close(expected: Report, found: Report, rel: float) -> bool:
    """Tell whether losses, centroid and Fisher trace agree."""
    told = [
        [r.epoch.train_loss or 0.0, r.epoch.val_loss, r.epoch.ic, *(row.fisher_trace for row in rows_of(r, FisherRow))]
        for r in (expected, found)
    ]
    return told[1] == pytest.approx(told[0], rel=rel)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimiser.name": "adamw", "optimiser.lr": 1e-3},
        {"loss.name": "cross_entropy", "loss.alpha": 0.0, "model.norm": "tdbn", "data.augmentation": "none"},
        {"data.coding": "poisson"},
        {"fisher.kind": "sampled", "fisher.detail": "layer", "probes.dynamics_every": 1},
    ],
)
def test_members_train_as_if_alone(digits: RawImages, changes: dict):
    """The untrained report is the same to rounding; after an epoch of five steps, to what rounding has become."""
    configs = [replaced(config, changes) for config in VARIED]
    told = all_told(begun(configs, digits, resources=GPU))

    for config in configs:
        (expected, _), (reports, (outcome,)) = alone(config, digits), heard(told, config)
        assert ("finished", 3) == (outcome.status, len(reports))
        assert close(expected[0], reports[0], 1e-4)
        assert close(expected[1], reports[1], 1e-2)


def test_replayed_epochs_train_as_calls_do(digits: RawImages):
    """With one step an epoch nearly all epochs are replayed; every one of them stays near that of the trial alone."""
    changes = {"data.train_samples": 40, "optimiser.batch_size": 40, "optimiser.epochs": 8}
    configs = [replaced(config, changes) for config in VARIED]
    told = all_told(begun(configs, digits, resources=GPU))

    for config in configs:
        (expected, _), (reports, _) = alone(config, digits), heard(told, config)
        assert all(close(one, other, 2e-2) for one, other in zip(expected, reports, strict=True))
        assert [r.epoch.lr for r in expected] == pytest.approx([r.epoch.lr for r in reports])


def test_half_precision_is_recorded_too(digits: RawImages):
    """Losses stay near those of a trial alone in half precision."""
    half = replace(GPU, precision="bfloat16")
    config = replaced(VARIED[0], {"optimiser.epochs": 4})
    reports, _ = heard(all_told(begun([config], digits, resources=half)), config)
    expected = list(Training(config, digits, half).reports())

    assert [r.epoch.val_loss for r in reports] == pytest.approx([r.epoch.val_loss for r in expected], rel=0.1)


def test_a_checkpoint_goes_on_alone_and_packed(digits: RawImages, tmp_path: Path):
    """A pack is closed after three reports; one member goes on alone, the others in a new pack, to the end."""
    configs = [replaced(config, {"optimiser.epochs": 6}) for config in VARIED]
    pack = begun(configs, digits, tmp_path, GPU)
    for _ in range(5):
        pack.step()
    pack.close()
    path = tmp_path / f"{trial_key(configs[0])}.pt"
    state = torch.load(path, weights_only=True)
    reports, outcome = alone(configs[0], digits, path)
    told = all_told(begun(configs[1:], digits, tmp_path, GPU))

    assert (3, float, None) == (state["epoch"], type(state["optimiser"]["param_groups"][0]["lr"]),
                                state["optimiser"]["param_groups"][0]["fused"])  # fmt: skip
    assert ([4, 5, 6], "finished") == ([r.epoch.epoch for r in reports], outcome.status)
    for config in configs[1:]:
        packed, (ended,) = heard(told, config)
        assert ([4, 5, 6], "finished") == ([r.epoch.epoch for r in packed], ended.status)


def test_a_member_without_memory_goes_on_alone(digits: RawImages, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """It breaks off in the middle of a recording; the others finish, then it does."""
    from tic_sweep.training import epoch

    original, failed = epoch.objective, []

    def starved(*given: object) -> object:
        if torch.cuda.is_current_stream_capturing() and not failed:
            failed.append(True)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(*given)

    monkeypatch.setattr(epoch, "objective", starved)
    told = all_told(begun(VARIED, digits, tmp_path, GPU))

    assert failed
    assert ["finished"] * 3 == [heard(told, config)[1][0].status for config in VARIED]
    assert 1 == sum(not (one.report or one.outcome or one.error) for one in told)


def test_divergence_is_heard_on_a_gpu_too(digits: RawImages):
    """A member that diverges ends alone."""
    bad = replaced(VARIED[1], {"optimiser.lr": 1e30})
    told = all_told(begun([VARIED[0], bad, VARIED[2]], digits, resources=GPU))

    assert ["finished", "diverged", "finished"] == [
        heard(told, config)[1][0].status for config in (VARIED[0], bad, VARIED[2])
    ]
