"""Does a larger membrane time constant keep information late in time?

Kim et al. 2023, Fig. 4b. The paper prints 0.75, 2 and 4. With 0.75 the leak of Eq. 1 is negative; the authors' code
defaults to 4/3 = 1/0.75, so 0.75 is probably a misprint for it. Both are run.
"""

from sweeps._laptop import CIFAR10
from tic_sweep.config import FisherConfig, TrialConfig
from tic_sweep.space import Grid
from tic_sweep.sweep import Scale, Sweep

SPACE = {"neuron.tau": Grid((2.0, 4.0, 4 / 3, 0.75))}

SWEEP = Sweep(
    name="tau",
    question="Does a larger membrane time constant keep information late in time?",
    laptop=Scale(base=CIFAR10, space=SPACE, seeds=(0, 1, 2)),
    paper=Scale(base=TrialConfig(fisher=FisherConfig(every=2)), space=SPACE, seeds=(0, 1, 2)),
)
