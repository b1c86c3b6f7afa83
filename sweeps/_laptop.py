"""What the laptop scales start from: real images, few and small enough that a small network fits them in a minute.

Concentration follows fitting, so a laptop sees it on 300 pooled images at an ample rate and not on 50,000 in a few
epochs. The settings were chosen by pilot trials on seeds from 100 up, which no sweep uses.
"""

from tic_sweep.config import DataConfig, FisherConfig, ModelConfig, OptimiserConfig, TrialConfig

CIFAR10 = TrialConfig(
    data=DataConfig(
        name="cifar10", image_size=12, train_samples=300, validation_samples=200, test_samples=2000, augmentation="none"
    ),
    model=ModelConfig(name="small_conv", width=3.0),
    optimiser=OptimiserConfig(epochs=40, batch_size=32),
    fisher=FisherConfig(every=3, samples=96),
    timesteps=5,
)
FASHION_MNIST = {"data.name": "fashion_mnist", "data.image_size": 14}
"""Changes that put Fashion-MNIST in CIFAR-10's place."""
