"""Do training and sparsity give the receptive fields of delays a structure in space and time?

Mészáros, Knight and Nowotny 2024, Fig. 1: of each hidden neuron the weights over input channel and delay, before and
after training, dense and sparse, and how much neighbours in that field are alike (Moran's I).
"""

from sweeps._sequences import RAW_HD
from tic_sweep.config import replaced
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

NETWORKS = Grid((
    {"delays.sparsity": 0.0, "delays.rule": "static"},
    {"delays.sparsity": 0.75, "delays.rule": "deepr"},
))

SWEEP = Sweep(
    name="receptive_fields",
    question="Do training and sparsity give the receptive fields of delays a structure in space and time?",
    laptop=Scale(
        base=replaced(
            RAW_HD, {"optimiser.epochs": 20, "delays.field_epochs": "0,20", "fisher.every": 20, "fisher.samples": 64}
        ),
        space={"network": NETWORKS},
        seeds=(0, 1),
    ),
    paper=Scale(
        base=replaced(RAW_HD, {"delays.field_epochs": "0,150"}),
        space={
            "network": Grid((
                *NETWORKS.values,
                {"delays.sparsity": 1 - 2.0**-5, "delays.rule": "deepr"},
            )),
        },
        seeds=(0, 1, 2, 3, 4),
    ),
)
