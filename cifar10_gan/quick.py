"""Define the models of `--preset quick`.

The settings of `mnist_gan/quick.py`: few filters, BatchNormalization in G only, many
small batches, a high learning rate, mixed batches of real and fake images for D, and the
EMA of G's weights for the pictures and saved models.
"""

from common.architectures.blocks import define_gan as define_gan  # used by train.py
from common.architectures.blocks import discriminator, generator

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


CONVOLUTIONS = (64, 4, 2), (128, 4, 2), (256, 4, 2)  # of D: filters, kernel, stride


def define_discriminator(in_shape=(32, 32, 3)):
    """Define and compile D: half the tutorial's filters, larger kernels, no dropout."""
    adam = {"learning_rate": OPTIONS["learning_rate"], "beta_2": 0.99}
    return discriminator(in_shape, CONVOLUTIONS, **adam)  # 16x16x64, 8x8x128, 4x4x256


def define_generator(latent_dim):
    """Define G: fewer filters than the tutorial's, and BatchNormalization."""
    filters = 256, 128, 64  # 4x4x256, 8x8x128, 16x16x64
    return generator(latent_dim, (32, 32, 3), filters)
