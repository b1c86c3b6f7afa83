"""Which layers hold information early in time, and which late?

Kim et al. 2023, Fig. 3: the Fisher trace of each residual block of ResNet19. The laptop scale has the same blocks at a
sixteenth of the width.
"""

from sweeps._laptop import CIFAR10
from tic_sweep.config import FisherConfig, TrialConfig, replaced
from tic_sweep.sweep import Scale, Sweep

SWEEP = Sweep(
    name="layers",
    question="Which layers hold information early in time, and which late?",
    laptop=Scale(
        base=replaced(
            CIFAR10, {"model.name": "resnet19", "model.width": 1 / 16, "fisher.detail": "block", "fisher.every": 4}
        ),
        seeds=(0, 1, 2),
    ),
    paper=Scale(base=TrialConfig(fisher=FisherConfig(every=20, detail="block")), seeds=(0, 1, 2)),
)
