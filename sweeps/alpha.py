"""Does information kept late in time cost robustness?

Kim et al. 2023, Fig. 5 and Table 1: loss alpha (Eq. 10) holds the cross-entropy at alpha at every horizon and so keeps
the Fisher trace from vanishing. The paper scale has the paper's low, intermediate and high alphas of each data set. The
laptop's network does not come down to a loss of 0.001. Its alphas are spread over what it does reach, on 200 images of
Fashion-MNIST and in 75 epochs: enough for the lowest to fit its images and let their Fisher trace vanish.
"""

from sweeps._laptop import CIFAR10, FASHION_MNIST
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
            FASHION_MNIST
            | {
                "loss.name": "alpha",
                "loss.alpha": 0.1,
                "optimiser.epochs": 75,
                "data.train_samples": 200,
                "probes.robustness_epochs": "75",
                "probes.strengths": STRENGTHS,
                "probes.test_images": 200,
            },
        ),
        space={"loss.alpha": Grid((0.02, 0.1, 0.4))},
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
