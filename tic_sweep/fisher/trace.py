"""The Fisher trace over time (Kim et al. 2023, Eq. 5 and 6). Shapes: T timesteps, N samples, K classes; time is axis 0.

    I_t = (1/N) Σ_n ‖∇_θ log f_θ(y_n | x^n_{i≤t})‖²,   t = 1..T

the mean over samples of the squared norm of each sample's own gradient of the log-likelihood at horizon t, over all
trainable parameters, in evaluation mode. One forward pass is shared by all t.

Kinds:
    empirical   y_n is the sample's label (Eq. 6).
    sampled     y_n is drawn from the model's own prediction at horizon t (Eq. 5).
    batch       the published code's: ‖mean gradient of a batch of 16‖² averaged over batches. It is not Eq. 6 but
                E‖g‖²/16 + (15/16)·‖E g‖², and several times smaller; kept for comparison with that code.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from tic_sweep.centroid import information_centroid
from tic_sweep.config import PUBLISHED_BATCH
from tic_sweep.fisher.estimated import Projections, Signs
from tic_sweep.fisher.exact import Exact
from tic_sweep.fisher.graph import batch_units, sample_units
from tic_sweep.fisher.likelihood import cotangents, drawn_labels
from tic_sweep.fisher.sweep import Sweep, can_sweep
from tic_sweep.packing import awaited, give_way, replayed
from tic_sweep.snn import horizon_logits

AT_ONCE = 32
"""Images after which a measurement that may end early looks at its standard error: enough for that to mean something.

It is a constant, since it decides on how many images a trial is measured.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FisherTrace:
    """I_t of a network and, if asked for, of its layers and blocks.

    ``units_NT`` [N, T] (float64, CPU) holds the squared gradient norm of each independent unit: a sample, or
    ``per_unit`` of them for kind ``batch`` and estimator ``signs``. ``layers`` and ``blocks`` map names to the same per
    part; parts add up to the whole.
    """

    kind: str
    units_NT: Tensor
    layers: dict[str, Tensor] = field(default_factory=dict)
    blocks: dict[str, Tensor] = field(default_factory=dict)
    per_unit: int = 1

    @property
    def images(self) -> int:
        """Number of images measured on."""
        return len(self.units_NT) * self.per_unit

    @property
    def trace_T(self) -> Tensor:
        """I_t for t = 1..T."""
        return self.units_NT.mean(0)

    @property
    def stderr_T(self) -> Tensor:
        """Standard error of I_t over the units; NaN for a single unit."""
        return standard_error(self.units_NT)

    @property
    def ic(self) -> float:
        """Information centroid, in timesteps 1..T (Eq. 7)."""
        return information_centroid(self.trace_T.tolist())

    @property
    def ic_stderr(self) -> float:
        """Standard error of ``ic``, a ratio of means: that of Σ_t (t - IC)·I_nt, divided by Σ_t I_t (delta method)."""
        total = float(self.trace_T.sum())
        if not total > 0 or not math.isfinite(total):
            return math.nan
        t_T = torch.arange(1, self.units_NT.shape[1] + 1, dtype=self.units_NT.dtype)
        return float(standard_error((self.units_NT @ (t_T - self.ic))[:, None])[0]) / total


def standard_error(units_NT: Tensor) -> Tensor:
    """Return the standard error of the mean over axis 0; NaN where there is a single unit."""
    if len(units_NT) < 2:  # noqa: PLR2004 - one unit has no spread
        return torch.full_like(units_NT[0], math.nan)
    return units_NT.std(0, correction=1) / math.sqrt(len(units_NT))


