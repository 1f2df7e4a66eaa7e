"""The pair of `--preset quick`, digits in 3 minutes on two CPU cores, and of `best`.

Found by trial at equal minutes: many small steps beat few large ones, D needs its third
convolution to see whole digits, 40 latent numbers are learned sooner than 100, and the
mean of G's last weights draws better than any one of them (EMA; Yazici et al. 2019,
"The Unusual Effectiveness of Averaging in GAN Training"). Adam's beta_2 is 0.99, for few
steps, where 0.999 is usual. The layers are made in `common/architectures/blocks.py`.
"""

from common.architectures.blocks import define_gan as define_gan  # for train.py
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
BEST = {  # `--preset best`: told which digit to draw, the pair learns for half an hour
    **OPTIONS,
    "conditional": True,
    "d_batches": "mixed",
    "epochs": 9,
    "steps_per_epoch": 3000,
    "ema": 0.999,
    "precision": "auto",
}


def define_discriminator(in_shape=(28, 28, 1)):
    """As the tutorial's, with fewer filters, a third convolution and no dropout."""
    # Filters, size of the kernel and stride of each convolution.
    convolutions = (32, 4, 2), (64, 4, 2), (128, 3, 2)  # 14x14x32, 7x7x64, 4x4x128
    rate = OPTIONS["learning_rate"]
    return discriminator(in_shape, convolutions, learning_rate=rate, beta_2=0.99)


def define_generator(latent_dim):
    """As the tutorial's, with fewer filters and BatchNormalization."""
    filters = 128, 64  # 7x7x128, 14x14x64
    return generator(latent_dim, (28, 28, 1), filters, activation="sigmoid")
