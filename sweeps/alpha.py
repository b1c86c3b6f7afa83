"""Does information kept late in time cost robustness?

Kim et al. 2023, Fig. 5 and Table 1: loss alpha (Eq. 10) holds the cross-entropy at alpha at every horizon and so keeps
the Fisher trace from vanishing. Alphas are the paper's low, intermediate and high ones of each data set.
"""

from sweeps._laptop import CIFAR10
from tic_sweep.config import FisherConfig, LossConfig, ProbesConfig, TrialConfig, replaced
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

ALPHAS = {"cifar10": (1e-3, 1e-2, 7e-2), "svhn": (1e-4, 1e-2, 7e-2), "cifar100": (1e-4, 1e-3, 1e-2)}
STRENGTHS = "0,0.5,1,2"
"""Multiples of the paper's strengths; 0 is a check that nothing but the disturbance changes the images."""
PAPER = tuple(
    {"data.name": name, "loss.alpha": alpha} | ({"data.augmentation": "crop"} if name == "svhn" else {})
    for name, alphas in ALPHAS.items()
    for alpha in alphas
)

SWEEP = Sweep(
    name="alpha",
    question="Does information kept late in time cost robustness?",
    laptop=Scale(
        base=replaced(
            CIFAR10,
            {
                "loss.name": "alpha",
                "loss.alpha": 1e-2,
                "probes.robustness_epochs": "40",
                "probes.strengths": STRENGTHS,
                "probes.test_images": 400,
            },
        ),
        space={"loss.alpha": Grid(ALPHAS["cifar10"])},
        seeds=(0, 1, 2),
    ),
    paper=Scale(
        base=TrialConfig(
            loss=LossConfig(name="alpha", alpha=1e-2),
            fisher=FisherConfig(every=10),
            probes=ProbesConfig(robustness_epochs="300", strengths=STRENGTHS),
        ),
        space={"setting": Grid(PAPER)},
        seeds=(0, 1, 2),
    ),
)
