"""Does temporal information concentration hold on images the network was not trained on?

The paper measures the Fisher trace on training images, whose loss training drives to zero; nobody has published it on
held-out ones. Both splits are measured on the same trained networks: training does not depend on what is measured.
"""

from sweeps._laptop import CIFAR10
from tic_sweep.config import FisherConfig, TrialConfig
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

SPLITS = Grid(("train", "validation"))

SWEEP = Sweep(
    name="held_out",
    question="Does temporal information concentration hold on images the network was not trained on?",
    laptop=Scale(
        base=CIFAR10,
        space={"fisher.split": SPLITS},
        seeds=(0, 1, 2),
    ),
    paper=Scale(base=TrialConfig(fisher=FisherConfig(every=5)), space={"fisher.split": SPLITS}, seeds=(0, 1, 2)),
)
