"""With how few timesteps can a pruned network be retrained?

Kim et al. 2023, Fig. 7: five cycles of pruning half of the remaining weights and retraining with T_retrain timesteps,
after a first training with T = 5. With 300 epochs before and 60 in each cycle, T_retrain = 3 saves 20 % of the compute,
and so it does with the laptop's 40 and 8.
"""

from sweeps._laptop import CIFAR10
from tic_sweep.config import FisherConfig, PruningConfig, TrialConfig, replaced
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

RETRAINED_WITH = Grid((5, 4, 3, 2))

SWEEP = Sweep(
    name="pruning",
    question="With how few timesteps can a pruned network be retrained?",
    laptop=Scale(
        base=replaced(
            CIFAR10,
            {"pruning.cycles": 5, "pruning.epochs": 8, "pruning.timesteps": 5, "fisher.every": 8},
        ),
        space={"pruning.timesteps": RETRAINED_WITH},
        seeds=(0, 1, 2),
    ),
    paper=Scale(
        base=TrialConfig(
            fisher=FisherConfig(every=20), pruning=PruningConfig(cycles=5, epochs=60, timesteps=5), timesteps=5
        ),
        space={"model.name": Grid(("vgg16", "resnet19")), "pruning.timesteps": RETRAINED_WITH},
        seeds=(0, 1, 2),
    ),
)
