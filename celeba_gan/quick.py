"""Define the models of `--preset quick` and `best`.

The settings of `mnist_gan/quick.py` for larger images: half of the DCGAN's filters,
BatchNormalization in G only, small batches, a high learning rate, and the EMA of G's
weights for the pictures and saved models.
"""

from common.architectures.blocks import define_gan as define_gan  # used by train.py
from common.architectures.blocks import discriminator, filter_counts, generator

OPTIONS = {
    "architecture": "narrow",
    "epochs": 20,
    "steps_per_epoch": 500,
    "batch_size": 32,
    "d_batches": "mixed",
    "latent_dim": 64,
    "learning_rate": 0.0008,
    "ema": 0.998,
    "save_every": 2,
    "precision": "auto",
}
BEST = {  # `--preset best`: a relativistic loss, and more epochs
    **OPTIONS,
    "objective": "r3gan",
    "penalty": 0.1,  # with the usual 1, faces are as diverse, but less detailed
    "epochs": 40,
}


def define_discriminator(in_shape=(64, 64, 3)):
    """Define and compile D: half the DCGAN's filters, and no BatchNormalization."""
    filters = filter_counts(32, in_shape)  # 32x32x32, 16x16x64, 8x8x128, 4x4x256
    convolutions = [(n, 4, 2) for n in filters]
    rate = OPTIONS["learning_rate"]
    return discriminator(in_shape, convolutions, learning_rate=rate, beta_2=0.99)


def define_generator(latent_dim, out_shape=(64, 64, 3)):
    """Define G: half the DCGAN's filters."""
    filters = filter_counts(32, out_shape)[::-1]  # 4x4x256, 8x8x128, 16x16x64, 32x32x32
    return generator(latent_dim, out_shape, filters)
