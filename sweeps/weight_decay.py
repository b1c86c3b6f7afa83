"""Does weight decay change when in time information lies?

Kim et al. 2023, Fig. 4c, which gives no values but the default of 5e-4; these are ours.
"""

from sweeps._laptop import CIFAR10
from tic_sweep.config import FisherConfig, TrialConfig
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

VALUES = Grid((5e-4, 0.0, 1e-4, 1e-3))

SWEEP = Sweep(
    name="weight_decay",
    question="Does weight decay change when in time information lies?",
    laptop=Scale(base=CIFAR10, space={"optimiser.weight_decay": VALUES}, seeds=(0, 1, 2)),
    paper=Scale(
        base=TrialConfig(fisher=FisherConfig(every=2)),
        space={"optimiser.weight_decay": VALUES},
        seeds=(0, 1, 2),
    ),
)
