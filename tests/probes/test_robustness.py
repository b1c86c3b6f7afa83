"""Accuracy on changed images against plain loops, and what must not matter to it."""

import copy

import pytest
import torch
from cases import Case
from probes.probe_cases import frozen, present, seeded, trained, untrained
from torch.nn.functional import cross_entropy

from tic_sweep.config import ProbesConfig
from tic_sweep.probes import Robustness, blur, fgsm, gaussian_noise, measure_robustness, pgd, random_start

CORRUPTIONS = ["gaussian", "blur", "fgsm", "pgd"]
QUICK = ProbesConfig(strengths="0,1,3", pgd_steps=2)


def measured(
    case: Case, probes: ProbesConfig, *, chunk: int = 64, seed: int = 0, readout: str = "mean"
) -> dict[tuple[str, float], Robustness]:
    """Return what is measured on a case, by corruption and multiple."""
    results = measure_robustness(
        case.model, case.images, case.labels, present, probes, readout=readout, generator=seeded(seed), chunk=chunk
    )
    return {(result.corruption, result.multiple): result for result in results}


def scored(case: Case, pixels: torch.Tensor, readout: str) -> tuple[float, float]:
    """Return accuracy and loss, one image at a time."""
    hits, loss = 0, 0.0
    for image, label in zip(pixels, case.labels, strict=True):
        outputs_TK = case.model(present(image[None]))[:, 0]
        logits_K = outputs_TK.sum(0) if readout == "sum" else outputs_TK.mean(0)
        hits += int(logits_K.argmax() == label)
        loss += cross_entropy(logits_K[None], label[None]).item()
    return hits / len(pixels), loss / len(pixels)


@pytest.mark.parametrize("readout", ["mean", "sum"])
def test_results_are_their_definitions(readout: str):
    """Each corruption at thrice its strength, scored image by image; blur goes to three times as far from factor 1."""
    case = untrained()
    results = measured(case, QUICK, readout=readout)
    drawn, classifier = seeded(), frozen(case, readout)
    expected = {
        "gaussian": (gaussian_noise(case.images, 1.5, drawn), 1.5),
        "blur": (blur(case.images, 4), 4.0),
        "fgsm": (fgsm(classifier, case.images, case.labels, 24 / 255), 24 / 255),
        "pgd": (
            pgd(
                classifier, case.images, case.labels, eps=24 / 255, step=12 / 255, steps=2,
                start_NCHW=random_start(case.images, drawn),
            ),
            24 / 255,
        ),
    }  # fmt: skip

    assert [(c, m) for c in CORRUPTIONS for m in (0.0, 1.0, 3.0)] == list(results)
    clean_acc, _ = scored(case, case.images, readout)
    for corruption, (pixels, strength) in expected.items():
        result, (acc, loss) = results[corruption, 3.0], scored(case, pixels, readout)
        assert (acc, clean_acc, len(case.labels)) == (result.acc, result.clean_acc, result.images)
        assert pytest.approx(loss, rel=1e-9) == result.loss
        assert pytest.approx(strength) == result.strength
        assert pytest.approx((pixels - case.images).abs().max().item()) == result.largest_change


def test_no_strength_is_the_clean_image():
    """At multiple 0 accuracy and loss are those of the unchanged images, to the last bit, and no pixel moved."""
    case = untrained()
    clean = frozen(case).score(case.images, case.labels)
    for corruption in CORRUPTIONS:
        result = measured(case, QUICK)[corruption, 0.0]

        assert (clean.acc, clean.loss, 0.0) == (result.acc, result.loss, result.largest_change)
        assert ({"blur": 1.0}.get(corruption, 0.0), clean.acc) == (result.strength, result.clean_acc)


@pytest.mark.parametrize("chunk", [1, 3])
def test_the_chunk_size_changes_nothing(chunk: int):
    """Chunks bound the memory: neither a draw nor a result depends on them."""
    case = untrained()
    whole = measured(case, QUICK, chunk=100)

    for which, result in measured(case, QUICK, chunk=chunk).items():
        assert whole[which].acc == result.acc
        assert pytest.approx(whole[which].loss, rel=1e-9) == result.loss
        assert pytest.approx(whole[which].largest_change, rel=1e-9) == result.largest_change


def test_a_multiple_is_measured_as_if_alone():
    """Noise and random start are one draw for all multiples: which others are asked for changes nothing."""
    case = untrained()
    alone = measured(case, ProbesConfig(strengths="3", pgd_steps=2))
    among = measured(case, QUICK)

    assert 4 == len(alone)
    assert all(among[which] == result for which, result in alone.items())
    assert not measured(case, ProbesConfig(strengths=""))


def test_the_seed_decides_what_is_drawn():
    """The same seed gives the same results; another one changes noise and random starts, and nothing else."""
    case = untrained()
    first, again, other = (measured(case, QUICK, seed=seed) for seed in (0, 0, 1))

    assert first == again
    assert {"gaussian", "pgd"} == {
        corruption for corruption, m in first if first[corruption, m] != other[corruption, m]
    }


@pytest.mark.parametrize(
    ("field", "value", "changed"),
    [
        ("gaussian_strength", 0.4, "gaussian"),
        ("blur_factor", 3.0, "blur"),
        ("fgsm_eps", 0.1, "fgsm"),
        ("pgd_eps", 0.1, "pgd"),
        ("pgd_step", 0.01, "pgd"),
        ("pgd_steps", 3, "pgd"),
        ("pgd_random_start", False, "pgd"),
    ],
)
def test_each_field_acts_on_its_corruption_alone(field: str, value: object, changed: str):
    """Another strength changes the results of its own corruption and of no other."""
    case = untrained()
    usual = measured(case, ProbesConfig(pgd_steps=2))
    other = measured(case, ProbesConfig(**{"pgd_steps": 2, field: value}))

    assert [changed] == [which[0] for which in usual if usual[which] != other[which]]


def test_stronger_corruptions_do_more_harm_to_a_trained_network():
    """Loss rises and accuracy does not rise with the strength; PGD does more harm than FGSM at the same eps."""
    results = measured(trained(), ProbesConfig(strengths="0,1,3", pgd_steps=5))

    for corruption in CORRUPTIONS:
        clean, usual, strong = (results[corruption, m] for m in (0.0, 1.0, 3.0))
        assert clean.loss < usual.loss < strong.loss
        assert clean.acc + 0.02 >= usual.acc >= strong.acc - 0.02
        assert strong.acc < clean.acc == clean.clean_acc
    assert all(results["pgd", m].loss > results["fgsm", m].loss for m in (1.0, 3.0))


def test_a_measurement_leaves_no_trace():
    """Modes, buffers and gradients stay, and the mode that the model was in does not matter."""
    case = untrained()
    expected = measured(case, QUICK)
    case.model.train()
    case.model.stem.eval()
    case.model.head.weight.grad = torch.ones_like(case.model.head.weight)
    state = copy.deepcopy(case.model.state_dict())

    assert expected == measured(case, QUICK)
    assert [False, True] == [case.model.stem.training, case.model.blocks[0].training]
    assert all(torch.equal(state[name], value) for name, value in case.model.state_dict().items())
    assert ["head.weight"] == [name for name, p in case.model.named_parameters() if p.grad is not None]
    assert torch.equal(torch.ones_like(case.model.head.weight), case.model.head.weight.grad)
