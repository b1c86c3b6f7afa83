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
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from tic_sweep.centroid import information_centroid
from tic_sweep.config import PUBLISHED_BATCH
from tic_sweep.delays import DelayLinear
from tic_sweep.fisher.delayed import DelayNorms
from tic_sweep.fisher.per_sample import PerSampleNorms, has_rule
from tic_sweep.packing import awaited, give_way, replayed
from tic_sweep.snn import horizon_logits

AT_ONCE = 32
"""Images after which a measurement that may end early looks at its standard error: enough for that to mean something.

It is a constant, since it decides on how many images a trial is measured.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FisherTrace:
    """I_t of a network and, if asked for, of its layers and blocks.

    ``units_NT`` [N, T] (float64, CPU) holds the squared gradient norm of each independent unit: a sample, or a batch
    for kind ``batch``. ``layers`` and ``blocks`` map names to the same per part; parts add up to the whole.
    """

    kind: str
    units_NT: Tensor
    layers: dict[str, Tensor] = field(default_factory=dict)
    blocks: dict[str, Tensor] = field(default_factory=dict)

    @property
    def images(self) -> int:
        """Number of images measured on."""
        return len(self.units_NT) * (PUBLISHED_BATCH if self.kind == "batch" else 1)

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
) -> FisherTrace:
    """Measure I_t at every horizon on some images, exactly, leaving the model as it was.

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
            takes 16 and leaves out an incomplete last batch.
        generator: (CPU) source of the labels of kind ``sampled``.
        masks: by layer, true where its weight is a parameter; what is pruned is left out of every trace.
        precision: standard error of IC, in timesteps, at which to end before all images are measured; 0 takes all.

    Raises:
        ValueError: for an unknown kind, or fewer than 16 images for kind ``batch``.
    """
    if kind not in {"empirical", "sampled", "batch"}:
        raise ValueError(f"kind must be empirical, sampled or batch, got {kind!r}.")
    if kind == "batch" and len(labels) < PUBLISHED_BATCH:
        raise ValueError(f"kind 'batch' needs at least {PUBLISHED_BATCH} images, got {len(labels)}.")
    parts: dict[str, list[Tensor]] = defaultdict(list)
    masks = masks or {}
    with _evaluating(model):
        for block in _chunks(images, labels, AT_ONCE if precision else len(labels)):
            for some_images, some_labels in _chunks(*block, PUBLISHED_BATCH if kind == "batch" else chunk):
                if kind != "batch":
                    sampled = kind == "sampled"
                    work = partial(
                        _sample_units, model, readout=readout, generator=generator, masks=masks, sampled=sampled
                    )
                    # Labels are drawn on the CPU, which no recording could repeat.
                    run = work if sampled or masks else partial(replayed, work, key=("fisher", readout))
                    units = run(some_images, some_labels)
                elif len(some_labels) == PUBLISHED_BATCH:
                    units = _batch_units(model, some_images, some_labels, readout, masks)
                else:
                    continue
                for name, units_nT in units.items():
                    parts[name].append(units_nT.to(torch.float64, copy=True))
                give_way()
            if precision and _joined(kind, parts, layers=False).ic_stderr <= precision:
                break
    return _joined(kind, parts, layers=layers)


def _joined(kind: str, parts: Mapping[str, list[Tensor]], *, layers: bool) -> FisherTrace:
    """Return a measurement from the units [n, T] of its layers, part by part."""
    joined = dict(zip(parts, awaited(torch.stack([torch.cat(units) for units in parts.values()])), strict=True))
    whole = torch.stack(list(joined.values())).sum(0)
    return FisherTrace(
        kind=kind, units_NT=whole, layers=joined if layers else {}, blocks=_by_block(joined) if layers else {}
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


def _sample_units(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    readout: str,
    generator: torch.Generator | None,
    masks: Mapping[str, Tensor],
    *,
    sampled: bool,
) -> dict[str, Tensor]:
    """Return per layer the squared gradient norms [N, T] of each sample's log-likelihood."""
    owners = _parameter_owners(model)
    with torch.enable_grad(), _recorded(owners) as calls:
        logits_TNK = horizon_logits(model(images), readout)
        likelihood_TN = _log_likelihood(logits_TNK, _drawn(logits_TNK, generator) if sampled else labels)
    norms = {
        name: _norms(module, calls[name][0][0], len(labels), masks.get(name))
        for name, module in owners.items()
        if (isinstance(module, DelayLinear) or has_rule(module)) and len(calls[name]) == 1 and _private(owners, name)
    }
    outputs = [calls[name][0][1] for name in norms]
    others = {name: _own_parameters(owners[name]) for name in owners if name not in norms}
    kept = _kept(model, masks)
    units = {name: logits_TNK.new_zeros(len(labels), len(logits_TNK)) for name in owners}
    for t, likelihood_N in enumerate(likelihood_TN, start=1):
        if norms:
            grads = torch.autograd.grad(likelihood_N.sum(), outputs, retain_graph=True)
            for (name, norm), grad in zip(norms.items(), grads, strict=True):
                units[name][:, t - 1] = norm(grad, t)
        _add_one_by_one(units, others, likelihood_N, t, kept)
    return units


