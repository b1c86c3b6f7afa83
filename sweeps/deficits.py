"""At which timesteps does noise hurt, and does that change while a network trains?

Kim et al. 2023, Fig. 2: Gaussian noise on the input during [t, t+2], at five stages of training. The noise level is in
an appendix that is not to be had; here its norm is half the image's, as in the paper's Table 1.
"""

from sweeps._laptop import CIFAR10, FASHION_MNIST
from tic_sweep.config import FisherConfig, ProbesConfig, TrialConfig, replaced
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

SWEEP = Sweep(
    name="deficits",
    question="At which timesteps does noise hurt, and does that change while a network trains?",
    laptop=Scale(
        base=replaced(CIFAR10, {"probes.deficit_epochs": "1,4,12,24,40", "timesteps": 6}),
        space={"images": Grid((FASHION_MNIST, {"data.name": "cifar10"}))},
        seeds=(0, 1, 2),
    ),
    paper=Scale(
        base=TrialConfig(fisher=FisherConfig(every=5), probes=ProbesConfig(deficit_epochs="1,20,40,140,300")),
        seeds=(0, 1, 2),
    ),
)
