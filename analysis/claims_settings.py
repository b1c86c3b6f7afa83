"""Claims of the main paper (Kim et al. 2023, Fig. 3 and 4) on what changes when information lies, and two of ours.

All compare seed by seed, within each context of whatever else varies; thresholds were set before any result was seen.
"""

from analysis import contrasts
from analysis.claims_tic import fall_of
from analysis.contrasts import DATA, NETWORK, SAME, SPLIT, TAU, TIMESTEPS, WEIGHT_DECAY
from analysis.evidence import of_the_paper, over_settings, well_trained
from analysis.results import Results
from analysis.verdicts import Claim, Evidence
from tic_sweep.transition import DROP

EARLY = 0.75
"""Share of the information within t ≤ 3 of 10 from which it is concentrated there; spread evenly it would be 0.3."""
OURS = "ours; the paper measures on training images"


def falls_on_held_out_images(results: Results) -> list[Evidence]:
    """Return how far IC measured on validation images falls from its maximum back to 1, per context."""
    return over_settings([fall_of(part, where) for where, part in well_trained(of_the_paper(results, "validation"))])


SETTINGS_CLAIMS = (
    Claim(
        id="F3",
        statement="After training, shallow blocks carry their information later than deep blocks.",
        reference="Kim et al. 2023, Fig. 3",
        kind="difference",
        quantity="the mean IC of the shallower half of the blocks less that of the deeper half",
        threshold=0.0,
        unit="timesteps",
        tables=("fisher",),
        evidence=contrasts.shallow_later_than_deep,
    ),
    Claim(
        id="F4a",
        statement="With more timesteps, IC turns later.",
        reference="Kim et al. 2023, Fig. 4a",
        kind="difference",
        quantity="the transition at the longest T less that at the shortest",
        threshold=0.0,
        unit="epochs",
        tables=("epochs", "fisher"),
        varied=(TIMESTEPS,),
        evidence=contrasts.later_with_more_timesteps,
    ),
    Claim(
        id="F4b",
        statement="A larger time constant keeps IC higher.",
        reference="Kim et al. 2023, Fig. 4b",
        kind="difference",
        quantity="the final IC at the largest time constant less the mean over the others",
        threshold=0.0,
        unit="timesteps",
        tables=("epochs", "fisher"),
        varied=(TAU,),
        evidence=contrasts.largest_tau_keeps_information_late,
    ),
    Claim(
        id="F4c",
        statement="Weight decay does not change where information ends up in time.",
        reference="Kim et al. 2023, Fig. 4c; the margin is ours",
        kind="equivalence",
        quantity="the difference in final (IC − 1) / (T − 1) to the paper's weight decay",
        threshold=SAME,
        unit="",
        tables=("epochs", "fisher"),
        varied=(WEIGHT_DECAY,),
        evidence=contrasts.weight_decay_changes_nothing,
    ),
    Claim(
        id="F4e",
        statement="On every data set IC falls at least half of the way from its maximum back to the first timestep.",
        reference="Kim et al. 2023, Fig. 4e; half as in the definition of the transition",
        kind="difference",
        quantity="the share of the way that IC has fallen by the end where it has fallen least",
        threshold=DROP,
        unit="",
        tables=("epochs", "fisher"),
        varied=(DATA,),
        evidence=contrasts.least_fall_of_data_sets,
    ),
    Claim(
        id="F4f",
        statement="AlexNet turns earlier than ResNet19.",
        reference="Kim et al. 2023, Fig. 4f",
        kind="difference",
        quantity="the transition of ResNet19 less that of AlexNet",
        threshold=0.0,
        unit="epochs",
        tables=("epochs", "fisher"),
        varied=(NETWORK,),
        evidence=contrasts.alexnet_turns_first,
    ),
    Claim(
        id="F4g",
        statement="AlexNet's IC ends higher than that of deeper networks.",
        reference="Kim et al. 2023, Fig. 4f",
        kind="difference",
        quantity="the final (IC − 1) / (T − 1) of AlexNet less that of the deepest ResNet",
        threshold=0.0,
        unit="",
        tables=("epochs", "fisher"),
        varied=(NETWORK,),
        evidence=contrasts.alexnet_ends_higher,
    ),
    Claim(
        id="F4h",
        statement="After training, ResNet34 holds more than three quarters of its information at t ≤ 3 of 10.",
        reference="Kim et al. 2023, Fig. 4f; the share is ours",
        kind="measured",
        quantity="the share of Σ I_t at t ≤ 0.3 T after the last epoch",
        threshold=EARLY,
        unit="",
        tables=("epochs", "fisher"),
        varied=(NETWORK,),
        evidence=contrasts.resnet34_concentrates,
    ),
    Claim(
        id="H1",
        statement="Measured on held-out images too, IC falls at least half of the way from its maximum back to the "
        "first timestep.",
        reference=OURS,
        kind="difference",
        quantity="the share of the way that IC on validation images has fallen by the end",
        threshold=DROP,
        unit="",
        tables=("epochs", "fisher"),
        varied=(SPLIT,),
        evidence=falls_on_held_out_images,
    ),
    Claim(
        id="H2",
        statement="After training, information on held-out images lies at the same timesteps as on training images.",
        reference=OURS,
        kind="equivalence",
        quantity="the difference in final (IC − 1) / (T − 1), validation less training images,",
        threshold=SAME,
        unit="",
        tables=("epochs", "fisher"),
        varied=(SPLIT,),
        evidence=contrasts.same_place_on_held_out_images,
    ),
)
