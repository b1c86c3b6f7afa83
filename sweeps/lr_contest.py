"""Which learning rate is best, and how early can a scheduler know?

The full grid that `benchmarks/lr_contest.py` replays schedulers over: eight rates, from one that hardly trains to one
at which AlexNet has got worse and the small network has not, three data sets, two architectures, two T and five seeds,
every trial trained to its end and measured after every epoch. Sizes were chosen by pilot trials on seed 100, which is
not among the seeds here.
"""

from tic_sweep.config import DataConfig, FisherConfig, ModelConfig, OptimiserConfig, TrialConfig
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

SUBSET = {"data.train_samples": 400, "data.validation_samples": 200, "data.test_samples": 3000}
DIGITS = {"data.name": "digits", "optimiser.epochs": 15, "optimiser.batch_size": 64}
FASHION_MNIST = {"data.name": "fashion_mnist", "data.image_size": 14, **SUBSET}
CIFAR10 = {"data.name": "cifar10", "data.image_size": 12, **SUBSET}

ALEXNET = {"model.name": "alexnet", "model.width": 1 / 16, "neuron.v_threshold": 0.5}


def small_conv(width: float) -> dict[str, object]:
    """Return the changes that make the network the small one."""
    return {"model.name": "small_conv", "model.width": width}


SWEEP = Sweep(
    name="lr_contest",
    question="Which learning rate is best, and how early can a scheduler know?",
    laptop=Scale(
        base=TrialConfig(
            data=DataConfig(name="digits", augmentation="none"),
            model=ModelConfig(name="small_conv"),
            optimiser=OptimiserConfig(epochs=25, batch_size=32),
            fisher=FisherConfig(samples=40),
            timesteps=8,
        ),
        space={
            "problem": Grid((
                DIGITS | small_conv(1),
                DIGITS | ALEXNET,
                FASHION_MNIST | small_conv(2),
                FASHION_MNIST | ALEXNET,
                CIFAR10 | small_conv(2),
                CIFAR10 | ALEXNET,
            )),
            "timesteps": Grid((4, 8)),
            "optimiser.lr": Grid((0.25, 0.05, 1.2, 0.1, 0.5, 0.02, 3.0, 0.01)),
        },
        seeds=(0, 1, 2, 3, 4),
    ),
)
