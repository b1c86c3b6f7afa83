"""When a trial's probes are due, on which images they are measured, and the rows they give."""

import copy

import pytest
import torch
from cases import SMALL

from tic_sweep.config import TrialConfig, replaced, trial_key
from tic_sweep.data import TrialData, load_images, prepare
from tic_sweep.models import SpikingNetwork, build_model
from tic_sweep.records import DeficitRow, RobustnessRow
from tic_sweep.streams import stream
from tic_sweep.training.presentation import Presentation
from tic_sweep.training.probing import probe_images, probe_rows

CONFIG = replaced(
    SMALL,
    {
        "probes.test_images": 12, "probes.deficit_window": 2, "probes.pgd_steps": 2,
        "probes.deficit_epochs": "0,2", "probes.robustness_epochs": "1,2",
    },
)  # fmt: skip


@pytest.fixture(scope="module")
def data() -> TrialData:
    """Return the digits of the trials."""
    return prepare(load_images("digits"), CONFIG.data, torch.device("cpu"))


@pytest.fixture(scope="module")
def model(data: TrialData) -> SpikingNetwork:
    """Return a network whose neurons fire."""
    model = build_model(CONFIG)
    present = Presentation(CONFIG, data.mean, data.std)
    with torch.no_grad():
        for _ in range(20):
            model(present(data.train.images, stream(0, "coding")))
    return model


def rows_of(
    model: SpikingNetwork, data: TrialData, config: TrialConfig = CONFIG, *, epoch: int = 2, chunk: int = 64
) -> tuple[DeficitRow | RobustnessRow, ...]:
    """Return the rows of a trial's probes."""
    present = Presentation(config, data.mean, data.std)
    return probe_rows(model, config, probe_images(config, data), present, epoch=epoch, chunk=chunk)


def test_probes_are_measured_after_their_epochs(model: SpikingNetwork, data: TrialData):
    """Each after its own epochs, both where both are due, and nothing after other epochs or by default."""
    kinds = [[type(row) for row in rows_of(model, data, epoch=epoch)] for epoch in range(4)]

    deficits, robustness = [DeficitRow] * 2, [RobustnessRow] * 4
    assert [deficits, robustness, deficits + robustness, []] == kinds
    assert () == rows_of(model, data, SMALL)


def test_rows_say_whose_they_are_and_on_what(model: SpikingNetwork, data: TrialData):
    """They carry key, epoch, number of images, and the accuracy on the same images unchanged."""
    rows, images = rows_of(model, data), probe_images(CONFIG, data)
    inputs = Presentation(CONFIG, data.mean, data.std)(images.images, stream(0, "evaluation"))
    hits_N = model.eval()(inputs).mean(0).argmax(1) == images.labels
    clean_acc = int(hits_N.sum()) / 12

    assert {(trial_key(CONFIG), 2, 12, clean_acc)} == {(r.key, r.epoch, r.images, r.clean_acc) for r in rows}
    assert [(1, 2), (2, 3)] == [(row.first, row.last) for row in rows if isinstance(row, DeficitRow)]
    named = [(row.corruption, row.multiple) for row in rows if isinstance(row, RobustnessRow)]
    assert [("gaussian", 1.0), ("blur", 1.0), ("fgsm", 1.0), ("pgd", 1.0)] == named


def test_images_are_the_first_of_the_test_split(data: TrialData):
    """As many as asked for; 0 is all of them."""
    some, every = probe_images(CONFIG, data), probe_images(SMALL, data)

    assert torch.equal(data.test.images[:12], some.images)
    assert torch.equal(data.test.labels[:12], some.labels)
    assert (40, 40) == (len(every.images), len(every.labels))


def test_draws_depend_on_seed_and_epoch(model: SpikingNetwork, data: TrialData):
    """The same seed and epoch give the same rows; another seed or epoch draws other noise."""
    first = rows_of(model, data)

    assert first == rows_of(model, data)
    assert first[0].loss != rows_of(model, data, replaced(CONFIG, {"seed": 1}))[0].loss
    assert first[0].loss != rows_of(model, data, epoch=0)[0].loss


def test_one_probe_changes_nothing_in_the_other(model: SpikingNetwork, data: TrialData):
    """Robustness draws the same whether deficits have been measured before it or not; so do chunks of any size."""
    alone = rows_of(model, data, replaced(CONFIG, {"probes.deficit_epochs": ""}))
    both, chunked = rows_of(model, data), rows_of(model, data, chunk=5)

    assert [row.loss for row in alone] == [row.loss for row in both[2:]]
    assert pytest.approx([row.loss for row in both], rel=1e-3) == [row.loss for row in chunked]


@pytest.mark.parametrize(
    "change",
    [
        {"probes.test_images": 13},
        {"probes.deficit_window": 1},
        {"probes.deficit_strength": 0.4},
        {"probes.strengths": "0.5"},
        {"model.readout": "sum"},
    ],
)
def test_each_field_changes_the_rows(change: dict, model: SpikingNetwork, data: TrialData):
    """No field is without effect; those of single corruptions are tested with the probe."""
    numbers = [
        [(row.acc, row.loss) for row in rows_of(model, data, config)] for config in (CONFIG, replaced(CONFIG, change))
    ]

    assert numbers[0] != numbers[1]


def test_measuring_leaves_the_model_as_it_was(model: SpikingNetwork, data: TrialData):
    """A model in training mode stays in it, with its statistics and without gradients."""
    model.train()
    state = copy.deepcopy(model.state_dict())
    rows_of(model, data)

    assert all(module.training for module in model.modules())
    assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
