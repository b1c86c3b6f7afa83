"""Does information take more training to concentrate when there are more timesteps?

Kim et al. 2023, Fig. 4a.
"""

from sweeps._laptop import CIFAR10
from tic_sweep.config import FisherConfig, TrialConfig
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

SPACE = {"timesteps": Grid((10, 4, 6, 8))}

SWEEP = Sweep(
    name="timesteps",
    question="Does information take more training to concentrate when there are more timesteps?",
    laptop=Scale(base=CIFAR10, space=SPACE, seeds=(0, 1, 2)),
    paper=Scale(base=TrialConfig(fisher=FisherConfig(every=2)), space=SPACE, seeds=(0, 1, 2)),
)
