"""The pair of `train.py --preset quick`: colours and shapes in minutes on two CPU cores.

The recipe of `mnist_gan/quick.py`: few filters, BatchNormalization in G only, many small
batches at a high rate, one update of D on both halves, and the mean of G's last weights
for the pictures.
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


def define_discriminator(in_shape=(32, 32, 3)):
    """As the tutorial's, with half the filters, larger kernels and no dropout."""
    from keras import Sequential, layers

    model = Sequential(
        [
            layers.Input(in_shape),
            layers.Conv2D(64, 4, strides=2, padding="same"),  # 16x16x64
            layers.LeakyReLU(0.2),
            layers.Conv2D(128, 4, strides=2, padding="same"),  # 8x8x128
            layers.LeakyReLU(0.2),
            layers.Conv2D(256, 4, strides=2, padding="same"),  # 4x4x256
            layers.LeakyReLU(0.2),
            layers.Flatten(),  # 4096
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
            layers.Dense(256 * 4 * 4, use_bias=False),  # 4096
            layers.Reshape((4, 4, 256)),  # 4x4x256
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Conv2DTranspose(128, 4, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),  # 8x8x128
            layers.ReLU(),
            layers.Conv2DTranspose(64, 4, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),  # 16x16x64
            layers.ReLU(),
            layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh"),
        ],
        name="generator",
    )
