"""The pair of `train.py --preset best`: the best of two hours on two CPU cores.

The recipe of `cifar10_gan/best.py`, without classes: quick's G, against a D whose
convolutions have spectral norm 1 (Miyato et al. 2018), and the hinge loss.
"""

from celeba_gan import quick
from celeba_gan.quick import define_gan, define_generator  # noqa: F401

OPTIONS = {
    **quick.OPTIONS,
    "architecture": "best",
    "objective": "hinge",
    "epochs": 15,
    "steps_per_epoch": 2000,
    "learning_rate": 0.0004,
    "ema": 0.999,
    "save_every": 1,
}


def define_discriminator(in_shape=(64, 64, 3)):
    """As quick's, with convolutions that are divided by their largest singular value."""
    from keras import Sequential, layers, optimizers

    size, _, _ = in_shape
    model = Sequential(name="discriminator")
    model.add(layers.Input(in_shape))
    filters = 32
    while size > 4:  # 32x32x32, 16x16x64, 8x8x128, 4x4x256
        convolution = layers.Conv2D(filters, 4, strides=2, padding="same")
        # float32, because Keras writes the divided kernel back, and must not round it.
        model.add(layers.SpectralNormalization(convolution, dtype="float32"))
        model.add(layers.LeakyReLU(0.1))
        filters, size = 2 * filters, size // 2
    model.add(layers.Flatten())  # 4096
    model.add(layers.Dense(1, activation="sigmoid", dtype="float32"))
    optimizer = optimizers.Adam(OPTIONS["learning_rate"], beta_1=0.0, beta_2=0.9)
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model
