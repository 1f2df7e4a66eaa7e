"""Define the models of `--preset quick` and `best`.

The settings were compared in trainings of equal time. Many small steps are better than
few large ones. D needs a third convolution, whose receptive field covers a digit. 40
latent dimensions converge faster than 100. The EMA of G's weights is better than the
weights of any step (Yazici et al. 2019, "The Unusual Effectiveness of Averaging in GAN
Training"). Adam's beta_2 is 0.99 instead of the usual 0.999, because there are few steps.
The layers are in `common/architectures/blocks.py`.
"""

from common.architectures.blocks import define_gan as define_gan  # used by train.py
from common.architectures.blocks import discriminator, generator

OPTIONS = {
    "architecture": "narrow",
    "epochs": 8,
    "steps_per_epoch": 450,
    "batch_size": 32,
    "latent_dim": 40,
    "learning_rate": 0.0015,
    "ema": 0.998,
    "save_every": 1,
}
BEST = {  # `--preset best`: class-conditional, half an hour of training
    **OPTIONS,
    "conditional": True,
    "d_batches": "mixed",
    "epochs": 9,
    "steps_per_epoch": 3000,
    "ema": 0.999,
    "precision": "auto",
}


def define_discriminator(in_shape=(28, 28, 1)):
    """Define and compile D: fewer filters than the tutorial's, a third convolution."""
    # Filters, kernel size and stride of each convolution.
    convolutions = (32, 4, 2), (64, 4, 2), (128, 3, 2)  # 14x14x32, 7x7x64, 4x4x128
    rate = OPTIONS["learning_rate"]
    return discriminator(in_shape, convolutions, learning_rate=rate, beta_2=0.99)


def define_generator(latent_dim):
    """Define G: fewer filters than the tutorial's, and BatchNormalization."""
    filters = 128, 64  # 7x7x128, 14x14x64
    return generator(latent_dim, (28, 28, 1), filters, activation="sigmoid")
