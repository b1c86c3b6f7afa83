"""The parts of a training: update rules, checkpoints, evaluation, the cost probe."""

import copy
import os
from pathlib import Path

import pytest
import torch
from cases import SMALL, lively
from torch.nn.functional import cross_entropy

from tic_sweep.config import OptimiserConfig, Resources, replaced
from tic_sweep.data import Split
from tic_sweep.models import SpikingNetwork, build_model
from tic_sweep.training import load_checkpoint, save_checkpoint, seconds_per_image, weights_digest
from tic_sweep.training.checkpoint import DamagedCheckpointError
from tic_sweep.training.evaluation import evaluate
from tic_sweep.training.optimisation import build_optimiser
from tic_sweep.training.presentation import Presentation

SPLIT = Split(torch.rand(30, 1, 8, 8), torch.randint(10, (30,)))
PRESENT = Presentation(SMALL, torch.zeros(1), torch.ones(1))


def test_update_rules_take_their_settings():
    """SGD has momentum and decay as given; AdamW takes momentum as its first beta."""
    model = build_model(SMALL)
    sgd = build_optimiser(model, OptimiserConfig(momentum=0.8, weight_decay=0.01)).defaults
    adamw = build_optimiser(model, OptimiserConfig(name="adamw", momentum=0.8)).defaults

    assert (0.8, 0.01) == (sgd["momentum"], sgd["weight_decay"])
    assert (0.8, 0.999) == adamw["betas"]


def test_checkpoints_come_back_as_they_were(tmp_path: Path):
    """Tensors and plain data survive, and no temporary file stays behind."""
    save_checkpoint(tmp_path / "deep" / "c.pt", {"weights": {"w": torch.arange(3)}, "epoch": 2, "val_acc": None})
    loaded = load_checkpoint(tmp_path / "deep" / "c.pt")

    assert ([0, 1, 2], 2, None) == (loaded["weights"]["w"].tolist(), loaded["epoch"], loaded["val_acc"])
    assert ["c.pt"] == [path.name for path in (tmp_path / "deep").iterdir()]


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A checkpoint that cannot be written whole does not replace the one before it."""
    save_checkpoint(tmp_path / "c.pt", {"epoch": 1})

    def torn(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", torn)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(tmp_path / "c.pt", {"epoch": 2})

    assert {"epoch": 1} == load_checkpoint(tmp_path / "c.pt")
    assert ["c.pt"] == [path.name for path in tmp_path.iterdir()]


class Trap:
    """A pickled object that would run code when loaded."""

    def __reduce__(self) -> tuple:
        return os.system, ("exit 0",)


def test_checkpoints_from_strangers_run_no_code(tmp_path: Path):
    """A checkpoint that holds anything but tensors and plain data is damaged, and nothing of it is run."""
    torch.save({"model": Trap()}, tmp_path / "c.pt")

    with pytest.raises(DamagedCheckpointError, match="more than tensors and plain data"):
        load_checkpoint(tmp_path / "c.pt")


def test_the_digest_sees_every_bit():
    """One weight moved by one unit in the last place, and the digest is another."""
    state = {"w": torch.ones(4)}
    moved = {"w": torch.nextafter(torch.ones(4), torch.tensor([2.0, 1, 1, 1]))}

    assert weights_digest(state) == weights_digest({"w": torch.ones(4)})
    assert weights_digest(state) != weights_digest(moved)


def test_evaluation_weighs_all_samples_alike(monkeypatch: pytest.MonkeyPatch):
    """Losses and accuracies do not depend on how a split is cut into batches."""
    model = build_model(SMALL)
    whole = evaluate(model, SPLIT, PRESENT, torch.Generator())
    monkeypatch.setattr("tic_sweep.training.evaluation.EVALUATION_BATCH", 7)
    cut = evaluate(model, SPLIT, PRESENT, torch.Generator())

    assert pytest.approx(whole.loss_T) == cut.loss_T
    assert whole.acc_T == cut.acc_T


@pytest.mark.parametrize("readout", ["mean", "sum"])
def test_evaluation_reads_out_every_horizon(readout: str):
    """Loss and accuracy at t are those of the outputs of timesteps 1..t alone; the last are the trial's."""
    config = replaced(SMALL, {"model.readout": readout})
    model, present = build_model(config), Presentation(config, torch.zeros(1), torch.ones(1))
    found = evaluate(model, SPLIT, present, torch.Generator())
    with torch.no_grad():
        outputs_TNK = model(SPLIT.images)
    for t in (1, 2, 3):
        logits_NK = outputs_TNK[:t].mean(0) if readout == "mean" else outputs_TNK[:t].sum(0)
        loss = cross_entropy(logits_NK, SPLIT.labels)

        assert (pytest.approx(loss.item()), (logits_NK.argmax(1) == SPLIT.labels).double().mean()) == (
            found.loss_T[t - 1], found.acc_T[t - 1],
        )  # fmt: skip
    assert (found.loss_T[-1], found.acc_T[-1]) == (found.loss, found.acc)


@pytest.mark.parametrize("norm", ["batch", "tdbn"])
def test_a_horizon_is_a_run_of_as_many_timesteps(norm: str):
    """A network that runs for T' < T timesteps does as well at each as one that runs for T: nothing looks ahead."""
    case = lively("small_conv tdbn soft" if norm == "tdbn" else "small_conv", samples=30, timesteps=6)
    split = Split(case.images, case.labels)
    shorter = replaced(case.config, {"timesteps": 4})
    whole, short = (
        evaluate(model, split, Presentation(config, torch.zeros(1), torch.ones(1)), torch.Generator())
        for model, config in ((case.model, case.config), (_running_for(case.model, 4), shorter))
    )

    assert 0 < sum(whole.acc_T) < 6
    assert (pytest.approx(whole.loss_T[:4]), whole.acc_T[:4]) == (short.loss_T, short.acc_T)


def _running_for(model: SpikingNetwork, timesteps: int) -> SpikingNetwork:
    shorter = copy.deepcopy(model)
    shorter.timesteps = timesteps
    return shorter


def test_the_probe_measures_both_costs():
    """Seconds per training image and per Fisher image are positive, and larger for a larger network."""
    small = seconds_per_image(SMALL, Resources())
    large = seconds_per_image(replaced(SMALL, {"model.width": 16.0}), Resources())

    assert 0 < small[0] < large[0]
    assert 0 < small[1] < large[1]
