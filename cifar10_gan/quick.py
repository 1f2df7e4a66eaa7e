"""The pair of `train.py --preset quick`: colours and shapes in minutes on two CPU cores.

The recipe of `mnist_gan/quick.py`: few filters, BatchNormalization in G only, many small
batches at a high rate, one update of D on both halves, and the mean of G's last weights
for the pictures.
"""

from common.architectures.blocks import define_gan as define_gan  # for train.py
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
    """As the tutorial's, with half the filters, larger kernels and no dropout."""
    adam = {"learning_rate": OPTIONS["learning_rate"], "beta_2": 0.99}
    return discriminator(in_shape, CONVOLUTIONS, **adam)  # 16x16x64, 8x8x128, 4x4x256


def define_generator(latent_dim):
    """As the tutorial's, with fewer filters and BatchNormalization."""
    filters = 256, 128, 64  # 4x4x256, 8x8x128, 16x16x64
    return generator(latent_dim, (32, 32, 3), filters)
