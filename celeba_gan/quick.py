"""The pair of `--preset quick`, faces in a quarter of an hour on two cores; and `best`.

The recipe of `mnist_gan/quick.py` for larger images: half of the DCGAN's filters,
BatchNormalization in G only, small batches at a high rate, and the mean of G's last
weights for the pictures.
"""

from common.architectures.quick import adam, define_gan  # noqa: F401  # for train.py

OPTIONS = {
    "architecture": "narrow",
    "epochs": 20,
    "steps_per_epoch": 500,
    "batch_size": 32,
    "halves": "merged",
    "latent_dim": 64,
    "learning_rate": 0.0008,
    "ema": 0.998,
    "save_every": 2,
    "precision": "auto",
}
BEST = {  # `--preset best`: pairs of a real and a fake face, for longer
    **OPTIONS,
    "objective": "r3gan",
    "penalty": 0.1,  # with the usual 1, faces are as varied and coarser
    "epochs": 40,
}


def define_discriminator(in_shape=(64, 64, 3)):
    """As the DCGAN's, with half the filters and without BatchNormalization."""
    from keras import Sequential, layers

    size, _, _ = in_shape
    model = Sequential(name="discriminator")
    model.add(layers.Input(in_shape))
    filters = 32
    while size > 4:  # 32x32x32, 16x16x64, 8x8x128, 4x4x256
        model.add(layers.Conv2D(filters, 4, strides=2, padding="same"))
        model.add(layers.LeakyReLU(0.2))
        filters, size = 2 * filters, size // 2
    model.add(layers.Flatten())  # 4096
    model.add(layers.Dense(1, activation="sigmoid", dtype="float32"))
    optimizer = adam(OPTIONS["learning_rate"])
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


def define_generator(latent_dim, out_shape=(64, 64, 3)):
    """As the DCGAN's, with half the filters."""
    from keras import Sequential, layers

    size, _, channels = out_shape
    filters = 4 * size  # halved by every block; 32 before the last
    model = Sequential(name="generator")
    model.add(layers.Input((latent_dim,)))
    model.add(layers.Dense(4 * 4 * filters, use_bias=False))  # 4096
    model.add(layers.Reshape((4, 4, filters)))  # 4x4x256
    model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.ReLU())
    while filters > 32:  # 8x8x128, 16x16x64, 32x32x32
        filters //= 2
        model.add(
            layers.Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=False)
        )
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
    model.add(  # 64x64x3
        layers.Conv2DTranspose(channels, 4, strides=2, padding="same", activation="tanh")
    )
    return model
