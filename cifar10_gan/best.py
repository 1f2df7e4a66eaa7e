"""The pair of `train.py --preset best`: the best of an hour or two on two CPU cores.

Quick's G, against a D whose convolutions have spectral norm 1, and the hinge loss (Miyato
et al. 2018, "Spectral Normalization for Generative Adversarial Networks"). Quick's own D
is soon sure of nearly every image, and its G then draws few; this one stays close. Both
are told the class, D by a projection (Miyato & Koyama 2018).
"""

from cifar10_gan import quick
from cifar10_gan.quick import define_gan, define_generator  # noqa: F401

OPTIONS = {
    **quick.OPTIONS,
    "architecture": "best",
    "objective": "hinge",
    "conditional": True,
    "condition": "hadamard",
    "epochs": 25,
    "steps_per_epoch": 2000,
    "learning_rate": 0.0004,
    "ema": 0.999,
    "save_every": 1,
}


def define_discriminator(in_shape=(32, 32, 3)):
    """As quick's, with convolutions that are divided by their largest singular value."""
    from keras import Sequential, layers, optimizers

    model = Sequential(name="discriminator")
    model.add(layers.Input(in_shape))
    for filters in (64, 128, 256):  # 16x16x64, 8x8x128, 4x4x256
        convolution = layers.Conv2D(filters, 4, strides=2, padding="same")
        # float32, because Keras writes the divided kernel back, and must not round it.
        model.add(layers.SpectralNormalization(convolution, dtype="float32"))
        model.add(layers.LeakyReLU(0.1))
    model.add(layers.Flatten())  # 4096
    model.add(layers.Dense(1, activation="sigmoid", dtype="float32"))
    optimizer = optimizers.Adam(OPTIONS["learning_rate"], beta_1=0.0, beta_2=0.9)
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model
