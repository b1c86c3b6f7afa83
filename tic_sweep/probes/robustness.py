"""Accuracy on corrupted and attacked images (Kim et al. 2023, Table 1). Shapes: N images, C channels, H, W pixels.

Each corruption is measured at multiples m of its configured strength s: noise, FGSM and PGD at m·s (PGD's step scales
with it), blur at the factor 1 + m·(s - 1), so that m = 0 is the clean image everywhere. The noise, and PGD's random
start, are one draw per image, scaled: between multiples only the strength differs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn

from tic_sweep.config import ProbesConfig, listed
from tic_sweep.probes.attack import fgsm, pgd, random_start
from tic_sweep.probes.classifier import FrozenClassifier, Present, Score
from tic_sweep.probes.corruption import blur, drawn_noise, with_noise

Corruption: TypeAlias = Literal["gaussian", "blur", "fgsm", "pgd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Robustness:
    """How a network does on images changed in one way, at one strength."""

    corruption: Corruption
    multiple: float
    strength: float
    acc: float
    loss: float
    clean_acc: float
    largest_change: float
    images: int


def measure_robustness(
    model: nn.Module,
    pixels_NCHW: Tensor,
    labels_N: Tensor,
    present: Present,
    probes: ProbesConfig,
    *,
    readout: str = "mean",
    generator: torch.Generator,
    chunk: int = 64,
) -> list[Robustness]:
    """Measure accuracy and loss at horizon T under each corruption, at each multiple of ``probes.strengths``.

    It is measured on a copy in evaluation mode: the model itself keeps its modes, buffers, gradients and hooks.

    Args:
        model: maps its input to outputs per timestep [T, N, K].
        pixels_NCHW: images on the pixel scale 0..1.
        labels_N: their labels.
        present: from pixels to the model's input.
        probes: strengths of the corruptions, and the multiples.
        readout: ``mean`` or ``sum``, see `horizon_logits`.
        generator: (CPU) source of the noise of all images, then of PGD's random starts.
        chunk: images per pass; bounds the memory, changes no draw and no number beyond rounding.
    """
    classifier = FrozenClassifier.of(model, present, readout)
    chunks = list(zip(pixels_NCHW.split(chunk), labels_N.split(chunk), strict=True))
    clean = sum((classifier.score(pixels, labels) for pixels, labels in chunks), Score())
    multiples = listed(probes.strengths)
    results: list[Robustness] = []
    for corruption in get_args(Corruption):
        scores = [Score()] * len(multiples)
        changes = [0.0] * len(multiples)
        for pixels, labels in chunks:
            for i, changed in enumerate(_changed(corruption, classifier, pixels, labels, probes, generator)):
                scores[i] += classifier.score(changed, labels)
                changes[i] = max(changes[i], (changed - pixels).abs().max().item())
        results += [
            Robustness(
                corruption=corruption,
                multiple=multiple,
                strength=strength_of(corruption, multiple, probes),
                acc=score.acc,
                loss=score.loss,
                clean_acc=clean.acc,
                largest_change=change,
                images=score.images,
            )
            for multiple, score, change in zip(multiples, scores, changes, strict=True)
        ]
    return results


def strength_of(corruption: Corruption, multiple: float, probes: ProbesConfig) -> float:
    """Return the noise's relative norm, the blur's factor or the attack's eps at a multiple of the configured one."""
    match corruption:
        case "gaussian":
            return multiple * probes.gaussian_strength
        case "blur":
            return 1 + multiple * (probes.blur_factor - 1)
        case "fgsm":
            return multiple * probes.fgsm_eps
        case "pgd":
            return multiple * probes.pgd_eps


def _changed(
    corruption: Corruption,
    classifier: FrozenClassifier,
    pixels: Tensor,
    labels: Tensor,
    probes: ProbesConfig,
    generator: torch.Generator,
) -> Iterator[Tensor]:
    """Yield some images changed by a corruption, for one multiple after the other."""
    multiples = listed(probes.strengths)
    strengths = [strength_of(corruption, multiple, probes) for multiple in multiples]
    match corruption:
        case "gaussian":
            noise = drawn_noise(pixels, generator)
            yield from (with_noise(pixels, noise, strength) for strength in strengths)
        case "blur":
            yield from (blur(pixels, factor) for factor in strengths)
        case "fgsm":
            yield from (fgsm(classifier, pixels, labels, eps) for eps in strengths)
        case "pgd":
            start = random_start(pixels, generator) if probes.pgd_random_start else None
            for multiple, eps in zip(multiples, strengths, strict=True):
                step, steps = multiple * probes.pgd_step, probes.pgd_steps
                yield pgd(classifier, pixels, labels, eps=eps, step=step, steps=steps, start_NCHW=start)
