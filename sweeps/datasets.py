"""Do all data sets show temporal information concentration?

Kim et al. 2023, Fig. 4e: CIFAR-10, SVHN and Fashion-MNIST. The laptop scale has scikit-learn's digits, which need no
download, where the paper has street-view digits. SVHN in place of all three: ``--set data.name=svhn --set
data.image_size=12 --set data.test_samples=2000``.
"""

from sweeps._laptop import CIFAR10, FASHION_MNIST
from tic_sweep.config import FisherConfig, TrialConfig
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

DIGITS = {"data.name": "digits", "data.image_size": 0, "data.test_samples": 0}

SWEEP = Sweep(
    name="datasets",
    question="Do all data sets show temporal information concentration?",
    laptop=Scale(
        base=CIFAR10,
        space={"images": Grid(({"data.name": "cifar10"}, FASHION_MNIST, DIGITS))},
        seeds=(0, 1, 2),
    ),
    paper=Scale(
        base=TrialConfig(fisher=FisherConfig(every=2)),
        space={
            "images": Grid((
                {"data.name": "cifar10"},
                {"data.name": "svhn", "data.augmentation": "crop"},
                {"data.name": "fashion_mnist"},
            ))
        },
        seeds=(0, 1, 2),
    ),
)
