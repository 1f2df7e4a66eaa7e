"""The pair of `train.py --preset best`: the best digits of half an hour on two CPU cores.

The recipe of `mnist_gan/quick.py`, with one more convolution in G, and D learning from
real and fake images in two updates, which keeps it from winning in long trainings.
"""

from common.quick import define_gan  # noqa: F401  # the third of this trio
from mnist_gan import quick
from mnist_gan.quick import define_discriminator  # noqa: F401  # as good as larger ones

OPTIONS = {
    **quick.OPTIONS,
    "architecture": "best",
    "halves": "separate",
    "epochs": 20,
    "steps_per_epoch": 3000,
    "ema": 0.9997,
    "save_every": 2,
    "precision": "auto",
}


def define_generator(latent_dim):
    """As quick's, with a convolution where a digit is still 7x7."""
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(128 * 7 * 7, use_bias=False),  # 6272
            layers.Reshape((7, 7, 128)),  # 7x7x128
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Conv2D(128, 3, padding="same", use_bias=False),  # 7x7x128
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Conv2DTranspose(64, 4, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),  # 14x14x64
            layers.ReLU(),
            layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid"),
        ],
        name="generator",
    )
