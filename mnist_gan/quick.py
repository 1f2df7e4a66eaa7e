"""The pair of `--preset quick`, digits in 3 minutes on two CPU cores, and of `best`.

Found by trial at equal minutes: many small steps beat few large ones, D needs its third
convolution to see whole digits, 40 latent numbers are learned sooner than 100, and the
mean of G's last weights draws better than any one of them (EMA; Yazici et al. 2019,
"The Unusual Effectiveness of Averaging in GAN Training").
"""

from common.architectures.quick import adam, define_gan  # noqa: F401  # for train.py

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
    "halves": "merged",
    "epochs": 9,
    "steps_per_epoch": 3000,
    "ema": 0.999,
    "precision": "auto",
}


def define_discriminator(in_shape=(28, 28, 1)):
    """As the tutorial's, with fewer filters, a third convolution and no dropout."""
    from keras import Sequential, layers

    model = Sequential(
        [
            layers.Input(in_shape),
            layers.Conv2D(32, 4, strides=2, padding="same"),  # 14x14x32
            layers.LeakyReLU(0.2),
            layers.Conv2D(64, 4, strides=2, padding="same"),  # 7x7x64
            layers.LeakyReLU(0.2),
            layers.Conv2D(128, 3, strides=2, padding="same"),  # 4x4x128
            layers.LeakyReLU(0.2),
            layers.Flatten(),  # 2048
            layers.Dense(1, activation="sigmoid", dtype="float32"),
        ],
        name="discriminator",
    )
    optimizer = adam(OPTIONS["learning_rate"])
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


def define_generator(latent_dim):
    """As the tutorial's, with fewer filters and BatchNormalization."""
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(128 * 7 * 7, use_bias=False),  # 6272
            layers.Reshape((7, 7, 128)),  # 7x7x128
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Conv2DTranspose(64, 4, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),  # 14x14x64
            layers.ReLU(),
            layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid"),
        ],
        name="generator",
    )
