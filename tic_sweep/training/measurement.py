"""The measurements of a trial: on which images, and into which rows."""

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from tic_sweep.centroid import relative_centroid
from tic_sweep.config import TrialConfig
from tic_sweep.data import Split, TrialData, augment
from tic_sweep.fisher import FisherTrace, fisher_trace, standard_error
from tic_sweep.probes import LayerDynamics, measure_dynamics
from tic_sweep.records import DynamicsRow, FisherRow
from tic_sweep.streams import stream
from tic_sweep.training.presentation import Presentation


def fisher_images(config: TrialConfig, data: TrialData) -> Split:
    """Return the images on which the trial's Fisher trace is measured."""
    split = data.train if config.fisher.split == "train" else data.validation
    return _fixed_images(split, config.fisher.samples, config.seed)


def dynamics_images(config: TrialConfig, data: TrialData) -> Split:
    """Return the training images on which the trial's dynamics are measured."""
    return _fixed_images(data.train, config.probes.dynamics_samples, config.seed)


def _fixed_images(split: Split, samples: int, seed: int) -> Split:
    chosen = fixed_choice(split.labels, samples, seed)
    return Split(split.images[chosen], split.labels[chosen])


def fixed_choice(labels_N: Tensor, samples: int, seed: int) -> Tensor:
    """Return the indices of the first ``samples`` of a split in an order that its size and the seed alone decide.

    They are the same at every epoch, so that only the network changes, and whatever else is measured; Fisher traces and
    dynamics share their images as far as both reach.
    """
    return torch.randperm(len(labels_N), generator=stream(seed, "fisher"))[:samples].to(labels_N.device)


def measure(
    model: nn.Module,
    config: TrialConfig,
    images: Split,
    present: Presentation,
    *,
    epoch: int,
    chunk: int,
    masks: Mapping[str, Tensor],
    bfloat16: bool = False,
) -> FisherTrace:
    """Measure the trial's Fisher trace after ``epoch``; draws, if any, come from that epoch's "fisher" stream.

    Weights that ``masks`` prune are no parameters any more and are left out. Kind ``batch`` is the published code's
    and sees augmented images, as that code does.
    """
    generator = stream(config.seed, "fisher", epoch + 1)  # epoch 0 of this stream chose the images
    pixels = images.images
    if config.fisher.kind == "batch":
        pixels = augment(pixels, config.data.augmentation, generator)
    return fisher_trace(
        model,
        present(pixels, generator),
        images.labels,
        kind=config.fisher.kind,
        readout=config.model.readout,
        layers=config.fisher.detail != "model",
        chunk=chunk,
        generator=generator,
        masks=masks,
        precision=config.fisher.ic_se,
        bfloat16=bfloat16,
        estimator=config.fisher.estimator,
        draws=config.fisher.draws,
    )


def measure_layers(
    model: nn.Module, config: TrialConfig, images: Split, present: Presentation, *, epoch: int, chunk: int
) -> dict[str, LayerDynamics]:
    """Measure the trial's dynamics after ``epoch``; Poisson spikes come from a fresh start of the "fisher" stream."""
    inputs = present(images.images, stream(config.seed, "fisher", epoch + 1))
    return measure_dynamics(model, inputs, images.labels, readout=config.model.readout, chunk=chunk)


def dynamics_rows(layers: dict[str, LayerDynamics], key: str, epoch: int) -> Iterator[DynamicsRow]:
    """Yield the rows of a measurement, layer by layer; the jacobians reach to T - 1 and are null at T."""
    for name, layer in layers.items():
        jacobians = [*layer.jacobian_T.tolist(), None]
        above_one = [*layer.jacobian_above_one_T.tolist(), None]
        for t, (jacobian, above) in enumerate(zip(jacobians, above_one, strict=True), start=1):
            yield DynamicsRow(
                key=key,
                epoch=epoch,
                layer=name,
                t=t,
                firing_rate=float(layer.firing_rate_T[t - 1]),
                dead_share=float(layer.dead_share_T[t - 1]),
                jacobian=jacobian,
                jacobian_above_one=above,
                gradient_norm=float(layer.gradient_norm_T[t - 1]),
            )


def fisher_rows(trace: FisherTrace, key: str, epoch: int, detail: str) -> Iterator[FisherRow]:
    """Yield the rows of a measurement: the model's, then its blocks', then its layers', as far as ``detail`` asks."""
    levels: list[tuple[str, dict[str, Tensor]]] = [("model", {"": trace.units_NT})]
    if detail in {"block", "layer"}:
        levels.append(("block", trace.blocks))
    if detail == "layer":
        levels.append(("layer", trace.layers))
    for level, parts in levels:
        for part, units_NT in parts.items():
            values = zip(units_NT.mean(0).tolist(), standard_error(units_NT).tolist(), strict=True)
            for t, (mean, error) in enumerate(values, start=1):
                yield FisherRow(key=key, epoch=epoch, level=level, part=part, t=t, fisher_trace=mean, fisher_se=error)


def centroid_fields(trace: FisherTrace | None, timesteps: int) -> dict[str, float | int | None]:
    """Return the fields of an epoch row that a measurement fills; all None without one."""
    if trace is None:
        return {"ic": None, "ic_se": None, "ic_rel": None, "fisher_sum": None, "fisher_images": None}
    values = {
        "ic": trace.ic,
        "ic_se": trace.ic_stderr,
        "ic_rel": relative_centroid(trace.ic, timesteps),
        "fisher_sum": float(trace.trace_T.sum()),
    }
    known = {name: None if math.isnan(value) else value for name, value in values.items()}
    return known | {"fisher_images": trace.images}
