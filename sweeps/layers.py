"""Which layers hold information early in time, and which late?

Kim et al. 2023, Fig. 3: the Fisher trace of each residual block of ResNet19. The laptop scale has the same blocks at a
sixteenth of the width, with half the threshold: a network so deep and thin hardly fires at 1 and learns nothing.
"""

from sweeps._laptop import CIFAR10, FASHION_MNIST
from tic_sweep.config import FisherConfig, TrialConfig, replaced
from tic_sweep.sweep import Scale, Sweep

SWEEP = Sweep(
    name="layers",
    question="Which layers hold information early in time, and which late?",
    laptop=Scale(
        base=replaced(
            CIFAR10,
            FASHION_MNIST
            | {
                "model.name": "resnet19",
                "model.width": 1 / 16,
                "neuron.v_threshold": 0.5,
                "optimiser.epochs": 50,
                "fisher.detail": "block",
                "fisher.every": 5,
            },
        ),
        seeds=(0, 1, 2),
    ),
    paper=Scale(base=TrialConfig(fisher=FisherConfig(every=20, detail="block")), seeds=(0, 1, 2)),
)
