"""Which of learning rate, time constant and timesteps moves information in time most?

No figure of a paper: a full grid with five seeds, small enough for a laptop, whose report shows marginal effects,
interactions and every one of 200 trials.
"""

from tic_sweep.config import DataConfig, FisherConfig, ModelConfig, OptimiserConfig, TrialConfig
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

SPACE = {
    "timesteps": Grid((4, 8)),
    "neuron.tau": Grid((4 / 3, 2.0, 3.0, 4.0)),
    "optimiser.lr": Grid((0.03, 0.1, 0.3, 0.8, 2.0)),
}

SWEEP = Sweep(
    name="landscape",
    question="Which of learning rate, time constant and timesteps moves information in time most?",
    laptop=Scale(
        base=TrialConfig(
            data=DataConfig(name="digits", augmentation="none"),
            model=ModelConfig(name="small_conv"),
            optimiser=OptimiserConfig(epochs=10, batch_size=64),
            fisher=FisherConfig(samples=64),
        ),
        space=SPACE,
        seeds=(0, 1, 2, 3, 4),
    ),
    paper=Scale(
        base=TrialConfig(fisher=FisherConfig(every=5)),
        space=SPACE,
        seeds=(0, 1, 2),
    ),
)
