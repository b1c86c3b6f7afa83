"""Does the best learning rate turn first, and do lower and higher rates turn later?

Kim et al. 2023, Fig. 4d. The rates run middle-out, so that the early trials already show the contrast.
"""

from sweeps._laptop import CIFAR10
from tic_sweep.config import TrialConfig
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

RATES = Grid((0.3, 0.08, 0.8, 0.03))

SWEEP = Sweep(
    name="learning_rate",
    question="Does the best learning rate turn first, and do lower and higher rates turn later?",
    laptop=Scale(
        base=CIFAR10,
        space={"optimiser.lr": RATES},
        seeds=(0, 1, 2),
    ),
    paper=Scale(base=TrialConfig(), space={"optimiser.lr": RATES}, seeds=(0, 1, 2)),
)