def _norms(module: nn.Module, inputs: Tensor, samples: int, mask: Tensor | None) -> PerSampleNorms | DelayNorms:
    """Return the rule of a module that has one, for one forward pass."""
    if isinstance(module, DelayLinear):
        return DelayNorms(module, inputs, mask)
    assert has_rule(module)  # noqa: S101 - the caller asks only for what has a rule
    return PerSampleNorms(module, inputs, samples, mask)


def _batch_units(
    model: nn.Module, images: Tensor, labels: Tensor, readout: str, masks: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return per layer the squared norms [1, T] of the gradient of the batch's mean log-likelihood."""
    owners = _parameter_owners(model)
    named = [(name, parameter) for name, module in owners.items() for parameter in _own_parameters(module)]
    kept = _kept(model, masks)
    with torch.enable_grad():
        likelihood_TN = _log_likelihood(horizon_logits(model(images), readout), labels)
    units = {name: likelihood_TN.new_zeros(1, len(likelihood_TN)) for name in owners}
    for t, likelihood_N in enumerate(likelihood_TN):
        grads = torch.autograd.grad(likelihood_N.mean(), [p for _, p in named], retain_graph=True, allow_unused=True)
        for (name, parameter), grad in zip(named, grads, strict=True):
            if grad is not None:
                units[name][0, t] += (grad * kept.get(id(parameter), 1)).square().sum()
    return units


def _log_likelihood(logits_TNK: Tensor, labels: Tensor) -> Tensor:
    """Return ``log f_θ(y | x_{i≤t})`` [T, N] for labels [N], or [T, N] that differ between horizons."""
    labels_TN = labels.expand(len(logits_TNK), -1)
    return F.log_softmax(logits_TNK, dim=-1).gather(2, labels_TN[..., None])[..., 0]


def _drawn(logits_TNK: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return labels [T, N] drawn on the CPU from the model's prediction at each horizon."""
    probabilities = logits_TNK.detach().softmax(-1).flatten(0, 1).cpu()
    return torch.multinomial(probabilities, 1, generator=generator).view(logits_TNK.shape[:2]).to(logits_TNK.device)


def _add_one_by_one(
    units: dict[str, Tensor],
    others: dict[str, list[nn.Parameter]],
    likelihood_N: Tensor,
    t: int,
    kept: Mapping[int, Tensor],
) -> None:
    """Fill in the parameters without a rule by their definition: one backward pass per sample.

    A parameter shared by several modules counts once, under the first of them.
    """
    first_owner = {id(p): (name, p) for name in reversed(others) for p in others[name]}
    if not first_owner:
        return
    parameters = [p for _, p in first_owner.values()]
    for n, likelihood in enumerate(likelihood_N):
        grads = torch.autograd.grad(likelihood, parameters, retain_graph=True, allow_unused=True)
        for (name, parameter), grad in zip(first_owner.values(), grads, strict=True):
            if grad is not None:
                units[name][n, t - 1] += (grad * kept.get(id(parameter), 1)).square().sum()


def _kept(model: nn.Module, masks: Mapping[str, Tensor]) -> dict[int, Tensor]:
    """Return the masks by the identity of their weight."""
    return {id(model.get_submodule(name).weight): mask for name, mask in masks.items()}


def _own_parameters(module: nn.Module) -> list[nn.Parameter]:
    """Return the trainable parameters that the module holds itself."""
    return [p for p in module.parameters(recurse=False) if p.requires_grad]


def _parameter_owners(model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules that hold trainable parameters themselves, by name, in the model's order."""
    return {name: module for name, module in model.named_modules() if _own_parameters(module)}


def _private(owners: dict[str, nn.Module], name: str) -> bool:
    """Tell whether no other module holds a parameter of this one."""
    mine = {id(p) for p in _own_parameters(owners[name])}
    return not any(id(p) in mine for other in owners if other != name for p in _own_parameters(owners[other]))


@contextmanager
def _recorded(owners: dict[str, nn.Module]) -> Iterator[dict[str, list[tuple[Tensor, Tensor]]]]:
    """Record input (detached) and output of every call of the modules while the context lasts."""
    calls: dict[str, list[tuple[Tensor, Tensor]]] = defaultdict(list)

    def recorder(name: str):  # noqa: ANN202 - a forward hook
        return lambda _module, args, output: calls[name].append((args[0].detach(), output))

    handles = [module.register_forward_hook(recorder(name)) for name, module in owners.items()]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


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
