"""A small grid for `lr_contest.py --small`: how early can a scheduler know the best rate on digits?"""

from sweeps.quickstart import SWEEP as QUICKSTART
from tic_sweep.config import replaced
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

BASE = QUICKSTART.at("laptop")[1].base

SWEEP = Sweep(
    name="lr_contest_small",
    question="Which learning rate is best on digits, and how early can a scheduler know?",
    laptop=Scale(
        base=replaced(BASE, {"optimiser.epochs": 12, "fisher.samples": 40, "timesteps": 4}),
        space={"optimiser.lr": Grid((0.25, 0.05, 1.2, 0.1, 0.02, 3.0))},
        seeds=(0, 1, 2),
    ),
)
