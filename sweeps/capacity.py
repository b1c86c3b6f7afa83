"""Does a larger network need fewer timesteps for its best accuracy?

Kim et al. 2023, Discussion: ResNet19 saturates at T = 4, AlexNet at T = 8. The laptop scale compares them at a
sixteenth and an eighth of their width, with half the threshold; IC is measured untrained and at the end.
"""

from sweeps._laptop import CIFAR10, FASHION_MNIST
from tic_sweep.config import FisherConfig, TrialConfig, replaced
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

SWEEP = Sweep(
    name="capacity",
    question="Does a larger network need fewer timesteps for its best accuracy?",
    laptop=Scale(
        base=replaced(CIFAR10, FASHION_MNIST | {"neuron.v_threshold": 0.5, "optimiser.epochs": 20, "fisher.every": 20}),
        space={
            "network": Grid((
                {"model.name": "resnet19", "model.width": 1 / 16},
                {"model.name": "alexnet", "model.width": 1 / 8},
            )),
            "timesteps": Grid((1, 2, 4)),
        },
        seeds=(0, 1, 2),
    ),
    paper=Scale(
        base=TrialConfig(fisher=FisherConfig(every=20)),
        space={"model.name": Grid(("resnet19", "alexnet")), "timesteps": Grid((1, 2, 3, 4, 6, 8, 10))},
        seeds=(0, 1, 2),
    ),
)
