"""Which settings, all taken together, make information concentrate early?

One search by Optuna over timesteps, time constant, learning rate, weight decay, data set, network and loss at once; it
follows ``ic_rel``, the information centroid as a share of the timesteps, and the report shows accuracy beside it.
"""

from sweeps._laptop import CIFAR10, FASHION_MNIST
from tic_sweep.config import FisherConfig, TrialConfig, replaced
from tic_sweep.space import Choice, LogUniform, Uniform, When
from tic_sweep.sweep import Scale, Sweep

COMMON = {
    "timesteps": Choice((4, 6, 8, 10)),
    "neuron.tau": Uniform(1.1, 4.0),
    "optimiser.lr": LogUniform(0.03, 1.0),
    "optimiser.weight_decay": LogUniform(1e-5, 1e-3),
    "loss.name": Choice(("cross_entropy", "alpha")),
    "loss.alpha": When("loss.name", "alpha", LogUniform(1e-4, 7e-2)),
}

SWEEP = Sweep(
    name="grand",
    question="Which settings, all taken together, make information concentrate early?",
    laptop=Scale(
        base=replaced(CIFAR10, {"optimiser.epochs": 24}),
        space={
            "images": Choice(({"data.name": "cifar10"}, FASHION_MNIST)),
            "network": Choice((
                {"model.name": "small_conv", "model.width": 3.0},
                {"model.name": "resnet19", "model.width": 1 / 16, "neuron.v_threshold": 0.5},
                {"model.name": "alexnet", "model.width": 1 / 8},
            )),
            **COMMON,
        },
        samples=12,
        searcher="tpe",
        objective="ic_rel",
    ),
    paper=Scale(
        base=TrialConfig(fisher=FisherConfig(every=5)),
        space={
            "data.name": Choice(("cifar10", "svhn", "fashion_mnist")),
            "model.name": Choice(("resnet19", "alexnet", "resnet34", "vgg16")),
            **COMMON,
        },
        samples=300,
        searcher="tpe",
        objective="ic_rel",
    ),
)
