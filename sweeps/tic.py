"""Does information move to the first timesteps as training goes on?

Kim et al. 2023, Fig. 1. The laptop scale shows it at full size, on 28x28 pixels of one channel and on 32x32 of three,
to AlexNet at an eighth of its width, which fits 300 of them.
"""

from sweeps._laptop import CIFAR10
from tic_sweep.config import TrialConfig, replaced
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

SWEEP = Sweep(
    name="tic",
    question="Does information move to the first timesteps as training goes on?",
    laptop=Scale(
        base=replaced(
            CIFAR10,
            {"data.image_size": 0, "model.name": "alexnet", "model.width": 1 / 8, "optimiser.epochs": 60},
        ),
        space={"data.name": Grid(("fashion_mnist", "cifar10"))},
        seeds=(0, 1, 2),
    ),
    paper=Scale(base=TrialConfig(), seeds=(0, 1, 2)),
)
