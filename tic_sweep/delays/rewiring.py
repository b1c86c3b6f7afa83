"""Structure learnt by rewiring: synapses go and come during training, and their number never changes.

    static   a random mask that stays
    deepr    w = sign·θ with a fixed sign: a synapse whose θ has fallen to zero goes, another comes at θ = 10⁻¹²
             (Bellec et al. 2018; with gradient-guided regrowth as in the published delay networks)
    rigl     the smallest magnitudes go, the largest gradients come, ever fewer of them (Evci et al. 2020)
    set      the smallest magnitudes go, random ones come (Mocanu et al. 2018)

A trainer makes one `Rewirer` before the optimiser, which sets up masks, signs and weights, and calls `step` after every
step of the optimiser, when gradients are still there. Masks and signs are buffers of the layers, so that they are where
the weights are; the rewirer keeps what tells of the turnover. Shapes: S possible synapses of a pool of layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tic_sweep.delays.budget import BUDGETS, synapse_budget
from tic_sweep.delays.linear import DelayLinear
from tic_sweep.delays.regrowth import REGROWTHS, decayed_share, regrown, smallest
from tic_sweep.delays.turnover import LayerTurnover, Turnover, forget_moments

RULES: tuple[str, ...] = ("static", "deepr", "rigl", "set")
SIGNS: tuple[str, ...] = ("presynaptic", "synapse")
NEWBORN = 1e-12
"""θ of a synapse that has just come to exist under ``deepr``: positive, and too small to matter."""
NO_CHOICE = {"set": ("random",), "rigl": ("random", "abs_grad")}
"""What a rule without fixed signs can regrow by: there a negative gradient says only what a weight's sign would be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewiring:
    """Which rule, and its numbers.

    ``share`` is exchanged at a time by ``set``, and at first by ``rigl``, whose share falls to zero at step
    ``last_step``. ``temperature`` is that of the noise √(2·lr·temperature)·N(0, 1) on θ of ``deepr`` at every step.
    ``every`` counts steps of the optimiser; between two of them θ is held above zero.
    """

    rule: str = "deepr"
    density: float = 0.25
    budget: str = "layer"
    regrow: str = "neg_grad"
    signs: str = "presynaptic"
    every: int = 1
    share: float = 0.3
    last_step: int = 0
    temperature: float = 0.0

    def __post_init__(self) -> None:
        """Refuse unknown names, numbers out of bounds, and a regrowth that the rule has no meaning for."""
        for name, options in (("rule", RULES), ("budget", BUDGETS), ("regrow", REGROWTHS), ("signs", SIGNS)):
            if getattr(self, name) not in options:
                raise ValueError(f"{name} must be one of {', '.join(options)}, got {getattr(self, name)!r}.")
        if self.regrow not in NO_CHOICE.get(self.rule, REGROWTHS):
            raise ValueError(f"regrow of rule {self.rule} must be one of {NO_CHOICE[self.rule]}, got {self.regrow!r}.")
        if self.rule == "rigl" and self.last_step < 1:
            raise ValueError(
                f"last_step must be at least 1 for rule rigl, or it exchanges nothing, got {self.last_step!r}."
            )
        if self.every < 1 or not 0 < self.share <= 1 or not self.temperature >= 0:
            raise ValueError(
                f"every must be at least 1, share in (0, 1] and temperature at least 0, got {self.every!r}, "
                f"{self.share!r} and {self.temperature!r}."
            )


