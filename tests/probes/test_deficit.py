"""Deficits against a loop over windows, timesteps and images, and what must not matter to them."""

import copy

import pytest
import torch
from cases import Case
from probes.probe_cases import frozen, present, seeded, trained, untrained
from torch import Tensor
from torch.nn.functional import cross_entropy

from tic_sweep.config import ProbesConfig
from tic_sweep.probes import Deficit, measure_deficits


def measured(
    case: Case, *, window: int = 2, strength: float = 0.5, chunk: int = 64, seed: int = 0, readout: str = "mean"
) -> list[Deficit]:
    """Return what is measured on a case."""
    probes = ProbesConfig(deficit_window=window, deficit_strength=strength)
    return measure_deficits(
        case.model, case.images, case.labels, present, probes, readout=readout, generator=seeded(seed), chunk=chunk
    )


def deficits_oracle(case: Case, window: int, strength: float, readout: str) -> list[tuple[int, int, float, float]]:
    """Return first, last, accuracy and loss of each window (T = 4): noise of an image's own for each timestep."""
    generator, rows = seeded(), []
    noise_N4CHW = [torch.randn(4, *image.shape, generator=generator).double() for image in case.images]
    for first in range(1, 4 - window + 2):
        last, hits, loss = first + window - 1, 0, 0.0
        for image, label, noise_4CHW in zip(case.images, case.labels, noise_N4CHW, strict=True):
            shown = []
            for t in (1, 2, 3, 4):
                noise = noise_4CHW[t - 1] * strength * image.norm() / noise_4CHW[t - 1].norm()
                shown.append((image + noise).clip(0, 1) if first <= t <= last else image)
            outputs_TK = case.model(present(torch.stack(shown)[:, None]))[:, 0]
            logits_K = outputs_TK.sum(0) if readout == "sum" else outputs_TK.mean(0)
            hits += int(logits_K.argmax() == label)
            loss += cross_entropy(logits_K[None], label[None]).item()
        rows.append((first, last, hits / len(case.labels), loss / len(case.labels)))
    return rows


@pytest.mark.parametrize("window", [1, 2, 4])
@pytest.mark.parametrize("readout", ["mean", "sum"])
def test_results_are_their_definition(window: int, readout: str):
    """Every window of the length asked for is measured, from [1, w] to [T - w + 1, T]."""
    case = untrained()
    results = measured(case, window=window, strength=0.8, readout=readout)
    expected = deficits_oracle(case, window, 0.8, readout)

    assert [row[:3] for row in expected] == [(result.first, result.last, result.acc) for result in results]
    assert pytest.approx([row[3] for row in expected], rel=1e-9) == [result.loss for result in results]
    assert {(0.8, 7)} == {(result.strength, result.images) for result in results}
    assert 1 < len({result.loss for result in results}) or window == 4


def test_no_noise_is_the_clean_image():
    """Images shown anew at each timestep, without noise, score as the still images do."""
    case = untrained()
    clean = frozen(case).score(case.images, case.labels)
    for result in measured(case, strength=0):
        assert clean.acc == result.acc == result.clean_acc
        assert pytest.approx(clean.loss, rel=1e-9) == result.loss


def test_windows_differ_in_time_alone():
    """Inside its window an image meets the noise it meets there in every window; outside it is clean."""
    case = untrained(samples=3)
    shown: list[Tensor] = []

    def spied(pixels: Tensor) -> Tensor:
        shown.append(pixels.clone())
        return present(pixels)

    measure_deficits(case.model, case.images, case.labels, spied, ProbesConfig(deficit_window=2), generator=seeded())
    early, middle, late = [pixels for pixels in shown if pixels.dim() == 5]

    assert torch.equal(early[1], middle[1])
    assert torch.equal(middle[2], late[2])
    assert not torch.equal(early[0], early[1])
    for pixels, clean in ((early, (2, 3)), (middle, (0, 3)), (late, (0, 1))):
        assert [t in clean for t in range(4)] == [torch.equal(pixels_NCHW, case.images) for pixels_NCHW in pixels]
        assert 0 <= pixels.min() <= pixels.max() <= 1


def test_a_window_longer_than_t_is_none():
    """A network that runs for fewer timesteps than the window has no window."""
    assert [] == measured(untrained(), window=5)


@pytest.mark.parametrize("chunk", [1, 3])
def test_the_chunk_size_changes_nothing(chunk: int):
    """Chunks bound the memory: neither a draw nor a result depends on them."""
    case = untrained()

    for whole, result in zip(measured(case, chunk=100), measured(case, chunk=chunk), strict=True):
        assert (whole.acc, whole.clean_acc, whole.images) == (result.acc, result.clean_acc, result.images)
        assert pytest.approx(whole.loss, rel=1e-9) == result.loss


def test_the_seed_decides_the_noise():
    """The same seed gives the same results, another one others."""
    case = untrained()

    assert measured(case) == measured(case)
    assert measured(case) != measured(case, seed=1)


def test_deficits_harm_a_trained_network():
    """Noise in some of the timesteps raises the loss, more of it raises it more, and so does a longer window."""
    case = trained()
    clean = frozen(case).score(case.images, case.labels)
    weak, strong, long = (measured(case, **given) for given in ({}, {"strength": 2.0}, {"strength": 2.0, "window": 3}))

    assert all(clean.loss < w.loss < s.loss < long[0].loss for w, s in zip(weak, strong, strict=True))
    assert all(s.acc < clean.acc == s.clean_acc for s in strong)


def test_a_measurement_leaves_no_trace():
    """Modes, buffers and gradients stay, and the mode that the model was in does not matter."""
    case = untrained()
    expected = measured(case)
    case.model.train()
    case.model.stem.eval()
    state = copy.deepcopy(case.model.state_dict())

    assert expected == measured(case)
    assert [False, True] == [case.model.stem.training, case.model.blocks[0].training]
    assert all(torch.equal(state[name], value) for name, value in case.model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in case.model.parameters())
