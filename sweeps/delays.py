"""Do learnt delays still help a sparse network once its synapses may choose their places?

Mészáros, Knight and Nowotny 2024, Fig. 3: delays fixed or learnt, synapses fixed or rewired by DEEP R with regrowth by
gradient, at sparsities 1 - 2^-k. A dense network has nothing to rewire, and no constraint on its signs. Trials of a
seed start from the same weights and delays and see the same sequences in the same order, so that differences are
paired. The paper's scale adds random regrowth, the plain rule of Bellec et al. 2018.
"""

from sweeps._sequences import CYCLIC_SWEEPS, RAW_HD
from tic_sweep.config import replaced
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

DELAYS = (False, True)


def points(doublings: range | tuple[int, ...], *structures: dict[str, str]) -> Grid:
    """Return every combination of delays and structure at sparsities 1 - 2^-k; k = 0 has delays alone to vary."""
    dense = [{"delays.sparsity": 0.0, "delays.rule": "static", "delays.learn": learn} for learn in DELAYS]
    sparse = [
        {"delays.sparsity": 1 - 2.0**-k, **structure, "delays.learn": learn}
        for k in doublings
        if k
        for structure in structures
        for learn in DELAYS
    ]
    return Grid((*dense, *sparse))


STATIC, REWIRED = {"delays.rule": "static"}, {"delays.rule": "deepr", "delays.regrow": "neg_grad"}
AT_RANDOM = {"delays.rule": "deepr", "delays.regrow": "random"}

SWEEP = Sweep(
    name="delays",
    question="Do learnt delays still help a sparse network once its synapses may choose their places?",
    laptop=Scale(
        base=replaced(CYCLIC_SWEEPS, {"delays.field_epochs": "0,40"}),
        space={"point": points((0, 1, 2, 3), STATIC, REWIRED)},
        seeds=(0, 1, 2, 3, 4),
    ),
    paper=Scale(
        base=replaced(RAW_HD, {"delays.field_epochs": "0,150"}),
        space={"point": points(range(10), STATIC, REWIRED, AT_RANDOM)},
        seeds=(0, 1, 2, 3, 4),
    ),
)