class Rewirer:
    """Holds the layers of one network to their number of synapses.

    ``steps`` counts the steps seen; `turnover` tells what they changed.
    """

    def __init__(self, layers: Mapping[str, DelayLinear], rewiring: Rewiring, generator: torch.Generator) -> None:
        """Draw which synapses exist and, for ``deepr``, their signs; weights of the others become zero.

        Args:
            layers: by name; their weights and buffers are changed in place.
            rewiring: the rule.
            generator: (CPU) what is drawn from.
        """
        self.layers, self.rewiring, self.steps = dict(layers), rewiring, 0
        shapes = {name: (layer.weight.shape[0], layer.weight.shape[1]) for name, layer in layers.items()}
        self.budget = synapse_budget(shapes, rewiring.density, rewiring.budget)
        names = list(layers)
        self._pools = [names] if rewiring.budget == "global" else [[name] for name in names]
        for pool in self._pools:  # before the signs, so that every rule begins with the same synapses
            self._draw_mask(pool, generator)
        for layer in layers.values():
            layer.dense_gradient = rewiring.rule in {"deepr", "rigl"} and rewiring.regrow != "random"
            if rewiring.rule == "deepr":
                _fix_signs(layer, rewiring.signs, generator)
        self._turnover = Turnover({name: layer.mask for name, layer in layers.items()})

    @torch.no_grad()
    def step(
        self,
        optimiser: torch.optim.Optimizer,
        generator: torch.Generator,
        positions: torch.optim.Optimizer | None = None,
    ) -> None:
        """Rewire after a step of the optimiser: weights of synapses that do not exist are zero again, and counts exact.

        Args:
            optimiser: the weights' (and perhaps the positions'); its moments of synapses that come are forgotten.
            generator: (CPU) what random regrowth and noise draw from.
            positions: the positions' optimiser, where they have one of their own; it forgets likewise.

        Raises:
            ValueError: if gradients are needed and there are none.
            RuntimeError: if a pool's number of synapses has changed, which no rule may do.
        """
        self.steps += 1
        due = self.steps % self.rewiring.every == 0
        for pool in self._pools:
            weight_S, mask_S = self._flat(pool, "weight") * self._flat(pool, "mask"), self._flat(pool, "mask")
            gone_S, come_S = torch.zeros_like(mask_S), torch.zeros_like(mask_S)
            if self.rewiring.rule == "deepr":
                weight_S += self._noise(pool, mask_S, optimiser, generator)
                gone_S = mask_S & (weight_S <= 0) if due else gone_S
                weight_S = torch.where(mask_S & ~gone_S, weight_S.clamp(min=NEWBORN), 0)
            elif due and (count := self._exchanged(int(mask_S.sum()))):
                gone_S[smallest(weight_S, mask_S, count)] = True
                weight_S = weight_S.masked_fill(gone_S, 0)
            count, left_S = int(gone_S.sum()), mask_S & ~gone_S
            if count:
                chosen = regrown(self.rewiring.regrow, ~left_S, self._gradient(pool), count, generator)
                come_S[chosen] = True
                weight_S[chosen] = NEWBORN if self.rewiring.rule == "deepr" else 0.0
            self._write(pool, weight_S, left_S | come_S, gone_S, come_S, optimiser, positions or optimiser)

    def turnover(self) -> dict[str, LayerTurnover]:
        """Return what has changed in each layer since this was last asked for, and since the beginning."""
        return self._turnover.taken({name: layer.mask for name, layer in self.layers.items()})

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint must hold beside the layers' own buffers: tensors and plain data."""
        return {"steps": self.steps, "turnover": self._turnover.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned; the layers' weights, masks and signs are theirs to restore."""
        self.steps = state["steps"]
        self._turnover.restore(state["turnover"])

    def _exchanged(self, active: int) -> int:
        """Return how many of a pool's synapses ``rigl`` and ``set`` exchange now."""
        rewiring = self.rewiring
        shares = {"rigl": decayed_share(rewiring.share, self.steps, rewiring.last_step), "set": rewiring.share}
        return round(shares.get(rewiring.rule, 0.0) * active)

    def _noise(
        self, pool: list[str], mask_S: Tensor, optimiser: torch.optim.Optimizer, generator: torch.Generator
    ) -> Tensor | float:
        if not self.rewiring.temperature:
            return 0.0
        first = self.layers[pool[0]].weight
        rate = next(group["lr"] for group in optimiser.param_groups if any(p is first for p in group["params"]))
        drawn_S = torch.randn(len(mask_S), generator=generator).to(mask_S.device)
        return mask_S * drawn_S * (2 * rate * self.rewiring.temperature) ** 0.5

    def _draw_mask(self, pool: list[str], generator: torch.Generator) -> None:
        for name in pool:
            layer = self.layers[name]
            chosen = torch.randperm(layer.mask.numel(), generator=generator)[: self.budget[name]]
            layer.mask.view(-1).fill_(value=False)[chosen.to(layer.mask.device)] = True
            with torch.no_grad():
                layer.weight.mul_(layer.mask)

    def _flat(self, pool: list[str], what: str) -> Tensor:
        return torch.cat([getattr(self.layers[name], what).detach().flatten() for name in pool])

    def _gradient(self, pool: list[str]) -> Tensor | None:
        grads = [self.layers[name].weight.grad for name in pool]
        return None if any(grad is None for grad in grads) else torch.cat([g.flatten() for g in grads if g is not None])

    def _write(
        self, pool: list[str], weight_S: Tensor, mask_S: Tensor, gone_S: Tensor, come_S: Tensor,
        optimiser: torch.optim.Optimizer, positions: torch.optim.Optimizer,
    ) -> None:  # fmt: skip
        """Put a pool's new weights and masks into its layers, count them, and forget the moments of what came."""
        wanted = sum(self.budget[name] for name in pool)
        if int(mask_S.sum()) != wanted:
            raise RuntimeError(f"{', '.join(pool)} must have {wanted} synapses, and {int(mask_S.sum())} are left.")
        sizes = [self.layers[name].mask.numel() for name in pool]
        parts = zip(pool, *(flat.split(sizes) for flat in (weight_S, mask_S, gone_S, come_S)), strict=True)
        for name, weight, mask, gone, come in parts:
            layer = self.layers[name]
            shape = layer.mask.shape
            layer.weight.copy_(weight.view(shape))
            layer.mask.copy_(mask.view(shape))
            forget_moments(optimiser, layer.weight, come.view(shape))
            # A synapse that has gone must not drift on: its delay is part of what it will be when it comes again.
            forget_moments(positions, layer.position, (come | gone).view(shape))
            self._turnover.count(name, gone.view(shape), come.view(shape))


def _fix_signs(layer: DelayLinear, signs: str, generator: torch.Generator) -> None:
    """Draw +1 or -1 for each presynaptic neuron (Dale's law) or each synapse; weights become magnitudes."""
    outputs, inputs = layer.sign.shape
    drawn = torch.randint(2, (1, inputs) if signs == "presynaptic" else (outputs, inputs), generator=generator)
    layer.sign.copy_((2 * drawn - 1).expand(outputs, inputs))
    with torch.no_grad():
        layer.weight.abs_()
