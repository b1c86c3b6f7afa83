"""Does the transition tell more where trainings are four times as long? One of the contest's tasks with 100 epochs.

Everything but the epochs, and with them the length of the cosine schedule, is as in `sweeps/lr_contest.py`.

    tic-sweep run benchmarks/lr_contest_long.py --data ~/data
    python benchmarks/lr_contest.py results/lr_contest_long-laptop --draws 40 --orders 1
"""

from dataclasses import replace

from sweeps.lr_contest import FASHION_MNIST, small_conv
from sweeps.lr_contest import SWEEP as CONTEST
from tic_sweep.space import Grid
from tic_sweep.sweep import Sweep

SHORT = CONTEST.laptop
assert SHORT is not None

SWEEP = Sweep(
    name="lr_contest_long",
    question="Does the transition tell more where trainings are four times as long?",
    laptop=replace(
        SHORT,
        base=replace(SHORT.base, optimiser=replace(SHORT.base.optimiser, epochs=100)),
        space={
            "problem": Grid((FASHION_MNIST | small_conv(2),)),
            "timesteps": Grid((4,)),
            "optimiser.lr": SHORT.space["optimiser.lr"],
        },
        seeds=(0, 1),
    ),
)
