"""Which parameters of a network are delays: they have a learning rate of their own, and are never decayed."""

from torch import nn

from tic_sweep.delays.linear import DelayLinear


def positions_and_others(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the positions of all delay layers, and all other parameters; trainable ones."""
    positions = [m.position for m in model.modules() if isinstance(m, DelayLinear) and m.position.requires_grad]
    known = {id(p) for p in positions}
    return positions, [p for p in model.parameters() if p.requires_grad and id(p) not in known]
