"""Squared norms of per-sample gradients by autograd, for any model. Shapes: T timesteps, N samples; time is axis 0.

One forward pass with a graph, and for each horizon one backward pass to the outputs of all layers that have a rule
(`per_sample`, `delayed`); a parameter without one takes a backward pass per sample. `tic_sweep.fisher.sweep` is quicker
where it knows the model.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from tic_sweep.delays import DelayLinear
from tic_sweep.fisher.delayed import DelayNorms
from tic_sweep.fisher.likelihood import drawn_labels, log_likelihood
from tic_sweep.fisher.per_sample import PerSampleNorms, has_rule
from tic_sweep.snn import horizon_logits


def sample_units(
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
        likelihood_TN = log_likelihood(logits_TNK, drawn_labels(logits_TNK, generator) if sampled else labels)
    norms = {
        name: _norms(module, calls[name][0][0], logits_TNK, masks.get(name))
        for name, module in owners.items()
        if (isinstance(module, DelayLinear) or has_rule(module)) and len(calls[name]) == 1 and _private(owners, name)
    }
    outputs = [calls[name][0][1] for name in norms]
    others = {name: _own_parameters(owners[name]) for name in owners if name not in norms}
    kept = _kept(model, masks)
    units = {name: logits_TNK.new_zeros(len(labels), len(logits_TNK)) for name in owners}
    for t, likelihood_N in enumerate(likelihood_TN, start=1):
        if norms:
            grads = torch.autograd.grad(likelihood_N.sum(), outputs, retain_graph=True, allow_unused=True)
            for (name, norm), grad in zip(norms.items(), grads, strict=True):
                if grad is not None:  # a layer that does not reach the outputs
                    units[name][:, t - 1] = norm(grad, t)
        _add_one_by_one(units, others, likelihood_N, t, kept)
    return units


def _norms(module: nn.Module, inputs: Tensor, logits_TNK: Tensor, mask: Tensor | None) -> PerSampleNorms | DelayNorms:
    """Return the rule of a module that has one, for one forward pass that came to some logits."""
    if isinstance(module, DelayLinear):
        return DelayNorms(module, inputs, mask)
    assert has_rule(module)  # noqa: S101 - the caller asks only for what has a rule
    return PerSampleNorms(module, inputs, logits_TNK.shape[1], len(logits_TNK), mask)


def batch_units(
    model: nn.Module, images: Tensor, labels: Tensor, readout: str, masks: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return per layer the squared norms [1, T] of the gradient of the batch's mean log-likelihood."""
    owners = _parameter_owners(model)
    named = [(name, parameter) for name, module in owners.items() for parameter in _own_parameters(module)]
    kept = _kept(model, masks)
    with torch.enable_grad():
        likelihood_TN = log_likelihood(horizon_logits(model(images), readout), labels)
    units = {name: likelihood_TN.new_zeros(1, len(likelihood_TN)) for name in owners}
    for t, likelihood_N in enumerate(likelihood_TN):
        grads = torch.autograd.grad(likelihood_N.mean(), [p for _, p in named], retain_graph=True, allow_unused=True)
        for (name, parameter), grad in zip(named, grads, strict=True):
            if grad is not None:
                units[name][0, t] += (grad * kept.get(id(parameter), 1)).square().sum()
    return units


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