def fisher_trace(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    kind: str = "empirical",
    readout: str = "mean",
    layers: bool = False,
    chunk: int = 32,
    generator: torch.Generator | None = None,
    masks: Mapping[str, Tensor] | None = None,
    precision: float = 0.0,
    bfloat16: bool = False,
    estimator: str = "exact",
    draws: int = 1,
) -> FisherTrace:
    """Measure I_t at every horizon on some images, leaving the model as it was.

    With a ``precision`` the images are taken in their order, `AT_ONCE` at a time, until the standard error of IC is
    small enough. What is measured then is what a measurement of those images alone gives. Since it ends where the error
    happens to look small, the error that is told errs towards small.

    Args:
        model: maps images to outputs per timestep [T, N, K]; put into evaluation mode meanwhile. Convolutions, linear
            layers, layers with delays and `TimeNorm` are handled in closed form, any other parameter by one backward
            pass per sample and t.
        images: the model's input: [N, C, H, W] or [T, N, C, H, W], or sequences [N, T, I].
        labels: [N], used by kinds ``empirical`` and ``batch``.
        kind: ``empirical``, ``sampled`` or ``batch``.
        readout: see `horizon_logits`.
        layers: whether to keep the trace of each layer and block too.
        chunk: images per forward pass; bounds the memory, changes no number beyond rounding. Kind ``batch`` always
            takes 16 and leaves out an incomplete last batch, and so does estimator ``signs``.
        generator: (CPU) source of the labels of kind ``sampled`` and of the estimators' signs.
        masks: by layer, true where its weight is a parameter; what is pruned is left out of every trace.
        precision: standard error of IC, in timesteps, at which to end before all images are measured; 0 takes all.
            Not for kind ``batch`` and estimator ``signs``: two of their units say too little of their spread.
        bfloat16: whether gradients of a `SpikingNetwork` are carried back in half precision; its spikes stay those of
            the network's own precision.
        estimator: ``exact``, or ``projections`` or ``signs`` (`tic_sweep.fisher.estimated`), which the standard errors
            take into account; other models than a `SpikingNetwork` know ``exact`` alone.
        draws: random draws of an estimator for each unit, whose mean is taken.

    Raises:
        ValueError: for an unknown kind or estimator, one that does not fit the other or the model, or fewer than 16
            images or a ``precision`` where they are taken by 16.
    """
    grouped = kind == "batch" or estimator == "signs"
    _check(model, kind, estimator)
    if grouped:
        _check_grouped(len(labels), precision)
    asked = _Asked(kind, readout, estimator, draws, masks or {}, bfloat16, generator, _own_stream(estimator, generator))
    parts: dict[str, list[Tensor]] = defaultdict(list)
    per_unit, size = (PUBLISHED_BATCH, PUBLISHED_BATCH) if grouped else (1, chunk)
    with _evaluating(model):
        for block in _chunks(images, labels, AT_ONCE if precision else len(labels)):
            for some_images, some_labels in _chunks(*block, size):
                if len(some_labels) >= per_unit:
                    for name, units_nT in asked.run(model, some_images, some_labels).items():
                        parts[name].append(units_nT.to(torch.float64, copy=True))
                give_way()
            if precision and _joined(kind, parts, layers=False, per_unit=per_unit).ic_stderr <= precision:
                break
    return _joined(kind, parts, layers=layers, per_unit=per_unit)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of every chunk of images, as `fisher_trace` is given it; ``signs`` is the estimator's stream."""

    kind: str
    readout: str
    estimator: str
    draws: int
    masks: Mapping[str, Tensor]
    bfloat16: bool
    generator: torch.Generator | None
    signs: torch.Generator | None

    def run(self, model: nn.Module, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Return `units`; in a pack they are recorded, unless they draw on the CPU or depend on masks."""
        work = partial(self.units, model)
        if self.kind == "sampled" or self.estimator != "exact" or self.masks:
            return work(images, labels)
        return replayed(work, images, labels, key=("fisher", self.kind, self.readout, self.bfloat16))

    def units(self, model: nn.Module, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Return per layer the squared gradient norms [units, T] of some images, the quickest way there is."""
        sampled = self.kind == "sampled"
        if self.kind == "batch":
            return batch_units(model, images, labels, self.readout, self.masks)
        if not can_sweep(model):
            return sample_units(model, images, labels, self.readout, self.generator, self.masks, sampled=sampled)
        sweep = Sweep(model, images, rule=self._rule(model, len(labels)), masks=self.masks, bfloat16=self.bfloat16)
        if sampled:
            labels = drawn_labels(horizon_logits(sweep.outputs_TNK, self.readout), self.generator)
        return sweep.units(cotangents(sweep.outputs_TNK, self.readout, labels))

    def _rule(self, model: nn.Module, samples: int) -> Exact:
        """Return the rule by which some samples' gradients become squared norms."""
        if self.estimator == "projections":
            return Projections(model, samples, self.draws, self.signs)
        return Signs(samples, self.draws, self.signs) if self.estimator == "signs" else Exact()


def _own_stream(estimator: str, generator: torch.Generator | None) -> torch.Generator | None:
    """Return the stream of an estimator: its own, since chunks decide how draws of signs and labels take turns."""
    if estimator == "exact":
        return None
    return torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))


def _check(model: nn.Module, kind: str, estimator: str) -> None:
    """Refuse what cannot be measured.

    Raises:
        ValueError: naming the argument and what is accepted.
    """
    if kind not in {"empirical", "sampled", "batch"}:
        raise ValueError(f"kind must be empirical, sampled or batch, got {kind!r}.")
    if estimator not in {"exact", "projections", "signs"}:
        raise ValueError(f"estimator must be exact, projections or signs, got {estimator!r}.")
    if estimator != "exact" and (kind == "batch" or not can_sweep(model)):
        raise ValueError(f"estimator must be exact for kind 'batch' and for networks of one's own, got {estimator!r}.")


def _check_grouped(images: int, precision: float) -> None:
    """Refuse what images taken by 16 cannot give.

    Raises:
        ValueError: naming the argument and what is accepted.
    """
    if images < PUBLISHED_BATCH:
        raise ValueError(f"kind 'batch' and estimator 'signs' need at least {PUBLISHED_BATCH} images, got {images}.")
    if precision:
        raise ValueError(f"precision must be 0 for kind 'batch' and estimator 'signs', got {precision}.")


def _joined(kind: str, parts: Mapping[str, list[Tensor]], *, layers: bool, per_unit: int) -> FisherTrace:
    """Return a measurement from the units [n, T] of its layers, part by part."""
    joined = dict(zip(parts, awaited(torch.stack([torch.cat(units) for units in parts.values()])), strict=True))
    whole = torch.stack(list(joined.values())).sum(0)
    return FisherTrace(
        kind=kind,
        units_NT=whole,
        layers=joined if layers else {},
        blocks=_by_block(joined) if layers else {},
        per_unit=per_unit,
    )


def block_of(layer: str) -> str:
    """Return the block a layer belongs to: ``blocks.3.first.conv`` → ``blocks.3``, ``stem.conv`` → ``stem``."""
    first, *rest = layer.split(".")
    return f"{first}.{rest[0]}" if rest and rest[0].isdigit() else first


def _by_block(layers: dict[str, Tensor]) -> dict[str, Tensor]:
    blocks: dict[str, Tensor] = {}
    for name, units_NT in layers.items():
        block = block_of(name)
        blocks[block] = blocks[block] + units_NT if block in blocks else units_NT
    return blocks


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Put every module into evaluation mode, and back into the mode it was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _chunks(images: Tensor, labels: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    over_time = images.dim() > 4  # noqa: PLR2004 - [T, N, C, H, W] against [N, C, H, W]
    for first in range(0, len(labels), size):
        cut = slice(first, first + size)
        yield (images[:, cut] if over_time else images[cut]), labels[cut]
