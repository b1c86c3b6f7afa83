"""What is measured on a trial's network, how often and how strongly."""

from dataclasses import dataclass
from typing import ClassVar

from tic_sweep.config.fields import Section, choice, flag, integer, listing, real
from tic_sweep.errors import ConfigError

PUBLISHED_BATCH = 16
"""Images in a batch of the published code's Fisher trace, ``fisher.kind = batch``."""


@dataclass(frozen=True, kw_only=True)
class FisherConfig(Section):
    """How the Fisher trace is estimated, on what, and how often."""

    section: ClassVar[str] = "fisher"

    kind: str = choice(
        "empirical", ("empirical", "sampled", "batch"),
        "labels of the data (Eq. 6), drawn from the model (Eq. 5), or the published code's batch-mean gradients",
    )  # fmt: skip
    estimator: str = choice(
        "exact", ("exact", "projections", "signs"),
        "squared gradient norms exactly, or unbiased by random projections, or by random signs over 16 images",
    )  # fmt: skip
    draws: int = integer(1, "random draws of an estimator for each image, or 16 of them", at_least=1)
    every: int = integer(1, "epochs between measurements; 0 is never", unit="epochs", at_least=0)
    samples: int = integer(1000, "images measured on", unit="images", at_least=1)
    split: str = choice("train", ("train", "validation"), "split the images are taken from")
    detail: str = choice(
        "model", ("model", "block", "layer"), "finest level recorded: the model, its blocks, its layers"
    )
    ic_se: float = real(
        0.0,
        "standard error of IC at which a measurement ends before it has taken all samples; 0 takes them all",
        unit="timesteps",
        at_least=0,
    )
    until_turned: bool = flag(
        False, "whether measurements end once the transition has come for sure, but for those where a training ends"
    )

    def __post_init__(self) -> None:
        """Check each field and what holds between them: batches are whole and asked for no standard error.

        Raises:
            ConfigError: naming the field, its value and what is accepted.
        """
        super().__post_init__()
        if self.kind == "batch" and self.estimator != "exact":
            raise ConfigError(
                f"fisher.estimator must be exact when fisher.kind is batch (its gradients are few), got "
                f"{self.estimator!r}."
            )
        if self.estimator == "exact" and self.draws != 1:
            raise ConfigError(f"fisher.draws must be 1 when fisher.estimator is exact, got {self.draws}.")
        grouped = {"fisher.kind": self.kind == "batch", "fisher.estimator": self.estimator == "signs"}
        for path in (path for path, asked in grouped.items() if asked):
            chosen = f"{path} is {getattr(self, path.removeprefix('fisher.'))}"
            if self.every and self.samples < PUBLISHED_BATCH:
                raise ConfigError(
                    f"fisher.samples must be at least {PUBLISHED_BATCH}, a batch, when {chosen}, got {self.samples}."
                )
            if self.ic_se:
                raise ConfigError(
                    f"fisher.ic_se must be 0 when {chosen} (too few units for a standard error), got {self.ic_se!r}."
                )


@dataclass(frozen=True, kw_only=True)
class ProbesConfig(Section):
    """What else is measured on a trial of task ``images``, and how often."""

    section: ClassVar[str] = "probes"

    dynamics_every: int = integer(
        0, "epochs between measurements of firing and gradient flow; 0 is never", unit="epochs", at_least=0
    )
    dynamics_samples: int = integer(64, "training images these are measured on", unit="images", at_least=1)
    test_images: int = integer(
        0, "test images that deficits and robustness are measured on; 0 is all of the split", unit="images", at_least=0
    )
    deficit_epochs: str = listing("", int, "epochs after which deficits are measured", unit="epochs", at_least=0)
    deficit_window: int = integer(3, "timesteps in a row that a deficit disturbs", unit="timesteps", at_least=1)
    deficit_strength: float = real(0.5, "norm of a deficit's noise in each timestep, over the image's norm", at_least=0)
    robustness_epochs: str = listing("", int, "epochs after which robustness is measured", unit="epochs", at_least=0)
    strengths: str = listing(
        "1",
        float,
        "multiples of the strengths below that robustness is measured at; 0 is none",
        at_least=0,
        at_most=1000,
    )
    gaussian_strength: float = real(0.5, "norm of the Gaussian noise over the image's norm", at_least=0)
    blur_factor: float = real(2.0, "blur shrinks images by this factor and enlarges them again", at_least=1)
    fgsm_eps: float = real(8 / 255, "largest change of a pixel in 0..1 by FGSM", at_least=0, at_most=1)
    pgd_eps: float = real(8 / 255, "largest change of a pixel in 0..1 by PGD", at_least=0, at_most=1)
    pgd_step: float = real(4 / 255, "step of PGD on the pixel scale 0..1", above=0, at_most=1)
    pgd_steps: int = integer(10, "iterations of PGD", at_least=1)
    pgd_random_start: bool = flag(True, "whether PGD starts from a random point within its bound (Madry et al. 2018)")
