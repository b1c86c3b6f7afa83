"""What a trial's network is and sees: images, architecture, neurons."""

from dataclasses import dataclass
from typing import ClassVar

from tic_sweep.config.catalogue import DATASETS, MODELS, SURROGATES
from tic_sweep.config.fields import Section, choice, flag, integer, real
from tic_sweep.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class DataConfig(Section):
    """Which images, how many, at what size, and how they become input currents."""

    section: ClassVar[str] = "data"

    name: str = choice("cifar10", DATASETS, "data set")
    train_samples: int = integer(0, "size of a class-balanced subset to train on; 0 is all", unit="images", at_least=0)
    validation_samples: int = integer(
        0, "class-balanced images held out of the training set; 0 is a tenth of it", unit="images", at_least=0
    )
    test_samples: int = integer(0, "class-balanced subset of the test set; 0 is all", unit="images", at_least=0)
    split_seed: int = integer(0, "draws the validation split and the subsets, apart from the trial's seed", at_least=0)
    image_size: int = integer(
        0, "average-pool images to this many pixels a side; 0 is native", unit="pixels", at_least=0
    )
    augmentation: str = choice(
        "crop_flip", ("none", "crop", "crop_flip"), "random crop after padding by an eighth; flip"
    )
    coding: str = choice(
        "direct", ("direct", "poisson"), "same analogue image at every t, or Bernoulli spikes drawn from it"
    )


@dataclass(frozen=True, kw_only=True)
class ModelConfig(Section):
    """Which network, how wide, how it normalises and reads out."""

    section: ClassVar[str] = "model"

    name: str = choice("resnet19", MODELS, "network")
    width: float = real(1.0, "factor on every hidden channel count", above=0, at_most=64)
    norm: str = choice(
        "batch", ("batch", "tdbn"), "batch statistics per timestep (the paper's code) or over time and batch"
    )
    readout: str = choice("mean", ("mean", "sum"), "logits at horizon t: mean or sum of outputs 1..t")


@dataclass(frozen=True, kw_only=True)
class NeuronConfig(Section):
    """The LIF neuron of Eq. 1, its reset and its surrogate gradient."""

    section: ClassVar[str] = "neuron"

    tau: float = real(2.0, "membrane time constant; below 1 the leak is negative", unit="timesteps", above=0.5)
    v_threshold: float = real(1.0, "membrane potential at which a spike is fired", above=0)
    reset: str = choice("hard", ("hard", "soft"), "after a spike: to zero, or down by the threshold")
    reset_gradient: float = real(
        0.0, "share of the gradient through the reset; 0 detaches it, 1 is the full term", at_least=0, at_most=1
    )
    temporal_gradient: bool = flag(True, "whether gradients flow from t to t-1 through the membrane")
    surrogate: str = choice("arctan", SURROGATES, "derivative used for the spike in the backward pass")
    surrogate_width: float = real(1.0, "scale of the surrogate's argument", unit="membrane potential", above=0)
    surrogate_unit_peak: bool = flag(False, "scale the surrogate derivative to a peak of 1")

    def __post_init__(self) -> None:
        """Check each field, and that no two contradict each other."""
        super().__post_init__()
        if not self.temporal_gradient and self.reset_gradient > 0:
            raise ConfigError(
                f"neuron.reset_gradient must be 0 when neuron.temporal_gradient is false (the reset acts on the next "
                f"timestep only), got {self.reset_gradient!r}."
            )
