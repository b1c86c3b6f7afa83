"""What a trial will cost, measured: seconds per sample of training and of Fisher measurements on this machine."""

import time
from collections.abc import Callable

import torch

from tic_sweep.config import DATASETS, Resources, TrialConfig
from tic_sweep.data import SequenceSplit
from tic_sweep.delays import Rewirer, build_network, positions_and_others, rewiring_of, sigma_schedule
from tic_sweep.fisher import fisher_trace
from tic_sweep.models import build_model
from tic_sweep.snn import choose, horizon_logits, running
from tic_sweep.streams import stream
from tic_sweep.training.allocator import keep_freed_memory
from tic_sweep.training.attempt import resolve_device
from tic_sweep.training.loss import objective
from tic_sweep.training.optimisation import build_optimiser, build_optimiser_of
from tic_sweep.training.sequence_epoch import Updates, train_sequences

ENOUGH_SECONDS = 0.4
"""A probe doubles its batch until a run takes this long or the batch is the trial's own."""


def seconds_per_image(config: TrialConfig, resources: Resources) -> tuple[float, float]:
    """Return the seconds of one training step and of one Fisher measurement, each per image, on random images.

    A large network is probed with few images, so that the probe itself stays short.
    """
    torch.set_num_threads(resources.threads)
    keep_freed_memory()
    device = resolve_device(resources.device)
    spec = DATASETS[config.data.name]
    model = build_model(config).to(device)
    optimiser = build_optimiser(model, config.optimiser)
    generator = torch.Generator().manual_seed(0)
    kernels = choose(resources.kernels, device)

    def images(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        pixels = torch.randn(count, spec.channels, config.image_size, config.image_size, generator=generator)
        return pixels.to(device), torch.randint(spec.classes, (count,), generator=generator).to(device)

    def train(count: int) -> None:
        pixels, labels = images(count)
        model.train()
        with running(kernels):
            outputs = model(pixels)
        loss, _ = objective(horizon_logits(outputs, config.model.readout), labels, config.loss)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()

    def fisher(count: int) -> None:
        pixels, labels = images(count)
        with running(kernels):
            fisher_trace(model, pixels, labels, readout=config.model.readout, chunk=count)

    largest = min(resources.fisher_chunk, config.fisher.samples)
    return _per_sample(train, config.optimiser.batch_size, device), _per_sample(fisher, largest, device)


def seconds_per_sequence(config: TrialConfig, resources: Resources) -> tuple[float, float]:
    """Return the seconds of one training step and of one Fisher measurement, each per sequence, on random sequences."""
    torch.set_num_threads(resources.threads)
    keep_freed_memory()
    device = resolve_device(resources.device)
    model = build_network(config).to(device)
    model.set_sigma(sigma_schedule(config).after(0))
    rewiring = rewiring_of(config, steps=config.optimiser.epochs)
    rewirer = None if rewiring is None else Rewirer(model.layers(), rewiring, stream(config.seed, "rewiring"))
    positions, others = positions_and_others(model)
    updates = Updates(
        build_optimiser_of(others, config.optimiser), torch.optim.Adam(positions) if positions else None, rewirer
    )
    generator = torch.Generator().manual_seed(0)

    def sequences(count: int) -> SequenceSplit:
        x_NTI = torch.randn(count, config.timesteps, config.sequences.inputs, generator=generator)
        labels_N = torch.randint(config.sequences.classes, (count,), generator=generator)
        return SequenceSplit(x_NTI.to(device), labels_N.to(device))

    def train(count: int) -> None:
        train_sequences(model, updates, sequences(count), config, epoch=1)

    def fisher(count: int) -> None:
        drawn = sequences(count)
        fisher_trace(model, drawn.x, drawn.labels, readout=config.delays.readout, chunk=count)

    largest = min(resources.fisher_chunk, config.fisher.samples)
    return _per_sample(train, config.optimiser.batch_size, device), _per_sample(fisher, largest, device)


def _per_sample(work: Callable[[int], None], largest: int, device: torch.device) -> float:
    """Return seconds per sample of ``work`` at the largest batch that a short probe allows."""
    count = min(2, largest)  # a norm over one value of one image knows no variance
    work(count)  # warms up
    while True:
        _synchronise(device)
        began = time.perf_counter()
        work(count)
        _synchronise(device)
        seconds = time.perf_counter() - began
        if seconds >= ENOUGH_SECONDS or count >= largest:
            return seconds / count
        count = min(count * 4, largest)


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
