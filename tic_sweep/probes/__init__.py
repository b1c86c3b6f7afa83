"""What else can be measured on a network, besides its Fisher information."""

from tic_sweep.probes.attack import fgsm as fgsm
from tic_sweep.probes.attack import pgd as pgd
from tic_sweep.probes.attack import random_start as random_start
from tic_sweep.probes.classifier import FrozenClassifier as FrozenClassifier
from tic_sweep.probes.corruption import blur as blur
from tic_sweep.probes.corruption import gaussian_noise as gaussian_noise
from tic_sweep.probes.deficit import Deficit as Deficit
from tic_sweep.probes.deficit import measure_deficits as measure_deficits
from tic_sweep.probes.dynamics import LayerDynamics as LayerDynamics
from tic_sweep.probes.dynamics import measure_dynamics as measure_dynamics
from tic_sweep.probes.robustness import Robustness as Robustness
from tic_sweep.probes.robustness import measure_robustness as measure_robustness
