"""How does the network's architecture change when in time information lies?

Kim et al. 2023, Fig. 4f: AlexNet, ResNet19 and ResNet34, and VGG16 besides. The laptop scale has three of them at a
sixteenth to an eighth of their width, with half the threshold, at which nets so deep and thin learn.
"""

from sweeps._laptop import CIFAR10, FASHION_MNIST
from tic_sweep.config import FisherConfig, TrialConfig, replaced
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

SWEEP = Sweep(
    name="architectures",
    question="How does the network's architecture change when in time information lies?",
    laptop=Scale(
        base=replaced(CIFAR10, FASHION_MNIST | {"neuron.v_threshold": 0.5, "optimiser.epochs": 60, "fisher.every": 5}),
        space={
            "network": Grid((
                {"model.name": "resnet19", "model.width": 1 / 16},
                {"model.name": "alexnet", "model.width": 1 / 8},
                {"model.name": "resnet34", "model.width": 1 / 16},
            ))
        },
        seeds=(0, 1, 2),
    ),
    paper=Scale(
        base=TrialConfig(fisher=FisherConfig(every=2)),
        space={"model.name": Grid(("resnet19", "alexnet", "resnet34", "vgg16"))},
        seeds=(0, 1, 2),
    ),
)
