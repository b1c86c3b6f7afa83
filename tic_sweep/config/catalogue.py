"""What exists by name: data sets with the facts a config needs before any of them is read, and models."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSpec:
    """Shape, size and normalisation of a data set; ``mean``, ``std`` are per channel of training pixels in [0, 1]."""

    classes: int
    channels: int
    size: int
    train_images: int
    test_images: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    source: str


DATASETS: dict[str, DatasetSpec] = {
    "digits": DatasetSpec(
        classes=10, channels=1, size=8, train_images=1437, test_images=360, mean=(0.3062,), std=(0.3765,),
        source="scikit-learn's load_digits: 1,797 real 8x8 images inside the package, a fifth held out as test set",
    ),
    "fashion_mnist": DatasetSpec(
        classes=10, channels=1, size=28, train_images=60_000, test_images=10_000, mean=(0.2860,), std=(0.3530,),
        source="Xiao, Rasul and Vollgraf 2017",
    ),
    "cifar10": DatasetSpec(
        classes=10, channels=3, size=32, train_images=50_000, test_images=10_000,
        mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616), source="Krizhevsky 2009",
    ),
    "cifar100": DatasetSpec(
        classes=100, channels=3, size=32, train_images=50_000, test_images=10_000,
        mean=(0.5071, 0.4865, 0.4409), std=(0.2673, 0.2564, 0.2762), source="Krizhevsky 2009",
    ),
    "svhn": DatasetSpec(
        classes=10, channels=3, size=32, train_images=73_257, test_images=26_032,
        mean=(0.4377, 0.4438, 0.4728), std=(0.1980, 0.2010, 0.1970), source="Netzer et al. 2011",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceSpec:
    """Shape and size of a data set of sequences; 0 where the trial chooses.

    ``timesteps`` is the most that a sequence has, and ``groups`` how many speakers the training set is known to hold.
    """

    classes: int
    channels: int
    timesteps: int
    train_sequences: int
    validation_sequences: int
    test_sequences: int
    groups: int
    source: str


SEQUENCES: dict[str, SequenceSpec] = {
    "cyclic_sweeps": SequenceSpec(
        classes=0, channels=0, timesteps=0, train_sequences=2048, validation_sequences=512, test_sequences=2048,
        groups=0, source="made up: channels spike one after the other, so that only their lags tell the class",
    ),
    "raw_hd": SequenceSpec(
        classes=20, channels=40, timesteps=80, train_sequences=8156, validation_sequences=0, test_sequences=2264,
        groups=10, source="Raw Heidelberg Digits: 80 mel frames of spoken digits (Cramer et al. 2020)",
    ),
    "shd": SequenceSpec(
        classes=20, channels=700, timesteps=0, train_sequences=8156, validation_sequences=0, test_sequences=2264,
        groups=10, source="Spiking Heidelberg Digits (Cramer et al. 2020)",
    ),
}  # fmt: skip

MODELS: dict[str, str] = {
    "small_conv": "three spiking convolutions after the stem (8-16-16-32 channels at width 1): a laptop's net",
    "resnet19": "ResNet19 as the TIC paper's code lays it out (26.11 M parameters at width 1)",
    "resnet34": "ResNet34 with a 3x3 stem and stages of 3, 4, 6 and 3 blocks (21.28 M parameters at width 1)",
    "vgg16": "VGG16: thirteen convolutions, five max-poolings, no hidden linear layer (14.72 M parameters at width 1)",
    "alexnet": "AlexNet: five convolutions, three max-poolings, two hidden linear layers (7.51 M parameters)",
}

TASKS: dict[str, str] = {
    "images": "train a network of `model` to classify the images of `data`",
    "sequences": "train a network with delays to classify the sequences of `sequences`",
    "spike_train": "teach single neurons a random spike train each (Yang 2020's toy)",
    "xor": "teach networks a smooth exclusive-or of two numbers (Yang 2020's second data set)",
}

EPOCH_TASKS: tuple[str, ...] = ("images", "sequences")
"""Tasks whose trials are epochs of a training; the others are blocks of toy problems."""

SURROGATES: tuple[str, ...] = ("arctan", "sigmoid", "triangle", "fast_sigmoid")
